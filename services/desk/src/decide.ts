/**
 * What the desk decides: a table, of which the first line that fits counts (`decide.test.ts` has it line by line). Pure: state, cause and time in, the next state out.
 * A decision that changes nothing returns the very state it was given.
 *
 * Five departures from that table, each shown by a story that otherwise ends differently in another order or after a redelivery:
 * a submission that was refused or superseded is remembered as well, so that its retry at a new position is no second try (`handle.ts`);
 * content said again counts from its new position ("A, B, A again" with B overtaken);
 * a republish counts from its place in the log, also when it is refused because nothing is there to bring back ("retract, republish, B");
 * a live submission is no repeat of an import with the same `sourceVersion`: across the lanes live wins unless its number is lower;
 * an import that took the place of live content does not open the way for imports without a number ("live 3, import 4 held, import").
 */
import { isSaidAgain } from '@newswire/events/article'
import { type Fact, isLive, type LiveFact } from '@newswire/events/fact'
import type { Retraction } from '@newswire/events/submission'
import type { Cause, DueCause, PicturesCause, PurgeCause, ReferencesCause, RepublishCause, RetractCause, SubmissionCause } from './cause.ts'
import {
  answer,
  type Decision,
  endOf,
  endOfAlongside,
  endOfRelease,
  expire,
  identity,
  isFuture,
  isPast,
  lastFact,
  nothing,
  outcomeOf,
  release,
  withFact,
} from './changes.ts'
import { toLiveFact, toPurgedFact, toRetractedAgainFact, toRetractedFact } from './facts.ts'
import { isShownAlike, rightEnds, withLatePictures, withPicturesOf } from './pictures.ts'
import { goneReferencesOf, isSameNames, nothingKnown, type StandingOf, toReferencesDetail, withGoneReferences } from './references.ts'
import { fenceOf, type Held, isGone, isPurged, liveFact, reference, type State, type Top, withdrawnOf } from './state.ts'

// ── submission ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const isHigher = (a: number | undefined, b: number | undefined): boolean => a !== undefined && b !== undefined && a > b

/** Something live was taken before: what is there is live, or an import that took its place. */
const isAfterLive = (ref: Held | null): boolean => ref !== null && (ref.lane === 'live' || ref.afterLive === true)

/** By `sourceVersion` when both have one, else by position within a lane; across the lanes live is newer. */
const isNewer = (ref: Held, { lane, position, article }: SubmissionCause): boolean => {
  const theirs = ref.article.sourceVersion
  const ours = article.sourceVersion
  if (theirs !== undefined && ours !== undefined && theirs !== ours) return theirs > ours
  if (ref.lane !== lane) return ref.lane === 'live'
  return ref.position > position
}

const isSame = (ref: Held, { contentSha256, article }: SubmissionCause): boolean =>
  ref.contentSha256 === contentSha256 && ref.article.embargoUntil === article.embargoUntil && ref.article.expiresAt === article.expiresAt

/** The same but for an embargo that has passed. What waits for its own is let out by who says it without one. */
const isSameSince = ({ held }: State, { article }: Held, cause: SubmissionCause, now: string): boolean =>
  held === null && article.embargoUntil !== cause.article.embargoUntil && isSaidAgain(article, cause, Date.parse(now))

const topWith = (top: Top | null, { lane, article: { sourceVersion }, contentSha256 }: SubmissionCause): Top | null =>
  sourceVersion === undefined || (top !== null && top.sourceVersion > sourceVersion) ? top : { sourceVersion, contentSha256, lane }

/** Said again, the newest content counts from its new place: what lies between the two is older than it. */
const atPosition = (current: State, { lane, position }: SubmissionCause): State => {
  const { held, withdrawn } = current
  const ref = held ?? withdrawn
  if (ref === null || ref.lane !== lane || ref.position >= position) return current
  return held === null ? { ...current, withdrawn: { ...ref, position } } : { ...current, held: { ...held, position } }
}

