/** What an outlet may ask for, on the whole program: every version, a strict order, a pace, nothing stale, nothing before its own time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { versionOf } from './support/on-time.ts'
import type { Partner } from './support/partner.ts'
import { createPartnerApi } from './support/partner-api.ts'
import { articleIdOf, createSystem, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const DEADLINE = { deadlineMs: 60_000 }
const TOKEN = 'nw_partner_that_waits_3e88'
const OFFSET_HOURS = 0.001
const OFFSET_MS = OFFSET_HOURS * 3_600_000
const RATE = 2

const settings = {
  thuong: {},
  'moi-ban': { versions: 'all' },
  'thu-tu': { order: 'strict' },
  'co-nhip': { rate: RATE },
  'khong-cu': { maxAgeHours: OFFSET_HOURS },
  tre: { embargoOffsetHours: OFFSET_HOURS },
  'tre-mot-gio': { embargoOffsetHours: 1 },
} as const
type Id = keyof typeof settings
const ids = Object.keys(settings) as Id[]

type Sink = Readonly<{ kind: string; id: string; state: string; reason?: string }>
const sinkOf = async (running: Running, localId: string, version: number, id: Id): Promise<Sink | undefined> => {
  const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
  const versions = body['versions'] as { version: number; sinks: Sink[] }[] | undefined
  return versions?.find(one => one.version === version)?.sinks.find(one => one.kind === 'outlet' && one.id === id)
}

test('outlets get what they asked for: each version, one after the other, at their pace, nothing stale, nothing early, also over a kill', async t => {
  const system = await createSystem(t, {
    outlets: ids,
    outletSettings: settings,
    partnerTokens: { 'tre-mot-gio': TOKEN },
    retryScale: 0.005,
  })
  let running = await system.start()
  const write = createWriter(67)
  const at = (id: Id): Partner => system.partners[id] ?? assert.fail(id)
  const away: readonly Id[] = ['moi-ban', 'thu-tu', 'khong-cu']
  const publish = async (...localIds: string[]) => {
    for (const localId of localIds) await running.settled(await running.put(localId, write()))
  }
  const holds = (id: Id, localId: string, version: number) => at(id).held(articleIdOf(localId))?.version === version
  const untilState = (localId: string, version: number, id: Id, ...states: string[]) =>
    waitFor(
      `v${version} of ${localId} to be ${states.join(' or ')} at ${id}`,
      async () => {
        const sink = await sinkOf(running, localId, version, id)
        return sink !== undefined && states.includes(sink.state) ? sink : Promise.reject(sink)
      },
      DEADLINE,
    )

  await publish('mot')
  for (const id of away) await untilState('mot', 1, id, 'done')
  for (const id of away) await at(id).setMode('down')
  await publish('mot', 'hai', 'mot', 'ba', 'hai')
  // Of every version the one before it is what is tried; in a strict line the first.
  for (const id of away) await untilState('hai', 2, id, 'pending', 'retrying')
  await running.newswire.kill()
  running = await system.start()
  await publish('mot', 'cu', 'rut')
  const staleAtMs = Date.now() + OFFSET_MS
  assert.equal((await running.publisher.retract('rut', { mode: 'withdraw', reason: 'test' })).status, 202)

  await t.test(
    'an article that waits an hour for an outlet is not named to it, and nothing of it is sent when it is taken back',
    async () => {
      const sink = await untilState('rut', 2, 'tre-mot-gio', 'skipped')
      assert.match(sink.reason ?? '', /taken back before anything of it was due/)
      const api = createPartnerApi(running.newswire.url('gateway'), 'tre-mot-gio', TOKEN)
      assert.deepEqual(await api.since(0), [])
      assert.deepEqual((await api.get('')).body['pending'], {
        articles: 0,
        retractions: 0,
        rejected: 0,
        dead: 0,
        oldestSince: null,
        more: false,
      })
      const { body } = await running.console('/v1/outlets/tre-mot-gio')
      const pending = body['pending'] as { articles: number; retractions: number }
      assert.ok(pending.articles >= 3, 'operators see what waits')
      assert.equal(pending.retractions, 0, 'and not the retraction that ended')
      assert.equal((await running.publisher.republish('rut')).status, 202)
      await untilState('rut', 3, 'tre-mot-gio', 'pending')
      assert.equal((await running.publisher.retract('rut', { mode: 'withdraw', reason: 'test' })).status, 202)
      await untilState('rut', 4, 'tre-mot-gio', 'skipped')
      assert.equal(at('tre-mot-gio').requests.length, 0, 'nor when it has come back and is taken back again')
    },
  )

  await waitFor('what was published to be stale', () => Date.now() > staleAtMs, DEADLINE)
  for (const id of away) await at(id).setMode('ok')

  await t.test('every version comes to an archive that was away, in order, none left out', async () => {
    for (const [localId, version] of [
      ['mot', 4],
      ['hai', 2],
      ['ba', 1],
    ] as const)
      await untilState(localId, version, 'moi-ban', 'done')
    const taken = (localId: string) => [...new Set(at('moi-ban').taken(articleIdOf(localId)))]
    assert.deepEqual([taken('mot'), taken('hai'), taken('ba')], [[1, 2, 3, 4], [1, 2], [1]])
  })

  await t.test('a strict outlet that was away gets what it missed in the order of its sequence, retractions aside', async () => {
    for (const [localId, version] of [
      ['ba', 1],
      ['hai', 2],
      ['mot', 4],
      ['cu', 1],
    ] as const)
      await untilState(localId, version, 'thu-tu', 'done')
    const came = at('thu-tu').requests.filter(one => one.action !== 'retracted')
    const sequences = came.map(one => one.sequence)
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    )
    // What changed once more while it waited goes with its newest text, in the place of whichever of its intents was read last.
    const unchanged = ['mot v1', 'ba v1', 'cu v1'].map(one => articleIdOf(one))
    const inTurn = [...new Set(came.map(one => `${one.article} v${one.version}`))]
    assert.deepEqual(
      inTurn.filter(one => unchanged.includes(one)),
      unchanged,
    )
  })

  await t.test('what is stale is told as skipped to who never had it, and what is new comes', async () => {
    const sink = await untilState('cu', 1, 'khong-cu', 'skipped')
    assert.match(sink.reason ?? '', /maxAgeHours/)
    await waitFor('the newest of what it had', () => holds('khong-cu', 'mot', 4), DEADLINE)
    let fresh = 0
    await waitFor(
      'something new to come in time',
      async () => {
        fresh += 1
        await publish(`moi-${fresh}`)
        return at('khong-cu')
          .heldIds()
          .some(id => id.includes('.moi-'))
      },
      { ...DEADLINE, everyMs: 500 },
    )
    assert.equal(at('khong-cu').held(articleIdOf('cu')), undefined)
  })

  await t.test('nothing of an article comes to an outlet with an offset before that time, and then the newest', async () => {
    for (const [localId, version] of [
      ['mot', 4],
      ['hai', 2],
      ['ba', 1],
    ] as const)
      await waitFor(`v${version} of ${localId} to come`, () => holds('tre', localId, version), DEADLINE)
    for (const localId of ['mot', 'hai', 'ba']) {
      const dueMs = Date.parse((await versionOf(running, localId, 1)).releasedAt) + OFFSET_MS
      const first = at('tre').requests.find(one => one.article === articleIdOf(localId))
      assert.ok(first && first.at >= dueMs, `${localId} came ${dueMs - (first?.at ?? 0)} ms before its time`)
    }
  })

  await t.test('a pace is kept', async () => {
    await waitFor('all of it', () => holds('co-nhip', 'mot', 4) && holds('co-nhip', 'hai', 2) && holds('co-nhip', 'ba', 1), DEADLINE)
    // Retractions are next, whatever the pace; what comes may be late, but not all of it.
    const times = at('co-nhip')
      .requests.filter(one => one.action !== 'retracted')
      .map(one => one.at)
    const leastMs = ((times.length - 1) * 1_000) / RATE
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) >= leastMs - 1_000, `${times.length} requests at ${times}`)
  })

  for (const id of ids) assert.deepEqual(at(id).findOffences(), [], id)
  assert.deepEqual([holds('thuong', 'mot', 4), at('thuong').held(articleIdOf('rut'))?.action], [true, 'retracted'])
})
