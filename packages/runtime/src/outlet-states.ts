/** `outlets/state/<outlet>.json`: read and swapped by whoever wants something of an outlet, and by the process that owns it. */
import { emptyOutletState, type OutletState, outletState } from '@newswire/events/outlet'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

type Store = Pick<Objects, 'get' | 'put'>

/** Losing this often in a row means that somebody changes it without end. */
const RACES = 20

/** An outlet of which nothing is kept yet is well, not paused, and signs with its environment's secret. */
export const readOutletState = async (objects: Pick<Objects, 'get'>, outletId: string): Promise<OutletState> =>
  (await getDocument(objects, keys.outletState(outletId), outletState))?.value ?? emptyOutletState

/**
 * Swaps in what `decide` makes of the state as it stands, asked again when somebody else was there first; `null` leaves it. Resolves with the
 * state that stands then, durable. What `decide` does not name stays.
 */
export const amendOutletState = async (
  objects: Store,
  outletId: string,
  decide: (before: OutletState) => Partial<OutletState> | null,
): Promise<OutletState> => {
  const key = keys.outletState(outletId)
  for (let race = 0; race < RACES; race++) {
    const found = await getDocument(objects, key, outletState)
    const before = found?.value ?? emptyOutletState
    const change = decide(before)
    if (change === null) return before
    const next = { ...before, ...change, n: before.n + 1 }
    if ((await swapDocument(objects, key, next, found?.etag ?? null)).ok) return next
  }
  throw new Error(`${key} is changed by others again and again; look who writes it`)
}
