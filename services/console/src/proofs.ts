/**
 * Proves retractions: looks for each at every public exit until it is gone everywhere and every outlet has acknowledged it, and a few times more, in
 * case something brings it back. Several processes may do it at once: each looks for itself, and the proof has one id.
 */
import { messageOf } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId, toTagUri } from '@newswire/events/ids'
import { articleUrl } from '@newswire/events/public-article'
import { type ExitResult, exitKinds, type RetractionProof } from '@newswire/events/retraction-proof'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Configuration } from '@newswire/runtime/configuration'
import type { Logger } from '@newswire/runtime/logger'
import type { Metrics } from '@newswire/runtime/metrics'
import type { RetractionRow } from '@newswire/trace/retractions'
import type { Trace } from '@newswire/trace/trace'
import { articleExits, type Exit, feedExits, isRenditionKey, pageExits, toEarlier, type Wanted } from './proof-exits.ts'
import { readEarlier, readOutlets } from './proof-facts.ts'
import { type Ask, probe } from './proof-probe.ts'
import { openOutlets, toSentence } from './proof-words.ts'

/** Waits between looks at one retraction, ms; the last for as long as it takes, and after the proof those of `CONFIRM_MS`. */
const LOOK_AGAIN_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000] as const
const CONFIRM_MS = [600_000, 3_600_000, 86_400_000] as const
const LEAST_WAIT_MS = 250
const TICK_MS = 1_000
const LEAST_TICK_MS = 100
/** Looked for in one tick; the others wait their turn. */
const MOST_AT_ONCE = 10
const MOST_TRACKED = 500
const DAY_MS = 86_400_000
/** As far back as a start looks for what is not proved; milestones are kept as long. */
const LOOK_BACK_MS = 30 * DAY_MS
type Tracked = {
  readonly row: RetractionRow
  /** `null`: not looked for yet. */
  exits: readonly ExitResult[] | null
  missing: readonly number[]
  looks: number
  /** Looks after it was proved. */
  confirms: number
  dueMs: number
  provedAt: string | null
}

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'list'>
  trace: Trace
  configuration: Pick<Configuration, 'current'>
  publish: Publish
  ask: Ask
  logger: Pick<Logger, 'warn'>
  metrics: Metrics
  now: () => number
  /** Multiplies every wait. */
  scale: number
}>

export type Proofs = Readonly<{
  /** `null` when the article does not stand taken back. */
  of(articleId: string): Promise<RetractionProof | null>
  stop(): Promise<void>
}>

const toProved = (row: RetractionRow, { exits, outlets }: { exits: number; outlets: number }, at: string): NewswireEvent => {
  const id = deriveId('proved-gone', row.articleId, row.version)
  return {
    id,
    type: 'milestone.reached',
    source: '/services/console',
    subject: row.articleId,
    time: at,
    correlationid: id,
    data: { kind: 'proved-gone', articleId: row.articleId, version: row.version, at, exits, outlets },
  }
}

