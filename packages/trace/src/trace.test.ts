import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { readOverview } from './overview.ts'
import { findArticles, readArticleTrace, readDecisions, readSubmission } from './queries.ts'
import { readRetraction, readRetractions } from './retractions.ts'
import { milestoneWriter, schema } from './tables.ts'
import { createTrace } from './trace.ts'

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`
const ARTICLE = 'press.a'

type Of<K extends Milestone['kind']> = Extract<Milestone, { kind: K }>
const submission = (state: Of<'submission'>['state'], second: number, changes: Partial<Of<'submission'>> = {}): Milestone => ({
  kind: 'submission',
  articleId: ARTICLE,
  submissionId: 's1',
  at: at(second),
  stage: state === 'accepted' ? 'ingest' : state === 'parked' ? 'images' : 'desk',
  state,
  ...changes,
})
const released = (version: number, second: number, changes: Partial<Of<'released'>> = {}): Milestone => ({
  kind: 'released',
  articleId: ARTICLE,
  at: at(second),
  version,
  action: version === 1 ? 'published' : 'updated',
  submissionId: `s${version}`,
  title: `Tin ${version}`,
  ...changes,
})
const fannedOut = (version: number, second: number, stage: 'feeds' | 'outlets', ids: readonly string[]): Milestone => ({
  kind: 'fanned-out',
  articleId: ARTICLE,
  at: at(second),
  version,
  stage,
  sinks: ids.map(id => ({ kind: stage === 'feeds' ? ('feed' as const) : ('outlet' as const), id })),
})
const sink = (version: number, id: string, state: Of<'sink'>['state'], second: number, changes: Partial<Of<'sink'>> = {}): Milestone => ({
  kind: 'sink',
  articleId: ARTICLE,
  at: at(second),
  version,
  sink: { kind: 'outlet', id },
  state,
  ...changes,
})

const tables = (milestones: readonly Milestone[]) => {
  const db = new DatabaseSync(':memory:')
  db.exec(schema)
  const write = milestoneWriter(db)
  for (const one of milestones) write(one)
  return db
}
const sinksOf = (db: DatabaseSync, version: number) =>
  readArticleTrace(db, ARTICLE)?.versions.find(one => one.version === version)?.sinks ?? []
const stateAt = (db: DatabaseSync, version: number, id: string) => sinksOf(db, version).find(one => one.id === id)?.state

/** Every order of a list. */
const orders = <T>(list: readonly T[]): T[][] =>
  list.length < 2 ? [[...list]] : list.flatMap((one, index) => orders(list.filter((_, at) => at !== index)).map(rest => [one, ...rest]))

test('a submission ends in its final state, whatever comes late or twice', () => {
  const way = [submission('accepted', 1, { command: 'publish' }), submission('parked', 2), submission('released', 4, { version: 1 })]
  for (const order of orders([...way, submission('held', 3), ...way.slice(0, 1)])) {
    const found = readSubmission(tables(order), 's1')
    assert.equal(found?.state, 'released')
    assert.equal(found?.version, 1)
    assert.equal(found?.command, 'publish')
    assert.equal(found?.acceptedAt, at(1))
    assert.equal(found?.at, at(4))
  }
  const refused = tables([submission('refused', 1, { code: 'NEWSWIRE_X', detail: 'why' }), submission('held', 2)])
  assert.deepEqual(
    [readSubmission(refused, 's1')?.state, readSubmission(refused, 's1')?.code, readSubmission(refused, 's1')?.detail],
    ['refused', 'NEWSWIRE_X', 'why'],
  )
  assert.equal(readSubmission(refused, 'unknown'), null)
  const detail = '0 of 1 pictures ready; https://x.example/a.jpg: its server answered 403'
  const pictured = tables([...way, submission('accepted', 3, { stage: 'images', detail })])
  assert.deepEqual([readSubmission(pictured, 's1')?.pictures, readSubmission(tables(way), 's1')?.pictures], [detail, undefined])
})

test('the same milestones give the same trace in every order, and twice is once', () => {
  const story = [
    released(1, 2),
    fannedOut(1, 3, 'outlets', ['x']),
    sink(1, 'x', 'retrying', 4, { attempts: 1, nextAt: at(9), lastError: 'no' }),
    sink(1, 'x', 'retrying', 5, { attempts: 2, nextAt: at(9), lastError: 'still no' }),
    sink(1, 'x', 'suspended', 6, { attempts: 2, lastError: 'given up' }),
  ]
  const wanted = readArticleTrace(tables(story), ARTICLE)
  assert.equal(wanted?.versions[0]?.sinks.find(one => one.id === 'x')?.state, 'suspended')
  for (const order of orders(story)) assert.deepEqual(readArticleTrace(tables([...order, ...order]), ARTICLE), wanted)
})

test('done stays done: a late retry of another process changes nothing', () => {
  const done = sink(1, 'x', 'done', 5, { attempts: 3 })
  for (const order of orders([released(1, 1), sink(1, 'x', 'retrying', 9, { nextAt: at(30) }), done])) {
    const [found] = sinksOf(tables(order), 1).filter(one => one.id === 'x')
    assert.deepEqual([found?.state, found?.doneAt, found?.nextAt], ['done', at(5), null])
  }
})

test('a sink is done even when the clock of who said so is behind the one that expected it', () => {
  assert.equal(stateAt(tables([released(1, 8), fannedOut(1, 9, 'outlets', ['x']), sink(1, 'x', 'done', 3)]), 1, 'x'), 'done')
  assert.equal(stateAt(tables([released(1, 8), fannedOut(1, 9, 'outlets', ['x']), sink(1, 'x', 'retrying', 3)]), 1, 'x'), 'retrying')
})

test('all expected sinks are there from the fan-out on, and the archive from the release on', () => {
  const db = tables([released(1, 1)])
  assert.deepEqual(
    sinksOf(db, 1).map(one => [one.kind, one.id, one.state]),
    [['archive', 'archive', 'pending']],
  )
  const fanned = tables([released(1, 1), fannedOut(1, 2, 'feeds', ['all', 'news']), fannedOut(1, 2, 'outlets', ['x'])])
  assert.deepEqual(
    sinksOf(fanned, 1).map(one => `${one.kind} ${one.id}`),
    ['archive archive', 'feed all', 'feed news', 'outlet x'],
  )
})

test('a sink that holds a newer version is done for the older ones too, and of an outlet it is said which one it acknowledged; the archive must keep each', () => {
  const db = tables([
    released(1, 1),
    released(2, 2),
    fannedOut(1, 3, 'outlets', ['x', 'y']),
    fannedOut(2, 4, 'outlets', ['x', 'y']),
    sink(1, 'x', 'superseded', 5),
    sink(2, 'x', 'done', 6),
    sink(2, 'y', 'retrying', 6),
    { ...sink(2, 'archive', 'done', 6), sink: { kind: 'archive', id: 'archive' } } as Milestone,
    fannedOut(1, 3, 'outlets', ['refused', 'both']),
    sink(1, 'refused', 'rejected', 4, { lastError: 'it answered 422' }),
    sink(2, 'refused', 'done', 6),
    sink(1, 'both', 'done', 4),
    sink(2, 'both', 'done', 6),
    fannedOut(1, 3, 'feeds', ['all']),
    { ...sink(2, 'all', 'done', 6), sink: { kind: 'feed', id: 'all' } } as Milestone,
  ])
  const standing = (id: string) => {
    const one = sinksOf(db, 1).find(sink => sink.id === id)
    return [one?.state, one?.version, one?.doneAt, one?.reason]
  }
  assert.deepEqual(standing('x'), ['done', 2, at(6), 'it acknowledged version 2, and not this one'])
  assert.deepEqual(standing('refused'), ['done', 2, at(6), 'it acknowledged version 2, and not this one'])
  assert.deepEqual(standing('both'), ['done', 1, at(4), null])
  assert.deepEqual(standing('all'), ['done', 2, at(6), null])
  assert.equal(stateAt(db, 1, 'y'), 'pending')
  assert.equal(stateAt(db, 1, 'archive'), 'pending')
  assert.equal(stateAt(db, 2, 'archive'), 'done')
})

test('the overview counts what is still open, and not what a newer version has settled', () => {
  const db = tables([
    released(1, 1, { receivedAt: at(0) }),
    released(2, 2, { receivedAt: at(0) }),
    fannedOut(1, 3, 'outlets', ['x', 'y']),
    fannedOut(2, 3, 'outlets', ['x', 'y']),
    sink(1, 'x', 'dead', 4),
    sink(2, 'x', 'done', 5),
    sink(2, 'y', 'retrying', 5),
    submission('accepted', 0),
  ])
  const overview = readOverview(db, Date.parse(at(30)))
  assert.deepEqual(overview.sinks, { pending: 3, retrying: 1 })
  assert.deepEqual([overview.articles, overview.versions, overview.releasedLastMinute], [1, 2, 2])
  assert.deepEqual(overview.submissions, { accepted: 1 })
  assert.deepEqual(overview.releaseMs, { p50: 2000, p95: 2000, p99: 2000 })
  assert.equal(readOverview(tables([]), 0).releaseMs.p50, null)
})

test('what failed and is tried again is told by sink, the oldest first, until it is late or done', () => {
  const db = tables([
    released(1, 1),
    released(2, 5),
    fannedOut(1, 6, 'outlets', ['x', 'y', 'z']),
    fannedOut(2, 6, 'outlets', ['x', 'y', 'z']),
    sink(1, 'x', 'retrying', 7),
    sink(2, 'x', 'retrying', 7),
    sink(2, 'y', 'retrying', 7),
    sink(1, 'z', 'retrying', 7),
    sink(2, 'z', 'done', 8),
  ])
  assert.deepEqual(readOverview(db, Date.parse(at(25))).retrying, [
    { kind: 'outlet', id: 'x', versions: 2, oldestMs: 24_000 },
    { kind: 'outlet', id: 'y', versions: 1, oldestMs: 20_000 },
  ])
  const late = readOverview(db, Date.parse(at(1)) + 60_001)
  assert.deepEqual(
    late.retrying.map(one => [one.id, one.versions]),
    [
      ['x', 1],
      ['y', 1],
    ],
  )
  assert.deepEqual(readOverview(db, Date.parse(at(5)) + 60_001).retrying, [])
})

test('what a feed keeps out by its rules is counted by itself: nobody waits for it', () => {
  const aside: Milestone = { kind: 'sink', articleId: ARTICLE, at: at(3), version: 1, sink: { kind: 'feed', id: 'msn' }, state: 'rejected' }
  const db = tables([released(1, 1), fannedOut(1, 2, 'feeds', ['msn', 'all']), aside])
  const overview = readOverview(db, Date.parse(at(1)) + 120_000)
  assert.deepEqual([overview.sinks, overview.setAside, overview.overdue], [{ pending: 2 }, { msn: 1 }, { sinks: 2, retractions: 0 }])
  const late = [
    { kind: 'archive', id: 'archive', versions: 1 },
    { kind: 'feed', id: 'all', versions: 1 },
  ]
  assert.deepEqual(overview.late, late)
})

test('a feed that keeps the newest version out has answered: nothing before it is late, and nobody waits for it', () => {
  const feed = (version: number, state: Of<'sink'>['state']) => sink(version, 'msn', state, 9, { sink: { kind: 'feed', id: 'msn' } })
  const kept = (version: number) => sink(version, 'archive', 'done', 9, { sink: { kind: 'archive', id: 'archive' } })
  const takenBack = [released(1, 1, { action: 'retracted' }), kept(1), fannedOut(1, 2, 'feeds', ['msn'])]
  const waits = readOverview(tables(takenBack), Date.parse(at(1)) + 120_000)
  assert.deepEqual(waits.overdue, { sinks: 1, retractions: 1 })
  const passed = tables([...takenBack, released(2, 3), kept(2), fannedOut(2, 4, 'feeds', ['msn']), feed(2, 'rejected')])
  assert.deepEqual(readOverview(passed, Date.parse(at(1)) + 120_000).overdue, { sinks: 0, retractions: 0 })
  assert.deepEqual([stateAt(passed, 1, 'msn'), stateAt(passed, 2, 'msn')], ['superseded', 'rejected'])
  for (const state of ['retrying', 'dead', 'suspended', 'rejected'] as const) {
    const failed = tables([...takenBack, feed(1, state), released(2, 3), kept(2), fannedOut(2, 4, 'feeds', ['msn']), feed(2, 'skipped')])
    assert.deepEqual(readOverview(failed, Date.parse(at(1)) + 120_000).overdue, { sinks: 0, retractions: 0 })
    assert.deepEqual([stateAt(failed, 1, 'msn'), stateAt(failed, 2, 'msn')], ['superseded', 'skipped'])
  }
})

test('an outlet that is due nothing of the newest version waits for none before, also for one whose end nobody told', () => {
  const kept = [1, 2, 3].map(version => sink(version, 'archive', 'done', 9, { sink: { kind: 'archive', id: 'archive' } }))
  const out = [released(1, 1), fannedOut(1, 2, 'outlets', ['x'])]
  const takenBack = [
    released(2, 3, { action: 'retracted' }),
    fannedOut(2, 4, 'outlets', ['x']),
    sink(2, 'x', 'retrying', 5, { attempts: 1 }),
  ]
  const again = [released(3, 6), fannedOut(3, 7, 'outlets', ['x'])]
  const waits = tables([...kept, ...out, ...takenBack, ...again])
  assert.deepEqual(readOverview(waits, Date.parse(at(1)) + 600_000).overdue, { sinks: 3, retractions: 1 })
  const db = tables([...kept, ...out, ...takenBack, ...again, sink(3, 'x', 'skipped', 8)])
  assert.deepEqual(readOverview(db, Date.parse(at(1)) + 600_000).overdue, { sinks: 0, retractions: 0 })
  assert.deepEqual([stateAt(db, 1, 'x'), stateAt(db, 2, 'x'), stateAt(db, 3, 'x')], ['superseded', 'superseded', 'skipped'])
})

test('what an outlet is not due yet is not late, and its trace says when it is', () => {
  const held = sink(1, 'ftp', 'pending', 3, { nextAt: '2026-01-02T00:00:01.000Z' })
  for (const order of orders([released(1, 1), fannedOut(1, 2, 'outlets', ['ftp']), held])) {
    const db = tables(order)
    assert.equal(sinksOf(db, 1).find(one => one.id === 'ftp')?.nextAt, '2026-01-02T00:00:01.000Z')
    assert.equal(readOverview(db, Date.parse('2026-01-02T00:01:00.000Z')).overdue.sinks, 1, 'the archive')
    assert.equal(readOverview(db, Date.parse('2026-01-02T00:01:02.000Z')).overdue.sinks, 2)
  }
})

test('what an outlet is not due yet of a newer version is nothing late of an older one', () => {
  const held = sink(2, 'ftp', 'pending', 4, { nextAt: '2026-01-02T00:00:01.000Z' })
  const db = tables([released(1, 1), fannedOut(1, 2, 'outlets', ['ftp']), released(2, 3), fannedOut(2, 4, 'outlets', ['ftp']), held])
  assert.equal(readOverview(db, Date.parse('2026-01-02T00:01:00.000Z')).overdue.sinks, 2, 'the archive, of both versions')
})

test('a retraction that an outlet has not got is late, also when what comes after it is held until a time', () => {
  const kept = [1, 2, 3].map(version => sink(version, 'archive', 'done', 9, { sink: { kind: 'archive', id: 'archive' } }))
  const held = sink(3, 'ftp', 'pending', 8, { nextAt: '2026-01-02T00:00:01.000Z' })
  const out = [released(1, 1), fannedOut(1, 2, 'outlets', ['ftp']), sink(1, 'ftp', 'done', 3)]
  const takenBack = [released(2, 4, { action: 'retracted' }), fannedOut(2, 5, 'outlets', ['ftp'])]
  const again = [released(3, 6), fannedOut(3, 7, 'outlets', ['ftp']), held]
  const db = tables([...kept, ...out, ...takenBack, ...again])
  assert.deepEqual(readOverview(db, Date.parse(at(1)) + 600_000).overdue, { sinks: 1, retractions: 1 })
})

test('what is still held a minute after its embargo ended is told, the first first, and nothing else that is held', () => {
  const until = (time: string) => ({ code: 'NEWSWIRE_DESK_EMBARGOED', detail: `it waits for its embargo to end at ${time}` })
  const held = (id: string, changes: Partial<Of<'submission'>>, state: Of<'submission'>['state'] = 'held') =>
    submission(state, 0, { submissionId: id, articleId: `press.${id}`, ...changes })
  const db = tables([
    held('second', until(at(20))),
    held('first', until(at(10))),
    held('just-now', until(at(40))),
    held('gone', { code: 'NEWSWIRE_DESK_AWAITS_REPUBLISH', detail: 'the article is retracted' }),
    held('out', until(at(5))),
    held('out', { version: 1 }, 'released'),
  ])
  const nowMs = Date.parse(at(30)) + 60_000
  const oldest = [
    { articleId: 'press.first', until: at(10) },
    { articleId: 'press.second', until: at(20) },
  ]
  assert.deepEqual(readOverview(db, nowMs).overdueHolds, { articles: 2, oldest })
  assert.deepEqual(readOverview(db, Date.parse(at(30))).overdueHolds, { articles: 0, oldest: [] })
})

test('what waits is found beside what is out: by its id, and all that is held by its state', () => {
  const other = { articleId: 'press.toi-nay', submissionId: 'e1' }
  const db = tables([
    released(1, 1),
    submission('held', 5, { ...other, command: 'publish', detail: 'until tonight' }),
    submission('held', 4, { submissionId: 's2', command: 'publish' }),
    submission('refused', 6, { articleId: 'press.no', submissionId: 'n1', command: 'publish' }),
    submission('released', 3, { articleId: 'press.b', submissionId: 'b1' }),
  ])
  const found = (ask: Parameters<typeof findArticles>[1]) => findArticles(db, ask).map(one => [one.articleId, one.version, one.state])
  assert.deepEqual(found({}), [
    ['press.no', 0, 'refused'],
    ['press.toi-nay', 0, 'held'],
    [ARTICLE, 1, 'in flight'],
  ])
  assert.deepEqual(found({ state: 'held' }), [
    ['press.toi-nay', 0, 'held'],
    [ARTICLE, 0, 'held'],
  ])
  assert.deepEqual(found({ q: 'toi-nay', limit: 1 }), [['press.toi-nay', 0, 'held']])
  assert.equal(findArticles(db, { state: 'held' })[0]?.detail, 'until tonight')
})

test('what was taken back keeps the name it had; what was purged by law has none and is not found by it', () => {
  const { title: _, ...untitled } = released(2, 2, { action: 'retracted', detail: 'gone: sai' }) as Of<'released'>
  const taken = tables([released(1, 1), untitled])
  assert.deepEqual(
    findArticles(taken, { q: 'tin 1' }).map(one => [one.title, one.action, one.detail]),
    [['Tin 1', 'retracted', 'gone: sai']],
  )
  assert.equal(readArticleTrace(taken, ARTICLE)?.title, 'Tin 1')
  const inState = (db: DatabaseSync, state: string) => findArticles(db, { state }).length
  assert.deepEqual([inState(taken, 'retracted'), inState(taken, 'released'), inState(tables([released(1, 1)]), 'released')], [1, 0, 1])
  const purged = tables([released(1, 1), { ...untitled, action: 'purged' }])
  assert.deepEqual(findArticles(purged, { q: 'tin 1' }), [])
  assert.deepEqual([inState(purged, 'retracted'), inState(purged, 'released')], [0, 0])
  assert.deepEqual([findArticles(purged, {})[0]?.title, readArticleTrace(purged, ARTICLE)?.title], [null, null])
})

test('articles are found by words of the title or parts of the id, newest first, and by state beyond the first page', () => {
  const milestones = Array.from({ length: 30 }, (_, index) =>
    released(1, index, { articleId: `press.n-${index}`, title: `Tin 100% ${index}` }),
  )
  const failing = { ...sink(1, 'x', 'dead', 1), articleId: 'press.n-0' } as Milestone
  const keptOut = { ...sink(1, 'msn', 'rejected', 1, { sink: { kind: 'feed', id: 'msn' } }), articleId: 'press.n-1' } as Milestone
  const archived = { ...sink(1, 'archive', 'done', 1, { sink: { kind: 'archive', id: 'archive' } }), articleId: 'press.n-1' } as Milestone
  const db = tables([...milestones, failing, keptOut, archived])
  assert.deepEqual(
    findArticles(db, { state: 'set aside', limit: 5 }).map(one => one.articleId),
    ['press.n-1'],
  )
  assert.deepEqual(
    findArticles(db, { limit: 2 }).map(one => one.articleId),
    ['press.n-29', 'press.n-28'],
  )
  assert.deepEqual(
    findArticles(db, { state: 'failed', limit: 5 }).map(one => [one.articleId, one.state, one.expected]),
    [['press.n-0', 'failed', 2]],
  )
  assert.equal(findArticles(db, { q: '100%', limit: 500 }).length, 30)
  assert.equal(findArticles(db, { q: '1_0', limit: 500 }).length, 0)
  assert.equal(findArticles(db, { q: "'; DROP TABLE release; --" }).length, 0)
  assert.equal(findArticles(db, { q: 'n-7' }).length, 1)
})

test('only the newest version of an article is in the list', () => {
  const db = tables([released(1, 1), released(2, 2)])
  assert.deepEqual(
    findArticles(db, {}).map(one => [one.version, one.title]),
    [[2, 'Tin 2']],
  )
})

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-trace-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const record = (data: Milestone) =>
    toRecord({
      id: deriveId(JSON.stringify(data)),
      type: 'milestone.reached',
      source: '/services/desk',
      subject: data.articleId,
      time: data.at,
      data,
    })
  return { log, file: join(folder, 'trace.db'), record }
}

test('the projection follows the log, passes poison over, and goes on after a restart where it stopped', async t => {
  const { log, file, record } = await open(t)
  const poison: string[] = []
  const start = () => createTrace({ log, file, onPoison: ({ code }) => poison.push(code) })
  const first = await start()
  const seen: string[] = []
  const silence = first.onMilestones(milestones => seen.push(...milestones.map(one => one.kind)))
  await log.publish([
    record(submission('accepted', 1)),
    { topic: 'milestones', key: ARTICLE, value: Buffer.from('{"half') },
    record(released(1, 2)),
  ])
  await first.caughtUp(AbortSignal.timeout(5_000))
  assert.deepEqual([first.article(ARTICLE)?.title, first.submission('s1')?.state], ['Tin 1', 'accepted'])
  assert.equal(poison.length, 1)
  assert.deepEqual(seen, ['submission', 'released'])
  silence()
  await first.stop()
  await log.publish([record(released(2, 3))])
  const second = await start()
  await second.ready
  assert.equal(second.article(ARTICLE)?.versions.length, 2)
  assert.equal(poison.length, 1)
  assert.deepEqual(seen, ['submission', 'released'])
  assert.equal(second.article('press.unknown'), null)
  await second.stop()
})

test('what was decided of a version is found again, in however many parts it came; a part that comes twice counts once', () => {
  const group = (outlet: string) => ({ due: 'content' as const, why: 'matches' as const, outlets: [outlet], count: 1 })
  const part = (number: number, outlet: string): Milestone => ({
    ...(fannedOut(1, 2, 'outlets', [outlet]) as Of<'fanned-out'>),
    ...(number === 0 ? {} : { part: number }),
    decisions: [group(outlet)],
  })
  const parts = [released(1, 1), part(0, 'a'), part(1, 'b'), part(1, 'b')]
  for (const order of [parts, parts.toReversed()]) {
    const db = tables(order)
    assert.deepEqual(readDecisions(db, ARTICLE, 1), [group('a'), group('b')])
    assert.deepEqual(
      readArticleTrace(db, ARTICLE)?.versions[0]?.stages.map(one => [one.stage, one.detail]),
      [['outlets', '2 expected']],
    )
  }
  assert.equal(readDecisions(tables([released(1, 1), fannedOut(1, 2, 'outlets', ['a'])]), ARTICLE, 1), null, 'from before it was recorded')
})

test('what stands taken back is listed with its proof, until it is brought back', () => {
  const taken = [released(1, 1), released(2, 2, { action: 'retracted' })]
  const proved: Milestone = { kind: 'proved-gone', articleId: ARTICLE, at: at(5), version: 2, exits: 9, outlets: 1 }
  const row = { articleId: ARTICLE, version: 2, action: 'retracted', releasedAt: at(2), provedAt: null }
  assert.deepEqual(readRetractions(tables(taken), at(0), 10), [row])
  assert.deepEqual(readRetractions(tables(taken), at(3), 10), [], 'before the time asked for')
  assert.deepEqual(readRetraction(tables([...taken, proved, { ...proved, at: at(8) }]), ARTICLE), { ...row, provedAt: at(5) })
  const back = tables([...taken, proved, released(3, 6)])
  assert.deepEqual([readRetractions(back, at(0), 10), readRetraction(back, ARTICLE)], [[], null])
})

test('whoever attends hears at once; otherwise what is told waits for company', async t => {
  const { log, file, record } = await open(t)
  const trace = await createTrace({ log, file, onPoison: () => undefined })
  await trace.ready
  let heard = Promise.withResolvers<number>()
  trace.onMilestones(() => heard.resolve(performance.now()))
  const tell = async (position: number): Promise<number> => {
    heard = Promise.withResolvers()
    const toldMs = performance.now()
    await log.publish([record(released(1, position))])
    return (await heard.promise) - toldMs
  }
  await tell(1)
  const unattended = await tell(2)
  const giveBack = trace.attend()
  await tell(3)
  const attended = await tell(4)
  assert.ok(attended < unattended / 4, `${attended} ms attended, ${unattended} ms not`)
  giveBack()
  giveBack()
  await tell(5)
  assert.ok((await tell(6)) > attended * 4)
  await trace.stop()
})
