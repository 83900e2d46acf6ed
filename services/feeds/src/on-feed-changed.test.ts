import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { LogRecord } from '@newswire/log/log'
import type { Configuration } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import type { Builder, Built, Wanted } from './build.ts'
import { type Beside, onFeedChanged } from './on-feed-changed.ts'
import { makeFact, makeRetraction } from './sample-facts.ts'
import { lookAt } from './sweep.ts'
import { emptyWindow } from './window.ts'

const output = { sha256: 'a'.repeat(64), bytes: 10 }
const outputs = { rss: output, atom: output, json: output, sitemap: output }
const builtOf = (written: boolean): Built => ({
  window: { ...emptyWindow('all'), counter: 42, outputs },
  outputs,
  items: 1,
  updatedAt: '2026-03-01T08:00:00.000Z',
  written,
  states: new Map([['baoqk.a-1', makeFact({ version: 3 })]]),
  entered: [],
  quarantined: new Map(),
  recovered: new Map(),
  busyMs: 0,
})

const intent = (
  articleId: string | null,
  version: number,
  position: number,
  time = '2026-03-01T08:00:00.000Z',
  quiet = false,
): LogRecord => {
  const id = deriveId('intent', articleId ?? 'look', version, position)
  const { topic, key, value, headers } = toRecord({
    type: 'feed.changed',
    id,
    source: '/services/feeds',
    subject: 'all',
    time,
    data: { feedId: 'all', articleId, version, ...(quiet ? { quiet } : {}) },
  })
  return { topic, key, value, headers, partition: 0, position, timestamp: 0 }
}

const open = (
  answers: (Built | null)[],
  publish: (events: readonly NewswireEvent[]) => void,
  beside: Partial<Beside> = {},
  logger = createLogger({ service: 'feeds', level: 'silent' }),
  stopping?: AbortController,
) => {
  const asked: Wanted[] = []
  let isInMind = false
  const builder: Builder = {
    build: async wanted => {
      asked.push(wanted)
      isInMind = true
      return answers.shift() ?? null
    },
    isInMind: () => isInMind,
    forget: () => {
      isInMind = false
    },
  }
  const { handle, ...ahead } = onFeedChanged({
    builder,
    beside: { takeDown: async () => undefined, forget: async () => new Map(), remade: async () => undefined, ...beside },
    publish: async events => {
      publish(events)
      return []
    },
    configuration: { current: () => ({}) } as unknown as Configuration,
    logger,
    now: () => Date.UTC(2026, 2, 1),
    share: () => 0.35,
    quietRestMs: stopping === undefined ? 0 : 3_600_000,
    stopping: stopping?.signal ?? new AbortController().signal,
  })
  const context = { signal: new AbortController().signal, attempt: 1 }
  return { asked, handle: (records: readonly LogRecord[]) => handle(records, context), ...ahead }
}

test('what waits for a feed becomes one build, for the newest version that was named of each article', async () => {
  const { asked, handle } = open([builtOf(true)], () => undefined)
  await handle([
    intent('baoqk.a-1', 2, 4),
    intent('baoqk.b', 1, 5),
    intent('baoqk.a-1', 3, 6),
    intent('baoqk.a-1', 1, 7),
    intent(null, 0, 8, '2026-03-02T00:00:00.000Z'),
  ])
  assert.deepEqual(asked, [
    {
      feedId: 'all',
      articles: new Map([
        ['baoqk.a-1', 3],
        ['baoqk.b', 1],
      ]),
      lookedAt: '2026-03-02T00:00:00.000Z',
      position: 8,
    },
  ])
})

