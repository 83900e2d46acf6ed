/**
 * Milestones of deliveries, durable before the record they are about is committed. Those that come together go in one publish, and outlets of which
 * the same is to be said, that they hold a version, in one record: what a record costs is more than what it says.
 */
import { setTimeout } from 'node:timers/promises'
import type { NewswireEvent } from '@newswire/events/events'
import { follow } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import type { Publish } from '@newswire/log/events'
import type { Cause } from './pending.ts'

type SinkMilestone = Extract<Milestone, { kind: 'sink' }>
export type Told = Pick<SinkMilestone, 'articleId' | 'version' | 'state'> &
  Partial<Pick<SinkMilestone, 'attempts' | 'nextAt' | 'lastError' | 'reason' | 'ms'>>

/** What became of one version of whatever it is. */
export type News = Omit<Told, 'articleId'>

/** What is to be said of one outlet. `atMs`: when it came to be so. */
export type Said = Readonly<{ outletId: string; told: Told; cause: Cause; atMs: number }>

/**
 * The id says outlets, article, version, state and attempt: of one outlet a repeat collapses with the first. `also`: outlets of which the same is said. Those
 * may be grouped otherwise when it is said again, and then it is another event, which says nothing new: whoever keeps milestones keeps them by outlet and version.
 */
export const toSinkMilestone = (
  { outletId, told, cause, atMs }: Said,
  also: readonly string[] = [],
): NewswireEvent<'milestone.reached'> => {
  const { articleId, version, state, attempts = 0, nextAt } = told
  // What is held may be given another time, and that is news.
  const heldUntil = state === 'pending' && nextAt !== undefined ? [nextAt] : []
  const at = new Date(atMs).toISOString()
  return follow(cause, {
    type: 'milestone.reached',
    id: deriveId('delivery', outletId, articleId, version, state, state === 'done' ? 0 : attempts, ...heldUntil, ...also),
    source: '/services/outlets',
    subject: articleId,
    time: at,
    data: { kind: 'sink', at, sink: { kind: 'outlet', id: outletId }, ...(also.length === 0 ? {} : { also: [...also] }), ...told },
  })
}

/** Resolves once it is in the log. */
export type Tell = (said: readonly Said[]) => Promise<void>

const MOST_AT_ONCE = 500
/** Outlets of one record. */
const MOST_TOGETHER = 100

/** What only differs in the outlet has the same; `null`: it is said alone. */
const groupOf = ({ told, cause }: Said): string | null => {
  const { articleId, version, state, attempts, reason, lastError } = told
  const isPlain = state === 'done' && attempts === 1 && reason === undefined && lastError === undefined
  return isPlain ? `${articleId}\0${version}\0${cause.correlationid ?? cause.id}` : null
}

/** One event for all of whom the same is said, at the time of the last of them; in the order of their first. */
export const toMilestones = (batch: readonly Said[]): NewswireEvent<'milestone.reached'>[] => {
  const groups: Said[][] = []
  const open = new Map<string, Said[]>()
  for (const one of batch) {
    const name = groupOf(one)
    const group = name === null ? undefined : open.get(name)
    if (group !== undefined && group.length < MOST_TOGETHER) group.push(one)
    else {
      const begun = [one]
      groups.push(begun)
      if (name !== null) open.set(name, begun)
    }
  }
  return groups.map(group => {
    const [first, ...others] = group as [Said, ...Said[]]
    return toSinkMilestone(
      { ...first, atMs: group.at(-1)?.atMs ?? first.atMs },
      others.map(one => one.outletId),
    )
  })
}

type Waiting = Readonly<{ said: readonly Said[]; done: () => void; failed: (error: unknown) => void }>

/**
 * One publish at a time; what comes meanwhile waits for the next. A failure is everybody's who was in it. `companyMs`: how long each waits for what else
 * may come along (default 0: for what ends in the same turn of the event loop).
 */
export const createTell = (publish: Publish, companyMs = 0): Tell => {
  let waiting: Waiting[] = []
  let flushing = false
  const flush = async () => {
    flushing = true
    while (waiting.length > 0) {
      await (companyMs === 0 || waiting.length >= MOST_AT_ONCE ? null : setTimeout(companyMs))
      const batch = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(MOST_AT_ONCE)
      try {
        await publish(toMilestones(batch.flatMap(one => one.said)))
        for (const one of batch) one.done()
      } catch (error) {
        for (const one of batch) one.failed(error)
      }
    }
    flushing = false
  }
  return said =>
    new Promise<void>((done, failed) => {
      waiting.push({ said, done, failed })
      if (!flushing) void flush()
    })
}
