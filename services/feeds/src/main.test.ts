/** The whole service on the embedded log and the disk: what the desk does goes in, files and events come out. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { ConfigKind, FeedConfig } from '@newswire/events/config'
import { type EventType, fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { FeedBuilt } from '@newswire/events/feed'
import type { FeedRebuild } from '@newswire/events/feed-page'
import { deriveId, sha256Hex } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { Log, NewRecord } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { getBundled } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import type { RunningService, ServiceContext } from '@newswire/runtime/service'
import { start } from './main.ts'
import { categories, makeFact, makeRetraction, site } from './sample-facts.ts'
import { lookAt } from './sweep.ts'

const feedOf = (id: string, changes: Partial<FeedConfig> = {}): FeedConfig => ({
  id,
  title: id,
  description: '',
  match: {},
  limit: 10,
  content: 'full',
  profile: 'standard',
  ...changes,
})

type World = {
  objects: Objects
  log: Log
  start(): Promise<RunningService>
  configure(feeds: readonly FeedConfig[]): void
  release(...facts: Fact[]): Promise<void>
  publish(...records: NewRecord[]): Promise<void>
  feed(
    id: string,
  ): Promise<{ rss: string; atom: string; json: { items: { id: string; _newswire: { version: number; status: string } }[] } } | null>
  /** `<local id>@<version>` of what a feed shows, in order. */
  shown(id: string): Promise<string[]>
  tag(id: string): Promise<string | undefined>
  events<T extends EventType>(type: T): Promise<NewswireEvent<T>[]>
  quiet(): Promise<void>
}

