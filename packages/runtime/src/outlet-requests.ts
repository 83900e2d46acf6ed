/** `outlets/requests/<outlet>.json`: what was asked of an outlet of late and what came of it, by the asker's id. */
import { isOpen, type OutletRequest, type OutletRequests, outletRequests } from '@newswire/events/outlet'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

const RACES = 20
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
  const key = keys.outletRequests(outletId)
  for (let race = 0; race < RACES; race++) {
    const found = await getDocument(objects, key, outletRequests)
    const before = found?.value.requests ?? []
    const changed = decide(before)
    if (changed === null) return before
    const next: OutletRequests = { n: (found?.value.n ?? 0) + 1, requests: withoutOldest(changed) }
    if ((await swapDocument(objects, key, next, found?.etag ?? null, options)).ok) return next.requests
  }
  throw new Error(`${key} is changed by others again and again; look who writes it`)
}
