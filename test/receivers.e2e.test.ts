/** Every manner of receiver against the whole program, side by side: what each ends in, and that the healthy one is not touched by any. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import type { Partner } from './support/partner.ts'
import type { PartnerMode } from './support/partner-modes.ts'
import { articleIdOf, createSystem, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

/** A request then has 1 s, the first retry comes after 0.1 s. */
const SCALE = 0.02
const DEADLINE = { deadlineMs: 60_000 }
/** What `Retry-After` may ask for at most after a first attempt: twice the delay and two hours (schedule.ts). */
const MOST_RETRY_AFTER_MS = (2 * 5_000 + 2 * 3_600_000) * SCALE

type Sink = Readonly<{ kind: string; id: string; state: string; attempts?: number; lastError?: string; nextAt?: string }>
type Manner = Readonly<{
  mode: PartnerMode
  /** Where the delivery stands while the receiver goes on like this. */
  state: string
  lastError?: RegExp
  /** More that must come to be seen of it. */
  holds?: (seen: Readonly<{ sink: Sink; requests: Partner['requests'] }>) => boolean
}>

const NO_ANSWER = /^no whole answer came/
const isAgain = ({ requests }: { requests: Partner['requests'] }) => requests.length >= 2
/** From the last request to the next one that is planned. */
const waitsMs = ({ requests, sink }: Readonly<{ requests: Partner['requests']; sink: Sink }>) =>
  Date.parse(sink.nextAt ?? '') - (requests.at(-1)?.at ?? 0)

const manners = {
  well: { mode: 'ok', state: 'done' },
  slow: { mode: { afterMs: 300 }, state: 'done' },
  hang: { mode: 'hang', state: 'retrying', lastError: NO_ANSWER, holds: isAgain },
  drip: { mode: 'drip', state: 'retrying', lastError: NO_ANSWER, holds: isAgain },
  reset: { mode: 'reset', state: 'retrying', lastError: NO_ANSWER, holds: isAgain },
  // Processed, and the reply was lost: the same comes again under the same id.
  lost: { mode: 'lost', state: 'retrying', lastError: NO_ANSWER, holds: seen => isAgain(seen) && areAlike(seen.requests) },
  late: { mode: { takesAfterMs: 1_500 }, state: 'retrying', lastError: NO_ANSWER, holds: seen => isAgain(seen) && areAlike(seen.requests) },
  sometimes: { mode: { status: 500, percent: 60 }, state: 'done' },
  'always-500': { mode: { status: 500 }, state: 'retrying', lastError: /^it answered 500$/, holds: isAgain },
  // More than the schedule waits for after so few attempts.
  'retry-after': {
    mode: { status: 429, retryAfter: 20 },
    state: 'retrying',
    lastError: /^it answered 429$/,
    holds: seen => waitsMs(seen) >= 20_000 && waitsMs(seen) <= 40_000,
  },
  'retry-after-absurd': {
    mode: { status: 429, retryAfter: 999_999_999 },
    state: 'retrying',
    lastError: /^it answered 429$/,
    holds: seen => waitsMs(seen) >= MOST_RETRY_AFTER_MS && waitsMs(seen) <= MOST_RETRY_AFTER_MS + 20_000,
  },
  'retry-after-malformed': {
    mode: { status: 429, retryAfter: 'soon, -3' },
    state: 'retrying',
    lastError: /^it answered 429$/,
    holds: isAgain,
  },
  gone: { mode: { status: 410 }, state: 'suspended', lastError: /^it answered 410$/ },
  'too-large': { mode: 'ok', state: 'done' },
} as const satisfies Record<string, Manner>
const ids = Object.keys(manners) as (keyof typeof manners)[]

const areAlike = (requests: Partner['requests']): boolean => new Set(requests.map(one => `${one.id} ${one.body}`)).size === 1

const sinkOf = async (running: Running, localId: string, version: number, id: string): Promise<Sink | undefined> => {
  const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
  const versions = body['versions'] as { version: number; sinks: Sink[] }[] | undefined
  return versions?.find(one => one.version === version)?.sinks.find(one => one.kind === 'outlet' && one.id === id)
}

