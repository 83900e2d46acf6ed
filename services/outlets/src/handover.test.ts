import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createHandover } from './handover.ts'

test('a mark that cannot be read is of somebody who may still be sending, and is taken over as such', async t => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-handover-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  })
  const { isClean, take, release } = createHandover(objects, 'me')
  for (const [partition, text] of ['\u0000', '[]', '{}', '{"n":"1","state":"clean","owner":""}'].entries()) {
    await objects.put(keys.handover(partition), Buffer.from(text))
    assert.equal(await isClean(partition), false)
    const { mark, clean } = await take(partition)
    assert.equal(clean, false)
    await release(partition, mark, false)
    assert.equal(await isClean(partition), true)
  }
})
