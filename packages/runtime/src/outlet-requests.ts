/** `outlets/requests/<outlet>.json`: what was asked of an outlet of late and what came of it, by the asker's id. */
import { isOpen, type OutletRequest, type OutletRequests, outletRequests } from '@newswire/events/outlet'
import { amendDocument, getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

/** Those that are over are forgotten beyond so many, the oldest first. */
const KEPT = 50

export const readOutletRequests = async (objects: Pick<Objects, 'get'>, outletId: string): Promise<readonly OutletRequest[]> =>
  (await getDocument(objects, keys.outletRequests(outletId), outletRequests))?.value.requests ?? []

const withoutOldest = (requests: readonly OutletRequest[]): OutletRequest[] => {
  let surplus = requests.length - KEPT
  return requests.filter(one => isOpen(one) || surplus-- <= 0)
}

/**
 * Swaps in what `decide` makes of the list, asked again when somebody else was there first; `null` leaves it. Resolves with the list that
 * stands then. `durable: false`: for what is only told on the way.
 */
export const amendOutletRequests = async (
  objects: Pick<Objects, 'get' | 'put'>,
  outletId: string,
  decide: (before: readonly OutletRequest[]) => readonly OutletRequest[] | null,
  options?: { durable?: boolean },
): Promise<readonly OutletRequest[]> => {
  const toNext = (before: OutletRequests | null) => {
    const changed = decide(before?.requests ?? [])
    return changed && { requests: withoutOldest(changed) }
  }
  return (await amendDocument(objects, keys.outletRequests(outletId), outletRequests, toNext, options))?.requests ?? []
}
