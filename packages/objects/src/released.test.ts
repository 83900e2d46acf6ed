import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import { createDiskObjects } from './disk.ts'
import { swapDocument } from './documents.ts'
import { keys } from './keys.ts'
import { getReleased } from './released.ts'

const killed: Fact = {
  state: 'purged',
  action: 'purged',
  articleId: 'vnx.story',
  publisher: 'vnx',
  version: 2,
  submissionId: '0193a5b0-0000-7000-8000-000000000000',
  lane: 'live',
  firstReleasedAt: '2026-11-24T00:00:00.000Z',
  releasedAt: '2026-11-24T00:00:01.000Z',
  updatedAt: '2026-11-24T00:00:01.000Z',
  facetsEver: { categories: [], languages: [], publishers: [], types: [], public: true },
  aliases: [],
  reason: 'by law',
}

test('readers are given what was released and nothing that is held or withdrawn', async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-released-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true })
  })
  assert.equal(await getReleased(objects, 'vnx.story'), null)
  const key = keys.current('vnx.story')
  const held = { article: { headline: 'under embargo' } }
  const first = await swapDocument(objects, key, { released: null, held }, null)
  assert.ok(first.ok)
  assert.equal(await getReleased(objects, 'vnx.story'), null)
  await swapDocument(objects, key, { released: { fact: killed }, held, withdrawn: held }, first.etag)
  assert.deepEqual(await getReleased(objects, 'vnx.story'), { fact: killed })
})
