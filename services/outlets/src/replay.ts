/**
 * Everything that came for an outlet since a sequence or a time, once more: each article once, in the order in which it came, as it is now. The
 * intents go the way of all others, under ids of the request, so its order with what is new is kept. Only a few are under way at once: a
 * replay never holds up what is live, and one that is killed goes on where it was.
 */
import { toAgain, type WantedAgain } from '@newswire/events/delivery-again'
import { UnavailableError } from '@newswire/events/errors'
import type { OutletRequest, OutletRequested } from '@newswire/events/outlet'
import { topics } from '@newswire/events/topics'
import type { Publish } from '@newswire/log/events'
import type { Log, Position, Start } from '@newswire/log/log'
import { REPLAY_REACH_MS } from '@newswire/runtime/outlet-control'
import { toIntent } from '@newswire/runtime/outlet-deliveries'

/** Intents under way at once: an article each, far fewer than a process has in hand (`INTENTS_AT_ONCE`). */
const WINDOW = 64
const SCAN_PAGE = 500
/** More in two weeks is an archive, and is asked for there. */
const MOST_ARTICLES = 100_000
const LOOK_AGAIN_MS = 50

export type ReplayRequest = Extract<OutletRequested, { kind: 'replay' }>
/** How far it is: what was noted last, by whoever worked at it. */
export type ReplayProgress = Pick<OutletRequest, 'sequence' | 'articles' | 'endSequence'>

type Needs = Readonly<{
  log: Pick<Log, 'read' | 'ends' | 'lag' | 'partitionOf'>
  publish: Publish
  /** The article as it is now; `null` when nothing of it is released. */
  newest: (articleId: string) => Promise<Readonly<{ version: number; kill: boolean }> | null>
  /** Keeps how far it is. */
  note: (progress: ReplayProgress) => Promise<void>
  wait: (ms: number) => Promise<unknown>
}>

const stopped = (outletId: string) =>
  new UnavailableError('NEWSWIRE_OUTLETS_LOST', `the replay of ${outletId} is no longer this process's; another one goes on with it`)

/** Resolves with how many articles that were. Throws `UnavailableError` when `signal` ends it half way. */
export const replay = async (
  request: ReplayRequest,
  progress: ReplayProgress,
  needs: Needs & Readonly<{ signal: AbortSignal }>,
): Promise<number> => {
  const { log, publish, newest, note, wait, signal } = needs
  const { outletId, from } = request
  const asked = { id: request.id, outletId, at: request.at, source: '/services/outlets' }
  const topic = topics.deliveries.name
  const partition = log.partitionOf(topic, outletId)
  const end = progress.endSequence ?? (await log.ends(topic)).find(one => one.partition === partition)?.end ?? 0
  const earliestMs = Date.parse(request.at) - REPLAY_REACH_MS
  const after = progress.sequence ?? ('sequence' in from && from.sequence > 0 ? from.sequence : -1)
  const seen = new Set<string>()
  let articles = progress.articles

  /** The group is with it: every intent before is delivered, or written down as pending. */
  const settled = async (position: Position): Promise<void> => {
    for (;;) {
      const lag = (await log.lag('outlets')).find(one => one.topic === topic && one.partition === partition)
      if ((lag?.committed ?? -1) > position) return
      if (signal.aborted) throw stopped(outletId)
      await wait(LOOK_AGAIN_MS)
    }
  }
  const send = async (wanted: readonly WantedAgain[]): Promise<void> => {
    if (wanted.length === 0) return
    if (signal.aborted) throw stopped(outletId)
    // An outlet of every version would be sent the one that its intent named, after a newer one.
    const asItIs = async (one: WantedAgain): Promise<WantedAgain> => {
      const now = await newest(one.articleId)
      return now === null || now.version <= one.version ? one : { ...one, ...now }
    }
    const published = await publish((await Promise.all(wanted.map(asItIs))).map(one => toAgain(asked, one)))
    await settled(Math.max(...published.map(one => one.position)))
  }

  const start = async (): Promise<Start> => {
    const earliest = { timeMs: 'time' in from ? Math.max(Date.parse(from.time), earliestMs) : earliestMs }
    const [first] = (await log.read({ topic, partition, from: earliest, limit: 1 })).records
    return { positions: { [partition]: Math.max(first?.position ?? end, after) } }
  }

  let reached = -1
  for (let place = await start(); articles < MOST_ARTICLES; ) {
    const page = await log.read({ topic, partition, from: place, limit: SCAN_PAGE })
    const records = page.records.filter(({ position }) => position > after && position < end)
    let wanted = new Map<string, WantedAgain>()
    const flush = async (sequence: Position) => {
      await send([...wanted.values()])
      articles += wanted.size
      wanted = new Map()
      await note({ sequence, articles, endSequence: end })
    }
    for (const record of records) {
      const intent = toIntent(record, outletId)
      // An article that waits to be wanted keeps its place, and takes the newer version.
      if (intent === null || (seen.has(intent.articleId) && !wanted.has(intent.articleId))) continue
      seen.add(intent.articleId)
      wanted.set(intent.articleId, { articleId: intent.articleId, version: intent.version, kill: intent.action === 'retracted' })
      if (wanted.size === WINDOW) await flush(record.position)
    }
    const last = records.at(-1)
    if (wanted.size > 0 && last !== undefined) await flush(last.position)
    if (page.next >= end || page.next <= reached) break
    reached = page.next
    place = { positions: { [partition]: reached } }
  }
  return articles
}
