import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ConfigKind } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { type Publish, publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Objects } from '@newswire/objects/objects'
import { applyConfiguration } from './apply-config.ts'
import { checkConfig } from './check-config.ts'
import { type ConfigurationOptions, createConfiguration } from './configuration.ts'
import { createLogger } from './logger.ts'
import { looksAgainOnceThere } from './sample-late-look.ts'

const feed = (id: string, rest: object = {}) => ({ id, title: id.toUpperCase(), ...rest })
const site = { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' }

const open = async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-config-'))
  const objects = await createDiskObjects({ root: join(root, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(root, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    await objects.close()
    await rm(root, { recursive: true })
  })
  const lines: string[] = []
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: line => void lines.push(line) } })
  const publish = publishEvents(log)
  const apply = (value: object, options: { prune?: boolean; publish?: Publish } = {}) => {
    const checked = checkConfig({ site, ...value })
    assert.ok(checked.ok)
    return applyConfiguration({ objects, publish, config: checked.config, now: Date.now, ...options })
  }
  const follow = async (options: Partial<ConfigurationOptions> = {}) => {
    const configuration = await createConfiguration({ objects, log, logger, ...options })
    t.after(() => configuration.close())
    return configuration
  }
  return { objects, log, lines, apply, follow }
}

const until = async (what: string, ask: () => boolean) => {
  const deadline = performance.now() + 10_000
  while (!ask()) {
    assert.ok(performance.now() < deadline, `${what} did not happen`)
    await new Promise(resolve => setImmediate(resolve))
  }
}
const never: Publish = async () => []

test('without any configuration starting fails and says what to do', async t => {
  const { follow } = await open(t)
  await assert.rejects(follow(), { code: 'NEWSWIRE_CONFIG_NONE', message: /newswire apply/ })
  await assert.rejects(follow({ waitMs: 50, relistEveryMs: 10 }), { code: 'NEWSWIRE_CONFIG_NONE' })
})

test('a process that may wait starts with the first configuration', async t => {
  const { apply, follow } = await open(t)
  const waiting = follow({ waitMs: 10_000, relistEveryMs: 20 })
  await apply({})
  assert.equal((await waiting).current().site.title, 'News')
})

