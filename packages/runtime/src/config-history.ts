/** What the configuration said at a time in the past, from `config-history/`: what was done under it can still be explained. */
import { type ConfigKind, configObject } from '@newswire/events/config'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

export type PastConfig = Readonly<{
  /** As it was stored: hold it against its kind's schema. */
  value: unknown
  retired: boolean
  changedAt: string
  createdAt: string
}>

/**
 * The object as it was at `atMs`; when it was made later, as it was made (`createdAt` tells). `null`: there never was one. A step that a crash kept from
 * the history is answered by the one before it.
 */
export const readConfigAt = async (
  objects: Pick<Objects, 'get'>,
  { kind, id }: Readonly<{ kind: ConfigKind; id: string }>,
  atMs: number,
): Promise<PastConfig | null> => {
  const now = await getDocument(objects, keys.config(kind, id), configObject)
  if (now === null) return null
  const read = async (n: number) =>
    n === now.value.n ? now.value : ((await getDocument(objects, keys.configHistory(kind, id, n), configObject))?.value ?? null)
  const first = await read(1)
  let found = first ?? now.value
  const createdAt = found.changedAt
  // Every step is later than the one before it, so the last that is not too late is found by halving.
  let [low, high] = [2, now.value.n]
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const step = await read(middle)
    if (step !== null && Date.parse(step.changedAt) <= atMs) found = step
    if (step !== null && Date.parse(step.changedAt) > atMs) high = middle - 1
    else low = middle + 1
  }
  const { value, retired, changedAt } = found
  return { value, retired, changedAt, createdAt }
}
