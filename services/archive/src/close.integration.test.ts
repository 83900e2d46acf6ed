/** Closing on a real S3 store, with several processes' worth of clients. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keys } from '@newswire/objects/keys'
import { createS3Objects } from '@newswire/objects/s3'
import { closeOnce } from './close.ts'
import { copyArchive } from './copy.ts'
import { newestManifest } from './finish.ts'
import { reindexManifest } from './reindex.ts'
import { openSampleArchive } from './sample-archive.ts'
import { readKeys } from './signing.ts'
import { openFolder, verifyCopy } from './verify-copy.ts'

const { S3_ENDPOINT: endpoint = '', S3_BUCKET: bucket = '' } = process.env
const skip = bucket === '' ? 'needs S3_ENDPOINT and S3_BUCKET' : false

test('on S3 a day is closed by exactly one of several, packed, copied and proved; several who make its indexes again make what was there', {
  skip,
}, async t => {
  const options = { bucket, endpoint, prefix: `archive-${randomUUID()}` }
  const stores = await Promise.all([1, 2, 3].map(() => createS3Objects(options)))
  const [objects] = stores
  assert.ok(objects)
  const archive = await openSampleArchive({ objects })
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(async () => {
    await archive.close()
    for (const store of stores.slice(1)) await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  for (const id of ['press.a', 'press.B', 'press.c']) await archive.add(id, 1)
  await archive.add('press.a', 2)
  const tried = await Promise.all(
    stores.map((store, who) => closeOnce({ ...archive.needs, objects: store, now: () => archive.clock.nowMs + who })),
  )
  for (const number of new Set(tried.map(one => one.manifest.head.number)))
    assert.ok(tried.filter(one => one.outcome === 'closed' && one.manifest.head.number === number).length <= 1, `one winner of ${number}`)
  await closeOnce(archive.needs)
  assert.deepEqual(await objects.list(keys.archiveStagedPrefix), [])
  assert.deepEqual(await objects.list('archive/2026/'), [])

  const indexes = (await objects.list(keys.archivePackPrefix)).map(one => one.key).filter(key => key.endsWith('.index.jsonl'))
  const before = await Promise.all(indexes.map(async key => (await objects.get(key))?.bytes))
  for (const key of indexes) await objects.delete(key)
  await Promise.all(
    stores.map(async store => {
      for (let number = 1; number <= (await newestManifest(store)); number++)
        assert.equal((await reindexManifest({ ...archive.needs, objects: store }, number)).lost, 0)
    }),
  )
  assert.deepEqual(await Promise.all(indexes.map(async key => (await objects.get(key))?.bytes)), before)

  await copyArchive(objects, folder)
  const published = await readKeys(objects)
  assert.ok(published)
  const verdict = await verifyCopy(openFolder(folder), published.value)
  assert.deepEqual([verdict.wrong, verdict.versions, verdict.natives], [undefined, 4, 4])
})
