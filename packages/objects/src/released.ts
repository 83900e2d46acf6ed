/** What everybody but the desk may read of `current/<article id>.json`. */
import { type Released, releasedPart } from '@newswire/events/current'
import { getDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

/** The released state of an article; `null` when nothing was released. Holds and withdrawn content are never in it. */
export const getReleased = async (objects: Pick<Objects, 'get'>, articleId: string): Promise<Released> =>
  (await getDocument(objects, keys.current(articleId), releasedPart))?.value.released ?? null
