/**
 * A small world for `simulate.test.ts`: virtual time, a store, a log and partners in memory, and the real route, worker and actors in a process
 * that may crash at every await. One seed is one run; everything heals at the end, and then all must have become right.
 */
import type { OutletConfig } from '@newswire/events/config'
import { type ArticleEvent, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { LogRecord } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import { killFact, liveFact, outletOf } from './samples.ts'
import { createPartners, type Sent, type Shown } from './simulated-partners.ts'
import type { Plant } from './simulated-plants.ts'
import { beginProcess } from './simulated-process.ts'
import type { Forged, Story } from './simulated-story.ts'
import { createConsumer, createSimulatedWorld, HEAL_AT_MS } from './simulated-world.ts'

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
  /** Intents by outlet, in the order of the log, but for those that were forged. */
  wanted: ReadonlyMap<string, readonly Wanted[]>
  /** The newest version that was told as done, by outlet/article. */
  toldUpTo: ReadonlyMap<string, number>
  undone: number
  /** Kills that neither got there nor were to be seen as pending when all healed. */
  invisible: readonly string[]
  /** Forged intents that were not given up. */
  believed: readonly string[]
  crashes: number
  stuck: readonly string[]
  /** What happened, in order: the first few hundred things. */
  notes: readonly string[]
}>

/** Longer than a restart, a take-over and the patience of an intent together: what was taken back before must be seen somewhere. */
const SEEN_AFTER_MS = 150_000
/** Until the last owner of before can write no more, and what it wrote is old enough to be looked at. */
const SWEPT_AFTER_MS = 1_000_000

const encoder = new TextEncoder()
const isTombstone = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"delivery":null')

type Intent = NewswireEvent<'delivery.wanted'>

/** What was said in the log, as far as it is checked. */
const createRecorder = () => {
  const wanted = new Map<string, Wanted[]>()
  const toldUpTo = new Map<string, number>()
  const noteWanted = ({ outletId, also = [], articleId, version, kill = false }: Intent['data'], { position, timestamp }: LogRecord) => {
    const one = { articleId, version, kill, sequence: position, atMs: timestamp }
    for (const id of [outletId, ...also]) {
      const line = wanted.get(id)
      if (line === undefined) wanted.set(id, [one])
      else line.push(one)
    }
  }
  const noteMilestone = (data: NewswireEvent<'milestone.reached'>['data']) => {
    if (data.kind !== 'sink' || data.state !== 'done') return
    for (const id of [data.sink.id, ...(data.also ?? [])]) {
      const pair = `${id}/${data.articleId}`
      toldUpTo.set(pair, Math.max(data.version, toldUpTo.get(pair) ?? 0))
    }
  }
  return { wanted, toldUpTo, noteWanted, noteMilestone }
}

const toForged = (articleId: string, { outletId, version, kill }: Forged, nowMs: number): Intent => ({
  id: `forged-${outletId}-${articleId}-${version}`,
  type: 'delivery.wanted',
  source: '/services/outlets',
  subject: outletId,
  time: new Date(nowMs).toISOString(),
  data: { outletId, articleId, version, action: kill ? 'retracted' : 'updated', ...(kill ? { kill } : {}) },
})

