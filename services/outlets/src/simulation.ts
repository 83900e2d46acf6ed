/**
 * A small world for `simulate.test.ts`: virtual time, a store, a log and partners in memory, and the real route, worker and actors in a process
 * that may crash at every await. One seed is one run; everything heals at the end, and then all must have become right.
 */
import type { OutletConfig } from '@newswire/events/config'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { EventContext } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createActor } from './actor.ts'
import { createCreated } from './created.ts'
import { createHandover } from './handover.ts'
import { outletKind } from './outlet-kind.ts'
import { createOutletStates } from './outlet-state.ts'
import { createOwnSide } from './own-side.ts'
import type { Deliver, Parcel } from './parcel.ts'
import { createPendingStore, outletShelf, type PendingStore } from './pending.ts'
import { type ArticleEvent, routeArticle } from './route.ts'
import { contextOf, killFact, liveFact, outletOf } from './samples.ts'
import { createPartners, type Sent, type Shown } from './simulated-partners.ts'
import { createConsumer, createSimulatedWorld, type Faults, type Life } from './simulated-world.ts'
import { createSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { createView, type ReadReleased } from './view.ts'
import { createWebhook } from './webhook.ts'
import { createWorker, laneOf } from './worker.ts'

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

const ARTICLES = ['press.a', 'press.b']
const OUTLETS = ['one', 'two']

export const simulate = async (seed: number, faults: Faults, plant?: Plant): Promise<Run> => {
  const sim = createSimulatedWorld(seed, faults, mine => begin(mine))
  const { random, world, store, stuck, at, chance, maybeCrash, effect, objectsOf, clockOf, consume } = sim
  const history = new Map<string, Fact[]>()
  const articles = createConsumer()
  const deliveries = createConsumer()
  const outlets = new Map<string, OutletConfig>(OUTLETS.map(id => [id, outletOf({ id })]))
  const latest = new Map<string, Shown>()
  const told = new Map<string, number>()
  let position = 0

  const partners = createPartners({ random, at, world, maybeCrash, isRough: sim.isRough })

  const append = (event: NewswireEvent) => {
    position += 1
    const record: LogRecord = { ...toRecord(event), partition: 0, position, timestamp: sim.now() }
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

  const begin = (mine: Life) => {
    const objects = objectsOf(mine)
    const clock = clockOf(mine)
    const publish = (published: readonly NewswireEvent[]) =>
      effect(mine, () => {
        published.forEach(append)
        return []
      })
    const real = createView(objects, () => sim.now())
    const read: ReadReleased =
      plant === 'version-of-the-intent' ? async (id, want) => history.get(id)?.find(fact => fact.version === want) ?? null : real
    const stored = createPendingStore({ objects, shelf: outletShelf, now: () => sim.now(), onUnreadable: key => stuck.push(key) })
    const pending: PendingStore = plant === 'forgets-pending' ? { ...stored, save: async () => ({ etag: '', n: 0 }) } : stored
    const webhook = createWebhook({
      request: request => partners.request(mine, request),
      secret: () => 'secret',
      context: () => contextOf({ id: 'x,2026', publicUrl: 'http://x' }),
      now: () => sim.now(),
    })
    const deliver: Deliver = (parcel, mayStill) =>
      webhook.deliver({ ...(parcel as Parcel<'webhook'>), settling: parcel.settling && plant !== 'settles-under-the-same-id' }, mayStill)
    const logger = { info: () => undefined, warn: () => undefined, error: (fields: object) => void stuck.push(JSON.stringify(fields)) }
    const quiet = { ...logger, error: () => undefined }
    const delivering = { read, readVersion: async () => null, deliver, tell: createTell(publish), now: () => sim.now() }
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
      handover: createHandover(objects, `owner-${sim.crashes()}`),
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
          kind: outletKind(outletId, {
            ...delivering,
            configured: () => ({ outlet: outlets.get(outletId) ?? outletOf({ id: outletId }), categories: new Map() }),
          }),
        }),
      sweep: async () => undefined,
      onError: error => logger.error({ error: String(error) }),
    })
    const route = routeArticle({ objects, publish, configuration, created: createCreated(objects), now: () => sim.now() })
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

  const release = (articleId: string, version: number, kill: boolean) => {
    const fact: Fact = (kill ? killFact : liveFact)({ articleId, version, releasedAt: new Date(sim.now()).toISOString() })
    history.set(articleId, [...(history.get(articleId) ?? []), fact])
    latest.set(articleId, { version, killed: kill })
    sim.write(keys.current(articleId), new TextEncoder().encode(JSON.stringify({ released: { fact } })))
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
  await sim.run()
  const undone = [...store].filter(
    ([key, one]) => key.startsWith('outlets/pending/') && !Buffer.from(one.bytes).toString().includes('"delivery":null'),
  ).length
  const { fenced, naive, sent } = partners
  return { seed, latest, fenced, naive, sent, told, undone, crashes: sim.crashes(), stuck }
}
