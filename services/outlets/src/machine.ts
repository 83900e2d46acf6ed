/**
 * What happens to one article at one outlet: pure. An outlet's job is never "send version 3" but "hold the current state of this
 * article", so there is one state per pair, whatever came before, and a newer version takes the place of an older one.
 *
 *   (none) ──intent──▶ pending ──slot──▶ inflight ──2xx──▶ (none)
 *                         ▲                 ├─ newer wanted meanwhile ──▶ pending
 *                         ├────due── wait ◀─┤  failed, or ambiguous (`maybeSent`)
 *                         └──newer version── rejected, dead ◀── refused by the partner, given up
 *
 * A kill is never rejected and never dead. After a kill that followed a send of unknown outcome one settle-repeat goes out.
 */
import { type Chance, GIVE_UP_AFTER_MS, longestDelayMs, nextDelayMs, OWN_FAULT_MS, SETTLE_AFTER_MS } from './schedule.ts'

type Phase = 'pending' | 'inflight' | 'wait' | 'rejected' | 'dead'

export type Delivery = Readonly<{
  phase: Phase
  /** At least this version must get there. */
  want: number
  /** What is wanted takes the article back. */
  kill: boolean
  /** Position of the newest intent, or of that of the version that is next where every one is sent: the partner's cursor, and the place in a strict line. */
  sequence: number
  /** Where every version is sent: the positions that count from later versions on. */
  later?: readonly Readonly<{ version: number; sequence: number }>[] | undefined
  /** Wanted versions of which nobody has been told an end. */
  open: readonly number[]
  /** In flight, or tried last. */
  version: number | null
  /** Attempts at `version`. */
  attempts: number
  nextAtMs: number
  firstFailedAtMs: number | null
  /** The oldest version that may have got there without our knowing; 0: something may have, before a crash. */
  maybeSent: number | null
  /** Only the settle-repeat of an acknowledged kill is left. */
  settling: boolean
  /** Our words, never the partner's. */
  lastError: string | null
  /** What is wanted began with the article's coming to the outlet, and nothing of it was acknowledged. */
  first?: boolean | undefined
  /** Nothing of it may be sent before; looked at again then. */
  heldUntilMs?: number | undefined
  /** Where attempts at `version` failed last, and how many had been made before at other addresses: the schedule begins after those. */
  failed?: Readonly<{ at: string; after: number }> | undefined
}>

export type Intent = Readonly<{
  version: number
  kill: boolean
  sequence: number
  maybeSent: number | null
  first?: boolean
  /** Somebody asked for it once more: it is sent although the outlet may hold it. */
  again?: boolean
  since?: number
}>
/** What is sent: the state of the article as it is then or, where every version is, the next of them. */
type Latest = Readonly<{ version: number; kill: boolean }>
/** `every`: each version is sent, and none takes another's place but a kill. */
export type Mode = Readonly<{ every: boolean }>

export type Outcome =
  | Readonly<{ kind: 'accepted' }>
  /** The outlet cannot take it now. `ambiguous`: it may have taken it all the same. `connect`: it was never reached. */
  | Readonly<{ kind: 'failed'; reason: string; ambiguous: boolean; connect: boolean; retryAfterMs: number | null; alarm: boolean }>
  /** The outlet does not want this version. */
  | Readonly<{ kind: 'refused'; reason: string }>
  /** The outlet wants nothing any more (410). */
  | Readonly<{ kind: 'gone'; reason: string }>
  /** Nothing was tried: our own side is not able to. */
  | Readonly<{ kind: 'own'; reason: string }>

const FRESH = { attempts: 0, firstFailedAtMs: null, settling: false, lastError: null, failed: undefined } as const

/** What an intent adds to the versions to be told an end of: of every version also those that were passed over. */
const opened = ({ version, since }: Intent, want: number, { every }: Mode): number[] => {
  if (!every || since === undefined) return [version]
  const from = Math.max(since, want) + 1
  return Array.from({ length: Math.max(1, version - from + 1) }, (_, index) => Math.min(from, version) + index)
}

const LATEST: Mode = { every: false }

export const isHeld = (delivery: Delivery, nowMs: number): boolean => delivery.heldUntilMs !== undefined && delivery.heldUntilMs > nowMs

