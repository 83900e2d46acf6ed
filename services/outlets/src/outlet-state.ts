/** `outlets/state/<outlet>.json`: an outlet that said it wants nothing any more (410), until its address is changed. */

import { canonicalSha256 } from '@newswire/events/canonical'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { z } from 'zod'
import type { Target } from './kind.ts'

const suspension = z.object({
  reason: z.string(),
  at: z.string(),
  /** Hash of the address that answered so: another one is worth a try. */
  target: z.string(),
})
const stateDocument = z.object({ n: z.int(), suspended: suspension.nullable() })
export type Suspension = z.output<typeof suspension>

/** Addresses may hold secrets, so only their hash is kept. */
export const targetOf = ({ deliver }: Pick<Target, 'deliver'>): string => canonicalSha256(deliver)

/** Whether a target is suspended as it is configured now. */
export const isSuspended = (suspended: Suspension | null, target: Pick<Target, 'deliver'>): boolean =>
  suspended !== null && suspended.target === targetOf(target)

export type OutletStates = Readonly<{
  load(outletId: string): Promise<Suspension | null>
  save(outletId: string, suspended: Suspension | null): Promise<void>
}>

export const createOutletStates = (objects: Objects): OutletStates => ({
  load: async outletId => (await getDocument(objects, keys.outletState(outletId), stateDocument))?.value.suspended ?? null,
  save: async (outletId, suspended) => {
    for (;;) {
      const found = await getDocument(objects, keys.outletState(outletId), stateDocument)
      const put = await swapDocument(objects, keys.outletState(outletId), { n: (found?.value.n ?? 0) + 1, suspended }, found?.etag ?? null)
      if (put.ok) return
    }
  },
})
