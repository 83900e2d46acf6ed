/**
 * A small world for `simulate.test.ts`: virtual time, a store, a log and partners in memory, and the real route, worker and actors in a process
 * that may crash at every await. One seed is one run; everything heals at the end, and then all must have become right.
 */
import type { OutletConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { EventContext } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createActor } from './actor.ts'
import type { Clock } from './book.ts'
import { createCreated } from './created.ts'
import { createDueQueue } from './due-queue.ts'
import { createHandover } from './handover.ts'
import { createOutletStates } from './outlet-state.ts'
import { createOwnSide } from './own-side.ts'
import { createPendingStore, outletShelf, type PendingStore } from './pending.ts'
import { type ArticleEvent, routeArticle } from './route.ts'
import { killFact, liveFact, outletOf } from './samples.ts'
import { createPartners, type Life, type Sent, type Shown } from './simulated-partners.ts'
import { createSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { createView, type ReadReleased } from './view.ts'
import { createWebhook, webhookKind } from './webhook.ts'
import { createWorker, laneOf } from './worker.ts'

export type Faults = Readonly<{
  /** Chance of a crash at each await. */
  crash: number
  /** Partners fail, hang and answer late for the first minutes. */
  partners: boolean
  /** Store and log are away now and then. */
  own: boolean
}>

/** Faults planted on purpose, to see that the checks see them. */
export type Plant = 'version-of-the-intent' | 'forgets-pending' | 'commits-early' | 'settles-under-the-same-id'

export type Run = Readonly<{
  seed: number
  /** The last version of each article, and whether it takes it back. */
  latest: ReadonlyMap<string, Shown>
  /** What a partner shows that ignores versions not above the one it holds, by outlet/article; and one that takes everything but a repeated id. */
  fenced: ReadonlyMap<string, Shown>
  naive: ReadonlyMap<string, Shown>
  sent: readonly Sent[]
  /** Versions told as done, by outlet/article. */
  told: ReadonlyMap<string, number>
  undone: number
  crashes: number
  stuck: readonly string[]
}>

const HEAL_AT_MS = 400_000
const START_MS = 1_800_000_000_000
const ARTICLES = ['press.a', 'press.b']
const OUTLETS = ['one', 'two']

const randomFrom = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Consumer = { records: LogRecord[]; committed: number; look: () => void }

export const simulate = async (seed: number, faults: Faults, plant?: Plant): Promise<Run> => {
  const random = randomFrom(seed)
  const events = createDueQueue<{ life: Life; run: () => void }>()
  const world: Life = { alive: true }
  const store = new Map<string, { bytes: Uint8Array; etag: string; lastModified: Date }>()
  const history = new Map<string, Fact[]>()
  const articles: Consumer = { records: [], committed: 0, look: () => undefined }
  const deliveries: Consumer = { records: [], committed: 0, look: () => undefined }
  const outlets = new Map<string, OutletConfig>(OUTLETS.map(id => [id, outletOf({ id })]))
  const latest = new Map<string, Shown>()
  const told = new Map<string, number>()
  const stuck: string[] = []
  let nowMs = START_MS
  let tag = 0
  let position = 0
  let crashes = 0
  let life: Life = { alive: true }

  const healed = () => nowMs > START_MS + HEAL_AT_MS
  const at = (ms: number, who: Life, run: () => void) => events.push(nowMs + ms, { life: who, run })
  const chance = (p: number) => random() < p
  /** Store and log go away together, for a few seconds out of each twenty. */
  const isAway = () => faults.own && !healed() && Math.floor(nowMs / 4_000 + seed) % 5 === 0

  const crash = () => {
    crashes += 1
    life.alive = false
    at(random() * 3_000, world, begin)
  }
  const maybeCrash = (mine: Life) => {
    if (mine.alive && !healed() && chance(faults.crash)) crash()
    return !mine.alive
  }

  /** Something done outside the process: it may crash before, or after, when the answer is lost. */
  const effect = <T>(mine: Life, act: () => T, own = true): Promise<T> =>
    new Promise((resolve, reject) => {
      at(random() * 4, mine, () => {
        if (maybeCrash(mine)) return
        if (own && isAway()) return reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away'))
        const result = act()
        at(random() * 4, mine, () => {
          if (!maybeCrash(mine)) resolve(result)
        })
      })
    })

  const partners = createPartners({ random, at, world, maybeCrash, isRough: () => faults.partners && !healed() })

  const objectsOf = (mine: Life): Objects => ({
    kind: 'disk',
    get: key =>
      effect(mine, () => ({ contentType: 'application/json', ...store.get(key) })).then(found =>
        'etag' in found ? (found as never) : null,
      ),
    head: async () => assert('nobody asks for heads'),
    put: (key, bytes, { ifNoneMatch, ifMatch } = {}) =>
      effect(mine, () => {
        const there = store.get(key)
        if (ifNoneMatch === '*' && there !== undefined) return { ok: false, reason: 'exists' } as const
        if (ifMatch !== undefined && there?.etag !== ifMatch) return { ok: false, reason: 'stale' } as const
        tag += 1
        store.set(key, { bytes: bytes.slice(), etag: String(tag), lastModified: new Date(nowMs) })
        return { ok: true, etag: String(tag) } as const
      }),
    delete: async () => assert('nothing is swept here'),
    list: prefix =>
      effect(mine, () =>
        [...store]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, one]) => ({ key, size: one.bytes.length, etag: one.etag, lastModified: one.lastModified })),
      ),
    close: async () => undefined,
  })

  const append = (event: NewswireEvent) => {
    position += 1
    const record: LogRecord = { ...toRecord(event), partition: 0, position, timestamp: nowMs }
    if (event.type === 'milestone.reached') return noteMilestone(event.data)
    const topic = event.type === 'delivery.wanted' ? deliveries : articles
    topic.records.push(record)
    topic.look()
  }
  const noteMilestone = (data: NewswireEvent<'milestone.reached'>['data']) => {
    if (data.kind !== 'sink' || data.state !== 'done') return
    const pair = `${data.sink.id}/${data.articleId}`
    told.set(pair, Math.max(told.get(pair) ?? 0, data.version))
  }

  const configuration = (): ConfigSnapshot => ({ outlets, categories: new Map() }) as unknown as ConfigSnapshot

  /** One start of the process: consumers from the last commit, lanes one record at a time. */
  const begin = () => {
    life = { alive: true }
    const mine = life
    const objects = objectsOf(mine)
    const clock: Clock = {
      now: () => nowMs,
      after: (ms, run) => {
        let wanted = true
        at(ms, mine, () => wanted && run())
        return () => {
          wanted = false
        }
      },
    }
    const publish = (published: readonly NewswireEvent[]) =>
      effect(mine, () => {
        published.forEach(append)
        return []
      })
    const real = createView(objects, () => nowMs)
    const read: ReadReleased =
      plant === 'version-of-the-intent' ? async (id, want) => history.get(id)?.find(fact => fact.version === want) ?? null : real
    const stored = createPendingStore({ objects, shelf: outletShelf, now: () => nowMs, onUnreadable: key => stuck.push(key) })
    const pending: PendingStore = plant === 'forgets-pending' ? { ...stored, save: async () => ({ etag: '', n: 0 }) } : stored
    const deliver = createWebhook({
      request: request => partners.request(mine, request),
      secret: () => 'secret',
      publicUrl: () => 'http://x',
      now: () => nowMs,
    })
    const send: typeof deliver = (parcel, mayStill) =>
      deliver(plant === 'settles-under-the-same-id' ? { ...parcel, settling: false } : parcel, mayStill)
    const logger = { info: () => undefined, warn: () => undefined, error: (fields: object) => void stuck.push(JSON.stringify(fields)) }
    const quiet = { ...logger, error: () => undefined }
    const delivering = { read, send, tell: createTell(publish), now: () => nowMs }
    const slots = createSlots()
    const ownSide = createOwnSide(1)
    const shared = {
      clock,
      pending,
      states: createOutletStates(objects),
      slots,
      ownSide,
      scale: 1,
      random,
    }
    const worker = createWorker({
      handover: createHandover(objects, `owner-${crashes}`),
      clock,
      scale: 1,
      shared: false,
      partitionOf: () => 0,
      outlets: () => outlets,
      createActor: (outletId, isHeld) =>
        createActor(outletId, {
          ...shared,
          logger: quiet,
          owns: () => mine.alive && isHeld(),
          kind: webhookKind(outletId, {
            ...delivering,
            configured: () => ({ outlet: outlets.get(outletId) ?? outletOf({ id: outletId }), categories: new Map() }),
          }),
        }),
      sweep: async () => undefined,
      onError: error => logger.error({ error: String(error) }),
    })
    const route = routeArticle({ objects, publish, configuration, created: createCreated(objects), now: () => nowMs })
    void worker.onAssigned({ gained: [0], lost: [] })
    const context = (record: LogRecord): EventContext => ({ record, attempt: 1, signal: new AbortController().signal })
    consume(
      mine,
      articles,
      record => record.key ?? '',
      record => route(fromRecord(record) as ArticleEvent, context(record)),
    )
    consume(mine, deliveries, laneOf, record => {
      const done = worker.onWanted(fromRecord(record) as NewswireEvent<'delivery.wanted'>, context(record))
      return plant === 'commits-early' ? Promise.resolve() : done
    })
  }

  const consume = (mine: Life, from: Consumer, lane: (record: LogRecord) => string, handle: (record: LogRecord) => Promise<void>) => {
    const lanes = new Map<string, Promise<void>>()
    const done = new Set<number>()
    let next = from.committed
    const attempt = async (record: LogRecord): Promise<void> => {
      for (;;) {
        try {
          return await handle(record)
        } catch (error) {
          if (!(error instanceof UnavailableError)) stuck.push(String(error))
          await new Promise<void>(resolve => at(100, mine, resolve))
        }
      }
    }
    const take = () => {
      for (; next < from.records.length; next++) {
        const record = from.records[next]
        const index = next
        if (record === undefined) break
        const name = lane(record)
        const turn = (lanes.get(name) ?? Promise.resolve()).then(() => attempt(record))
        lanes.set(
          name,
          turn.then(() => finished(index)),
        )
      }
    }
    const finished = (index: number) => {
      done.add(index)
      at(random() * 500, mine, () => {
        if (!maybeCrash(mine)) while (done.has(from.committed)) from.committed += 1
      })
    }
    from.look = () => at(1, mine, take)
    from.look()
  }

  const release = (articleId: string, version: number, kill: boolean) => {
    const fact: Fact = (kill ? killFact : liveFact)({ articleId, version, releasedAt: new Date(nowMs).toISOString() })
    history.set(articleId, [...(history.get(articleId) ?? []), fact])
    latest.set(articleId, { version, killed: kill })
    tag += 1
    const bytes = new TextEncoder().encode(JSON.stringify({ released: { fact } }))
    store.set(keys.current(articleId), { bytes, etag: String(tag), lastModified: new Date(nowMs) })
    const type = `article.${fact.action}` as ArticleEvent['type']
    const event = {
      id: `${articleId}-${version}`,
      type,
      source: '/services/desk',
      subject: articleId,
      time: fact.releasedAt,
      data: fact,
    } as NewswireEvent
    at(random() * 20, world, () => append(event))
  }

  for (const articleId of ARTICLES) {
    const versions = 1 + Math.floor(random() * 4)
    let whenMs = random() * 2_000
    for (let version = 1; version <= versions; version++) {
      const kill = version > 1 && chance(version === versions ? 0.6 : 0.2)
      at(whenMs, world, () => release(articleId, version, kill))
      whenMs += chance(0.5) ? random() * 30 : random() * 90_000
    }
  }
  begin()
  for (let event = events.peek(); event !== undefined; event = events.peek()) {
    events.pop()
    nowMs = Math.max(nowMs, event.atMs)
    if (!event.item.life.alive) continue
    event.item.run()
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  const undone = [...store].filter(
    ([key, one]) => key.startsWith('outlets/pending/') && !Buffer.from(one.bytes).toString().includes('"delivery":null'),
  ).length
  const { fenced, naive, sent } = partners
  return { seed, latest, fenced, naive, sent, told, undone, crashes, stuck }
}

const assert = (message: string): never => {
  throw new Error(message)
}