test('killed before the announcement, the repeat announces the same counter under the same id, once', async () => {
  const published: NewswireEvent[] = []
  let away = true
  const { handle } = open([builtOf(true), builtOf(false), builtOf(false)], events => {
    if (away) throw new Error('the log is away')
    published.push(...events)
  })
  await assert.rejects(handle([intent('baoqk.a-1', 3, 4)]), /away/)
  away = false
  await handle([intent('baoqk.a-1', 3, 4)])
  await handle([intent('baoqk.a-1', 3, 4)])
  const announced = published.filter(event => event.type === 'feed.built')
  assert.deepEqual(
    announced.map(event => [event.id, event.data.counter]),
    [[deriveId('feed.built', 'all', 42), 42]],
  )
})

test('a milestone names the version that state has, not the one that was asked for', async () => {
  const published: NewswireEvent[] = []
  const { handle } = open([builtOf(true)], events => void published.push(...events))
  await handle([intent('baoqk.a-1', 2, 4), intent('baoqk.unknown', 1, 5)])
  const done = published.flatMap(event => (event.type === 'milestone.reached' && event.data.kind === 'sink' ? [event.data] : []))
  assert.deepEqual(
    done.map(one => [one.articleId, one.version, one.state]),
    [['baoqk.a-1', 3, 'done']],
  )
})

test('what a feed is shown without is named in the fact, with version and reason', async () => {
  const published: NewswireEvent[] = []
  const setAside = { ok: false as const, code: 'NEWSWIRE_FEEDS_RENDER', reason: 'no date', version: 3 }
  const built = builtOf(true)
  const { handle } = open(
    [
      {
        ...built,
        window: { ...built.window, quarantined: [{ articleId: 'baoqk.a-1', version: 3, code: setAside.code, reason: 'no date' }] },
        quarantined: new Map([['baoqk.a-1', setAside]]),
      },
    ],
    events => void published.push(...events),
  )
  await handle([intent('baoqk.a-1', 3, 4)])
  const said = published.find(event => event.type === 'feed.built')
  assert.deepEqual(said?.data.quarantined, [{ articleId: 'baoqk.a-1', version: 3, code: 'NEWSWIRE_FEEDS_RENDER', reason: 'no date' }])
})

test('a version that is set aside is warned of once, however often its feed is built', async () => {
  const asideAt = (version: number): Built => ({
    ...builtOf(true),
    quarantined: new Map([['baoqk.a-1', { ok: false, code: 'NEWSWIRE_FEEDS_RENDER', reason: 'no date', version }]]),
  })
  const warned: unknown[] = []
  const silent = createLogger({ service: 'feeds', level: 'silent' })
  const logger = Object.assign(Object.create(silent) as typeof silent, { warn: (fields: unknown) => void warned.push(fields) })
  const builds = [asideAt(3), asideAt(3), asideAt(4), builtOf(true), asideAt(4)]
  const { handle } = open([...builds], () => undefined, {}, logger)
  for (const position of builds.keys()) await handle([intent('baoqk.a-1', 3, position + 4)])
  assert.equal(warned.length, 3, 'of version 3, of version 4, and of version 4 when it is set aside again')
})

test('a feed that is not in force is said to be skipped, so nobody waits for it', async () => {
  const published: NewswireEvent[] = []
  const { handle } = open([null], events => void published.push(...events))
  await handle([intent('baoqk.a-1', 2, 4)])
  const [milestone] = published
  assert.equal(milestone?.type === 'milestone.reached' && milestone.data.kind === 'sink' && milestone.data.state, 'skipped')
})

test('of what was taken back the feed is told at once, and `done` is said when the pages do not show it either', async () => {
  const order: string[] = []
  const gone = makeRetraction({ version: 3 })
  const built = { ...builtOf(true), states: new Map([['baoqk.a-1', gone]]) }
  const takeDown: Beside['takeDown'] = async (_feedId, facts) => void order.push(`pages ${facts.map(one => one.articleId).join()}`)
  const { handle } = open([built], events => void order.push(events.map(event => event.type).join()), { takeDown })
  await handle([intent('baoqk.a-1', 3, 4)])
  assert.deepEqual(order, ['feed.built', 'pages baoqk.a-1', 'milestone.reached'])
})