/** Why a submission cannot become the newest content, or `null`. */
const refusal = (current: State, cause: SubmissionCause, now: string): Decision | null => {
  const ref = reference(current)
  const { lane, position, article, contentSha256 } = cause
  const { killed } = current
  const fence = fenceOf(current)
  const isBackfill = lane === 'backfill'
  const top = ref?.top ?? null
  const ours = article.sourceVersion
  const isRepeat = ref !== null && (isSame(ref, cause) || isSameSince(current, ref, cause, now))
  if (isPurged(current)) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_PURGED')
  if (!isBackfill && fence !== null && position < fence) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_BEFORE_RETRACTION')
  if (isBackfill && (killed !== null || (isAfterLive(ref) && !isHigher(ours, top?.sourceVersion))))
    return answer(current, cause, 'superseded', 'NEWSWIRE_DESK_BACKFILL')
  if (isHigher(top?.sourceVersion, ours)) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_STALE')
  if (top !== null && ours === top.sourceVersion) {
    if (contentSha256 === top.contentSha256 || (isRepeat && ref.article.sourceVersion === ours))
      return answer(current, cause, 'duplicate', 'NEWSWIRE_DESK_DUPLICATE')
    if (lane === top.lane) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_SAME_VERSION')
  }
  if (ref === null) return null
  if (isNewer(ref, cause)) return answer(current, cause, 'superseded', 'NEWSWIRE_DESK_SUPERSEDED')
  if (!isGone(current) && isRepeat) return answer(atPosition(current, cause), cause, 'duplicate', 'NEWSWIRE_DESK_DUPLICATE')
  return null
}

const onSubmission = (current: State, cause: SubmissionCause, now: string): Decision => {
  const refused = refusal(current, cause, now)
  if (refused) return refused
  const { submissionId, lane, position, traceparent, contentSha256, deliver } = cause
  const ref = reference(current)
  const article = withPicturesOf(ref, cause.article)
  const alongside = current.held?.alongside ?? []
  const content: Held = {
    submissionId,
    lane,
    ...(lane === 'backfill' && isAfterLive(ref) ? { afterLive: true } : {}),
    ...(lane === 'backfill' && deliver === true ? { deliver } : {}),
    position,
    ...(traceparent === undefined ? {} : { traceparent }),
    contentSha256,
    top: topWith(ref?.top ?? null, cause),
    alongside,
    article,
  }
  const replaced =
    current.held === null ? [] : endOf({ ...current.held, alongside: [] }, { state: 'superseded', code: 'NEWSWIRE_DESK_SUPERSEDED' })
  if (isPast(article.expiresAt, now)) {
    const next = expire(current, content, cause, now)
    const ended = endOfRelease(current, next)
    return { next, outcomes: [outcomeOf(cause, ended), ...replaced, ...endOfAlongside(alongside, ended)] }
  }
  if (isGone(current) || isFuture(article.embargoUntil, now)) {
    const why = isGone(current)
      ? ({ state: 'held', code: 'NEWSWIRE_DESK_AWAITS_REPUBLISH' } as const)
      : ({ state: 'held', code: 'NEWSWIRE_DESK_EMBARGOED', ...(article.embargoUntil ? { until: article.embargoUntil } : {}) } as const)
    return { next: { ...current, held: content }, outcomes: [outcomeOf(cause, why), ...replaced] }
  }
  const next = release(current, content, cause, now)
  const ended = endOfRelease(current, next)
  return { next, outcomes: [outcomeOf(cause, ended), ...replaced, ...endOfAlongside(alongside, ended)] }
}

// ── retract, republish, purge ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const isAtOrBefore = (position: number, mark: number | null): boolean => mark !== null && position <= mark

/**
 * Whether a second retraction tells readers something else: a withdrawal may become a redirect, a wrong substitute a right one, without the content
 * coming back in between. One that only takes back once more, as a CMS does that knows nothing of the first, undoes neither address nor notice; one
 * with a notice of its own takes the place of both. What a law asked for gives way to another that a law asks for, and to nothing else.
 */
const saysElse = (one: Retraction, { mode, redirectTo, notice, legal }: Retraction): boolean => {
  if (one.legal && !legal) return false
  if (redirectTo === undefined && notice === undefined && !legal) return false
  return one.mode !== mode || one.redirectTo !== redirectTo || one.notice !== notice || one.legal !== legal
}