const DEADLINE_MS = 60_000
const until = async <T>(what: string, look: () => Promise<T | false | undefined | null>): Promise<T> => {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const found = await look()
    if (found) return found
    assert.ok(Date.now() < deadline, `${what}: not within ${DEADLINE_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

const openWorld = async (t: TestContext, feeds: readonly FeedConfig[], toLog = (log: Log): Log => log): Promise<World> => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-feeds-'))
  const objects = await createDiskObjects({ root: join(root, 'objects'), fsync: 'normal' })
  const log = toLog(await createEmbeddedLog({ file: join(root, 'log.db'), fsync: 'normal', retryScale: 0.01 }))
  const running: RunningService[] = []
  t.after(async () => {
    for (const service of running) await service.stop()
    await log.close()
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })

  const listeners = new Set<(changed: ReadonlySet<ConfigKind>) => void>()
  const snapshotOf = (list: readonly FeedConfig[]): ConfigSnapshot => ({
    site,
    network: { allow: [], allowHttp: false },
    publishers: new Map(),
    categories,
    feeds: new Map(list.map(feed => [feed.id, feed])),
    outlets: new Map(),
  })
  let snapshot = snapshotOf(feeds)
  const context = {
    settings: { dataDir: root, retryScale: 1 },
    log,
    objects,
    configuration: {
      current: () => snapshot,
      onChange: (listener: (changed: ReadonlySet<ConfigKind>) => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    logger: createLogger({ service: 'feeds', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    // A day after the newest release of these tests, so that notices are still due.
    now: () => Date.UTC(2026, 2, 4),
  } as unknown as ServiceContext

  const world: World = {
    objects,
    log,
    start: async () => {
      const service = await start(context)
      running.push(service)
      return service
    },
    configure: list => {
      snapshot = snapshotOf(list)
      for (const listener of listeners) listener(new Set(['feeds']))
    },
    release: async (...facts) => {
      for (const fact of facts) {
        await objects.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
        await world.publish(recordOf(fact))
      }
    },
    publish: async (...records) => void (await log.publish(records)),
    feed: async id => {
      const files = await Promise.all(
        (['rss.xml', 'atom.xml', 'feed.json'] as const).map(file => getUnpacked({ get: getBundled(objects) }, keys.feed(id, file))),
      )
      const [rss, atom, json] = files.map(file => file && Buffer.from(file.bytes).toString())
      return rss && atom && json ? { rss, atom, json: JSON.parse(json) } : null
    },
    shown: async id => ((await world.feed(id))?.json.items ?? []).map(item => `${item.id.split('.').at(-1)}@${item._newswire.version}`),
    tag: async id => (await objects.head(keys.feed(id, 'feed.bundle')))?.etag,
    events: async type => {
      const found: NewswireEvent[] = []
      const { ends } = log
      for (const topic of [topics.feeds.name, topics.milestones.name, topics.feedChanges.name])
        for (const { partition } of await ends(topic)) {
          const { records } = await log.read({ topic, partition, from: 'start', limit: 5000 })
          for (const record of records) {
            const event = record.value?.length ? fromRecord(record) : null
            if (event?.type === type) found.push(event)
          }
        }
      return found as NewswireEvent<typeof type>[]
    },
    quiet: async () => {
      await until('nothing left to do', async () => {
        const lags = [...(await log.lag('feeds')), ...(await log.lag('feeds-build'))]
        return lags.every(one => one.records === 0)
      })
    },
  }
  return world
}

const recordOf = (fact: Fact): NewRecord =>
  toRecord({
    type: `article.${fact.action}`,
    id: deriveId('article', fact.articleId, fact.version),
    source: '/services/desk',
    subject: fact.articleId,
    time: fact.releasedAt,
    data: fact,
  } as NewswireEvent)
const day = (number: number) => new Date(Date.UTC(2026, 2, number)).toISOString()
const fact = (id: string, number: number, more: Parameters<typeof makeFact>[0] = {}) =>
  makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: day(number), releasedAt: day(number), ...more })
const shows = (world: World, feed: string, expected: readonly string[]) =>
  until(`${feed} shows ${expected.join(', ')}`, async () => (await world.shown(feed)).join() === expected.join())

test('a fact becomes the files of every feed that matches, one announcement and one milestone a sink', async t => {
  const world = await openWorld(t, [feedOf('all'), feedOf('defence', { match: { categories: ['thoi-su'] } })])
  await world.start()
  await world.release(fact('a', 1, { article: { categories: ['quoc-phong'] } }), fact('b', 2))
  await shows(world, 'all', ['b@1', 'a@1'])
  await shows(world, 'defence', ['a@1'])
  await world.quiet()

  const newest = (await world.events('feed.built')).filter(event => event.data.feedId === 'all').at(-1)
  assert.ok(newest)
  for (const format of ['rss', 'atom', 'json'] as const) {
    const output: FeedBuilt['outputs']['rss'] = newest.data.outputs[format]
    const stored = await getUnpacked({ get: getBundled(world.objects) }, output.key)
    assert.ok(stored)
    assert.equal(sha256Hex(stored.bytes), output.sha256)
    assert.equal(stored.bytes.length, output.bytes)
  }
  assert.equal(newest.data.updatedAt, day(2))

  const milestones = (await world.events('milestone.reached')).map(event => event.data)
  const fannedOut = milestones.find(one => one.kind === 'fanned-out' && one.articleId === 'baoqk.a')
  assert.deepEqual(fannedOut?.kind === 'fanned-out' && fannedOut.sinks.map(one => one.id).sort(), ['all', 'defence'])
  const done = milestones.flatMap(one => (one.kind === 'sink' && one.state === 'done' ? [`${one.articleId}→${one.sink.id}`] : []))
  assert.deepEqual([...new Set(done)].sort(), ['baoqk.a→all', 'baoqk.a→defence', 'baoqk.b→all'])
})

test('subscribers are told of articles, and not once more when the feed then says that its archive reaches further', async t => {
  const world = await openWorld(t, [feedOf('all', { limit: 2 })])
  await world.start()
  await until('an empty feed', () => world.feed('all'))
  for (const number of [1, 2, 3, 4, 5]) {
    await world.release(fact(`a-${number}`, number))
    await shows(world, 'all', [`a-${number}@1`, ...(number > 1 ? [`a-${number - 1}@1`] : [])])
    if (number > 1)
      await until('the newest page', async () => (await world.feed('all'))?.rss.includes(`/pages/${day(number - 1).slice(0, 10)}`))
    await world.quiet()
  }
  const times = (await world.events('feed.built')).flatMap(({ data }) => (data.quiet === true ? [] : [data.updatedAt]))
  assert.deepEqual(times, [...new Set(times)])
})

test('a feed that nothing matches is there, empty', async t => {
  const world = await openWorld(t, [feedOf('empty', { match: { languages: ['fr'] } })])
  await world.start()
  const feed = await until('an empty feed', () => world.feed('empty'))
  assert.deepEqual(feed.json.items, [])
  await until('its announcement', async () => (await world.events('feed.built')).length > 0)
})

test('a log that tells of partitions before it hands the subscription over costs no sweep', async t => {
  const world = await openWorld(t, [feedOf('empty')], log => ({
    ...log,
    subscribe: async options => {
      const subscription = await log.subscribe(options)
      for (let turns = 20; turns > 0; turns -= 1) await setImmediate()
      return subscription
    },
  }))
  await world.start()
  await until('an empty feed', () => world.feed('empty'))
})

test('the same facts delivered again rewrite nothing, announce nothing new, and leave the counter', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  const facts = [fact('a', 1), fact('b', 2), makeRetraction({ articleId: 'baoqk.c', version: 2, releasedAt: day(3) })]
  await world.release(...facts)
  await until('all three', async () => (await world.shown('all')).length === 3)
  await world.quiet()
  const tag = await world.tag('all')
  const announced = new Set((await world.events('feed.built')).map(event => event.id))
  const builds = (await world.events('feed.changed')).length
  await world.publish(...facts.map(recordOf))
  await until('three more intents', async () => (await world.events('feed.changed')).length >= builds + 3)
  await world.quiet()
  assert.equal(await world.tag('all'), tag)
  assert.deepEqual(new Set((await world.events('feed.built')).map(event => event.id)), announced)
})

test('a retraction becomes a notice, and an older fact that comes after it changes nothing', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  const first = fact('a', 1)
  await world.release(first)
  await shows(world, 'all', ['a@1'])
  await world.release(makeRetraction({ articleId: 'baoqk.a', version: 2, firstReleasedAt: day(1), releasedAt: day(2) }))
  await shows(world, 'all', ['a@2'])
  await world.publish(recordOf(first))
  await world.quiet()
  const feed = await world.feed('all')
  assert.equal(feed?.json.items[0]?._newswire.status, 'retracted')
  assert.doesNotMatch(feed?.rss ?? '', /Nội dung của bài/)
})

test('an editorial article is in no feed, before and after its public version', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  await world.release(fact('secret', 1, { article: { audience: 'editorial', title: 'For editors only' } }), fact('b', 2))
  await shows(world, 'all', ['b@1'])
  await world.quiet()
  assert.doesNotMatch((await world.feed('all'))?.rss ?? '', /For editors only/)
  assert.ok(!(await world.events('feed.changed')).some(event => event.data.articleId === 'baoqk.secret'))
})

test('an article narrowed to editors is taken back from every feed, and what editors change later changes no byte', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  await world.release(fact('a', 1), fact('b', 2))
  await shows(world, 'all', ['b@1', 'a@1'])
  const narrowed = { version: 2, at: day(3) }
  const forEditors = (version: number, number: number) => {
    const hidden = fact('b', number, {
      version,
      narrowed,
      firstReleasedAt: day(2),
      article: { audience: 'editorial', title: 'For editors only' },
    })
    return { ...hidden, facetsEver: { ...hidden.facetsEver, public: true } }
  }
  await world.release(forEditors(2, 3))
  await shows(world, 'all', ['b@2', 'a@1'])
  await world.quiet()
  const taken = await world.feed('all')
  assert.equal(taken?.json.items[0]?._newswire.status, 'retracted')
  assert.match(taken?.atom ?? '', /<at:deleted-entry [^>]*when="2026-03-03/)
  assert.match(taken?.atom ?? '', /<updated>2026-03-03T/)
  await world.release(forEditors(3, 4))
  await until('the newer version to be done', async () =>
    (await world.events('milestone.reached')).some(
      ({ data }) => data.kind === 'sink' && data.articleId === 'baoqk.b' && data.version === 3,
    ),
  )
  await world.quiet()
  const after = await world.feed('all')
  for (const format of ['rss', 'atom'] as const) {
    assert.equal(after?.[format], taken?.[format])
    assert.doesNotMatch(after?.[format] ?? '', /For editors only/)
  }
})

test('an article that cannot be rendered is refused by the feed with its reason, and the others are there', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  await world.release(fact('good', 1), fact('bad', 2, { article: { title: '' } }), fact('fine', 3))
  await shows(world, 'all', ['fine@1', 'good@1'])
  const rejected = await until('the refusal', async () =>
    (await world.events('milestone.reached')).map(event => event.data).find(one => one.kind === 'sink' && one.state === 'rejected'),
  )
  assert.equal(rejected.articleId, 'baoqk.bad')
  assert.match((rejected.kind === 'sink' && rejected.reason) || '', /NEWSWIRE_FEEDS_ITEM_RULE: .*the title is empty/)
})

test('a configuration change moves articles in and out, and makes a new feed at once', async t => {
  const world = await openWorld(t, [feedOf('main', { match: { categories: ['quoc-phong'] } })])
  await world.start()
  await world.release(
    fact('a', 1, { article: { categories: ['quoc-phong'] } }),
    fact('b', 2, { article: { categories: ['van-hoa'] } }),
    fact('c', 3, { article: { categories: ['van-hoa'] } }),
  )
  await shows(world, 'main', ['a@1'])
  world.configure([feedOf('main', { match: { categories: ['van-hoa'] } }), feedOf('later')])
  await shows(world, 'main', ['c@1', 'b@1'])
  await shows(world, 'later', ['c@1', 'b@1', 'a@1'])
})

test('a poison record in either topic goes to dead-letters alone, and the next one is handled', async t => {
  const world = await openWorld(t, [feedOf('all')])
  await world.start()
  const broken = (topic: string, key: string): NewRecord => ({ topic, key, value: Buffer.from('{'), headers: { ce_type: 'x' } })
  const escaping = toRecord({
    type: 'feed.changed',
    id: deriveId('x'),
    source: '/x',
    subject: 'all',
    time: day(1),
    data: { feedId: 'all', articleId: '../../etc/passwd', version: 1 },
  })
  await world.publish(broken('articles', 'baoqk.a'), broken('feed-changes', 'all'), escaping)
  await world.release(fact('a', 1))
  await shows(world, 'all', ['a@1'])
  await until('three dead letters', async () => {
    const counts = await Promise.all(
      (await world.log.ends(topics.deadLetters.name)).map(
        async ({ partition }) =>
          (await world.log.read({ topic: topics.deadLetters.name, partition, from: 'start', limit: 100 })).records.length,
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0) === 3
  })
})

test('a restart finds everything, and what was lost of the store is made again byte for byte', async t => {
  const world = await openWorld(t, [feedOf('all')])
  const service = await world.start()
  await world.release(fact('a', 1), fact('b', 2), makeRetraction({ articleId: 'baoqk.c', version: 2, releasedAt: day(2) }))
  await until('all three', async () => (await world.shown('all')).length === 3)
  await world.quiet()
  const before = await world.feed('all')
  const counter = Math.max(...(await world.events('feed.built')).map(event => event.data.counter))
  await service.stop()
  await service.stop()
  await world.objects.delete(keys.feed('all', 'feed.bundle'))
  await world.start()
  const after = await until('the feed again', async () => ((await world.shown('all')).length === 3 ? await world.feed('all') : null))
  assert.deepEqual(after, before)
  await until('a higher counter', async () => (await world.events('feed.built')).some(event => event.data.counter > counter))
})

/** The log as it is to followers that lag: from `lag` on they are given nothing until they are in a hurry. */
const laggingFollowers = () => {
  let gate = Promise.resolve()
  let open = (): void => undefined
  const toLog = (log: Log): Log => ({
    ...log,
    follow: async ({ onRecords, ...options }) => {
      const following = await log.follow({ ...options, onRecords: records => gate.then(() => onRecords(records)) })
      const hurry = () => {
        open()
        following.hurry?.()
      }
      return { ...following, hurry }
    },
  })
  const lag = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    open = resolve
  }
  return { toLog, lag }
}

test('a feed that is made again still has what came after the view had last read', async t => {
  const { toLog, lag } = laggingFollowers()
  const world = await openWorld(t, [feedOf('all')], toLog)
  await world.start()
  await world.release(fact('a', 1))
  await shows(world, 'all', ['a@1'])
  await until('the sweep of the start', async () => (await world.events('feed.changed')).some(event => event.data.articleId === null))
  await world.quiet()
  lag()
  await world.release(fact('b', 2))
  await shows(world, 'all', ['b@1', 'a@1'])
  const wish: FeedRebuild = {
    n: 1,
    id: 'wish',
    feedId: 'all',
    requestedAt: day(4),
    state: 'wanted',
    changed: false,
    pages: { total: 0, looked: 0, written: 0 },
  }
  await world.objects.put(keys.feed('all', 'rebuild.json'), Buffer.from(JSON.stringify(wish)))
  await world.publish(toRecord(lookAt('all', day(4), 'wish', { rebuild: 'wish' })))
  const made = await until('the rebuild', async () => {
    const stored = await world.objects.get(keys.feed('all', 'rebuild.json'))
    const found = JSON.parse(Buffer.from(stored?.bytes ?? []).toString()) as FeedRebuild
    return found.state !== 'wanted' && found
  })
  assert.equal(made.changed, false)
  assert.deepEqual(await world.shown('all'), ['b@1', 'a@1'])
})

test('on Kafka a feed shows an article while its intent is still on the way to the brokers', async t => {
  const arrived = Promise.withResolvers<void>()
  t.after(() => arrived.resolve())
  let isSlow = false
  const world = await openWorld(t, [feedOf('all')], log => ({
    ...log,
    kind: 'kafka',
    publish: async (records, options) => {
      if (isSlow && records.some(one => one.topic === topics.feedChanges.name)) await arrived.promise
      return await log.publish(records, options)
    },
  }))
  await world.start()
  await until('the sweep of the start', async () => (await world.events('feed.changed')).some(event => event.data.articleId === null))
  await world.release(fact('a', 1))
  await shows(world, 'all', ['a@1'])
  await world.quiet()
  isSlow = true
  await world.release(fact('b', 2))
  await shows(world, 'all', ['b@1', 'a@1'])
  assert.ok(!(await world.events('feed.changed')).some(event => event.data.articleId === 'baoqk.b'))
  arrived.resolve()
  await world.quiet()
  assert.deepEqual(await world.shown('all'), ['b@1', 'a@1'])
})