test('subscribers are not told of a look by which the sitemap alone changed, and are of one by which the feed did', async () => {
  const other = { ...output, sha256: 'b'.repeat(64) }
  const looked = (counter: number, changed: Partial<Built['outputs']>): Built => {
    const made = { ...outputs, ...changed }
    return { ...builtOf(true), window: { ...emptyWindow('all'), counter, outputs: made }, outputs: made }
  }
  const said: [number, boolean | undefined][] = []
  const { handle } = open([builtOf(true), looked(43, { sitemap: other }), looked(44, { sitemap: other, atom: other })], events => {
    for (const event of events) if (event.type === 'feed.built') said.push([event.data.counter, event.data.quiet])
  })
  await handle([intent('baoqk.a-1', 3, 1)])
  await handle([intent(null, 0, 2)])
  await handle([intent(null, 0, 3)])
  assert.deepEqual(said, [
    [42, undefined],
    [43, true],
    [44, undefined],
  ])
})

test('an import that is told to nobody announces a quiet build; what is live with it or after it is loud, and a look that finds nothing says nothing', async () => {
  const quiet = (position: number) => intent('baoqk.a-1', 3, position, undefined, true)
  const loud = (position: number) => intent('baoqk.a-1', 3, position)
  const look = (position: number) => intent(null, 0, position)
  const play = async (...batches: LogRecord[][]) => {
    const said: (boolean | undefined)[] = []
    const ids = new Set<string>()
    const { handle } = open(
      batches.map((_, at) => builtOf(at === 0)),
      events => {
        for (const event of events) {
          if (event.type !== 'feed.built') continue
          said.push(event.data.quiet)
          assert.ok(!ids.has(event.id), 'what says something else has another id')
          ids.add(event.id)
        }
      },
    )
    for (const batch of batches) await handle(batch)
    return said
  }
  assert.deepEqual(await play([quiet(1)], [quiet(2)], [look(3)]), [true])
  assert.deepEqual(await play([quiet(1), loud(2)]), [undefined])
  assert.deepEqual(await play([quiet(1)], [loud(2)], [quiet(3)], [loud(4)]), [true, undefined])
  assert.deepEqual(await play([loud(1)], [quiet(2)], [look(3)]), [undefined])
  assert.deepEqual(await play([look(1)]), [undefined], 'it may be the repeat of one that died before it said so')
})

/** What is being published. */
const eventOf = (record: LogRecord): NewswireEvent<'feed.changed'> => fromRecord(record) as NewswireEvent<'feed.changed'>

const countersIn = (published: readonly NewswireEvent[]): number[] =>
  published.flatMap(event => (event.type === 'feed.built' ? [event.data.counter] : []))

test('a feed is built and told of while its intent is still being published, and the intent finds it done', async () => {
  const published: NewswireEvent[] = []
  const next = { ...builtOf(true), window: { ...builtOf(true).window, counter: 43 } }
  const { asked, handle, begin, idle } = open([builtOf(true), next], events => void published.push(...events))
  await handle([intent('baoqk.a-1', 2, 4)])
  const record = intent('baoqk.a-1', 3, 5)
  begin([eventOf(record)])
  await idle()
  assert.deepEqual(countersIn(published), [42, 43])
  assert.deepEqual(
    asked.map(one => one.position),
    [4, 42],
    'its place in the log is not known, so the counter rises from the one that was told of last',
  )
  await handle([record])
  assert.equal(asked.length, 2)
})

test('several facts that come while a feed is built become one build ahead of their intents', async () => {
  const { asked, handle, begin, idle } = open([builtOf(true), builtOf(true), builtOf(true)], () => undefined)
  await handle([intent('baoqk.a-1', 1, 4)])
  begin([eventOf(intent('baoqk.a-1', 2, 5))])
  begin([eventOf(intent('baoqk.b', 1, 6))])
  await idle()
  assert.deepEqual(
    asked.map(one => [...one.articles]),
    [
      [['baoqk.a-1', 1]],
      [
        ['baoqk.a-1', 2],
        ['baoqk.b', 1],
      ],
    ],
  )
})

