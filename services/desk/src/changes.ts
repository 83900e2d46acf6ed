/** The changes of an article's state that `decide.ts` chooses from, and what submissions are told of them. Pure. */
import { type Fact, isLive } from '@newswire/events/fact'
import type { Cause, PurgeCause, RepublishCause, RetractCause, SubmissionCause } from './cause.ts'
import { toExpiredFact, toLiveFact } from './facts.ts'
import type { DeskCode } from './outcomes.ts'
import { type Held, type Outcome, type State, versionOf } from './state.ts'

export type Decision = Readonly<{
  /** Without `n` and `seen` moved: whoever swaps does that. The same object as before when nothing changes. */
  next: State
  outcomes: readonly Outcome[]
}>

type Asked = SubmissionCause | RetractCause | RepublishCause | PurgeCause
type Ended = Readonly<{ state: Outcome['state']; code?: DeskCode; version?: number; until?: string }>

export const nothing = (current: State): Decision => ({ next: current, outcomes: [] })

export const outcomeOf = ({ submissionId, kind }: Asked, ended: Ended): Outcome => ({ submissionId, command: kind, ...ended })

/** Tells a submission what became of it, without changing anything. */
export const answer = (current: State, cause: Asked, state: Outcome['state'], code: DeskCode): Decision => ({
  next: current,
  outcomes: [outcomeOf(cause, { state, code })],
})

export const isPast = (at: string | undefined, now: string): boolean => at !== undefined && Date.parse(at) <= Date.parse(now)
export const isFuture = (at: string | undefined, now: string): boolean => at !== undefined && Date.parse(at) > Date.parse(now)

/** What became of a held submission and of the republishes that waited with it. */
export const endOf = (held: Held | null, ended: Ended): readonly Outcome[] =>
  held === null ? [] : [{ submissionId: held.submissionId, command: 'publish', ...ended }, ...endOfAlongside(held.alongside, ended)]

export const endOfAlongside = (alongside: readonly string[], ended: Ended): readonly Outcome[] =>
  alongside.map(submissionId => ({ submissionId, command: 'republish', ...ended }))

export const lastFact = (current: State): Fact | null => current.released?.fact ?? null

/** The state with one more fact; `correlated` says which submission it follows from. */
export const withFact = (
  current: State,
  fact: Fact,
  cause: Cause,
  correlated: { submissionId: string; traceparent?: string | undefined },
): State => {
  const traceparent = correlated.traceparent ?? cause.traceparent
  const isOwn = 'receivedAt' in cause && (cause.kind !== 'publish' || cause.submissionId === correlated.submissionId)
  return {
    ...current,
    released: {
      fact: isOwn ? { ...fact, receivedAt: cause.receivedAt } : fact,
      causationId: cause.id,
      correlationId: correlated.submissionId,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(isOwn ? { receivedAt: cause.receivedAt } : {}),
    },
  }
}

export const identity = ({ articleId, publisher }: Cause, now: string) => ({ articleId, publisher, now })

/** Releases `content` live. It takes the place of whatever was held. */
export const release = (current: State, content: Held, cause: Cause, now: string): State => {
  const fact = toLiveFact(content, lastFact(current), identity(cause, now))
  return { ...withFact(current, fact, cause, content), held: null, withdrawn: { ...content, alongside: [], article: null } }
}

/** Keeps `content` as the newest, although its time has passed; what is live ends. */
export const expire = (current: State, content: Held, cause: Cause, now: string): State => {
  const before = lastFact(current)
  const withdrawn = { ...content, alongside: [] }
  if (before === null || !isLive(before)) return { ...current, held: null, withdrawn }
  const fact = toExpiredFact(content, before, identity(cause, now))
  return { ...withFact(current, fact, cause, content), held: null, withdrawn }
}

export const endOfRelease = (before: State, after: State): Ended =>
  versionOf(after) > versionOf(before)
    ? { state: 'released', version: versionOf(after) }
    : { state: 'refused', code: 'NEWSWIRE_DESK_EXPIRED' }