export const startProofs = (needs: Needs): Proofs => {
  const { objects, trace, configuration, publish, ask, logger, metrics, now, scale } = needs
  const tracked = new Map<string, Tracked>()
  const wait = (ms: number) => Math.max(LEAST_WAIT_MS, ms * scale)

  /** Makes room by the oldest that is proved; where none is, the new one waits for the next start. */
  const hasRoom = (): boolean => {
    if (tracked.size < MOST_TRACKED) return true
    const proved = [...tracked.values()].find(one => one.provedAt !== null)
    return proved !== undefined && tracked.delete(proved.row.articleId)
  }
  const track = (row: RetractionRow) => {
    if (tracked.get(row.articleId)?.row.version === row.version || !hasRoom()) return
    const dueMs = now() + wait(LOOK_AGAIN_MS[0])
    tracked.set(row.articleId, { row, exits: null, missing: [], looks: 0, confirms: 0, dueMs, provedAt: row.provedAt })
  }
  const untilNext = (one: Tracked): number => {
    if (one.provedAt === null) return wait(LOOK_AGAIN_MS[Math.min(one.looks, LOOK_AGAIN_MS.length - 1)] ?? 0)
    one.confirms += 1
    return wait(CONFIRM_MS[one.confirms - 1] ?? Number.POSITIVE_INFINITY)
  }

  const wantedOf = ({ articleId }: RetractionRow): Wanted => {
    const { site } = configuration.current()
    return { articleId, tag: toTagUri(site.id, articleId), articleUrl: articleUrl(site.publicUrl, articleId) }
  }
  const exitsOf = async (one: Tracked): Promise<readonly Exit[]> => {
    const { feeds, categories } = configuration.current()
    const { facts, missing } = await readEarlier(objects, one.row)
    one.missing = missing
    const fact = (await getReleased(objects, one.row.articleId))?.fact ?? null
    const { titles, renditions } = toEarlier(facts)
    return [
      ...feedExits(feeds.values()),
      ...(fact === null ? [] : pageExits(fact, { feeds: feeds.values(), categories })),
      ...articleExits(one.row.articleId, { titles, renditions: renditions.filter(isRenditionKey) }),
    ]
  }

  const prove = async (one: Tracked): Promise<void> => {
    const outlets = await readOutlets(needs, one.row)
    const { verdict } = toSentence({
      retractedAt: one.row.releasedAt,
      outlets,
      exits: one.exits,
      missing: one.missing,
      provedAt: one.provedAt,
    })
    if (verdict !== 'gone' || one.provedAt !== null) return
    const at = new Date(now()).toISOString()
    await publish([toProved(one.row, { exits: one.exits?.length ?? 0, outlets: outlets.length }, at)])
    one.provedAt = at
  }

  const look = async (due: readonly Tracked[]): Promise<void> => {
    const searched = await Promise.all(due.map(async one => ({ wanted: wantedOf(one.row), exits: await exitsOf(one) })))
    const found = await probe(ask, searched, now)
    for (const [index, one] of due.entries()) {
      one.exits = found[index] ?? null
      one.looks += 1
      await prove(one)
      one.dueMs = now() + untilNext(one)
    }
  }

  /** What was brought back, or taken back once more, is another story. */
  const forgetOld = () => {
    for (const [articleId, one] of tracked) {
      const standing = trace.retraction(articleId)
      if (standing?.version !== one.row.version) tracked.delete(articleId)
      if (standing !== null && standing.version !== one.row.version) track(standing)
    }
  }

  const tick = async (): Promise<void> => {
    forgetOld()
    const due = [...tracked.values()].filter(one => one.dueMs <= now()).sort((a, b) => a.dueMs - b.dueMs)
    if (due.length > 0) await look(due.slice(0, MOST_AT_ONCE))
  }

  const stopListening = trace.onMilestones(milestones => {
    for (const one of milestones)
      if (one.kind === 'released' && (one.action === 'retracted' || one.action === 'purged'))
        track({ articleId: one.articleId, version: one.version, action: one.action, releasedAt: one.at, provedAt: null })
  })
  let stopped = false
  const stopping = Promise.withResolvers<void>()
  const begin = async () => {
    // Not before the disk has room, where it is full; a stop does not wait for that.
    await Promise.race([trace.ready, stopping.promise])
    if (stopped) return
    for (const row of trace.retractions(new Date(now() - LOOK_BACK_MS).toISOString(), MOST_TRACKED)) if (row.provedAt === null) track(row)
  }

  let running: Promise<void> = begin()
  let timer: NodeJS.Timeout | undefined
  const again = () => {
    if (stopped) return
    timer = setTimeout(
      () => {
        running = tick()
          .catch(error => logger.warn({ reason: messageOf(error) }, 'proof.failed'))
          .finally(again)
      },
      Math.max(LEAST_TICK_MS, TICK_MS * scale),
    )
    timer.unref()
  }
  running = running.catch(error => logger.warn({ reason: messageOf(error) }, 'proof.failed')).finally(again)

  watch({ tracked, needs: { ...needs, metrics } })

  return {
    of: async articleId => {
      const row = trace.retraction(articleId)
      if (row === null) return null
      const known = tracked.get(articleId)
      const one = known?.row.version === row.version ? known : null
      const outlets = await readOutlets(needs, row)
      const exits = one?.exits ?? null
      const missing = one?.missing ?? []
      const provedAt = one?.provedAt ?? row.provedAt
      const told = toSentence({ retractedAt: row.releasedAt, outlets, exits, missing, provedAt })
      const checkedAt =
        exits
          ?.map(exit => exit.checkedAt)
          .sort()
          .at(-1) ?? null
      const { version, action, releasedAt: retractedAt } = row
      return { articleId, version, action, retractedAt, ...told, outlets, exits: exits ?? [], checkedAt, provedAt }
    },
    stop: async () => {
      stopped = true
      stopping.resolve()
      clearTimeout(timer)
      stopListening()
      await running
    },
  }
}

/** A retraction has this long to arrive before it counts as still visible. */
const GRACE_MS = 10_000

const watch = ({ tracked, needs }: { tracked: ReadonlyMap<string, Tracked>; needs: Needs }): void => {
  const { metrics, now } = needs
  const visible = metrics.gauge('newswire_retraction_still_visible', 'Retractions of more than ten seconds ago that an exit still shows.', [
    'exit',
  ])
  const oldest = metrics.gauge('newswire_retraction_oldest_unproved_seconds', 'Age of the oldest retraction that is not proved gone.', [
    'where',
  ])
  metrics.onCollect(async () => {
    const late = [...tracked.values()].filter(one => now() - Date.parse(one.row.releasedAt) > GRACE_MS)
    for (const exit of exitKinds)
      visible.set(late.filter(one => one.exits?.some(result => result.kind === exit && result.state === 'visible')).length, { exit })
    const age = (of: readonly Tracked[]) => Math.max(0, ...of.map(one => (now() - Date.parse(one.row.releasedAt)) / 1_000))
    const isOut = (one: Tracked) => one.exits === null || one.missing.length > 0 || one.exits.some(result => result.state !== 'gone')
    oldest.set(age(late.filter(isOut)), { where: 'public' })
    const open: Tracked[] = []
    for (const one of late) if (one.provedAt === null && openOutlets(await readOutlets(needs, one.row)).length > 0) open.push(one)
    oldest.set(age(open), { where: 'outlets' })
  })
}
