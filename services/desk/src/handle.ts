/**
 * One cause after another, per article: read, decide, swap, publish.
 *
 * Safe at every place where the process can die or a second one can cut in. Only the swap of `current/` decides; everything before it can be
 * repeated, everything after it is made again from `current/`: by the redelivery of the cause, which finds itself in `seen`, or by the next
 * cause, which first publishes a fact that is missing. So a zombie needs no fence here: its swap fails, and what it publishes late are the same
 * bytes under the same ids (an older version that lands after a newer one is mended by `seen.ts`).
 */
import { RejectError } from '@newswire/events/errors'
import { type EventRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { type Cause, findOffence } from './cause.ts'
import { decide } from './decide.ts'
import { type DeskCode, factEvent, outcomeEvent, releasedEvent, words } from './outcomes.ts'
import type { StandingOf } from './references.ts'
import { blank, dueTimes, type Outcome, type Released, SEEN_LIMIT, type Seen, type State, state, versionOf } from './state.ts'

export type Needs = Readonly<{
  log: Pick<Log, 'publish'>
  objects: Pick<Objects, 'get' | 'put'>
  seen: Readonly<{
    /** The newest version of an article that is known to be in `articles`; 0 for none. */
    newest(articleId: string): number
    /** Nothing of the article was ever in `articles`: most likely it is new, and need not be read before it is created. */
    isUnknown(articleId: string): boolean
    /** This process has just published that version. */
    published(articleId: string, version: number): void
    /** Whether others may name an article. */
    standingOf: StandingOf
  }>
  /** Wakes the article's lane up at these times, ms since 1970. */
  remember: (articleId: string, dueTimes: readonly number[]) => void
  /** Wall clock, ms since 1970. */
  now: () => number
  /** Told once per cause that was handled to its end. */
  onHandled?: (handled: { articleId: string; released: Released | null; outcomes: readonly Outcome[] }) => void
}>

export type Handle = (cause: Cause) => Promise<void>

/**
 * How far a cause's own time may be ahead of our clock and still count: a process whose clock is a little slow must not find that a hold
 * fired by another is not due yet. Beyond that it is a wrong clock, or somebody who wants an embargo to end early.
 */
const MAX_AHEAD_MS = 5_000

/** What a record needs besides its data: headers, and the pictures, facets and gone references that are still to come. */
const HEADROOM_BYTES = 256 * 1024
const MAX_FACT_BYTES = topics.articles.maxRecordBytes - HEADROOM_BYTES

const timeOf = (clockMs: number, at: string): string => {
  const atMs = Date.parse(at)
  return new Date(atMs > clockMs && atMs <= clockMs + MAX_AHEAD_MS ? atMs : clockMs).toISOString()
}

/** Under the second by which what is due has come: a hold is never early. */
export const holdKey = (dueMs: number, articleId: string): string => keys.hold(Math.max(0, Math.ceil(dueMs / 1000)), articleId)

const holdKeys = (current: State, articleId: string): ReadonlySet<string> =>
  new Set(dueTimes(current).map(dueMs => holdKey(dueMs, articleId)))

/** The fact and the milestone that says it is out: all of a version, whoever publishes it. */
const versionRecords = (released: Released): EventRecord[] => [toRecord(factEvent(released)), toRecord(releasedEvent(released))]

const withCause = (current: State, next: State, cause: Cause, outcomes: readonly Outcome[], at: string): { next: State; entry: Seen } => {
  const isNewVersion = versionOf(next) > versionOf(current)
  const entry: Seen = { id: cause.id, at, ...(isNewVersion ? { version: versionOf(next) } : {}), outcomes: [...outcomes] }
  return { entry, next: { ...next, n: current.n + 1, seen: [...current.seen, entry].slice(-SEEN_LIMIT) } }
}

const outcomeRecords = (outcomes: readonly Outcome[], cause: Cause, at: string): EventRecord[] =>
  outcomes.map(outcome => toRecord(outcomeEvent(outcome, { ...cause, at })))

/** References are not counted: they are names that it has already, once more, for which there is room. */
const sizeOf = (cause: Cause, current: State, next: State, records: readonly EventRecord[]): number => {
  if (cause.kind === 'references') return 0
  const fact = records.find(record => record.topic === topics.articles.name)
  if (fact) return fact.value.byteLength
  return next.held !== null && next.held !== current.held ? Buffer.byteLength(JSON.stringify(next.held.article)) : 0
}

/** How many articles a process remembers to have told of; of one that it forgot it tells once more, which is harmless. */
const FINISHED_LIMIT = 20_000

/** The newest version of an article that this process has told of to the end, the milestone too. */
const createFinished = () => {
  const versions = new Map<string, number>()
  return {
    has: (articleId: string, version: number): boolean => versions.get(articleId) === version,
    add: (articleId: string, version: number): void => {
      versions.delete(articleId)
      versions.set(articleId, version)
      const oldest = versions.size > FINISHED_LIMIT ? versions.keys().next().value : undefined
      if (oldest !== undefined) versions.delete(oldest)
    },
  }
}

/** Handles a cause to its end: when it resolves, `current/` and the log say what became of it. A repeat says the same under the same ids. */
export const createHandle = ({ log, objects, seen, remember, now, onHandled }: Needs): Handle => {
  const finished = createFinished()
  const publish = async (records: readonly EventRecord[], synced: boolean): Promise<void> => {
    if (records.length > 0) await log.publish(records, { synced })
  }

  /** A submission that can never be taken: it is told so, and its record ends in dead letters with its bytes. */
  const refuse = async (cause: Cause, code: DeskCode, found: string): Promise<never> => {
    if (cause.kind === 'publish') {
      const outcome: Outcome = { submissionId: cause.submissionId, command: 'publish', state: 'refused', code }
      await publish(outcomeRecords([outcome], cause, cause.at), false)
      onHandled?.({ articleId: cause.articleId, released: null, outcomes: [outcome] })
    }
    throw new RejectError(code, `${cause.articleId}: ${words[code]}: ${found}`)
  }

  const read = async (articleId: string): Promise<{ current: State; etag: string | null }> => {
    const found = await getDocument(objects, keys.current(articleId), state)
    return found ? { current: found.value, etag: found.etag } : { current: blank, etag: null }
  }

  /** What the first delivery of this cause told, again; with its version, when that is still the newest. */
  const repeat = async (current: State, entry: Seen, cause: Cause, isOwed: boolean): Promise<void> => {
    const { released } = current
    const version = released === null ? [] : isOwed ? versionRecords(released) : []
    const notice = released !== null && !isOwed && entry.version === released.fact.version ? [toRecord(releasedEvent(released))] : []
    await publish([...version, ...notice, ...outcomeRecords(entry.outcomes, cause, entry.at)], isOwed)
    if (isOwed) seen.published(cause.articleId, versionOf(current))
    if (isOwed || notice.length > 0) finished.add(cause.articleId, versionOf(current))
  }

  /**
   * Whoever published a version may have died when the fact was in the log and the milestone was not, and only the newest can be told of from
   * `current/`: before another takes its place, it is told of again by a process that does not know that it was.
   */
  const tellBeforeNext = async (current: State, articleId: string): Promise<void> => {
    if (current.released === null || finished.has(articleId, versionOf(current))) return
    await publish([toRecord(releasedEvent(current.released))], false)
    finished.add(articleId, versionOf(current))
  }

  const putHolds = async (current: State, next: State, articleId: string): Promise<void> => {
    const known = holdKeys(current, articleId)
    for (const key of holdKeys(next, articleId)) if (!known.has(key)) await objects.put(key, new Uint8Array(), { ifNoneMatch: '*' })
  }

  /** One try. False when somebody else swapped first, or the article turned out not to be new. */
  const attempt = async (cause: Cause, isThoughtNew: boolean): Promise<boolean> => {
    const { articleId } = cause
    // Asked before `current/` is read, which is swapped before anybody publishes: it can be older only when the store has lost something.
    const known = seen.newest(articleId)
    const { current, etag } = isThoughtNew ? { current: blank, etag: null } : await read(articleId)
    if (known > versionOf(current)) {
      // Asked for in each round again, and of a state that is out no more: one dead letter of the others says it.
      if (cause.kind === 'references' || cause.kind === 'due') return true
      const found = `version ${known} is in the log, ${versionOf(current)} in the store; \`newswire rebuild articles ${articleId}\` makes it again from the log`
      return refuse(cause, 'NEWSWIRE_DESK_STATE_LOST', found)
    }
    const isOwed = current.released !== null && seen.newest(articleId) < versionOf(current)
    const entry = current.seen.find(one => one.id === cause.id)
    if (entry) {
      await repeat(current, entry, cause, isOwed)
      return true
    }
    if (isOwed && current.released) {
      await publish(versionRecords(current.released), true)
      seen.published(articleId, versionOf(current))
      finished.add(articleId, versionOf(current))
    }
    const at = timeOf(now(), cause.at)
    const decision = decide(current, cause, at, seen.standingOf)
    if (decision.next === current && decision.outcomes.length === 0) return true // a hold, a picture or a reference that changes nothing
    const { next, entry: added } = withCause(current, decision.next, cause, decision.outcomes, at)
    const fresh = added.version === undefined ? null : next.released
    const version = fresh === null ? [] : versionRecords(fresh)
    const size = sizeOf(cause, current, next, version)
    if (size > MAX_FACT_BYTES) return refuse(cause, 'NEWSWIRE_DESK_TOO_LARGE', `${size} bytes, at most ${MAX_FACT_BYTES}`)
    if (fresh !== null) await tellBeforeNext(current, articleId)
    await putHolds(current, next, articleId)
    if (!(await swapDocument(objects, keys.current(articleId), next, etag)).ok) return false
    remember(articleId, dueTimes(next))
    await publish([...version, ...outcomeRecords(decision.outcomes, cause, at)], cause.kind === 'due')
    if (fresh) {
      seen.published(articleId, fresh.fact.version)
      finished.add(articleId, fresh.fact.version)
    }
    onHandled?.({ articleId, released: fresh, outcomes: decision.outcomes })
    return true
  }

  return async cause => {
    const offence = findOffence(cause)
    if (offence !== null) return refuse(cause, 'NEWSWIRE_DESK_MARKUP', offence)
    let isThoughtNew = cause.kind === 'publish' && seen.isUnknown(cause.articleId)
    while (!(await attempt(cause, isThoughtNew))) isThoughtNew = false
  }
}

/** The fact in force, once more, byte for byte: for an article whose older version landed last. Null when it was never released. */
export const newestFact = async (
  objects: Pick<Objects, 'get'>,
  articleId: string,
): Promise<{ version: number; event: NewswireEvent } | null> => {
  const found = await getDocument(objects, keys.current(articleId), state)
  const released = found?.value.released
  return released ? { version: released.fact.version, event: factEvent(released) } : null
}
