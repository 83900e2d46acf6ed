/**
 * Could every hop get to 100 articles a second? Each of the eight processes alone with broker and store, on records that the hops before it really
 * wrote: what one wrote is recorded and offered to the next. First most of it at once: the rate is from the first record offered until all are
 * committed (which is up to 0.5 s late) or shown, so rather too low than too high. But hops that merge what waits, as a feed is built once for many
 * articles, are flattered by a backlog, so the rest comes an article at a time, 100 a second: a hop keeps up when it is through soon after the
 * last one. `gateway` follows `feeds`, which runs beside it on the same records. CPU time says what the clock of a busy machine cannot.
 */
import { topics } from '@newswire/events/topics'
import type { Benchmark, Line } from './benchmark.ts'
import { kafkaFloor } from './floors.ts'
import { createWorlds, type World, type Worlds } from './hop-worlds.ts'
import { perArticle, summary } from './kafka.ts'
import { sendOpenLoop, startPartner, startPoller } from './load.ts'
import { round } from './measure.ts'
import { withRealParts } from './real-parts.ts'
import { offerAtOnce, offerSteadily, type Recorded, record } from './recorded.ts'
import { benchConfig, runNewswire, TOKEN, temporaryFolder } from './system.ts'

const ARTICLES = 3_000
const STEADY = 500
const PER_SECOND = 100
const FEEDS = 3
const CLIENTS = 16
/** More than ingest can take: its connections are never idle. */
const ASKED_OF_INGEST = 1_000
const LOOK_MS = 100
/** Partitions come to their ends one by one: so many of the last articles are looked at that each has some of them. */
const LAST = 60
const THROUGH_WITHIN_MS = 60_000
const POLL_MS = 20
const TO_REACH = `every hop ≥ ${PER_SECOND}/s`

type Partner = Awaited<ReturnType<typeof startPartner>>
type Hop = Readonly<{
  service: string
  reads: string
  /** Whose records. */
  of: readonly string[]
  /** In the order in which work goes through them. */
  groups: readonly string[]
  /** Which of the articles: the last `STEADY` of these come one at a time. */
  from: number
  to: number
  /** Runs on the topics of that hop, which stays. */
  beside?: string
}>

const HALF = (ARTICLES + STEADY) / 2
const all = { from: 0, to: ARTICLES }
const fromDesk = { reads: topics.articles.name, of: ['desk'] }
const hops: readonly Hop[] = [
  { service: 'images', reads: topics.submissions.name, of: ['ingest'], groups: ['images'], ...all },
  { service: 'desk', reads: topics.prepared.name, of: ['images'], groups: ['desk'], ...all },
  { service: 'feeds', ...fromDesk, groups: ['feeds', 'feeds-build'], from: 0, to: HALF },
  { service: 'gateway', ...fromDesk, groups: ['feeds', 'feeds-build'], from: HALF, to: ARTICLES, beside: 'feeds' },
  { service: 'archive', ...fromDesk, groups: ['archive'], ...all },
  { service: 'outlets', ...fromDesk, groups: ['outlets-route', 'outlets'], ...all },
  {
    service: 'console',
    reads: topics.milestones.name,
    of: ['ingest', 'images', 'desk', 'feeds', 'archive', 'outlets'],
    groups: [],
    ...all,
  },
]

type HopFigures = Readonly<{
  backlog: Readonly<{ articles: number; perSecond: number; cpuMsPerArticle: Record<string, number> }>
  steady: Readonly<{ articles: number; throughMs: number; cpuMsPerArticle: Record<string, number> }>
  /** From when an article was due until it was answered, in RSS or at the partner; of hops where somebody outside sees it. */
  steadyMs?: ReturnType<typeof summary>
}>

const perSecond = (articles: number, ms: number) => round((articles * 1000) / ms, 0)

