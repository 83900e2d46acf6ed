/** Builder, pages and view over a store on disk, without a log: what the tests of a feed's history share. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { readFromBundles } from '@newswire/objects/bundle-reader'
import { createDiskObjects } from '@newswire/objects/disk'
import { partsOf } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type Built, createBuilder } from './build.ts'
import { readWindow } from './feed-store.ts'
import { createFragmentCache } from './fragments.ts'
import { createHistory, type History } from './history.ts'
import { createPageWriter, reachIn } from './page-writer.ts'
import { isSameReach } from './pages.ts'
import { createProfiles } from './profile.ts'
import type { RebuildProgress } from './rebuild.ts'
import { categories, site } from './sample-facts.ts'
import { openSampleView, type SampleView, toRule } from './sample-view.ts'
import { createStates } from './states.ts'
import { collect, differencesOf } from './sweep.ts'

export const openStore = async (t: Pick<TestContext, 'after'>): Promise<Objects> => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-feeds-'))
  const objects = readFromBundles(await createDiskObjects({ root, fsync: 'normal' }))
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  return objects
}

export const snapshotOf = (...feeds: FeedConfig[]): ConfigSnapshot => ({
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map(feeds.map(feed => [feed.id, feed])),
  outlets: new Map(),
})

type Store = Pick<Objects, 'get' | 'head' | 'put' | 'list' | 'delete'>

/** A process that holds the feed `all`. Its database may be one that an earlier process left. */
type Process = Readonly<{
  view: SampleView
  history: History
  errors: unknown[]
  /** What the desk does, and what follows from it in this process. */
  release(...facts: Fact[]): Promise<void>
  /** The intent of a fact. */
  build(facts: readonly Fact[], options?: { lookedAt?: string; afresh?: boolean }): Promise<Built>
  /** What a sweep does. */
  sweep(lookedAt: string): Promise<void>
  /** Until the pages are written and the feed links all of them, or until `isOver`. */
  settle(isOver?: () => boolean): Promise<void>
  configure(feed: FeedConfig): void
  rebuild(lookedAt: string): Promise<{ changed: boolean; looked: number; written: number }>
  stop(): Promise<void>
}>

const DEADLINE_MS = 5_000
const FEED = 'all'

export const startProcess = (store: Store, feed: FeedConfig, db = new DatabaseSync(':memory:')): Process => {
  let snapshot = snapshotOf(feed)
  const configuration = { current: () => snapshot }
  const ruleNow = () => toRule(snapshot.feeds.get(FEED) ?? feed)
  const view = openSampleView([feed], db)
  const fragments = createFragmentCache()
  const profileOf = createProfiles()
  const states = createStates({ objects: store })
  const writer = createPageWriter({ objects: store, places: view.places, states: createStates({ objects: store }), fragments, profileOf })
  const errors: unknown[] = []
  let position = Date.now()
  const history: History = createHistory({
    objects: store,
    view,
    writer,
    configuration,
    profileOf,
    isHeld: () => true,
    now: () => Date.UTC(2026, 5, 1),
    rest: () => new Promise(resolve => setImmediate(resolve)),
    askForLink: async () => void (await build([], { lookedAt: '2026-03-01T00:00:00.000Z' })),
    retryMs: 5,
    onError: (_feedId, error) => errors.push(error),
  })
  view.onPlaced(history.touch)
  const builder = createBuilder({ objects: store, states, fragments, profileOf, archiveOf: history.reachOf })

  let building = 0
  const build: Process['build'] = async (facts, options) => {
    building += 1
    try {
      return await buildNow(facts, options)
    } finally {
      building -= 1
    }
  }
  const buildNow: Process['build'] = async (facts, { lookedAt, afresh } = {}) => {
    const rule = ruleNow()
    const all = afresh ? collect(view, rule, { asOf: lookedAt ?? '', noticeMs: 7 * 86_400_000 }) : []
    position += 1
    const built = await builder.build(
      {
        feedId: FEED,
        articles: new Map(facts.map(fact => [fact.articleId, fact.version])),
        lookedAt: lookedAt ?? null,
        position,
        ...(afresh ? { afresh: new Map(all.map(one => [one.articleId, one.version])) } : {}),
      },
      snapshot,
      new AbortController().signal,
    )
    assert.ok(built)
    await history.takeDown(
      FEED,
      facts.flatMap(({ articleId }) => {
        const state = built.states.get(articleId)
        return state && !(state instanceof Error) ? [state] : []
      }),
    )
    history.linked(FEED, built.window.archive)
    return built
  }

  const isSettled = async (): Promise<boolean> => {
    const reach = reachIn(view.places, ruleNow())
    if (building > 0) return false
    if (!isSameReach(reach, history.reachOf(FEED) ?? null) || history.reachOf(FEED) === undefined) return false
    if (view.places.dirtyDays(FEED).some(({ day }) => reach !== null && day <= reach.page.day)) return false
    return isSameReach((await readWindow(store, FEED)).window.archive, reach) && building === 0
  }

  return {
    view,
    history,
    errors,
    build,
    release: async (...facts) => {
      for (const fact of facts)
        assert.ok((await store.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))).ok)
      view.put(...facts)
      await build(facts)
    },
    sweep: async lookedAt => {
      await view.ensure([ruleNow()])
      const { window } = await readWindow(store, FEED)
      await history.check(FEED)
      const differences = differencesOf(window, collect(view, ruleNow(), window), view.find)
      const articles = [...differences].map(([articleId, version]) => ({ articleId, version }) as Fact)
      await build(articles, { lookedAt })
    },
    settle: async (isOver = () => false) => {
      const deadline = Date.now() + DEADLINE_MS
      while (!isOver() && !(await isSettled())) {
        if (Date.now() > deadline) {
          const [should, linked] = [reachIn(view.places, ruleNow()), (await readWindow(store, FEED)).window.archive]
          const seen = { should, linked, written: history.reachOf(FEED), dirty: view.places.dirtyDays(FEED), building }
          assert.fail(`not as state has it within ${DEADLINE_MS} ms: ${JSON.stringify(seen)} ${errors.map(String).join('; ')}`)
        }
        await new Promise(setImmediate)
      }
    },
    configure: changed => {
      snapshot = snapshotOf(changed)
    },
    rebuild: async lookedAt => {
      const { written: changed } = await build([], { lookedAt, afresh: true })
      let looked = 0
      let written = 0
      const done = Promise.withResolvers<void>()
      const progress: RebuildProgress = {
        looked: async isWritten => {
          looked += 1
          if (isWritten) written += 1
        },
        finished: async () => done.resolve(),
      }
      history.rebuild(FEED, progress)
      await done.promise
      return { changed, looked, written }
    },
    stop: history.stop,
  }
}