/** An intent comes in. One that is not newer changes nothing; a newer one starts afresh, also from `rejected` and `dead`. */
export const wantVersion = (delivery: Delivery | null, intent: Intent, nowMs: number, mode: Mode = LATEST): Delivery => {
  const { version, kill, sequence } = intent
  if (delivery === null)
    return {
      phase: 'pending',
      want: version,
      kill,
      sequence,
      open: opened(intent, 0, mode),
      version: null,
      attempts: 0,
      nextAtMs: nowMs,
      firstFailedAtMs: null,
      maybeSent: intent.maybeSent,
      settling: false,
      lastError: null,
      first: intent.first ? true : undefined,
    }
  if (version <= delivery.want) return delivery
  const added = opened(intent, delivery.want, mode)
  const hasPlace = mode.every && !kill && isUnderWay(delivery)
  const wanted = {
    ...delivery,
    want: version,
    kill,
    open: [...delivery.open, ...added],
    ...(hasPlace
      ? { later: [...(delivery.later ?? []), { version: added[0] ?? version, sequence }] }
      : { sequence: Math.max(sequence, delivery.sequence), later: undefined }),
  }
  // Of every version the one that fails goes first, so a newer one must not bring its attempts forward.
  if (mode.every && !kill && !delivery.settling && delivery.phase === 'wait') return inPlace(wanted, mode)
  const fresh: Delivery = {
    ...wanted,
    ...FRESH,
    phase: delivery.phase === 'inflight' ? 'inflight' : 'pending',
    attempts: delivery.phase === 'inflight' ? delivery.attempts : 0,
    nextAtMs: nowMs,
    // What a settle-repeat was still to cover is in doubt as before. While it is held nothing is sent, whatever nobody remembers of other times.
    maybeSent: delivery.maybeSent ?? (delivery.settling ? 0 : isHeld(delivery, nowMs) ? null : intent.maybeSent),
  }
  return inPlace(fresh, mode)
}

/** Where every version is sent each has a place of its own in a strict line: that of the next one counts. */
const inPlace = (delivery: Delivery, mode: Mode): Delivery => {
  const { later } = delivery
  if (later === undefined) return delivery
  const next = nextVersion(delivery, mode)
  const reached = later.filter(one => one.version <= next)
  const rest = later.slice(reached.length)
  const sequence = Math.max(delivery.sequence, ...reached.map(one => one.sequence))
  return { ...delivery, sequence, later: rest.length === 0 ? undefined : rest }
}

/** Which version is sent next, at least: the newest wanted, or the oldest that is left of every one. */
export const nextVersion = (delivery: Delivery, { every }: Mode): number =>
  (every && !delivery.kill ? delivery.open.find(version => version >= (delivery.version ?? 0)) : undefined) ?? leastSendable(delivery)

/** The state that is sent is never behind the intent, and never older than what was sent before. */
export const leastSendable = (delivery: Delivery): number => Math.max(delivery.want, delivery.version ?? 0)

/** An attempt begins, at the version read just now. */
export const beginAttempt = (delivery: Delivery, latest: Latest): Delivery => {
  const again = latest.version === delivery.version
  // Read before its intent has come, which then changes nothing: the end of it is told all the same.
  const open = latest.version > delivery.want ? [...delivery.open, latest.version] : delivery.open
  return {
    ...delivery,
    phase: 'inflight',
    want: Math.max(delivery.want, latest.version),
    open,
    kill: latest.version >= delivery.want ? latest.kill : delivery.kill,
    version: latest.version,
    attempts: again ? delivery.attempts + 1 : 1,
    firstFailedAtMs: again ? delivery.firstFailedAtMs : null,
    failed: again ? delivery.failed : undefined,
    settling: again && delivery.settling,
  }
}

/** As it is tried at `place`: what failed elsewhere says nothing of that, so the schedule begins anew. The same delivery when nothing did. */
export const triedAt = (delivery: Delivery, place: string | undefined): Delivery => {
  const { failed, attempts } = delivery
  if (failed === undefined || place === undefined || failed.at === place) return delivery
  return { ...delivery, firstFailedAtMs: null, failed: { at: place, after: attempts } }
}

/** With where it failed. */
export const failedAt = (delivery: Delivery, place: string | undefined): Delivery =>
  delivery.phase !== 'wait' || place === undefined || delivery.failed !== undefined
    ? delivery
    : { ...delivery, failed: { at: place, after: 0 } }