const measureIngest = async (
  worlds: Worlds,
  partner: Partner,
): Promise<Readonly<{ figures: HopFigures; articleIds: readonly string[] }>> => {
  const world = await worlds.of('ingest')
  const folder = temporaryFolder()
  const config = benchConfig({ feeds: FEEDS, limit: 50, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' })
  await runNewswire(['apply', folder.file('newswire.yaml', config)], world.env).finally(folder.remove)
  const { urls } = await world.start('ingest')
  const send = async (prefix: string, rate: number, articles: number) => {
    const [before, began] = [world.cpu(), performance.now()]
    const load = { ingest: urls['ingest'] ?? '', token: TOKEN, clients: CLIENTS, feeds: FEEDS }
    const sent = await sendOpenLoop({ ...load, prefix, rate, seconds: articles / rate })
    const ms = performance.now() - began
    const refused = sent.filter(one => one.status !== 202)
    if (refused.length > 0) throw new Error(`ingest answered ${refused[0]?.status} to ${refused.length} of ${articles}`)
    return { sent, ms, articles, cpuMsPerArticle: perArticle(before, world.cpu(), articles) }
  }
  const { sent: first, ms, ...backlog } = await send('a', ASKED_OF_INGEST, ARTICLES - STEADY)
  const { sent: then, ms: _, ...steady } = await send('b', PER_SECOND, STEADY)
  await world.stop()
  const waits = then.map(one => one.answeredAt - one.dueAt)
  return {
    articleIds: [...first, ...then].map(one => `bench.${one.id}`),
    figures: {
      backlog: { ...backlog, perSecond: perSecond(backlog.articles, ms) },
      steady: { ...steady, throughMs: round(waits.at(-1) ?? Number.NaN, 0) },
      steadyMs: summary(waits),
    },
  }
}

const isCommitted = async ({ log }: World, groups: readonly string[]): Promise<boolean> => {
  for (const group of groups) if ((await log.lag(group)).some(({ records }) => records > 0)) return false
  return true
}

const hasPage = async (url: string): Promise<boolean> => {
  const response = await fetch(url)
  await response.arrayBuffer()
  return response.ok
}

/** Everything that is to come of it is known, and done. */
const hasTrace = async (url: string): Promise<boolean> => {
  const response = await fetch(url)
  const trace = (await response.json()) as { versions?: { sinks: { state: string }[] }[] }
  const sinks = trace.versions?.[0]?.sinks ?? []
  return sinks.length > 0 && sinks.every(({ state }) => state === 'done')
}

const measureHop = async (
  hop: Hop,
  needs: Readonly<{ world: World; partner: Partner; recorded: Recorded; articleIds: readonly string[] }>,
) => {
  const { world, partner, recorded, articleIds } = needs
  const { urls } = await world.start(hop.service)
  const shows: Readonly<Record<string, (id: string) => Promise<boolean>>> = {
    gateway: id => hasPage(`${urls['gateway']}/articles/${id}`),
    outlets: async id => partner.received.has(id),
    console: id => hasTrace(`${urls['console']}/v1/articles/${id}/trace`),
  }
  const isThrough = async (ids: readonly string[]): Promise<boolean> => {
    if (!(await isCommitted(world, hop.groups))) return false
    const isShown = shows[hop.service] ?? (async () => true)
    for (const id of ids.slice(-LAST)) if (!(await isShown(id))) return false
    return true
  }
  /** What it takes from the offer on until all of it is through. */
  const measure = async <T>(ids: readonly string[], offer: () => Promise<T>) => {
    const [before, began] = [world.cpu(), performance.now()]
    const offered = await offer()
    const offeredAt = performance.now()
    while (!(await isThrough(ids))) {
      if (performance.now() - offeredAt > THROUGH_WITHIN_MS)
        throw new Error(`${hop.service} was not through within ${THROUGH_WITHIN_MS} ms`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
    const now = performance.now()
    const spent = { articles: ids.length, cpuMsPerArticle: perArticle(before, world.cpu(), ids.length) }
    return { offered, ms: now - began, throughMs: round(now - offeredAt, 0), spent }
  }
  const waiting = articleIds.slice(0, -STEADY)
  const backlog = await measure(waiting, () => offerAtOnce(world.log, recorded, waiting))

  const feeds = Array.from({ length: FEEDS }, (_, index) => `c${index}`)
  const poller =
    hop.service === 'gateway'
      ? startPoller({ gateway: urls['gateway'] ?? '', feeds, formats: ['rss'], prefix: 'b', everyMs: POLL_MS })
      : null
  const ids = articleIds.slice(-STEADY)
  const steady = await measure(ids, () => offerSteadily(world.log, recorded, { articleIds: ids, perSecond: PER_SECOND })).finally(
    async () => poller?.stop(),
  )
  const seenAt = (id: string) => (poller === null ? partner.received.get(id) : poller.seen.rss.get(id.slice('bench.'.length)))
  const waits = [...steady.offered].map(([id, dueAt]) => (seenAt(id) ?? Number.POSITIVE_INFINITY) - dueAt)
  return {
    backlog: { ...backlog.spent, perSecond: perSecond(waiting.length, backlog.ms) },
    steady: { ...steady.spent, throughMs: steady.throughMs },
    ...(poller || hop.service === 'outlets' ? { steadyMs: summary(waits) } : {}),
  }
}

const measureAll = async (parts: Readonly<Record<string, string>>): Promise<Record<string, HopFigures>> => {
  const partner = await startPartner()
  const worlds = await createWorlds(parts)
  try {
    const { figures, articleIds } = await measureIngest(worlds, partner)
    const found: Record<string, HopFigures> = { ingest: figures }
    for (const hop of hops) {
      const logs = await Promise.all(hop.of.map(async name => (await worlds.of(name)).log))
      const recorded = await record(logs, hop.reads)
      const world = await worlds.of(hop.beside ?? hop.service)
      found[hop.service] = await measureHop(hop, { world, partner, recorded, articleIds: articleIds.slice(hop.from, hop.to) })
      if (!hops.some(({ beside }) => beside === hop.service)) await world.stop()
    }
    return found
  } finally {
    await worlds.close()
    partner.stop()
  }
}

const toCell = (cpu: Readonly<Record<string, number>>): string =>
  Object.entries(cpu)
    .filter(([name]) => name !== 'all' && name !== 'load and poller')
    .map(([name, ms]) => `${name} ${ms}`)
    .join(', ')

const toLine = (service: string, { backlog, steady, steadyMs }: HopFigures, floor: string): Line => ({
  what: `Kafka + S3, ${service} alone`,
  measured: `${backlog.perSecond}/s of ${backlog.articles} that wait (CPU-ms each: ${toCell(backlog.cpuMsPerArticle)}); at ${PER_SECOND}/s through ${steady.throughMs} ms after the last${steadyMs ? `, each p50 ${steadyMs.p50} p99 ${steadyMs.p99} ms` : ''} (${toCell(steady.cpuMsPerArticle)})`,
  toReach: TO_REACH,
  floor,
})

export const benchKafkaHops: Benchmark = () =>
  withRealParts({ what: 'Kafka hops', toReach: TO_REACH }, async (env, labels) => {
    const { roundTrip } = await kafkaFloor((env['KAFKA_BROKERS'] ?? '').split(','))
    const floor = `Kafka round trip p50 ${roundTrip.p50Ms} p99 ${roundTrip.p99Ms} ms`
    const figures = await measureAll(env)
    return {
      result: { parts: labels, floor: roundTrip, hops: figures },
      lines: Object.entries(figures).map(([service, of]) => toLine(service, of, floor)),
    }
  })