test('what failed ahead of its intent is done by the intent', async () => {
  const published: NewswireEvent[] = []
  let away = false
  const { asked, handle, begin, idle } = open([builtOf(true), builtOf(true), builtOf(false)], events => {
    if (away) throw new Error('the log is away')
    published.push(...events)
  })
  await handle([intent('baoqk.a-1', 2, 4)])
  away = true
  const record = intent('baoqk.a-1', 3, 5)
  begin([eventOf(record)])
  await idle()
  away = false
  await handle([record])
  assert.equal(asked.length, 3)
  assert.ok(published.some(event => event.type === 'milestone.reached' && event.data.kind === 'sink' && event.data.version === 3))
})

test('a feed that this process has not built yet, or that others may have built since, is left to its intent', async () => {
  const { asked, handle, begin, forget, idle } = open([builtOf(true), builtOf(true), builtOf(true)], () => undefined)
  const first = intent('baoqk.a-1', 1, 4)
  begin([eventOf(first)])
  await idle()
  assert.deepEqual(asked, [])
  await handle([first])
  const second = intent('baoqk.a-1', 2, 5)
  begin([eventOf(second)])
  await idle()
  assert.equal(asked.length, 2)
  forget()
  await handle([second])
  assert.equal(asked.length, 3, 'whoever held the feed meanwhile may have shown something else')
})

test('a feed whose partition changed hands while it was built is not built ahead: another may have built it since', async () => {
  let lose = (): void => undefined
  const { asked, handle, begin, forget, idle } = open([builtOf(true), builtOf(true)], () => lose())
  lose = forget
  await handle([intent('baoqk.a-1', 1, 4)])
  begin([eventOf(intent('baoqk.a-1', 2, 5))])
  await idle()
  assert.equal(asked.length, 1)
})

test('what was begun of a feed counts no more once it is made again, for that is made without it', async () => {
  const { asked, handle, begin, idle } = open([builtOf(true), builtOf(true), builtOf(true), builtOf(true)], () => undefined)
  await handle([intent('baoqk.a-1', 1, 4)])
  const news = intent('baoqk.b', 1, 6)
  begin([eventOf(news)])
  await idle()
  const { topic, key, value, headers } = toRecord(lookAt('all', '2026-03-01T08:00:00.000Z', 'wish', { rebuild: 'wish' }))
  await handle([{ topic, key, value, headers, partition: 0, position: 5, timestamp: 0 }])
  await handle([news])
  assert.deepEqual(
    asked.map(one => [...one.articles]),
    [[['baoqk.a-1', 1]], [['baoqk.b', 1]], [], [['baoqk.b', 1]]],
  )
})

/** A share of the loop so small that a build of some length makes a storm. `busyMs`: of one build after the other. */
const openBusy = (busyMs: number[], stopping: AbortController, more: Partial<Parameters<typeof onFeedChanged>[0]> = {}) =>
  onFeedChanged({
    builder: { build: async () => ({ ...builtOf(true), busyMs: busyMs.shift() ?? 0 }), isInMind: () => false, forget: () => undefined },
    beside: { takeDown: async () => undefined, forget: async () => new Map(), remade: async () => undefined },
    publish: async () => [],
    configuration: { current: () => ({}) } as unknown as Configuration,
    logger: createLogger({ service: 'feeds', level: 'silent' }),
    now: () => Date.UTC(2026, 2, 1),
    share: () => 0.01,
    quietRestMs: 300,
    stopping: stopping.signal,
    ...more,
  })
const inContext = { signal: new AbortController().signal, attempt: 1 }