export const simulate = async (story: Story, plant?: Plant): Promise<Run> => {
  const { seed, faults } = story
  const sim = createSimulatedWorld(seed, faults, mine => {
    newest = beginProcess(mine, { ...around, start: ++starts })
  })
  const { random, world, store, at, note } = sim
  const articles = createConsumer()
  const deliveries = createConsumer()
  const outlets = new Map<string, OutletConfig>(story.outlets.map(({ id, order, versions }) => [id, outletOf({ id, order, versions })]))
  const sick = new Set(story.outlets.filter(one => one.sick).map(one => one.id))
  const latest = new Map<string, Shown>()
  const releasedAt = new Map<string, number>()
  const forged = new Set<number>()
  const believed: string[] = []
  const { wanted, toldUpTo, noteWanted, noteMilestone } = createRecorder()
  /** Only faults that are planted look at what was released before. */
  const history = new Map<string, Fact[]>()
  const isEveryWanted = story.outlets.some(one => one.versions === 'all')
  let newest: ReturnType<typeof beginProcess> | undefined
  let starts = 0
  let position = 0

  const partners = createPartners({ ...sim, isRough: outletId => sim.isRough() || (sick.has(outletId) && !sim.healed()) })

  const append = (event: NewswireEvent, isForged = false) => {
    position += 1
    const record: LogRecord = { ...toRecord(event), partition: 0, position, timestamp: sim.now() }
    if (event.type === 'milestone.reached') return noteMilestone(event.data)
    if (plant === 'loses-an-intent' && event.type === 'delivery.wanted' && random() < 0.05) return
    if (isForged) forged.add(position)
    else if (event.type === 'delivery.wanted') noteWanted(event.data, record)
    const topic = event.type === 'delivery.wanted' ? deliveries : articles
    topic.records.push(record)
    topic.look()
  }

  const around = {
    sim,
    partners,
    outlets,
    articles,
    deliveries,
    append: (event: NewswireEvent) => append(event),
    isForged: (record: LogRecord) => forged.has(record.position),
    onBelieved: (record: LogRecord) => believed.push(`the forged intent ${record.position} was taken for one of ours`),
    versionsOf: (articleId: string) => history.get(articleId) ?? [],
    isShared: (faults.freeze ?? 0) > 0,
    plant,
  }

  const release = (articleId: string, version: number, kill: boolean) => {
    const fact: Fact = (kill ? killFact : liveFact)({ articleId, version, releasedAt: new Date(sim.now()).toISOString() })
    if (plant !== undefined) history.set(articleId, [...(history.get(articleId) ?? []), fact])
    latest.set(articleId, { version, killed: kill })
    releasedAt.set(`${articleId}/${version}`, sim.now())
    note(`${articleId} v${version} is ${kill ? 'taken back' : 'released'}`)
    sim.write(keys.current(articleId), encoder.encode(JSON.stringify({ released: { fact } })))
    const eventId = `${articleId}-${version}`
    const time = fact.releasedAt
    const archived = { schema: 'newswire.archive.version/1', eventId, time, previousSha256: null, fact }
    if (isEveryWanted) sim.write(keys.archive(fact.firstReleasedAt, articleId, version), encoder.encode(JSON.stringify(archived)))
    const type = `article.${fact.action}` as ArticleEvent['type']
    const event = { id: eventId, type, source: '/services/desk', subject: articleId, time, data: fact } as NewswireEvent
    at(random() * 20, world, () => append(event))
  }

  const forge = (articleId: string, one: Forged) => {
    note(`somebody wants v${one.version} of ${articleId} for ${one.outletId}${one.kill ? ', to take it back' : ''}`)
    append(toForged(articleId, one, sim.now()), true)
  }

  for (const article of story.articles) {
    for (const [index, { atMs, kill }] of article.releases.entries()) at(atMs, world, () => release(article.id, index + 1, kill))
    for (const one of article.forged ?? []) if (outlets.has(one.outletId)) at(one.atMs, world, () => forge(article.id, one))
  }

  const isPending = (outletId: string, articleId: string): boolean => {
    const found = store.get(keys.pending(outletId, articleId))
    const names = (record: LogRecord | undefined) => Buffer.from(record?.value ?? []).includes(`"${articleId}"`)
    const isStored = found !== undefined && !isTombstone(found.bytes)
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
  at(HEAL_AT_MS + SWEPT_AFTER_MS, world, () => void newest?.sweep())
  await sim.run()
  const undone = store.list('outlets/pending/').filter(([, one]) => !isTombstone(one.bytes)).length
  const { fenced, naive, sent, arrived, arrivedAt } = partners
  const { notes, stuck } = sim
  const seen = { latest, fenced, naive, arrived, arrivedAt, releasedAt, sent, wanted, toldUpTo }
  return { story, ...seen, undone, invisible, believed, crashes: sim.crashes(), stuck, notes }
}
