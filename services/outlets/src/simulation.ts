/**
 * A small world for `simulate.test.ts`: virtual time, a store, a log and partners in memory, and the real route, worker and actors in a process
 * that may crash at every await. One seed is one run; everything heals at the end, and then all must have become right.
 */
import type { OutletConfig } from '@newswire/events/config'
import { type ArticleEvent, fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { EventContext } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import { getArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
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
import { contextOf, killFact, liveFact, outletOf } from './samples.ts'
import { createPartners, type Sent, type Shown } from './simulated-partners.ts'
import { type Plant, plantInDeliver, plantInOutlet, plantInStore } from './simulated-plants.ts'
import type { Story } from './simulated-story.ts'
import { createConsumer, createSimulatedWorld, HEAL_AT_MS, type Life } from './simulated-world.ts'
import { createSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { createView, type ReadReleased } from './view.ts'
import { createWebhook } from './webhook.ts'
import { createWorker } from './worker.ts'

export type Wanted = Readonly<{ articleId: string; version: number; kill: boolean; sequence: number; atMs: number }>

export type Run = Readonly<{
  story: Story
  /** The last version of each article, and whether it takes it back. */
  latest: ReadonlyMap<string, Shown>
  /** What a partner shows that ignores versions not above the one it holds, by outlet/article; and one that takes everything but a repeated id. */
  fenced: ReadonlyMap<string, Shown>
  naive: ReadonlyMap<string, Shown>
  /** Every version that got there, by outlet/article; and when, by outlet/article/version, ms. */
  arrived: ReadonlyMap<string, ReadonlySet<number>>
  arrivedAt: ReadonlyMap<string, number>
  releasedAt: ReadonlyMap<string, number>
  sent: readonly Sent[]
  /** Intents by outlet, in the order of the log. */
  wanted: ReadonlyMap<string, readonly Wanted[]>
  /** States told, by outlet/article and version. */
  told: ReadonlyMap<string, ReadonlyMap<number, ReadonlySet<string>>>
  undone: number
  /** Kills that neither got there nor were to be seen as pending when all healed. */
  invisible: readonly string[]
  crashes: number
  stuck: readonly string[]
  /** What happened, in order: the first few hundred things. */
  notes: readonly string[]
}>

/** A heartbeat that is older proves nothing: nothing is sent (architecture §6.16). */
const HEARTBEAT_MS = 15_000
/** Longer than a restart, a take-over and the patience of an intent together: what was taken back before must be seen somewhere. */
/** Until the last owner of before can write no more, and what it wrote is old enough to be looked at. */
const SWEPT_AFTER_MS = 1_000_000
const SEEN_AFTER_MS = 150_000

export const simulate = async (story: Story, plant?: Plant): Promise<Run> => {
  const { seed, faults } = story
  const sim = createSimulatedWorld(seed, faults, mine => begin(mine))
  const { random, world, store, stuck, at, maybeCrash, effect, objectsOf, clockOf, consume, note } = sim
  const history = new Map<string, Fact[]>()
  const articles = createConsumer()
  const deliveries = createConsumer()
  const outlets = new Map<string, OutletConfig>(story.outlets.map(({ id, order, versions }) => [id, outletOf({ id, order, versions })]))
  const sick = new Set(story.outlets.filter(one => one.sick).map(one => one.id))
  const latest = new Map<string, Shown>()
  const releasedAt = new Map<string, number>()
  const wanted = new Map<string, Wanted[]>()
  const told = new Map<string, Map<number, Set<string>>>()
  /** Processes that stand still are taken for dead: then an owner waits before it sends. */
  const isShared = (faults.freeze ?? 0) > 0
  const encoder = new TextEncoder()
  const isEveryWanted = story.outlets.some(one => one.versions === 'all')
  /** Of each process that was begun: the newest is the one that lives. */
  const sweeps: (() => Promise<void>)[] = []
  let position = 0
  let owners = 0
  const nextOwner = () => {
    owners += 1
    return `owner-${owners}`
  }

  const partners = createPartners({
    random,
    at,
    world,
    maybeCrash,
    now: sim.now,
    note,
    isRough: outletId => sim.isRough() || (sick.has(outletId) && !sim.healed()),
  })

  const append = (event: NewswireEvent) => {
    position += 1
    const record: LogRecord = { ...toRecord(event), partition: 0, position, timestamp: sim.now() }
    if (event.type === 'milestone.reached') return noteMilestone(event.data)
    if (plant === 'loses-an-intent' && event.type === 'delivery.wanted' && random() < 0.05) return
    if (event.type === 'delivery.wanted') noteWanted(event.data)
    const topic = event.type === 'delivery.wanted' ? deliveries : articles
    topic.records.push(record)
    topic.look()
  }
  const noteWanted = ({ outletId, also = [], articleId, version, kill = false }: NewswireEvent<'delivery.wanted'>['data']) => {
    const one = { articleId, version, kill, sequence: position, atMs: sim.now() }
    for (const id of [outletId, ...also]) {
      const line = wanted.get(id)
      if (line === undefined) wanted.set(id, [one])
      else line.push(one)
    }
  }
  const noteMilestone = (data: NewswireEvent<'milestone.reached'>['data']) => {
    if (data.kind !== 'sink') return
    for (const id of [data.sink.id, ...(data.also ?? [])]) {
      const pair = `${id}/${data.articleId}`
      const versions = told.get(pair) ?? new Map<number, Set<string>>()
      told.set(pair, versions.set(data.version, (versions.get(data.version) ?? new Set()).add(data.state)))
    }
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
    const view = createView(objects, () => sim.now())
    const read: ReadReleased =
      plant === 'version-of-the-intent' ? async (id, want) => history.get(id)?.find(fact => fact.version === want) ?? null : view.read
    const stored = createPendingStore({
      objects,
      shelf: outletShelf,
      pageSize: 1,
      now: () => sim.now(),
      onUnreadable: key => stuck.push(key),
    })
    const pending = plantInStore(stored, plant)
    const isLater = sweeps.length > 0
    const webhook = createWebhook({
      request: request => partners.request(mine, request),
      secret: () => 'secret',
      context: () => contextOf({ id: 'x,2026', publicUrl: 'http://x' }),
      now: () => sim.now(),
    })
    const olderOf = ({ articleId, version }: Fact) => history.get(articleId)?.find(fact => fact.version === version - 1)
    const deliver = plantInDeliver(webhook.deliver, plant, { random, olderOf })
    const logger = { info: () => undefined, warn: () => undefined, error: (fields: object) => void stuck.push(JSON.stringify(fields)) }
    const quiet = { ...logger, error: () => undefined }
    const delivering = {
      read,
      readOlder: createOlderVersions(async (id, version) => (await getArchived(objects, id, version))?.fact ?? null),
      deliver,
      tell: createTell(publish),
      now: () => sim.now(),
    }
    const slots = createSlots()
    const ownSide = createOwnSide(1)
    const shared = {
      clock,
      pending,
      states: createOutletStates(objects),
      acknowledged: createAcknowledged(),
      slots,
      ownSide,
      scale: 1,
      random,
    }
    const worker = createWorker({
      handover: createHandover(objects, nextOwner()),
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
          logger: quiet,
          owns: () => plant === 'ignores-the-fence' || (mine.alive && isHeld() && sim.silentMs(mine) < HEARTBEAT_MS),
          isAlive: () => mine.alive && sim.silentMs(mine) < HEARTBEAT_MS,
          kind: outletKind(outletId, {
            ...delivering,
            configured: () => ({
              outlet: plantInOutlet(outlets.get(outletId) ?? outletOf({ id: outletId }), plant, isLater),
              categories: new Map(),
            }),
          }),
        }),
      onError: error => logger.error({ error: String(error) }),
    })
    const route = routeArticle({
      objects,
      publish,
      configuration,
      created: createCreated(objects),
      partitionOf: () => 0,
      offer: view.offer,
      now: () => sim.now(),
    })
    sweeps.push(() => worker.sweep())
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
    releasedAt.set(`${articleId}/${version}`, sim.now())
    note(`${articleId} v${version} is ${kill ? 'taken back' : 'released'}`)
    sim.write(keys.current(articleId), encoder.encode(JSON.stringify({ released: { fact } })))
    const archived = {
      schema: 'newswire.archive.version/1',
      eventId: `${articleId}-${version}`,
      time: fact.releasedAt,
      previousSha256: null,
      fact,
    }
    if (isEveryWanted) sim.write(keys.archive(fact.firstReleasedAt, articleId, version), encoder.encode(JSON.stringify(archived)))
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

  for (const { id, releases } of story.articles)
    for (const [index, { atMs, kill }] of releases.entries()) at(atMs, world, () => release(id, index + 1, kill))

  const isPending = (outletId: string, articleId: string): boolean => {
    const found = store.get(keys.pending(outletId, articleId))
    const isStored = found !== undefined && !Buffer.from(found.bytes).toString().includes('"delivery":null')
    const names = (record: LogRecord) =>
      Buffer.from(record.value ?? [])
        .toString()
        .includes(`"${articleId}"`)
    return isStored || [articles, deliveries].some(({ records, committed }) => records.slice(committed).some(names))
  }
  const invisible: string[] = []
  at(HEAL_AT_MS, world, () => {
    for (const { id } of story.articles) {
      const shown = latest.get(id)
      const isOld = sim.now() - (releasedAt.get(`${id}/${shown?.version}`) ?? sim.now()) > SEEN_AFTER_MS
      for (const outletId of outlets.keys())
        if (shown?.killed && isOld && partners.naive.get(`${outletId}/${id}`)?.killed === false && !isPending(outletId, id))
          invisible.push(`the kill of ${id} is neither at ${outletId} nor pending`)
    }
  })
  at(HEAL_AT_MS + SWEPT_AFTER_MS, world, () => void sweeps.at(-1)?.())
  await sim.run()
  const undone = store.list('outlets/pending/').filter(([, one]) => !Buffer.from(one.bytes).toString().includes('"delivery":null')).length
  const { fenced, naive, sent, arrived, arrivedAt } = partners
  const { notes } = sim
  return {
    story,
    latest,
    fenced,
    naive,
    arrived,
    arrivedAt,
    releasedAt,
    sent,
    wanted,
    told,
    undone,
    invisible,
    crashes: sim.crashes(),
    stuck,
    notes,
  }
}