test('pages wait for the rest of a feed that news came to, and not for that of one that a sweep looked at, or an import changed', async () => {
  const toldOf = async (record: LogRecord, quietRestMs = 0): Promise<readonly (number | string)[]> => {
    const told: (number | string)[] = []
    const stopping = new AbortController()
    const { handle } = openBusy([1_000], stopping, {
      quietRestMs,
      // The rest begins in this turn of the loop, and is ended in its last phase.
      onBuilt: () =>
        void setImmediate(() => {
          told.push('the rest ends')
          stopping.abort()
        }),
      onActive: (active, untold) => told.push(untold === 0 ? active : `${active}, ${untold} untold`),
    })
    await handle([record], inContext)
    return told
  }
  const found = intent('baoqk.a-1', 3, 4)
  const news = { ...found, headers: { ...found.headers, ce_causationid: '0198c0de-0000-7000-8000-000000000001' } }
  assert.deepEqual(await toldOf(found), [1, 0, 'the rest ends'])
  assert.deepEqual(await toldOf(news), [1, 'the rest ends', 0])
  const imported = intent('baoqk.a-1', 3, 4, undefined, true)
  const ofImport = { ...imported, headers: { ...imported.headers, ce_causationid: '0198c0de-0000-7000-8000-000000000001' } }
  assert.deepEqual(await toldOf(ofImport, 300), ['0, 1 untold', 'the rest ends', 0])
})

/** Everything that is not waited for by a timer has happened. */
const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('a feed that only an import changed rests, until somebody is to be told of something in it', async () => {
  const stopping = new AbortController()
  const answers = () => [builtOf(true), builtOf(true), builtOf(true)]
  const { handle, onWaiting } = open(answers(), () => undefined, {}, undefined, stopping)
  const imported = (position: number) => intent('baoqk.a-1', position, position, undefined, true)
  const news = intent('baoqk.b', 1, 9)
  let ended: readonly string[] = []
  const first = handle([imported(4)]).then(() => {
    ended = ['first']
  })
  await settled()
  assert.deepEqual(ended, [], 'it rests')
  onWaiting(imported(5))
  await settled()
  assert.deepEqual(ended, [], 'more of the import is no reason to end it')
  onWaiting(news)
  await first
  // What the log had before the news is built without a rest, as long as the news has not come.
  await handle([imported(6)])
  await handle([news])
  const last = handle([imported(10)]).then(() => {
    ended = ['first', 'last']
  })
  await settled()
  assert.deepEqual(ended, ['first'], 'nothing is expected any more')
  stopping.abort()
  await last
})

test('news ends no rest that building for news has to take', async () => {
  const stopping = new AbortController()
  const { handle, onWaiting } = openBusy([1_000], stopping)
  let ended = false
  const resting = handle([intent('baoqk.a-1', 3, 4)], inContext).then(() => {
    ended = true
  })
  await settled()
  onWaiting(intent('baoqk.b', 1, 5))
  await settled()
  assert.equal(ended, false)
  stopping.abort()
  await resting
})

test('what an import’s builds took of the loop gives news no rest, and news ends theirs', async () => {
  const stopping = new AbortController()
  const { handle, onWaiting } = openBusy([1_000, 0, 0], stopping)
  const ended: string[] = []
  const run = (what: string, record: LogRecord) => handle([record], inContext).then(() => void ended.push(what))
  const all = [run('import', intent('baoqk.a-1', 3, 4, undefined, true))]
  await settled()
  assert.deepEqual(ended, [])
  const news = intent('baoqk.b', 1, 5)
  onWaiting(news)
  await settled()
  assert.deepEqual(ended, ['import'])
  all.push(run('news', news))
  await settled()
  assert.deepEqual(ended, ['import', 'news'])
  all.push(run('more', intent('baoqk.c', 1, 6, undefined, true)))
  await settled()
  assert.deepEqual(ended, ['import', 'news'], 'the next of the import rests')
  stopping.abort()
  await Promise.all(all)
})
