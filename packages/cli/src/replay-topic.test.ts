import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { topicSpecs, topics } from '@newswire/events/topics'
import type { Lag } from '@newswire/log/log'
import { readSettings } from '@newswire/runtime/settings'
import { openPorts, type Ports } from './compose.ts'
import { keepMark } from './log-mark.ts'
import { toOutletFrom } from './replay-program.ts'
import { groupsFor, parsePlace, planMoves, replayTopic } from './replay-topic.ts'
import type { Terminal } from './terminal.ts'

const ARTICLES = topics.articles.name
const lag = (partition: number, committed: number | null): Lag => ({
  topic: ARTICLES,
  partition,
  committed,
  end: 100,
  records: 0,
  oldestMs: null,
})

test('what waits is never passed over: a group goes back, and never forward', () => {
  const lags = [lag(0, 50), lag(1, 10), lag(2, null), lag(3, 7)]
  const places = new Map([
    [0, 20],
    [1, 30],
    [2, 5],
  ])
  assert.deepEqual(planMoves('feeds', lags, places), [{ group: 'feeds', partition: 0, from: 50, to: 20 }])
})

test('a place is start, a time with an offset, or a position with its partition', () => {
  assert.equal(parsePlace('start', undefined), 'start')
  assert.deepEqual(parsePlace('2026-01-31T08:00:00+07:00', undefined), { time: '2026-01-31T08:00:00+07:00' })
  assert.deepEqual(parsePlace('4711', '3'), { partition: 3, position: 4711 })
  for (const [from, partition] of [
    ['4711', undefined],
    ['start', '3'],
    ['end', undefined],
    ['2026-01-31T08:00:00', undefined],
    ['2026-13-31T08:00:00Z', undefined],
  ] as const)
    assert.throws(() => parsePlace(from, partition), { name: 'UsageError' }, from)
})

test('only groups whose repeat tells nobody outside anything may be set; for the others it says what there is instead', () => {
  assert.deepEqual(groupsFor(ARTICLES, []), ['feeds', 'archive', 'outlets-route'])
  assert.deepEqual(groupsFor(ARTICLES, ['archive']), ['archive'])
  assert.throws(() => groupsFor(ARTICLES, ['outlets']), /outlets does not handle articles/)
  assert.throws(() => groupsFor('deliveries', []), /newswire replay outlet ID/)
  assert.throws(() => groupsFor('article', []), /there is no topic article/)
})

test('a sequence is told from a time, and a time without an offset is refused', () => {
  assert.deepEqual(toOutletFrom('4711'), { fromSequence: '4711' })
  assert.deepEqual(toOutletFrom('2026-01-31T08:00:00Z'), { fromTime: '2026-01-31T08:00:00Z' })
  assert.throws(() => toOutletFrom('yesterday'), { name: 'UsageError' })
})

const setUp = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-replay-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const settings = readSettings({ NEWSWIRE_DATA: folder, NEWSWIRE_FSYNC: 'normal' })
  const within = async <T>(use: (ports: Ports) => Promise<T>): Promise<T> => {
    const ports = await openPorts(settings, 'test')
    return use(ports).finally(ports.close)
  }
  const printed: string[] = []
  const terminal: Terminal = { settings, environment: {}, json: true, print: line => printed.push(line), say: () => undefined }
  const replay = async (from: string, more: Partial<Parameters<typeof replayTopic>[2]> = {}) => {
    const ok = await replayTopic(terminal, ARTICLES, { group: [], from, ...more })
    return { ok, ...(JSON.parse(printed.at(-1) ?? '') as { groups: { group: string; moves: unknown[]; records: number }[] }) }
  }
  return { within, replay, terminal }
}
const waitingOf = async ({ log }: Ports, group: string) => (await log.lag(group)).reduce((sum, one) => sum + one.records, 0)
const put = ({ log }: Ports, count: number) =>
  log.publish(Array.from({ length: count }, (_, n) => ({ topic: ARTICLES, key: `press.${n}`, value: Buffer.from('x') })))

test('groups go back to a time or to the start, each in its own partitions, and one that waits already keeps what it has', async t => {
  const { within, replay } = await setUp(t)
  let betweenMs = 0
  await within(async ports => {
    await ports.log.topics(topicSpecs, { apply: true })
    await keepMark(ports.log, ports.objects)
    await put(ports, 8)
    await ports.log.replay('archive', ARTICLES, 'end')
    const partitions = (await ports.log.ends(ARTICLES)).map(one => one.partition)
    const pages = await Promise.all(partitions.map(partition => ports.log.read({ topic: ARTICLES, partition, from: 'start', limit: 100 })))
    betweenMs = Math.max(...pages.flatMap(page => page.records).map(one => one.timestamp)) + 1
    while (Date.now() <= betweenMs) await new Promise(setImmediate)
    await put(ports, 8)
    await ports.log.replay('feeds', ARTICLES, 'end')
  })
  const dry = await replay('start', { dryRun: true })
  assert.ok(dry.groups.find(one => one.group === 'feeds')?.moves.length)
  await within(async ports => assert.equal(await waitingOf(ports, 'feeds'), 0))

  const since = await replay(new Date(betweenMs).toISOString())
  assert.equal(since.ok, true)
  assert.deepEqual(
    since.groups.map(({ group, moves }) => [group, moves.length > 0]),
    [
      ['feeds', true],
      ['archive', false],
      ['outlets-route', false],
    ],
  )
  await within(async ports => {
    assert.equal(await waitingOf(ports, 'archive'), 8)
    assert.ok((await waitingOf(ports, 'feeds')) >= 8)
  })
  assert.deepEqual(
    (await replay('start')).groups.map(one => one.records),
    [16, 16, 0],
  )
})

test('beside a system that runs it says what to stop', async t => {
  const { within, terminal } = await setUp(t)
  await within(async () => {
    const refused = replayTopic(terminal, ARTICLES, { group: [], from: 'start', dryRun: true })
    await assert.rejects(refused, /Stop it, run this again, then start it/)
  })
})
