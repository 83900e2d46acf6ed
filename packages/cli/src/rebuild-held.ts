/**
 * What waited in a store that was put back from a copy, by `newswire rebuild articles`: what was withdrawn since goes out no more, and what was held since is
 * in no store, so whoever submitted it is told that it never goes out.
 */
import { isPurged, type State, state } from '@newswire/desk/state'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import { deriveId, isArticleId, isEventId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord, Position } from '@newswire/log/log'
import { swapDocument } from '@newswire/objects/documents'
import { keys, parseHoldKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { readEvent } from './log-mark.ts'
import { FailedError } from './usage-error.ts'

const PAGE = 500

/** Every record of a topic, partition by partition. */
export const eachRecord = async (
  log: Pick<Log, 'ends' | 'read'>,
  topic: string,
  isWanted: (partition: number) => boolean,
  take: (record: LogRecord) => void,
): Promise<void> => {
  for (const { partition, start, end } of await log.ends(topic))
    for (let next = start; next < end && isWanted(partition); ) {
      const read = await log.read({ topic, partition, from: { positions: { [partition]: next } }, limit: PAGE })
      for (const record of read.records) take(record)
      if (read.records.length === 0) break
      next = read.next
    }
}

export type Held = Readonly<{ value: State | null; etag: string | null }>

/** One that cannot be read is as good as none. */
export const readState = async (objects: Pick<Objects, 'get'>, articleId: string): Promise<Held> => {
  const found = await objects.get(keys.current(articleId))
  if (found === null) return { value: null, etag: null }
  try {
    return { value: state.parse(JSON.parse(Buffer.from(found.bytes).toString('utf8'))), etag: found.etag }
  } catch {
    return { value: null, etag: found.etag }
  }
}

const readWaiting = async (objects: Pick<Objects, 'list'>): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for await (const page of listPages(objects, keys.holdPrefix))
    for (const { key } of page) {
      const articleId = parseHoldKey(key)?.articleId
      if (articleId !== undefined) found.add(articleId)
    }
  return found
}

/** Where each article that waits was submitted and taken back last, as it was asked for: of one that never was out, the log says it nowhere else. */
const readAsked = async (log: Log, waiting: ReadonlySet<string>) => {
  const found = { publish: new Map<string, Position>(), retract: new Map<string, Position>() }
  await eachRecord(
    log,
    topics.submissions.name,
    () => true,
    record => {
      if (!waiting.has(record.key ?? '')) return
      const event = readEvent(record)
      if (event?.type !== 'submission.accepted') return
      const { articleId, command, firstPosition = record.position } = event.data
      if (command === 'publish' || command === 'retract')
        found[command].set(articleId, Math.max(found[command].get(articleId) ?? 0, firstPosition))
    },
  )
  return found
}

/**
 * What was held when the copy was made, and withdrawn since, goes out no more: gives how many were. What was submitted again since goes out as it was held,
 * because it may have been refused: `outdated` has which. `healed`: articles that are made again, and wait for nothing then.
 */
export const lookAtHeld = async (
  { log, objects }: Readonly<{ log: Log; objects: Objects }>,
  healed: ReadonlySet<string>,
): Promise<Readonly<{ withdrawn: number; outdated: readonly string[] }>> => {
  const waiting = new Set([...(await readWaiting(objects))].filter(id => !healed.has(id)))
  const asked = await readAsked(log, waiting)
  const outdated: string[] = []
  let withdrawn = 0
  for (const articleId of waiting) {
    const { value, etag } = await readState(objects, articleId)
    if (value === null || value.held === null) continue
    const { lane, position } = value.held
    const killed = asked.retract.get(articleId) ?? -1
    if (value.released !== null || (value.killed ?? -1) >= killed || (lane === 'live' && position > killed)) {
      const again = asked.publish.get(articleId)
      if (again !== undefined && (lane === 'backfill' || again > position)) outdated.push(articleId)
      continue
    }
    const next: State = { ...value, n: value.n + 1, held: null, killed, goneSince: killed }
    if (!(await swapDocument(objects, keys.current(articleId), next, etag)).ok)
      throw new FailedError(`${articleId} is changed at the same moment: run this again`)
    withdrawn += 1
  }
  return { withdrawn, outdated }
}

