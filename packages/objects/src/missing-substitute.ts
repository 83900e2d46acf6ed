/** What a retraction is taken with, and is perhaps not meant: a substitute that readers cannot be sent to. */
import { isPublic } from '@newswire/events/fact'
import { idsMeantBy } from '@newswire/events/references'
import type { Retraction } from '@newswire/events/submission'
import type { Warning } from '@newswire/events/warnings'
import type { Objects } from './objects.ts'
import { getReleased } from './released.ts'

/**
 * Readers are not sent to what only editors may read. A warning is never worth a refusal: of what cannot be looked up, for whatever reason, there is none.
 */
export const findMissingSubstitute = async (
  objects: Pick<Objects, 'get'>,
  { mode, redirectTo }: Retraction,
  publisher: string,
): Promise<readonly Warning[]> => {
  if (mode !== 'replace' || redirectTo === undefined) return []
  try {
    const found = await Promise.all(idsMeantBy(redirectTo, publisher).map(id => getReleased(objects, id)))
    if (found.some(one => one !== null && isPublic(one.fact))) return []
  } catch {
    return []
  }
  const detail = `${JSON.stringify(redirectTo)} is not out, so until it is readers are told that the article is gone`
  return [{ pointer: '/redirectTo', detail }]
}
