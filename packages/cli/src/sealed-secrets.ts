/** Whether what is sealed in a store can be opened by the key that a process has. Reads only. */
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'

/** Secrets that are opened for a look. */
const OPENED = 20

/** Ids of sealed secrets, some at most. */
export const listSealed = async (objects: Pick<Objects, 'list'>): Promise<readonly string[]> =>
  (await objects.list(keys.secretPrefix, { limit: OPENED })).map(({ key }) => key.slice(keys.secretPrefix.length, -'.json'.length))

/** Why the first of them does not open, as `Sealing.get` throws it; `null` when all do. */
export const findUnopened = async (sealed: readonly string[], sealing: Pick<Sealing, 'get'>): Promise<unknown> => {
  for (const id of sealed)
    try {
      await sealing.get(id)
    } catch (error) {
      return error
    }
  return null
}