const onRetract = (current: State, cause: RetractCause, now: string): Decision => {
  const { position, submissionId, lane, retraction } = cause
  if (lane === 'backfill') return answer(current, cause, 'refused', 'NEWSWIRE_DESK_LANE')
  if (isPurged(current) || isAtOrBefore(position, current.killed) || isAtOrBefore(position, current.revived))
    return answer(current, cause, 'superseded', 'NEWSWIRE_DESK_NO_EFFECT')
  const held = current.held
  // What was submitted since the first of several retractions awaits the republish, however often the article is taken back meanwhile.
  const isDropped = held !== null && !isGone(current) && (held.lane === 'backfill' || held.position < position)
  const dropped = isDropped ? endOf(held, { state: 'refused', code: 'NEWSWIRE_DESK_RETRACTED_WHILE_HELD' }) : []
  const goneSince = isGone(current) ? fenceOf(current) : position
  const killed: State = { ...current, killed: position, ...(goneSince === null ? {} : { goneSince }), held: isDropped ? null : held }
  const before = lastFact(current)
  if (before === null)
    return { next: killed, outcomes: [outcomeOf(cause, { state: 'released', code: 'NEWSWIRE_DESK_NEVER_RELEASED' }), ...dropped] }
  if (before.state === 'retracted' && !saysElse(before.retraction, retraction))
    return { next: killed, outcomes: [outcomeOf(cause, { state: 'duplicate', code: 'NEWSWIRE_DESK_ALREADY_RETRACTED' }), ...dropped] }
  const fact = toRetractedFact({ submissionId, lane, retraction }, before, identity(cause, now))
  const next = { ...withFact(killed, fact, cause, cause), withdrawn: withdrawnOf(current) }
  return { next, outcomes: [outcomeOf(cause, { state: 'released', version: fact.version }), ...dropped] }
}

const onRepublish = (current: State, cause: RepublishCause, now: string): Decision => {
  const { position, submissionId, lane } = cause
  if (lane === 'backfill') return answer(current, cause, 'refused', 'NEWSWIRE_DESK_LANE')
  if (isPurged(current)) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_PURGED')
  if (isAtOrBefore(position, current.killed)) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_BEFORE_RETRACTION')
  if (isAtOrBefore(position, current.revived)) return answer(current, cause, 'refused', 'NEWSWIRE_DESK_NOT_RETRACTED')
  const revived: State = { ...current, revived: position }
  if (!isGone(current)) return answer(revived, cause, 'refused', 'NEWSWIRE_DESK_NOT_RETRACTED')
  const held = current.held
  const content = reference(current)
  if (content === null) return answer(revived, cause, 'refused', 'NEWSWIRE_DESK_NOTHING_TO_REPUBLISH')
  const { embargoUntil, expiresAt } = content.article
  if (held !== null && embargoUntil !== undefined && isFuture(embargoUntil, now)) {
    const next = { ...revived, held: { ...held, alongside: [...held.alongside, submissionId] } }
    return { next, outcomes: [outcomeOf(cause, { state: 'held', code: 'NEWSWIRE_DESK_EMBARGOED', until: embargoUntil })] }
  }
  if (isPast(expiresAt, now)) {
    const ended = { state: 'refused', code: 'NEWSWIRE_DESK_EXPIRED' } as const
    return { next: expire(revived, content, cause, now), outcomes: [outcomeOf(cause, ended), ...endOf(held, ended)] }
  }
  const next = release(revived, content, cause, now)
  const ended = endOfRelease(current, next)
  return { next, outcomes: [outcomeOf(cause, ended), ...endOf(held, ended)] }
}

const onPurge = (current: State, cause: PurgeCause, now: string): Decision => {
  if (cause.lane === 'backfill') return answer(current, cause, 'refused', 'NEWSWIRE_DESK_LANE')
  if (isPurged(current)) return answer(current, cause, 'superseded', 'NEWSWIRE_DESK_NO_EFFECT')
  const fact = toPurgedFact(cause, lastFact(current), identity(cause, now))
  const next = { ...withFact(current, fact, cause, cause), held: null, withdrawn: null }
  const dropped = endOf(current.held, { state: 'refused', code: 'NEWSWIRE_DESK_PURGED' })
  return { next, outcomes: [outcomeOf(cause, { state: 'released', version: fact.version }), ...dropped] }
}

// ── late pictures, due, references ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A picture comes too late for what was replaced, and when it shows readers nothing new. What was taken back keeps it for a republish. */
const onPictures = (current: State, cause: PicturesCause, now: string): Decision => {
  const held = current.held
  if (held?.submissionId === cause.submissionId) {
    const article = withLatePictures(held.article, cause.pictures)
    return article === held.article ? nothing(current) : { next: { ...current, held: { ...held, article } }, outcomes: [] }
  }
  const before = liveFact(current)
  const content = withdrawnOf(current)
  if (content === null || content.submissionId !== cause.submissionId) return nothing(current)
  const article = withLatePictures(before?.article ?? content.article, cause.pictures)
  if (before === null)
    return article === content.article ? nothing(current) : { next: { ...current, withdrawn: { ...content, article } }, outcomes: [] }
  if (isShownAlike(article, before.article)) return nothing(current)
  const fact = toLiveFact({ ...content, article }, lastFact(current), { ...identity(cause, now), isSameWords: true })
  return { next: withFact(current, fact, cause, content), outcomes: [] }
}

