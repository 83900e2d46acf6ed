/**
 * What a publisher was promised, held against what the world shows. Every article carries a mark with its revision, `m-<id>-r<n>-x`, that is
 * found again in any format; a revision that was answered 202 must be everywhere in the end, and nowhere may an older one follow a newer.
 */
import type { TestContext } from 'node:test'
import { listKeys } from '@newswire/objects/listing'
import { createWriter } from './articles.ts'
import { CATEGORIES, type Cluster } from './cluster.ts'
import { parseFeed } from './feed-reader.ts'
import type { Answer } from './publisher.ts'
import { createRandom } from './random.ts'
import { formats } from './system.ts'
import { waitFor } from './wait-for.ts'

type Entry = Readonly<{ category: string; revision: number; retracted: boolean }>

export type Ledger = Readonly<{
  /** By local id, what was answered 202 last. */
  entries: ReadonlyMap<string, Entry>
  /** How often each answer came; a request without one counts as `none`. */
  answers: ReadonlyMap<number | 'none', number>
  /** Puts the next revision, again and again until it is answered 202. */
  publish(localId: string, more?: Record<string, unknown>): Promise<void>
  retract(localId: string): Promise<void>
  /** About `perSecond` new articles, updates and a few retractions, until the promise settles and all are answered. */
  load(options: Readonly<{ perSecond: number; until: Promise<unknown> }>): Promise<void>
  /** What the sinks do not show as they should, as sentences; a few of them. */
  findDifferences(): Promise<string[]>
  /** Waits until there are none. */
  settled(deadlineMs?: number): Promise<void>
}>

const AGAIN_MS = 200
const IN_FLIGHT = 24
const SHOWN = 8
const ARCHIVE_READS = 16
/** Fewer than a feed of the cluster holds; from here on there are only updates. */
const MOST_ARTICLES = 600
export const feedIds = ['all', ...CATEGORIES] as const

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** The revisions that a text shows, by local id. */
export const revisionsIn = (text: string): Map<string, number> =>
  new Map([...text.matchAll(/m-([a-z0-9]+)-r(\d+)-x/g)].map(([, id = '', revision]) => [id, Number(revision)]))

const readText = async (url: string): Promise<Readonly<{ status: number; text: string }>> => {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  return { status: response.status, text: await response.text() }
}

const findFeedDifferences = async (cluster: Cluster, entries: ReadonlyMap<string, Entry>): Promise<string[]> => {
  const differences: string[] = []
  for (const feed of feedIds)
    for (const file of formats) {
      const { status, text } = await readText(`${cluster.urls.gateway}/feeds/${feed}/${file}`)
      const shown = status === 200 ? revisionsIn(text) : new Map<string, number>()
      if (status === 200) parseFeed(text)
      for (const [id, { category, revision, retracted }] of entries) {
        const wanted = retracted || (feed !== 'all' && feed !== category) ? undefined : revision
        if (shown.get(id) !== wanted) differences.push(`${feed}/${file}: ${id} is shown as ${shown.get(id)}, not ${wanted}`)
      }
      for (const id of shown.keys()) if (!entries.has(id)) differences.push(`${feed}/${file}: ${id} was never answered`)
    }
  return differences
}

/** What a partner that takes everything does not hold as it should. */
export const findPartnerDifferences = (cluster: Cluster, entries: ReadonlyMap<string, Entry>, partner = cluster.partner): string[] => {
  const differences: string[] = []
  for (const [id, { revision, retracted }] of entries) {
    const held = partner.held(cluster.articleId(id))
    const has = held && revisionsIn(JSON.stringify(held.article)).get(id)
    // An article that came and went before it was sent once was never at the partner.
    const isRight = retracted ? held === undefined || held.retraction !== null : has === revision
    if (!isRight)
      differences.push(`partner: ${id} is held as ${held?.action} ${has} (v${held?.version}), not ${retracted ? 'retracted' : revision}`)
  }
  return differences
}

const findArchiveDifferences = async (cluster: Cluster, entries: ReadonlyMap<string, Entry>): Promise<string[]> => {
  const versions = new Map<string, string[]>()
  for (const key of await listKeys(cluster.objects, 'archive/')) {
    const [, id = ''] = /\/pub\.([^/]+)\/v\d+\.json$/.exec(key) ?? []
    versions.set(id, [...(versions.get(id) ?? []), key])
  }
  const check = async ([id, { revision, retracted }]: readonly [string, Entry]): Promise<string | null> => {
    const all = (versions.get(id) ?? []).sort()
    const numbers = all.map(key => Number(/v(\d+)\.json$/.exec(key)?.[1]))
    if (numbers.some((number, index) => number !== index + 1)) return `archive: ${id} has the versions ${numbers}`
    const last = all.at(-1)
    // Taken back before it was released: nothing of it ever was public.
    if (retracted && last === undefined) return null
    const text = last === undefined ? '' : Buffer.from((await cluster.objects.get(last))?.bytes ?? []).toString()
    if (retracted) return /"state":"retracted"/.test(text) ? null : `archive: ${id} ends at ${last}, which is no retraction`
    const has = revisionsIn(text).get(id)
    return has === revision ? null : `archive: ${id} ends at ${last} with ${has}, not ${revision}`
  }
  const todo = [...entries]
  const differences: (string | null)[] = []
  while (todo.length > 0) differences.push(...(await Promise.all(todo.splice(0, ARCHIVE_READS).map(check))))
  return differences.filter(one => one !== null)
}

