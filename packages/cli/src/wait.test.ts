import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SinkTrace, SubmissionStatus } from '@newswire/trace/queries'
import type { Client } from './client.ts'
import { waitForSinks } from './wait.ts'

type Moment = { submission: Partial<SubmissionStatus>; sinks?: readonly Partial<SinkTrace>[]; fanOuts?: number; pictures?: string }

/** A system that goes from one moment to the next with each question about the submission; the last one stays. */
const clientOf = (moments: readonly Moment[]): Client => {
  let asked = -1
  const now = () => moments[Math.min(asked, moments.length - 1)] ?? { submission: {} }
  return {
    ingest: async () => {
      asked++
      return now().submission
    },
    console: async () => ({
      versions: [
        {
          version: 1,
          stages: [
            ...Array.from({ length: now().fanOuts ?? 2 }, () => ({ outcome: 'fanned-out' })),
            { stage: 'images', outcome: 'accepted', detail: now().pictures ?? null },
          ],
          sinks: now().sinks ?? [],
        },
      ],
    }),
    whose: async () => null,
    upload: async () => ({ url: '' }),
  }
}
const wait = async (moments: readonly Moment[], timeoutMs = 5_000) => {
  const said: string[] = []
  const waited = await waitForSinks(clientOf(moments), 's', 'press.a', { timeoutMs, report: line => said.push(line) })
  return { ...waited, said }
}
const released = { state: 'released', version: 1 }
const sink = (state: string): Partial<SinkTrace> => ({ kind: 'outlet', id: 'x', state, lastError: 'no', reason: null })

test('it ends well once both fan-outs were made and every sink has it', async () => {
  const found = await wait([
    { submission: { state: 'accepted' } },
    { submission: released, sinks: [sink('done')], fanOuts: 1 },
    { submission: released, sinks: [sink('done'), sink('retrying')] },
    { submission: released, sinks: [sink('done'), sink('skipped')] },
  ])
  assert.deepEqual([found.ok, found.state], [true, 'released'])
  assert.deepEqual(found.said, [
    'accepted',
    'version 1: 1 of 1 sinks have it',
    'version 1: 1 of 2 sinks have it',
    'version 1: 2 of 2 sinks have it',
  ])
})

test('a sink that a newer version has answered is not waited for', async () => {
  const found = await wait([{ submission: released, sinks: [sink('done'), { ...sink('superseded'), kind: 'feed', id: 'msn' }] }])
  assert.deepEqual([found.ok, found.state, found.detail], [true, 'released', 'version 1 is in 2 sinks'])
})

test('an outlet whose time has not come is named and not waited for', async () => {
  const nextAt = new Date(Date.now() + 86_400_000).toISOString()
  const held = { ...sink('pending'), id: 'ftp', nextAt }
  const found = await wait([
    { submission: released, sinks: [sink('pending'), held] },
    { submission: released, sinks: [sink('done'), held] },
  ])
  assert.deepEqual([found.ok, found.state, found.detail], [true, 'released', `version 1 is in 1 sink; outlet ftp gets it at ${nextAt}`])
})

test('a sink that gave up ends it with exit 1 and says which and why', async () => {
  for (const state of ['dead', 'rejected', 'suspended']) {
    const found = await wait([{ submission: released, sinks: [sink('done'), sink(state)] }])
    assert.equal(found.ok, false)
    assert.match(found.detail, new RegExp(`outlet x: ${state} no`))
  }
})

test('a feed that sets it aside is waited out with the others, and told as that and not as a failure; the exit status says that it has not got it', async () => {
  const aside = { ...sink('rejected'), kind: 'feed', id: 'msn', lastError: 'the title has 4 characters' }
  const found = await wait([
    { submission: released, sinks: [sink('pending'), aside] },
    { submission: released, sinks: [sink('done'), aside] },
  ])
  assert.deepEqual(
    [found.ok, found.state, found.detail],
    [false, 'set aside', 'by feed msn: the title has 4 characters; version 1 is in 1 sink'],
  )
})

test('pictures that did not make it are told with why, however it ends', async () => {
  const pictures = '1 of 2 pictures ready; https://press.example/a.png: too large'
  const rejected = { ...sink('rejected'), kind: 'feed', id: 'msn' }
  for (const [sinks, state] of [
    [[sink('done')], 'released'],
    [[sink('dead')], 'failed'],
    [[rejected], 'set aside'],
  ] as const) {
    const found = await wait([{ submission: released, sinks, pictures }])
    assert.deepEqual([found.state, found.warning], [state, pictures])
  }
  const late = await wait([{ submission: released, sinks: [sink('retrying')], pictures }], 200)
  assert.deepEqual([late.state, late.warning], ['late', pictures])
  const out = await wait([{ submission: released, sinks: [sink('done')], pictures }])
  assert.equal(out.detail, 'version 1 is in 1 sink, with 1 of 2 pictures ready')
  assert.equal((await wait([{ submission: released, sinks: [sink('done')], pictures: '2 of 2 pictures ready' }])).warning, undefined)
})

test('what became final without a version is answered at once: a retraction of what was never out, a duplicate, a refusal', async () => {
  assert.equal((await wait([{ submission: { state: 'released' } }])).ok, true)
  assert.equal((await wait([{ submission: { state: 'duplicate' } }])).ok, true)
  assert.equal((await wait([{ submission: { state: 'held' } }])).ok, true)
  const refused = await wait([{ submission: { state: 'refused', detail: 'older' } }])
  assert.deepEqual([refused.ok, refused.state, refused.detail], [false, 'refused', 'older'])
  assert.equal((await wait([{ submission: { state: 'superseded' } }])).ok, false)
})

test('what waits until somebody republishes it is no good end', async () => {
  const found = await wait([{ submission: { state: 'held', code: 'NEWSWIRE_DESK_AWAITS_REPUBLISH', detail: 'the article is retracted' } }])
  assert.deepEqual([found.ok, found.state, found.detail], [false, 'held', 'the article is retracted'])
})

test('it gives up at its time and says who has not got it, and how to go on looking', async () => {
  const late = await wait([{ submission: released, sinks: [sink('done'), sink('retrying')] }], 200)
  assert.deepEqual([late.ok, late.state], [false, 'late'])
  assert.match(late.detail, /\(outlet x: retrying no\); `newswire trace press\.a`/)
  const found = await wait([{ submission: { state: 'parked' } }], 200)
  assert.deepEqual([found.ok, found.state], [false, 'late'])
  assert.match(found.detail, /newswire trace press\.a/)
})
