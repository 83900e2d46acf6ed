/** How one outlet stands, from what every process can read: its state, and what is written down as pending. */
import type { OutletConfig } from '@newswire/events/config'
import { type Asker, isHeld, isSuspended, type OutletHealth, type OutletState, pendingPart, secretsInForce } from '@newswire/events/outlet'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { ListedObject, Objects } from '@newswire/objects/objects'
import { findEarly } from './early-articles.ts'
import { sideBySide } from './side-by-side.ts'

type OutletStanding = 'well' | 'failing' | 'paused' | 'suspended' | 'retired'
export type PendingCount = Readonly<{
  /** Articles that the outlet has still to get, whether they are tried again or wait for a person. */
  articles: number
  /** Retractions among them. */
  retractions: number
  rejected: number
  dead: number
  /** RFC 3339; `null` when there are none. */
  oldestSince: string | null
  /** There are more than were counted. */
  more: boolean
}>
export type OutletStatus = Readonly<{
  state: OutletStanding
  paused: OutletState['paused']
  suspended: Readonly<{ at: string; reason: string }> | null
  failingSince: string | null
  lastError: string | null
  breaker: 'closed' | 'open'
  openUntil: string | null
  pending: PendingCount
  /** What signs deliveries now, the newest first: never the secrets themselves. `until`: `null` for the one that has no end. */
  secrets: readonly Readonly<{ from: 'environment' | 'system'; since: string | null; until: string | null }>[]
}>

/** A question reads at most so many: an outlet that is down for a day may have any number. */
const MOST_COUNTED = 500
const READS_AT_ONCE = 16

const nothingPending: PendingCount = { articles: 0, retractions: 0, rejected: 0, dead: 0, oldestSince: null, more: false }

/** The oldest first, which are the ones that matter. */
const readOldest = async (objects: Pick<Objects, 'get'>, listed: readonly ListedObject[]) => {
  const oldest = listed.toSorted((a, b) => a.lastModified.getTime() - b.lastModified.getTime()).slice(0, MOST_COUNTED)
  // One that cannot be read is left out: whoever works with it says so in the log.
  const found = await sideBySide(oldest, READS_AT_ONCE, one => getDocument(objects, one.key, pendingPart).catch(() => null))
  return found.flatMap(one => (one === null || one.value.delivery === null ? [] : [{ ...one.value, delivery: one.value.delivery }]))
}

/** A retraction of which an end was told: what is kept beside it is nothing that the outlet has still to get. */
const isOver = ({ kill, open }: { kill: boolean; open: readonly number[] }): boolean => kill && open.length === 0

/** A partner's count leaves out what it is not to know of yet. */
export const countPending = async (
  objects: Pick<Objects, 'get' | 'list'>,
  outlet: Pick<OutletConfig, 'id' | 'embargoOffsetHours'>,
  { by, nowMs }: Readonly<{ by: Asker; nowMs: number }>,
): Promise<PendingCount> => {
  const listed = await objects.list(keys.pendingPrefix(outlet.id))
  if (listed.length === 0) return nothingPending
  const oldest = await readOldest(objects, listed)
  const early = by === 'partner' ? await findEarly(objects, outlet, oldest, nowMs) : new Set<string>()
  const found = oldest.filter(one => !early.has(one.articleId) && !isOver(one.delivery))
  if (found.length === 0) return nothingPending
  const count = (holds: (one: (typeof found)[number]) => boolean) => found.filter(holds).length
  return {
    articles: found.length,
    retractions: count(one => one.delivery.kill),
    rejected: count(one => one.delivery.phase === 'rejected'),
    dead: count(one => one.delivery.phase === 'dead'),
    oldestSince: new Date(Math.min(...found.map(one => one.sinceMs))).toISOString(),
    more: listed.length > MOST_COUNTED,
  }
}

const standingOf = (outlet: OutletConfig, state: OutletState, health: OutletHealth | null): OutletStanding => {
  if (state.paused !== null) return 'paused'
  if (isHeld(state, outlet)) return 'suspended'
  if (outlet.retired) return 'retired'
  return health?.failingSince == null ? 'well' : 'failing'
}

const toSecrets = ({ signing }: OutletState, secretEnv: string, nowMs: number): OutletStatus['secrets'] =>
  secretsInForce(signing, secretEnv, nowMs).map(one => {
    if (one.from === 'environment') {
      const until = signing?.environment.name === secretEnv ? signing.environment.until : null
      return { from: one.from, since: null, until }
    }
    const made = signing?.sealed.find(({ id }) => id === one.id)
    return { from: 'system', since: made?.createdAt ?? null, until: made?.until ?? null }
  })

/** The variable whose secret signs; `null` for kinds that sign nothing. */
export const secretEnvOf = ({ deliver }: Pick<OutletConfig, 'deliver'>): string | null =>
  deliver.kind === 'webhook' ? deliver.secretEnv : null

/** Pure. */
export const toOutletStatus = (outlet: OutletConfig, state: OutletState, pending: PendingCount, nowMs: number): OutletStatus => {
  const { health, paused, suspended } = state
  const isOpen = health?.openUntil != null && Date.parse(health.openUntil) > nowMs
  const secretEnv = secretEnvOf(outlet)
  return {
    state: standingOf(outlet, state, health),
    paused,
    suspended: suspended !== null && isSuspended(suspended, outlet) ? { at: suspended.at, reason: suspended.reason } : null,
    failingSince: health?.failingSince ?? null,
    lastError: health?.lastError ?? null,
    breaker: isOpen ? 'open' : 'closed',
    openUntil: isOpen ? health.openUntil : null,
    pending,
    secrets: secretEnv === null ? [] : toSecrets(state, secretEnv, nowMs),
  }
}