export type Terms = Readonly<{
  /** Nothing of it may be sent before. */
  notBeforeMs?: number
  /** What never had it is not begun with it after this. */
  staleAfterMs?: number
}>
/** `rememberedUntilMs`: until then it counts that nothing was sent. */
type Admission =
  | Readonly<{ way: 'send' }>
  | Readonly<{ way: 'hold'; untilMs: number }>
  | Readonly<{ way: 'skip'; reason: string; rememberedUntilMs?: number }>

const TAKEN_BACK = 'it was taken back before anything of it was due here'

/**
 * Whether what was read may be sent now, by the terms of the outlet. Before its time only a kill goes, and only when something may have got
 * there all the same: a change of the terms, or a crash, may hide a send. One that did not go then goes at its time no more, and is kept until then:
 * what comes back meanwhile and is taken back again was not sent either.
 */
export const admit = (delivery: Delivery, { version, kill, notBeforeMs = 0, staleAfterMs }: Latest & Terms, nowMs: number): Admission => {
  const isUnsent = delivery.first === true && delivery.maybeSent === null
  const isOver = kill && isUnsent && isRemembered(delivery) && version === delivery.version
  if (notBeforeMs > nowMs) {
    if (!kill || isOver) return { way: 'hold', untilMs: notBeforeMs }
    return isUnsent ? { way: 'skip', reason: TAKEN_BACK, rememberedUntilMs: notBeforeMs } : { way: 'send' }
  }
  if (isOver) return { way: 'skip', reason: TAKEN_BACK }
  const isStale = !kill && isUnsent && staleAfterMs !== undefined && nowMs > staleAfterMs
  return isStale ? { way: 'skip', reason: 'it was due here longer ago than maxAgeHours, and nothing of it was sent' } : { way: 'send' }
}

/** What was to be taken back has come back: it goes like any other version, and passes nobody. */
export const comeBack = (delivery: Delivery, { version }: Latest, nowMs: number): Delivery => ({
  ...delivery,
  ...FRESH,
  phase: 'pending',
  want: Math.max(delivery.want, version),
  kill: false,
  nextAtMs: nowMs,
})

/** A kill of which an end was told, and which is kept because nothing was sent before it. */
export const isRemembered = ({ kill, open, settling }: Pick<Delivery, 'kill' | 'open' | 'settling'>): boolean =>
  kill && open.length === 0 && !settling

/** Held until its time. */
export const hold = (delivery: Delivery, untilMs: number): Delivery => ({ ...postpone(delivery, untilMs), heldUntilMs: untilMs })

/** Nothing was tried; look again later. Counts as no attempt. */
export const postpone = (delivery: Delivery, untilMs: number): Delivery => ({ ...delivery, phase: 'pending', nextAtMs: untilMs })

const notCounted = (delivery: Delivery, untilMs: number): Delivery =>
  postpone({ ...delivery, attempts: Math.max(0, delivery.attempts - 1) }, untilMs)

/** The version that may still arrive late, now that `sent` was acknowledged: a late copy of `sent` itself has its id and does no harm. */
export const doubtAfter = ({ maybeSent }: Delivery, sent: number): number | null =>
  maybeSent !== null && maybeSent < sent ? maybeSent : null

const afterAccepted = (delivery: Delivery, sent: number, nowMs: number, scale: number): Delivery | null => {
  const open = delivery.open.filter(version => version > sent)
  const doubt = doubtAfter(delivery, sent)
  if (delivery.want > sent) return { ...delivery, ...FRESH, phase: 'pending', open, nextAtMs: nowMs, maybeSent: doubt, first: false }
  if (!delivery.kill || delivery.settling || doubt === null) return null
  const nextAtMs = nowMs + SETTLE_AFTER_MS * scale
  return { ...delivery, ...FRESH, phase: 'wait', open, settling: true, nextAtMs, maybeSent: null, first: false }
}

const afterFailed = (
  delivery: Delivery,
  { reason, retryAfterMs }: { reason: string; retryAfterMs: number | null },
  nowMs: number,
  chance: Chance,
): Delivery | null => {
  const firstFailedAtMs = delivery.firstFailedAtMs ?? nowMs
  if (delivery.settling && nowMs - firstFailedAtMs >= GIVE_UP_AFTER_MS * chance.scale) return null
  const delayMs = nextDelayMs(
    {
      kill: delivery.kill,
      attempts: Math.max(1, delivery.attempts - (delivery.failed?.after ?? 0)),
      failingForMs: nowMs - firstFailedAtMs,
      retryAfterMs,
    },
    chance,
  )
  const failed = { ...delivery, firstFailedAtMs, lastError: reason }
  return delayMs === null ? { ...failed, phase: 'dead' } : { ...failed, phase: 'wait', nextAtMs: nowMs + delayMs }
}

