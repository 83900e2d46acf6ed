import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { RejectError } from '@newswire/events/errors'
import { z } from 'zod'
import { createDiskObjects } from './disk.ts'
import { getDocument, swapDocument } from './documents.ts'

const schema = z.object({ n: z.number() })

const freshStore = async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-documents-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true })
  })
  return objects
}

test('a document is swapped only in place of the one that was read', async t => {
  const objects = await freshStore(t)
  assert.equal(await getDocument(objects, 'a.json', schema), null)
  assert.ok((await swapDocument(objects, 'a.json', { n: 1 }, null)).ok)
  const read = await getDocument(objects, 'a.json', schema)
  assert.deepEqual(read?.value, { n: 1 })
  assert.ok((await swapDocument(objects, 'a.json', { n: 2 }, read.etag)).ok)
  assert.deepEqual(await swapDocument(objects, 'a.json', { n: 3 }, read.etag), { ok: false, reason: 'stale' })
  assert.deepEqual(await swapDocument(objects, 'a.json', { n: 3 }, null), { ok: false, reason: 'exists' })
  assert.deepEqual((await getDocument(objects, 'a.json', schema))?.value, { n: 2 })
})

test('fields that are not known are ignored when a document is read', async t => {
  const objects = await freshStore(t)
  await swapDocument(objects, 'a.json', { n: 1, later: true }, null)
  assert.deepEqual((await getDocument(objects, 'a.json', schema))?.value, { n: 1 })
})

test('what is no such document is refused by its key', async t => {
  const objects = await freshStore(t)
  const bodies = [Buffer.from('{"n":"1"}'), Buffer.from('{"n":1'), Buffer.from(''), Buffer.from([0x22, 0xff, 0x22])]
  for (const [index, body] of bodies.entries()) {
    await objects.put(`${index}.json`, body)
    const expected = (error: unknown) =>
      error instanceof RejectError && error.code === 'NEWSWIRE_OBJECTS_DOCUMENT' && error.message.startsWith(`${index}.json`)
    await assert.rejects(getDocument(objects, `${index}.json`, schema), expected)
  }
})
