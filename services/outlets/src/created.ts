/** When an outlet was created: what was released before does not go to it. */
import { configObject } from '@newswire/events/config'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { sideBySide } from '@newswire/runtime/side-by-side'

export type Created = Readonly<{
  /** Reads what is not known yet. */
  learn(outletIds: Iterable<string>): Promise<void>
  /** Ms since 1970; 0 for an outlet that no stored object tells of. */
  atMs(outletId: string): number
}>

/** Ten thousand outlets must not take a round trip each. */
const READ_AT_ONCE = 32

/** Creation never moves, so each is read once. */
export const createCreated = (objects: Pick<Objects, 'get'>): Created => {
  const known = new Map<string, number>()
  const read = async (outletId: string): Promise<number> => {
    const now = await getDocument(objects, keys.config('outlets', outletId), configObject)
    if (now === null) return 0
    if (now.value.n <= 1) return Date.parse(now.value.changedAt)
    const first = await getDocument(objects, keys.configHistory('outlets', outletId, 1), configObject)
    return first === null ? 0 : Date.parse(first.value.changedAt)
  }
  return {
    learn: async outletIds => {
      const unknown = [...outletIds].filter(outletId => !known.has(outletId))
      await sideBySide(unknown, READ_AT_ONCE, async outletId => known.set(outletId, await read(outletId)))
    },
    atMs: outletId => known.get(outletId) ?? 0,
  }
}