test('whatever a receiver does, its deliveries end in what the contract says, and a healthy one is not harmed', async t => {
  const system = await createSystem(t, { outlets: ids, retryScale: SCALE })
  const running = await system.start()
  const write = createWriter(35)
  const partnerOf = (id: string): Partner => system.partners[id] ?? assert.fail(id)
  const requestsOf = (id: string, localId: string) => partnerOf(id).requests.filter(one => one.article === articleIdOf(localId))
  const publish = async (localId: string) => running.settled(await running.put(localId, write()))
  const untilState = (localId: string, version: number, id: string, { state, lastError, holds }: Omit<Manner, 'mode'>) =>
    waitFor(
      `v${version} of ${localId} to be ${state} at ${id}`,
      async () => {
        const sink = await sinkOf(running, localId, version, id)
        const isRight = sink?.state === state && (lastError === undefined || lastError.test(sink.lastError ?? ''))
        const seen = sink && { sink, requests: requestsOf(id, localId) }
        return (isRight && seen && (holds?.(seen) ?? true)) || Promise.reject({ sink, requests: seen?.requests.length })
      },
      DEADLINE,
    )

  for (const id of ids) await partnerOf(id).setMode(manners[id].mode)
  partnerOf('too-large').setModeFor(articleIdOf('qua-lon'), { status: 413 })
  await publish('bai')
  for (const id of ids) await t.test(`while one is ${id}`, async () => void (await untilState('bai', 1, id, manners[id])))

  await t.test('one article that is too large there is rejected alone, and its next version is tried', async () => {
    await publish('qua-lon')
    await untilState('qua-lon', 1, 'too-large', { state: 'rejected', lastError: /^it answered 413$/ })
    await untilState('qua-lon', 1, 'well', { state: 'done' })
    const triesOfFirst = () => requestsOf('too-large', 'qua-lon').filter(one => one.version === 1).length
    const tries = triesOfFirst()
    await publish('qua-lon')
    await untilState('qua-lon', 2, 'too-large', { state: 'rejected' })
    assert.equal(triesOfFirst(), tries, 'what was rejected is not tried again')
  })

  await t.test('who answered 410 is sent nothing more but retractions, and what is pending is kept', async () => {
    const before = partnerOf('gone').requests.length
    await publish('sau-410')
    await untilState('sau-410', 1, 'gone', { state: 'suspended' })
    assert.equal(partnerOf('gone').requests.length, before)
  })

  await t.test('once they are well again a newer version is everywhere, whatever the older one waited for', async () => {
    for (const id of ids) await partnerOf(id).setMode('ok')
    await publish('bai')
    for (const id of ids.filter(one => one !== 'gone')) await untilState('bai', 2, id, { state: 'done' })
  })

  await t.test('a retraction reaches everyone, and brings back who had answered 410', async () => {
    assert.equal((await running.publisher.retract('bai', { mode: 'withdraw', reason: 'test' })).status, 202)
    for (const id of ids) await untilState('bai', 3, id, { state: 'done' })
    await untilState('sau-410', 1, 'gone', { state: 'done' })
  })

  for (const id of ids) {
    assert.equal(partnerOf(id).held(articleIdOf('bai'))?.action, 'retracted', id)
    const offences = partnerOf(id).findOffences()
    // What it took late it may have taken after a newer one: a careful receiver looks at the version, and `held` is one.
    assert.deepEqual(id === 'late' ? offences.filter(one => !one.includes('was delivered after')) : offences, [], id)
  }
  const came = new Map(partnerOf('well').requests.map(one => [one.id, `${one.article} v${one.version} ${one.answered}`]))
  const inTurn = ['bai v1', 'qua-lon v1', 'qua-lon v2', 'sau-410 v1', 'bai v2', 'bai v3'].map(one => `${articleIdOf(one)} 204`)
  assert.deepEqual([...came.values()], inTurn, 'the healthy one got each version in its turn')
})