type ChainItem = Readonly<{ id: string; version: number; status: string }>
type Chain = Readonly<{ feed: readonly ChainItem[]; pages: readonly Readonly<{ name: string; items: readonly ChainItem[] }>[] }>

const BASE = 'https://news.example/feeds/all/'
const idIn = (text: string) => /tag:news\.example,2026:([^<"&]+)/.exec(text)?.[1] ?? ''

/** Follows the chain in JSON from the feed to the first page, and holds RSS and Atom against it: the same pages, linked both ways, with the same articles. */
export const readChain = async (store: Pick<Objects, 'get'>): Promise<Chain> => {
  const text = async (file: string) => {
    const found = await getUnpacked(store, `feeds/all/${file}`)
    assert.ok(found && found.bytes.length > 0, `${file} is linked and is not there`)
    return Buffer.from(found.bytes).toString()
  }
  const parse = async (file: string) => {
    const json = JSON.parse(await text(file)) as {
      next_url?: string
      items: { id: string; _newswire: { version: number; status: string } }[]
      _newswire: { page?: { current: string; next?: string } }
    }
    const items = json.items.map(one => ({ id: idIn(one.id), version: one._newswire.version, status: one._newswire.status }))
    return { items, prev: json.next_url?.replace(BASE, '').replace(/\?n=\d+$/, ''), page: json._newswire.page }
  }
  const { items: feed, prev } = await parse('feed.json')
  const pages: { name: string; items: ChainItem[] }[] = []
  let newer: string | undefined
  for (let file = prev; file !== undefined; ) {
    const { items, prev: older, page } = await parse(file)
    const name = file.replace(/\.json$/, '')
    assert.equal(page?.current, `${BASE}feed.json`)
    assert.equal(page?.next, newer === undefined ? undefined : `${BASE}${newer}.json`, `${name} names the page after it`)
    for (const [ending, cut] of [
      ['.rss.xml', /<item>[\s\S]*?<\/item>/g],
      ['.atom.xml', /<entry[\s>][\s\S]*?<\/entry>|<at:deleted-entry [\s\S]*?<\/at:deleted-entry>/g],
    ] as const) {
      const xml = await text(`${name}${ending}`)
      assert.deepEqual([...xml.matchAll(cut)].map(([one]) => idIn(one)).sort(), items.map(one => one.id).sort(), `${name}${ending}`)
      assert.ok(xml.includes('<fh:archive/>'), name)
      const linked = older === undefined ? null : `rel="prev-archive" href="${BASE}${older.replace(/\.json$/, ending)}"`
      assert.equal(/rel="prev-archive" href="[^"]*"/.exec(xml)?.[0] ?? null, linked)
    }
    pages.push({ name, items })
    newer = name
    file = older
  }
  return { feed, pages }
}

/** Everything the public can read of the feed, with its tags. */
export const everyFile = async (store: Pick<Objects, 'list' | 'get'>): Promise<Map<string, string>> => {
  const files = new Map<string, string>()
  for (const { key, etag, size } of await store.list('feeds/all/')) {
    if (!key.endsWith('feed.bundle')) {
      if (size > 0) files.set(key, etag)
      continue
    }
    const parts = partsOf((await store.get(key))?.bytes ?? new Uint8Array()) ?? new Map()
    for (const [name, { sha256 }] of parts) if (name !== 'window.json') files.set(`feeds/all/${name}`, sha256)
  }
  return files
}