/** A submission of which nothing is left but that it was told of. */
export type Lost = Readonly<{ articleId: string; submissionId: string }>
type Waiting = Lost & Readonly<{ state: 'held' | 'parked' | 'ended'; command: Told['command'] }>
type Told = Extract<Milestone, { kind: 'submission' }>

/**
 * Which submissions are told as held or parked last, as far back as the log has milestones (30 days). What a redelivery tells once more after the end has
 * ended all the same; one whose pictures have come is in `prepared`, and on its way. `wanted`: of these articles alone; of all when it is empty.
 */
const readToldWaiting = async (log: Pick<Log, 'ends' | 'read' | 'partitionOf'>, wanted: ReadonlySet<string>) => {
  const found = new Map<string, Waiting>()
  const topic = topics.milestones.name
  const take = ({ articleId, submissionId, state, stage, command }: Told): void => {
    const known = found.get(submissionId)
    if (known?.state === 'ended') return
    const set = (next: Waiting['state']) =>
      found.set(submissionId, { articleId, submissionId, state: next, command: command ?? known?.command })
    if (state === 'held' || (state === 'parked' && known === undefined)) set(state)
    else if (state === 'accepted' && stage === 'images' && known?.state === 'parked') found.delete(submissionId)
    else if (state !== 'accepted' && state !== 'parked' && known !== undefined) set('ended')
  }
  const partitions = new Set([...wanted].map(id => log.partitionOf(topic, id)))
  await eachRecord(
    log,
    topic,
    partition => wanted.size === 0 || partitions.has(partition),
    record => {
      if (wanted.size > 0 && !wanted.has(record.key ?? '')) return
      const event = readEvent(record)
      if (event?.type !== 'milestone.reached' || event.data.kind !== 'submission') return
      if (isArticleId(event.data.articleId) && isEventId(event.data.submissionId)) take(event.data)
    },
  )
  return [...found.values()].filter(({ state }) => state !== 'ended')
}

/** Whether the store knows of it: it waits there, or its end was not told yet. For a purged article nothing can be submitted again. */
const isKnown = async (objects: Pick<Objects, 'get' | 'head'>, { articleId, submissionId, state }: Waiting, isHealed: boolean) => {
  if (state === 'parked' && (await objects.head(keys.parked(articleId, submissionId))) !== null) return true
  const { value } = await readState(objects, articleId)
  if (value === null) return false
  if (isPurged(value)) return true
  const { held, seen } = value
  if (!isHealed && held !== null && [held.submissionId, ...held.alongside].includes(submissionId)) return true
  return seen.some(({ outcomes }) => outcomes.some(one => one.submissionId === submissionId && one.state !== 'held'))
}

const toLostEvent = ({ articleId, submissionId, state, command }: Waiting, at: string): NewswireEvent<'milestone.reached'> => ({
  id: deriveId('lost', submissionId),
  type: 'milestone.reached',
  source: '/newswire/rebuild',
  subject: articleId,
  time: at,
  correlationid: submissionId,
  causationid: submissionId,
  data: {
    kind: 'submission',
    articleId,
    submissionId,
    at,
    stage: state === 'parked' ? 'images' : 'desk',
    state: 'refused',
    ...(command === undefined ? {} : { command }),
    code: 'NEWSWIRE_STORE_OLDER',
    detail: 'it was lost with the store while it waited; submit it again',
  },
})

/**
 * Tells of what waited and is lost that it never goes out, once: trace, console and callbacks go by it. `healed`: articles that are made again, which drops
 * what they held; `wanted`: of these alone, of all when it is empty.
 */
export const tellLost = async (
  { log, objects }: Readonly<{ log: Log; objects: Pick<Objects, 'get' | 'head'> }>,
  { wanted, healed }: Readonly<{ wanted: ReadonlySet<string>; healed: ReadonlySet<string> }>,
): Promise<readonly Lost[]> => {
  const lost: Waiting[] = []
  for (const one of await readToldWaiting(log, wanted)) if (!(await isKnown(objects, one, healed.has(one.articleId)))) lost.push(one)
  const at = new Date().toISOString()
  for (let next = 0; next < lost.length; next += PAGE)
    await log.publish(
      lost.slice(next, next + PAGE).map(one => toRecord(toLostEvent(one, at))),
      { synced: true },
    )
  return lost.map(({ articleId, submissionId }) => ({ articleId, submissionId }))
}
