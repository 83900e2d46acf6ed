import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepPrivate, readPrivate, writePrivate } from './local-access.ts'

test('what is kept privately is whole, for its owner alone, and made again only where nothing is', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-private-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'kept')
  assert.equal(await readPrivate(file), null)
  await writePrivate(file, 'one')
  assert.equal(await readPrivate(file), 'one')
  assert.deepEqual(readdirSync(folder), ['kept'])
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(await keepPrivate(file, () => 'two'), 'one')
  // What a power cut or a copy to a full disk can leave.
  for (const rest of ['', '\n']) {
    writeFileSync(file, rest)
    assert.equal(await readPrivate(file), null)
  }
  assert.equal(await keepPrivate(file, () => 'two'), 'two')
})
