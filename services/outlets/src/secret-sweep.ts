/** Deletes sealed secrets of outlets that sign nothing any more, and those that a rotation left behind when it was killed half way. */
import type { OutletState } from '@newswire/events/outlet'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { amendOutletState, readOutletState } from '@newswire/runtime/outlet-states'

/** A rotation seals first and names it then; what is younger may still be named. */
const NAMED_WITHIN_MS = 3_600_000
/** Clocks of processes differ, and a request with an ended secret may be on its way. */
const ENDED_FOR_MS = 600_000

/** The outlet and the id of a sealed secret's key; `null` for another's. */
const parseSecretKey = (key: string): Readonly<{ outletId: string; id: string }> | null => {
  const [, id = '', outletId = ''] = /^secrets\/(outlet-([a-z0-9][a-z0-9-]*)-[0-9a-f]{20})\.json$/.exec(key) ?? []
  return outletId === '' ? null : { outletId, id }
}

/** Whether a sealed secret is over. Pure. */
const isOver = (
  { signing }: Pick<OutletState, 'signing'>,
  id: string,
  { sealedAtMs, nowMs }: { sealedAtMs: number; nowMs: number },
): boolean => {
  const named = signing?.sealed.find(one => one.id === id)
  if (named === undefined) return nowMs - sealedAtMs > NAMED_WITHIN_MS
  return named.until !== null && nowMs - Date.parse(named.until) > ENDED_FOR_MS
}

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'put' | 'list' | 'delete'>
  holds: (outletId: string) => boolean
  now: () => number
}>

/** Out of the state first: what no state names is swept the next time, should it be killed in between. */
export const sweepSecrets = async ({ objects, holds, now }: Needs): Promise<number> => {
  let swept = 0
  for await (const page of listPages(objects, `${keys.secretPrefix}outlet-`))
    for (const { key, lastModified } of page) {
      const found = parseSecretKey(key)
      if (found === null || !holds(found.outletId)) continue
      const { outletId, id } = found
      if (!isOver(await readOutletState(objects, outletId), id, { sealedAtMs: lastModified.getTime(), nowMs: now() })) continue
      await amendOutletState(objects, outletId, ({ signing }) =>
        signing?.sealed.some(one => one.id === id)
          ? { signing: { ...signing, sealed: signing.sealed.filter(one => one.id !== id) } }
          : null,
      )
      await objects.delete(key)
      swept += 1
    }
  return swept
}
