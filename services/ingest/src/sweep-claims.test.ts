import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { claimKey, findClaim, markLogged } from './idempotency.ts'
import { CLAIM_MS, sweepClaims } from './sweep-claims.ts'

const requestOf = (key: string) => ({
  publisher: 'press',
  key,
  requestSha256: 'a'.repeat(64),
  submissionId: '00000000-0000-7000-8000-000000000001',
  receivedAt: '2026-03-01T08:00:00.000Z',
})

test('a claim stays as long as its submission is kept, and goes after it with bodies of webhooks and nothing else', async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-claims-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true })
  })
  for (const key of ['one', 'two']) await claimKey(objects, requestOf(key), [])
  await markLogged(objects, requestOf('one'))
  await objects.put('native/press/2026/03/01/kept', Buffer.from('{}'))
  await objects.put(keys.hookDelivery('press', 'ghost', 'a'.repeat(64)), Buffer.from('{}'))
  const { signal } = new AbortController()
  assert.equal(await sweepClaims(objects, Date.now() + CLAIM_MS - 60_000, signal), 0)
  assert.equal((await findClaim(objects, requestOf('one')))?.ok, true)
  assert.equal(await sweepClaims(objects, Date.now() + CLAIM_MS + 60_000, AbortSignal.abort()), 0)
  assert.equal(await sweepClaims(objects, Date.now() + CLAIM_MS + 60_000, signal), 3)
  assert.deepEqual(await objects.list(keys.hookDeliveryPrefix), [])
  assert.equal(await findClaim(objects, requestOf('one')), null)
  assert.notEqual(await objects.get('native/press/2026/03/01/kept'), null)
})