const findPageDifferences = async (cluster: Cluster, entries: ReadonlyMap<string, Entry>): Promise<string[]> => {
  const differences: string[] = []
  for (const [id, { revision, retracted }] of entries) {
    const { status, text } = await readText(`${cluster.urls.gateway}/articles/${cluster.articleId(id)}`)
    const has = revisionsIn(text).get(id)
    const isRight = retracted ? status === 410 || status === 404 : status === 200 && has === revision
    if (!isRight || (retracted && has !== undefined))
      differences.push(`page: ${id} answers ${status} with ${has}, not ${retracted ? 'that it is gone' : revision}`)
  }
  return differences
}

export const createLedger = (cluster: Cluster, seed: number): Ledger => {
  const random = createRandom(seed)
  const write = createWriter(seed)
  const entries = new Map<string, Entry>()
  const answers = new Map<number | 'none', number>()
  const categoryOf = new Map<string, string>()
  const busy = new Set<string>()
  const ofLoad = new Set<string>()
  let loaded = 0

  const until202 = async (ask: () => Promise<Answer>): Promise<void> => {
    for (;;) {
      const answer = await ask().catch(() => null)
      const status = answer?.status ?? 'none'
      answers.set(status, (answers.get(status) ?? 0) + 1)
      if (status === 202) return
      if (status !== 'none' && status < 500) throw new Error(`answered ${status}: ${JSON.stringify(answer?.body)}`)
      await pause(AGAIN_MS)
    }
  }

  const publish: Ledger['publish'] = async (localId, more = {}) => {
    const revision = (entries.get(localId)?.revision ?? 0) + 1
    const category = categoryOf.get(localId) ?? random.pick(CATEGORIES)
    categoryOf.set(localId, category)
    const article = {
      ...write({ paragraphs: 1, categories: [category] }),
      body: { html: `<p>m-${localId}-r${revision}-x</p>` },
      sourceVersion: revision,
      ...more,
    }
    await until202(() => cluster.publisher.put(localId, article, `${localId}-${revision}`))
    entries.set(localId, { category, revision, retracted: false })
  }
  const retract: Ledger['retract'] = async localId => {
    const entry = entries.get(localId)
    if (entry === undefined) throw new Error(`${localId} was never published`)
    await until202(() => cluster.publisher.retract(localId, { mode: 'withdraw', reason: 'a test' }))
    entries.set(localId, { ...entry, retracted: true })
  }

  const step = async (fresh: string): Promise<void> => {
    // What a test publishes by itself is its own: an update beside its retraction would leave it open which came last.
    const free = [...entries].filter(([id, { retracted }]) => ofLoad.has(id) && !retracted && !busy.has(id)).map(([id]) => id)
    const dice = random.next()
    const isFresh = free.length === 0 || (dice < 0.5 && entries.size < MOST_ARTICLES)
    const id = isFresh ? fresh : random.pick(free)
    const act = isFresh || dice < 0.95 ? publish : retract
    busy.add(id)
    ofLoad.add(id)
    await act(id)
    busy.delete(id)
  }

  const findDifferences: Ledger['findDifferences'] = async () => {
    for (const find of [findPartnerDifferences, findFeedDifferences, findArchiveDifferences, findPageDifferences]) {
      const differences = await find(cluster, entries)
      if (differences.length > 0) return [`${differences.length} in all`, ...differences.slice(0, SHOWN)]
    }
    return []
  }

  return {
    entries,
    answers,
    publish,
    retract,
    load: async ({ perSecond, until }) => {
      const running = new Set<Promise<void>>()
      let ended = false
      let failed: unknown = null
      const end = () => {
        ended = true
      }
      until.then(end, end)
      while (!ended && failed === null) {
        await pause((1000 / perSecond) * (0.5 + random.next()))
        if (running.size >= IN_FLIGHT) continue
        const one = step(`a${loaded++}`)
          .catch(error => {
            failed = error
          })
          .finally(() => running.delete(one))
        running.add(one)
      }
      await Promise.all(running)
      if (failed !== null) throw failed
    },
    findDifferences,
    settled: async (deadlineMs = 60_000) => {
      await waitFor(
        'every sink to show what was answered 202',
        async () => {
          const differences = await findDifferences()
          if (differences.length > 0) throw new Error(differences.join('\n'))
          return true
        },
        { deadlineMs, everyMs: 500 },
      )
    },
  }
}

/**
 * Reads feeds as fast as they come, and remembers each time one shows an older revision after a newer one, or an article again after it was
 * taken back. Not for tests that bring articles back.
 */
export const watchFeeds = (
  t: TestContext,
  cluster: Cluster,
): Readonly<{ offences: readonly string[]; reads(): number; stop(): Promise<void> }> => {
  const offences: string[] = []
  let reads = 0
  let stopped = false
  const watch = async (path: string) => {
    const newest = new Map<string, number>()
    const gone = new Set<string>()
    while (!stopped) {
      // While the gateway is away there is nothing to see.
      const answer = await readText(`${cluster.urls.gateway}/feeds/${path}`).catch(() => null)
      if (answer?.status === 200) {
        reads += 1
        const shown = revisionsIn(answer.text)
        for (const [id, revision] of shown) {
          if (revision < (newest.get(id) ?? 0)) offences.push(`${path}: ${id} r${revision} after r${newest.get(id)}`)
          if (gone.has(id)) offences.push(`${path}: ${id} r${revision} after it was gone`)
          newest.set(id, revision)
        }
        for (const id of newest.keys()) if (!shown.has(id)) gone.add(id)
      }
      await pause(150)
    }
  }
  const watching = Promise.all([watch('all/feed.json'), watch('c0/rss.xml'), watch('c1/atom.xml')])
  const stop = async () => {
    stopped = true
    await watching
  }
  t.after(stop)
  return { offences, reads: () => reads, stop }
}