const onDue = (current: State, cause: DueCause, now: string): Decision => {
  const held = current.held
  if (held !== null && !isGone(current) && !isFuture(held.article.embargoUntil, now)) {
    const next = isPast(held.article.expiresAt, now) ? expire(current, held, cause, now) : release(current, held, cause, now)
    return { next, outcomes: endOf(held, endOfRelease(current, next)) }
  }
  const live = liveFact(current)
  const content = withdrawnOf(current)
  if (live === null || content === null) return nothing(current)
  if (isPast(live.article.expiresAt, now)) return { next: { ...expire(current, content, cause, now), held: current.held }, outcomes: [] }
  return onRightsEnded(current, { live, content }, cause, now)
}

/** The same words once more: a version released after the end of a right is without its pictures, wherever the right was what showed them. */
const onRightsEnded = (current: State, { live, content }: { live: LiveFact; content: Held }, cause: DueCause, now: string): Decision => {
  const ended = rightEnds(live).filter(endMs => endMs <= Date.parse(now))
  if (ended.length === 0) return nothing(current)
  const fact = toLiveFact({ ...content, article: live.article }, live, { ...identity(cause, now), isSameWords: true })
  const next = withFact(current, fact, cause, content)
  const detail = `the right to ${ended.length === 1 ? 'a picture' : `${ended.length} pictures`} ended at ${new Date(Math.max(...ended)).toISOString()}`
  return { next: { ...next, released: next.released && { ...next.released, detail } }, outcomes: [] }
}

/** The same words once more, or the same retraction: what the version names is settled in `decide`. */
const onReferences = (current: State, cause: ReferencesCause, now: string, standingOf: StandingOf): Decision => {
  const before = lastFact(current)
  if (before === null) return nothing(current)
  const [told, gone] = [before.goneReferences ?? [], goneReferencesOf(before, before, standingOf)]
  if (isSameNames(told, gone)) return nothing(current)
  const detail = toReferencesDetail(told, gone)
  const next = onceMore(current, before, cause, now)
  return { next: { ...next, released: next.released && { ...next.released, detail } }, outcomes: [] }
}

const onceMore = (current: State, before: Fact, cause: ReferencesCause, now: string): State => {
  if (before.state === 'retracted') return withFact(current, toRetractedAgainFact(before, identity(cause, now)), cause, before)
  const content = withdrawnOf(current)
  if (!isLive(before) || content === null) return current
  const fact = toLiveFact({ ...content, article: before.article }, before, { ...identity(cause, now), isSameWords: true })
  return withFact(current, fact, cause, content)
}

const decideAlone = (current: State, cause: Cause, now: string, standingOf: StandingOf): Decision => {
  switch (cause.kind) {
    case 'publish':
      return onSubmission(current, cause, now)
    case 'retract':
      return onRetract(current, cause, now)
    case 'republish':
      return onRepublish(current, cause, now)
    case 'purge':
      return onPurge(current, cause, now)
    case 'pictures':
      return isPurged(current) ? nothing(current) : onPictures(current, cause, now)
    case 'due':
      return isPurged(current) ? nothing(current) : onDue(current, cause, now)
    case 'references':
      return onReferences(current, cause, now, standingOf)
    default:
      return cause satisfies never
  }
}

/**
 * The next state of an article and what becomes of the submissions concerned. `now`: RFC 3339 UTC, not before the cause's own time. `standingOf`: what
 * is known of other articles (default: nothing, and then what the version before said of them counts).
 */
export const decide = (current: State, cause: Cause, now: string, standingOf: StandingOf = nothingKnown): Decision => {
  const decision = decideAlone(current, cause, now, standingOf)
  const { released } = decision.next
  if (released === null || released === current.released) return decision
  const fact = withGoneReferences(released.fact, lastFact(current), standingOf)
  return fact === released.fact ? decision : { ...decision, next: { ...decision.next, released: { ...released, fact } } }
}
