/** `outlets/state/<outlet>.json`: read and swapped by whoever wants something of an outlet, and by the process that owns it. */
import { emptyOutletState, type OutletState, outletState } from '@newswire/events/outlet'
import { amendDocument, getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

type Store = Pick<Objects, 'get' | 'put'>

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
  const amended = await amendDocument(objects, keys.outletState(outletId), outletState, before => {
    const change = decide(before ?? emptyOutletState)
    return change && { ...(before ?? emptyOutletState), ...change }
  })
  return amended ?? emptyOutletState
}
