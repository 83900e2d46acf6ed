/**
 * What is kept of an outlet in `outlets/state/<outlet>.json`, as the process that owns it knows it: whether it is suspended (410) or paused, and
 * which secrets sign. Others swap in a pause or a secret; a note on `outlet-requests` says so, and a listing now and then heals a lost note.
 */
import { createAttached } from '@newswire/events/attached'
import { canonicalSha256 } from '@newswire/events/canonical'
import { isConfigId } from '@newswire/events/ids'
import { type OutletHealth, type OutletState, outletState, type Signing, type Suspension } from '@newswire/events/outlet'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { amendOutletState } from '@newswire/runtime/outlet-states'
import type { Target } from './kind.ts'

export { isSuspended, type Suspension } from '@newswire/events/outlet'

/** Addresses may hold secrets, so only their hash is kept. */
export const targetOf = ({ deliver }: Pick<Target, 'deliver'>): string => canonicalSha256(deliver)

/** Made once for a configured object: all that fails there is marked with it. */
const places = createAttached<object, string>('place')
/** The same, for what is kept with each delivery that failed; `undefined`: it has no address that could change. */
export const placeOf = (target: Pick<Target, 'deliver'>): string | undefined => {
  const { deliver } = target
  if (deliver === null || deliver === undefined) return undefined
  if (typeof deliver !== 'object') return targetOf(target)
  const known = places.get(deliver) ?? targetOf(target)
  places.set(deliver, known)
  return known
}

/** Whether it is delivered otherwise than before: what came of attempts then says nothing of it. */
export const isMoved = (before: Target | null, target: Target | null): boolean =>
  before !== null && target !== null && before.deliver !== target.deliver && placeOf(before) !== placeOf(target)

export type OutletStates = Readonly<{
  /** Reads the state anew. */
  load(outletId: string): Promise<Suspension | null>
  save(outletId: string, suspended: Suspension | null): Promise<void>
  /** As last read (default: nobody is). */
  isPaused?(outletId: string): boolean
  /** Ms since 1970: since when there were only failures, as an owner before wrote it down (default: `null`). */
  failingSinceMs?(outletId: string): number | null
}>

/** For targets that end with their subscription or configuration, and are never held before. */
export const neverSuspended: OutletStates = { load: async () => null, save: async () => undefined }

export type KnownOutletStates = Required<OutletStates> &
  Readonly<{
    /** As last read; `null`: only the environment's secret signs. */
    signing(outletId: string): Signing | null
    /** Writes down how it fares; a later one takes the place of one that waits. Never throws: it is only shown. */
    noteHealth(outletId: string, health: OutletHealth): void
    /** Outlets whose state is another than the one last read, by one listing. */
    findChanged(): Promise<readonly string[]>
  }>

type Known = Readonly<{ state: OutletState; etag: string | null }>

const idOfKey = (key: string): string => key.slice(keys.outletStatePrefix.length, -'.json'.length)

export const createOutletStates = (
  objects: Objects,
  onLost: (outletId: string, error: unknown) => void = () => undefined,
): KnownOutletStates => {
  const known = new Map<string, Known>()
  /** What is still to be written of each outlet's health; there is one write at a time of each. */
  const waiting = new Map<string, OutletHealth | null>()

  /** Reads may end in another order than they began. */
  const take = (outletId: string, state: OutletState, etag: string | null): OutletState => {
    const before = known.get(outletId)
    if (before === undefined || before.state.n <= state.n) known.set(outletId, { state, etag })
    return known.get(outletId)?.state ?? state
  }

  const writeHealth = async (outletId: string) => {
    for (let next = waiting.get(outletId); next != null; next = waiting.get(outletId)) {
      const health = next
      waiting.set(outletId, null)
      try {
        take(outletId, await amendOutletState(objects, outletId, () => ({ health })), null)
      } catch (error) {
        onLost(outletId, error)
      }
    }
    waiting.delete(outletId)
  }

  return {
    load: async outletId => {
      const found = await getDocument(objects, keys.outletState(outletId), outletState)
      return found === null ? null : take(outletId, found.value, found.etag).suspended
    },
    save: async (outletId, suspended) => {
      take(outletId, await amendOutletState(objects, outletId, () => ({ suspended })), null)
    },
    isPaused: outletId => (known.get(outletId)?.state.paused ?? null) !== null,
    failingSinceMs: outletId => {
      const since = known.get(outletId)?.state.health?.failingSince ?? null
      return since === null ? null : Date.parse(since)
    },
    signing: outletId => known.get(outletId)?.state.signing ?? null,
    noteHealth: (outletId, health) => {
      const isWriting = waiting.has(outletId)
      waiting.set(outletId, health)
      if (!isWriting) void writeHealth(outletId)
    },
    findChanged: async () => {
      const changed: string[] = []
      for await (const page of listPages(objects, keys.outletStatePrefix))
        for (const { key, etag } of page) {
          const outletId = idOfKey(key)
          if (isConfigId(outletId) && known.get(outletId)?.etag !== etag) changed.push(outletId)
        }
      return changed
    },
  }
}