test('feeds come in the same order in every process, however the store answers and whatever changed last', async t => {
  const { objects, apply, follow } = await open(t)
  await apply({ feeds: ['d', 'a', 'c', 'b'].map(id => feed(id)) })
  const held = new Map<string, () => void>()
  const get: Objects['get'] = async key => {
    // The first that is asked for is answered last.
    if (held.size === 0) await new Promise<void>(resolve => held.set(key, resolve))
    else setTimeout(() => [...held.values()][0]?.(), 20)
    return objects.get(key)
  }
  const [one, two] = [await follow(), await follow({ objects: { ...objects, get } })]
  const orderOf = ({ current }: typeof one) => [...current().feeds.keys()]
  assert.deepEqual(
    [orderOf(one), orderOf(two)],
    [
      ['a', 'b', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
    ],
  )
  await apply({ feeds: [feed('a', { limit: 7 })] })
  await until('the change', () => one.current().feeds.get('a')?.limit === 7)
  assert.deepEqual(orderOf(one), ['a', 'b', 'c', 'd'])
})

test('everything stored is in force, with the defaults of its kind', async t => {
  const { apply, follow } = await open(t)
  await apply({
    network: { allow: ['127.0.0.0/8'] },
    publishers: [{ id: 'p', name: 'P' }],
    categories: [{ id: 'c', name: 'C' }],
    feeds: Array.from({ length: 40 }, (_, index) => feed(`f${index}`)),
    outlets: [{ id: 'o', deliver: { kind: 'webhook', url: 'https://o.example/', secretEnv: 'O_SECRET' } }],
  })
  const { network, publishers, categories, feeds, outlets } = (await follow()).current()
  assert.deepEqual(network, { allow: ['127.0.0.0/8'], allowHttp: false })
  assert.deepEqual([publishers.get('p')?.name, categories.get('c')?.name, feeds.size, feeds.get('f7')?.limit], ['P', 'C', 40, 50])
  assert.equal(outlets.get('o')?.retired, false)
})

test('a change is in force, and told, soon after it was applied', async t => {
  const { apply, follow } = await open(t)
  await apply({ feeds: [feed('all')] })
  const configuration = await follow()
  const told: ConfigKind[][] = []
  const stop = configuration.onChange(kinds => told.push([...kinds]))
  await apply({ feeds: [feed('all', { limit: 7 }), feed('more')] })
  await until('the change', () => configuration.current().feeds.size === 2)
  assert.equal(configuration.current().feeds.get('all')?.limit, 7)
  assert.deepEqual(new Set(told.flat()), new Set(['feeds']))
  stop()
  const before = told.length
  await apply({ feeds: [feed('all', { limit: 8 })] })
  await until('the next change', () => configuration.current().feeds.get('all')?.limit === 8)
  assert.equal(told.length, before)
})

test('a retired feed is gone; retired outlets and categories stay known', async t => {
  const { apply, follow } = await open(t)
  const outlet = { id: 'o', deliver: { kind: 'webhook', url: 'https://o.example/', secretEnv: 'O_SECRET' } }
  await apply({ feeds: [feed('all')], outlets: [outlet], categories: [{ id: 'c', name: 'C' }] })
  await apply({}, { prune: true })
  const { feeds, outlets, categories } = (await follow()).current()
  assert.equal(feeds.size, 0)
  assert.deepEqual([outlets.get('o')?.retired, categories.get('c')?.name], [true, 'C'], 'kills still go there')
})

test('a change whose note was lost is found by looking at everything again', async t => {
  const { apply, follow } = await open(t)
  await apply({ feeds: [feed('all')] })
  const configuration = await follow({ relistEveryMs: 20 })
  await apply({ feeds: [feed('all', { limit: 7 })] }, { publish: never })
  await until('the change', () => configuration.current().feeds.get('all')?.limit === 7)
})

test('looking again reads only what has changed', async t => {
  const { objects, apply, follow } = await open(t)
  await apply({ feeds: [feed('all'), feed('more')] })
  const reads: string[] = []
  let lists = 0
  const watched: Pick<Objects, 'get' | 'list'> = {
    get: (key, options) => {
      reads.push(key)
      return objects.get(key, options)
    },
    list: (...given) => {
      lists++
      return objects.list(...given)
    },
  }
  const configuration = await follow({ objects: watched, relistEveryMs: 10 })
  assert.equal(reads.length, 4)
  await until('three more rounds', () => lists >= 4)
  assert.equal(reads.length, 4)
  await apply({ feeds: [feed('all', { limit: 7 })] }, { publish: never })
  await until('the change', () => configuration.current().feeds.get('all')?.limit === 7)
  assert.deepEqual(reads.slice(4), ['config/feeds/all.json'])
})

test('a store that is away costs nothing but freshness, and is tried again soon', async t => {
  const { objects, apply, follow, lines } = await open(t)
  await apply({ feeds: [feed('all')] })
  let away = false
  const fragile: Pick<Objects, 'get' | 'list'> = {
    get: (key, options) =>
      away ? Promise.reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')) : objects.get(key, options),
    list: (...given) => (away ? Promise.reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')) : objects.list(...given)),
  }
  const configuration = await follow({ objects: fragile, relistEveryMs: 600_000 })
  away = true
  await apply({ feeds: [feed('all', { limit: 7 })] })
  await until('the failure', () => lines.some(line => line.includes('configuration.change-unread')))
  assert.equal(configuration.current().feeds.get('all')?.limit, 50)
  away = false
  await until('the change', () => configuration.current().feeds.get('all')?.limit === 7)
})

test('one object that cannot be used keeps its last good state and takes nothing else with it', async t => {
  const { objects, apply, follow, lines } = await open(t)
  await apply({ feeds: [feed('bad', { limit: 5 }), feed('good')] })
  const configuration = await follow({ relistEveryMs: 20 })
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  await objects.put('config/feeds/bad.json', encode({ n: 9, retired: false, changedAt: 'x', value: { id: 'bad', limit: 'many' } }))
  await objects.put('config/feeds/worse.json', encode('nonsense'))
  await apply({ feeds: [feed('good', { limit: 7 })] }, { publish: never }).catch(() => undefined)
  await until('the complaints', () => ['object-refused', 'object-unreadable'].every(what => lines.some(line => line.includes(what))))
  assert.equal(configuration.current().feeds.get('bad')?.limit, 5)
  const restarted = await follow()
  assert.deepEqual([...restarted.current().feeds.keys()], ['good'])
})

test('records that are none of ours, and listeners that throw, stop nothing', async t => {
  const { log, apply, follow, lines } = await open(t)
  await apply({ feeds: [feed('all')] })
  const configuration = await follow()
  const told: number[] = []
  configuration.onChange(() => {
    throw new Error('a listener of a bug')
  })
  configuration.onChange(() => told.push(1))
  await log.publish([{ topic: topics.configChanges.name, key: 'x', value: new TextEncoder().encode('poison') }])
  await apply({ feeds: [feed('all', { limit: 7 })] })
  await until('the change', () => told.length > 0)
  assert.equal(configuration.current().feeds.get('all')?.limit, 7)
  assert.ok(lines.some(line => line.includes('configuration.listener-failed')))
})

test('a look that is asked for when the log came while another look is under way follows that one', async t => {
  const { objects, log, apply, follow } = await open(t)
  await apply({})
  const record = { topic: topics.configChanges.name, key: 'x', value: Buffer.from('none of ours') }
  await looksAgainOnceThere({ objects, log, start: follow, record, until })
})
