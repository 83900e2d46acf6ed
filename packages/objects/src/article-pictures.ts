/**
 * All pictures that `current/` keeps for an article, also of what waits and of what was taken back, for the service that keeps their files. Besides
 * the desk nobody else looks at that, and here nothing but pictures and rights can be seen of it.
 */
import { article, picture } from '@newswire/events/article'
import { RejectError } from '@newswire/events/errors'
import { z } from 'zod'
import { getDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

const content = z.object({ images: z.array(picture), rights: article.shape.rights })
const kept = z.object({ submissionId: z.string(), article: content.nullable() })
const holder = z.object({
  released: z.object({ fact: z.object({ submissionId: z.string(), article: content.optional() }) }).nullable(),
  held: kept.nullable().optional(),
  withdrawn: kept.nullable().optional(),
})

/** Pictures of one content, with the submission that it came with. */
export type KeptPictures = z.output<typeof content> & Readonly<{ submissionId: string }>
export type ArticlePictures = Readonly<{
  /** Of the article as the world sees it; `null` while there is nothing to see. */
  live: KeptPictures | null
  /** Of what is released without anybody being asked again. */
  held: KeptPictures | null
  /** Of what only a republish brings back. */
  withdrawn: KeptPictures | null
}>

const toKept = (value: z.output<typeof kept> | null | undefined): KeptPictures | null =>
  value?.article ? { ...value.article, submissionId: value.submissionId } : null

/** `null` when nothing is known of the article. Throws `RejectError` `NEWSWIRE_OBJECTS_DOCUMENT` when what is there cannot be read. */
export const getPictures = async (objects: Pick<Objects, 'get'>, articleId: string): Promise<ArticlePictures | null> => {
  const found = await getDocument(objects, keys.current(articleId), holder)
  if (found === null) return null
  const { released, held, withdrawn } = found.value
  const live = released?.fact.article === undefined ? null : { ...released.fact.article, submissionId: released.fact.submissionId }
  return { live, held: toKept(held), withdrawn: toKept(withdrawn) }
}

const stateOnly = z.object({ released: z.object({ fact: z.object({ state: z.string() }) }).nullable() })

/**
 * Whether the article was purged by law, which is for good: what its archive and its marks name is being removed, or has been. One that cannot be
 * read was not, as far as is known.
 */
export const isPurged = async (objects: Pick<Objects, 'get'>, articleId: string): Promise<boolean> => {
  try {
    return (await getDocument(objects, keys.current(articleId), stateOnly))?.value.released?.fact.state === 'purged'
  } catch (error) {
    if (error instanceof RejectError) return false
    throw error
  }
}
