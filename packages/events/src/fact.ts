/** What the world may know of an article: the facts on `articles`, and the part of `current/<article id>.json` that others read. */
import { z } from 'zod'
import { article, findBadInstant, findForeignKey, storedInstant } from './article.ts'
import { parseArticleId } from './ids.ts'
import { retraction } from './submission.ts'

/** Everything an article was ever released with: what a retraction must reach goes by this, not by what it is now. */
export const facets = z.object({
  categories: z.array(z.string()),
  languages: z.array(z.string()),
  publishers: z.array(z.string()),
  types: z.array(z.string()),
  /** True once any version was released to the public (not `audience: editorial`). */
  public: z.boolean(),
})
export type Facets = z.output<typeof facets>

/** As the desk lets one out: the topic is as hostile as the front door. */
const releasedArticle = article.superRefine((value, context) => {
  const [name, at] = findBadInstant(value) ?? []
  if (at !== undefined) context.addIssue({ code: 'custom', message: `expected ${name} to be an RFC 3339 time of the years 1 to 9999` })
  if (findForeignKey(value.images) !== undefined)
    context.addIssue({ code: 'custom', message: 'expected renditions/<sha256>/<file> as the key of a rendition' })
})

const common = {
  articleId: z.string(),
  publisher: z.string(),
  /** Dense: 1, 2, 3…; one more for every release of any kind. */
  version: z.int().min(1),
  /** The version before, absent on the first. */
  supersedes: z.int().optional(),
  sourceVersion: z.int().optional(),
  /** The submission this follows from; for an expiry, the one that was live. */
  submissionId: z.string(),
  lane: z.enum(['live', 'backfill']),
  /** An import that goes to outlets as well as if it were live; absent on what is live, and on imports that go to nobody new. */
  deliver: z.boolean().optional(),
  /** When the article was first released: what feeds order by. Never moves. For an import, its own date. */
  firstReleasedAt: storedInstant,
  /** When its submission was taken at the front door; absent when it waited for something by intent (an embargo, an expiry, a late picture). */
  receivedAt: storedInstant.optional(),
  /** When this version was released. */
  releasedAt: storedInstant,
  /** Moves with a major change, a correction, a retraction and a return; a minor change leaves it. */
  updatedAt: storedInstant,
  facetsEver: facets,
  /** Slugs of earlier versions, whose addresses stay alive. */
  aliases: z.array(z.string()),
  /** Of the names in `related` (or of a retraction's substitute): whose articles were taken back when this version was released. No exit names them. */
  goneReferences: z.array(z.string()).optional(),
  /** Of an editorial article that was public before: since which version, and when, the public has it no more. */
  narrowed: z.object({ version: z.int().min(1), at: storedInstant }).optional(),
}

export const fact = z
  .discriminatedUnion('state', [
    z.object({ state: z.literal('live'), action: z.enum(['published', 'updated', 'corrected']), ...common, article: releasedArticle }),
    z.object({ state: z.literal('retracted'), action: z.literal('retracted'), ...common, retraction }),
    z.object({ state: z.literal('expired'), action: z.literal('retracted'), ...common, retraction }),
    z.object({ state: z.literal('purged'), action: z.literal('purged'), ...common, reason: z.string(), by: z.string().optional() }),
  ])
  .refine(({ articleId, publisher }) => parseArticleId(articleId)?.publisher === publisher, {
    path: ['articleId'],
    error: 'expected an article id of this publisher',
  })
/** One released version. A redelivery is equal byte for byte: `(articleId, version)` names one fact for ever. */
export type Fact = z.output<typeof fact>
export type LiveFact = Extract<Fact, { state: 'live' }>

export const isLive = (value: Fact): value is LiveFact => value.state === 'live'
/** Live and meant for the public: what feeds, pages, search and public renditions may show. */
export const isPublic = (value: Fact): value is LiveFact => value.state === 'live' && value.article.audience === 'public'

/**
 * What the public is told of a fact: an article narrowed to editors is taken back from it, as of the version that narrowed it. What editors
 * change later changes nothing here, and an end stays dated by the version that ended it. The version stays the fact's own, for fences.
 */
export const toPublicFact = (value: Fact): Fact => {
  if (value.state === 'retracted' || value.state === 'expired')
    return value.releasedAt === value.updatedAt ? value : { ...value, releasedAt: value.updatedAt }
  if (value.state !== 'live' || value.narrowed === undefined || value.article.audience === 'public') return value
  const { article: _, ...rest } = value
  const { at } = value.narrowed
  return {
    ...rest,
    state: 'retracted',
    action: 'retracted',
    releasedAt: at,
    updatedAt: at,
    retraction: { mode: 'withdraw', reason: 'narrowed', legal: false },
  }
}
/** Whether it is told to others by itself. An import is not, unless that was asked for: who has the article already gets its changes all the same. */
export const isForDelivery = ({ lane, deliver }: Pick<Fact, 'lane' | 'deliver'>): boolean => lane === 'live' || deliver === true
