/** One start of a process of `simulation.ts`: the real route, worker and actors over the world's store and logs, with the fault that is planted. */
import type { OutletConfig } from '@newswire/events/config'
import { type ArticleEvent, fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { EventContext } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import { getArchived } from '@newswire/objects/archived'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createAcknowledged } from './acknowledged.ts'
import { createActor } from './actor.ts'
import { createCreated } from './created.ts'
import { createHandover } from './handover.ts'
import { laneOf } from './intents.ts'
import { createOlderVersions } from './older-versions.ts'
import { outletKind } from './outlet-kind.ts'
import { createOutletStates } from './outlet-state.ts'
import { createOwnSide } from './own-side.ts'
import { createPendingStore, outletShelf } from './pending.ts'
import { routeArticle } from './route.ts'
import { contextOf, outletOf } from './samples.ts'
import { toSignedPost } from './signing.ts'
import type { Partners } from './simulated-partners.ts'
import { type Plant, plantInDeliver, plantInKind, plantInOutlet, plantInStore } from './simulated-plants.ts'
import type { Consumer, Life, SimulatedWorld } from './simulated-world.ts'
import { createSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { createView, type ReadReleased } from './view.ts'
import { createWebhook } from './webhook.ts'
import { createWorker } from './worker.ts'

/** A heartbeat that is older proves nothing: nothing is sent (architecture §6.16). */
const HEARTBEAT_MS = 15_000

/** What outlives the process. */
type Around = Readonly<{
  sim: SimulatedWorld
  partners: Partners
  outlets: ReadonlyMap<string, OutletConfig>
  articles: Consumer
  deliveries: Consumer
  append: (event: NewswireEvent) => void
  /** An intent that nobody of ours wrote. */
  isForged: (record: LogRecord) => boolean
  onBelieved: (record: LogRecord) => void
  /** Every version of an article, for faults that need them. */
  versionsOf: (articleId: string) => readonly Fact[]
  /** Processes that stand still are taken for dead: then an owner waits before it sends. */
  isShared: boolean
  /** Counts from 1. */
  start: number
  plant: Plant | undefined
}>

export const beginProcess = (mine: Life, around: Around): Readonly<{ sweep: () => Promise<void> }> => {
  const { sim, partners, outlets, articles, deliveries, append, isForged, onBelieved, versionsOf, isShared, start, plant } = around
  const { random, stuck, effect, consume, now } = sim
  const objects = sim.objectsOf(mine)
  const clock = sim.clockOf(mine)
  const publish = (published: readonly NewswireEvent[]) =>
    effect(mine, () => {
      published.forEach(append)
      return []
    })
  const view = createView(objects, now)
  const read: ReadReleased =
    plant === 'version-of-the-intent' ? async (id, want) => versionsOf(id).find(fact => fact.version === want) ?? null : view.read
  const stored = createPendingStore({ objects, shelf: outletShelf, pageSize: 1, now, onUnreadable: key => stuck.push(key) })
  const pending = plantInStore(stored, plant)
  const webhook = createWebhook({
    post: post => partners.request(mine, toSignedPost(post)),
    secret: () => 'secret',
    context: () => contextOf({ id: 'x,2026', publicUrl: 'http://x' }),
    now,
  })
  const olderOf = ({ articleId, version }: Fact) => versionsOf(articleId).find(fact => fact.version === version - 1)
  const logger = { info: () => undefined, warn: () => undefined, error: (fields: object) => void stuck.push(JSON.stringify(fields)) }
  const quiet = { ...logger, error: () => undefined }
  const delivering = {
    read,
    readOlder: createOlderVersions(async (id, version) => (await getArchived(objects, id, version))?.fact ?? null),
    deliver: plantInDeliver(webhook.deliver, plant, { random, olderOf }),
    tell: createTell(publish),
    now,
  }
  const shared = {
    clock,
    pending,
    states: createOutletStates(objects),
    acknowledged: createAcknowledged(),
    slots: createSlots(),
    ownSide: createOwnSide(1),
    scale: 1,
    random,
    logger: quiet,
  }
  const isBeating = () => mine.alive && sim.silentMs(mine) < HEARTBEAT_MS
  const configuredOf = (outletId: string) => () => ({
    outlet: plantInOutlet(outlets.get(outletId) ?? outletOf({ id: outletId }), plant, start > 1),
    categories: new Map(),
  })
  const worker = createWorker({
    handover: createHandover(objects, `owner-${start}`),
    clock,
    scale: 1,
    shared: isShared,
    partitionOf: () => 0,
    outlets: () => outlets,
    // Whoever has nothing to do is let go of at once, and made anew.
    keepIdle: 0,
    isLeft: pending.isAny,
    createActor: (outletId, isHeld, onIdle) =>
      createActor(outletId, {
        ...shared,
        onIdle,
        owns: () => plant === 'ignores-the-fence' || (isHeld() && isBeating()),
        isAlive: isBeating,
        kind: plantInKind(outletKind(outletId, { ...delivering, configured: configuredOf(outletId) }), plant),
      }),
    onError: error => logger.error({ error: String(error) }),
  })
  const route = routeArticle({
    objects,
    publish,
    configuration: () => ({ outlets, categories: new Map() }) as unknown as ConfigSnapshot,
    created: createCreated(objects),
    partitionOf: () => 0,
    offer: view.offer,
    now,
  })
  void worker.onAssigned({ gained: [0], lost: [] })
  const context = (record: LogRecord): EventContext => ({ record, attempt: 1, signal: new AbortController().signal })
  consume(mine, articles, {
    lane: record => record.key ?? '',
    handle: record => route(fromRecord(record) as ArticleEvent, context(record)),
  })
  consume(mine, deliveries, {
    lane: laneOf,
    handle: async record => {
      const done = worker.onWanted(fromRecord(record) as NewswireEvent<'delivery.wanted'>, context(record))
      if (plant === 'commits-early') return
      await done
      if (isForged(record)) onBelieved(record)
    },
    onFault: (record, error) => {
      if (!isForged(record)) stuck.push(String(error))
    },
  })
  return { sweep: worker.sweep }
}