/** The version read is not to be sent at all. `null`: nothing is left to remember. */
export const afterSkipped = (begun: Delivery, nowMs: number, mode: Mode = LATEST, rememberedUntilMs?: number): Delivery | null => {
  const skipped = begun.version ?? begun.want
  if (begun.want <= skipped) return rememberedUntilMs === undefined ? null : hold({ ...begun, ...FRESH, open: [] }, rememberedUntilMs)
  const open = begun.open.filter(version => version > skipped)
  return inPlace({ ...begun, ...FRESH, phase: 'pending', open, nextAtMs: nowMs }, mode)
}

const afterOutcome = (inflight: Delivery, outcome: Outcome, nowMs: number, { every, ...chance }: Chance & Mode): Delivery | null => {
  const sent = inflight.version ?? inflight.want
  if (outcome.kind === 'accepted') return afterAccepted(inflight, sent, nowMs, chance.scale)
  if (outcome.kind === 'own') return notCounted(inflight, nowMs + OWN_FAULT_MS * chance.scale)
  const ambiguous = outcome.kind === 'failed' && outcome.ambiguous
  const delivery = ambiguous ? { ...inflight, maybeSent: inflight.maybeSent ?? sent } : inflight
  const isNext = !every || delivery.kill || outcome.kind === 'refused'
  if (delivery.want > sent && isNext)
    return {
      ...delivery,
      ...FRESH,
      phase: 'pending',
      nextAtMs: nowMs,
      ...(every ? { open: delivery.open.filter(one => one !== sent) } : {}),
    }
  switch (outcome.kind) {
    case 'failed':
      return afterFailed(delivery, outcome, nowMs, chance)
    case 'refused':
      return delivery.kill
        ? afterFailed(delivery, { reason: outcome.reason, retryAfterMs: null }, nowMs, chance)
        : { ...delivery, phase: 'rejected', lastError: outcome.reason, open: every ? [] : delivery.open }
    case 'gone':
      return delivery.kill
        ? afterFailed(delivery, { reason: outcome.reason, retryAfterMs: null }, nowMs, chance)
        : { ...notCounted(delivery, nowMs), lastError: outcome.reason }
    default:
      return outcome satisfies never
  }
}

/** What an attempt came to. `null`: the outlet holds what is wanted, nothing is left to remember. */
export const afterAttempt = (
  inflight: Delivery,
  outcome: Outcome,
  nowMs: number,
  { every = false, ...chance }: Chance & Partial<Mode>,
): Delivery | null => {
  const next = afterOutcome(inflight, outcome, nowMs, { every, ...chance })
  return next === null ? null : inPlace(next, { every })
}

/** Nobody will hear what came of the attempt, if one is under way: it may have got there. */
export const loseSight = (delivery: Delivery): Delivery =>
  delivery.phase === 'inflight' ? { ...delivery, phase: 'pending', maybeSent: delivery.maybeSent ?? delivery.version } : delivery

/**
 * A state from the store, after a restart. What was in flight may have got there; after an end that was not clean (`clean` false) anything may
 * have been in flight since it was written. A time far ahead is a clock that jumped, unless it is the one before which nothing may be sent: that
 * counts from the article's release, however far it is.
 */
export const restore = (delivery: Delivery, clean: boolean, nowMs: number, scale: number): Delivery => {
  const landed = loseSight(delivery)
  const { nextAtMs, heldUntilMs } = delivery
  const inTimeMs = nextAtMs === heldUntilMs ? nextAtMs : Math.min(nextAtMs, nowMs + longestDelayMs(delivery) * scale)
  return {
    ...landed,
    nextAtMs: landed === delivery ? inTimeMs : nowMs,
    maybeSent: landed.maybeSent ?? (clean || isHeld(delivery, nowMs) ? null : 0),
  }
}

const isUnderWay = (delivery: Delivery): boolean => isArmed(delivery) || delivery.phase === 'inflight'

/** Whether it is a settle-repeat whose minute counts: what was sent before the kill may arrive until then. */
export const isSettling = ({ settling, attempts }: Delivery): boolean => settling && attempts === 0

/** Whether it waits for its time, rather than for a person. */
export const isArmed = (delivery: Delivery): boolean => delivery.phase === 'pending' || delivery.phase === 'wait'
