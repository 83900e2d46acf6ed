/** The article as a publisher sends it and as it stands in the pipeline (contract §4). */
import { z } from 'zod'
import { canonicalSha256 } from './canonical.ts'
import { articleType, audience, configId, languageTag } from './config-words.ts'
import { dataMiningCodes } from './data-mining.ts'
import { hasNoPassword, httpUrl } from './deliver.ts'
import { isSha256 } from './ids.ts'
import { cleanHtml, completeAddresses, textToHtml } from './markup.ts'
import { findMarkupExcess, findTextExcess } from './markup-excess.ts'
import { cleanLine, cleanText, isVisible } from './text.ts'

const line = (max: number) => z.string().transform(cleanLine).pipe(z.string().max(max))
const instant = z.iso.datetime({
  offset: true,
  abort: true,
  error: 'expected an RFC 3339 date and time with an offset, like 2026-01-01T08:30:00+07:00',
})
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')
const TIME_WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
/**
 * Whether it is an instant that every exit can say: RFC 3339, its seconds left out or not, but with an offset, without which nobody knows which hour is
 * meant. Beyond four digits of a year, in UTC, RFC 3339 and RFC 822 end, and so do our keys; `Date.parse` alone reads any words that end with a number.
 */
export const isInstant = (value: string): boolean => {
  const at = TIME_WITH_OFFSET.test(value) ? Date.parse(value) : Number.NaN
  return at >= FIRST_MS && at <= LAST_MS
}
/** A time in what a topic carries: what cannot be one would stop whoever counts with it, for everything. */
export const storedInstant = z.string().refine(isInstant, 'expected an RFC 3339 time of the years 1 to 9999')
/** Instants are kept in UTC with milliseconds, so that equal instants are equal strings. */
const utc = instant.refine(isInstant, 'expected a time of the years 1 to 9999 in UTC').transform(value => new Date(value).toISOString())
const webUrl = httpUrl.max(2048)
/** Shown to everybody, so nobody's password may stand in it. */
const publicUrl = webUrl.refine(hasNoPassword, 'expected an address without a name or password')
const isUpload = (value: string): boolean => value.startsWith('newswire:') && isSha256(value.slice('newswire:'.length))
const UPLOAD = 'expected newswire:<sha256> of an upload'
const pictureUrl = z.union([webUrl, z.string(UPLOAD).refine(isUpload, UPLOAD)])

/** The same in what is sent and in what is kept. */
const change = z.enum(['minor', 'major', 'correction'])
const expiryMode = z.enum(['withdraw', 'gone'])
const role = z.enum(['lead', 'inline', 'gallery'])
const dataMining = z.enum(dataMiningCodes)
/** IPTC NewsCodes, Digital Source Type: how a picture was made. The last part of its address. */
const digitalSourceType = z
  .string()
  .regex(/^[a-z][A-Za-z]{2,63}$/, 'expected a term of the IPTC Digital Source Type list, like digitalCapture')

const image = z.strictObject({
  url: pictureUrl,
  role: role.default('inline'),
  caption: line(2000).default(''),
  alt: line(1000).default(''),
  credit: line(500).default(''),
  focus: z.strictObject({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) }).optional(),
  rights: z.strictObject({ outlets: z.array(z.string().max(64)).max(1000).default(['*']), until: utc.optional() }).optional(),
  /** Of this picture, where it is not the article's. */
  copyright: line(500).optional(),
  usageTerms: line(2000).optional(),
  digitalSourceType: digitalSourceType.optional(),
  dataMining: dataMining.optional(),
})

const withoutExcess = (find: (value: string) => string | null) =>
  z
    .string()
    .max(2_000_000)
    .superRefine((value, context) => {
      const excess = find(value)
      if (excess !== null) context.addIssue({ code: 'custom', message: `expected ${excess}` })
    })

const body = z.union([z.strictObject({ html: withoutExcess(findMarkupExcess) }), z.strictObject({ text: withoutExcess(findTextExcess) })], {
  error: 'expected {"html": "…"} or {"text": "…"}, one of them and nothing else',
})

/** What `PUT /v1/articles/{localId}` takes. Unknown top-level fields are refused; `extensions` is passed on untouched. */
export const articleInput = z.strictObject({
  sourceVersion: z.int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  type: articleType.default('article'),
  language: languageTag.optional(),
  title: line(1000).refine(isVisible, 'expected some text').meta({ minLength: 1 }),
  summary: z.string().transform(cleanText).pipe(z.string().max(10_000)).default(''),
  body,
  byline: line(500).default(''),
  dateline: line(500).default(''),
  source: line(500).default(''),
  categories: z.array(configId).max(50).default([]),
  tags: z.array(line(200)).max(100).default([]),
  urgency: z.int().min(1).max(8).default(4),
  publishedAt: utc.optional(),
  updatedAt: utc.optional(),
  embargoUntil: utc.optional(),
  expiresAt: utc.optional(),
  expiryMode: expiryMode.default('gone'),
  canonicalUrl: publicUrl.optional(),
  slug: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case letters, digits and hyphens')
    .max(200)
    .optional(),
  images: z.array(image).max(100).default([]),
  change: change.default('major'),
  correction: z.strictObject({ note: line(2000) }).optional(),
  rights: z
    .strictObject({ copyright: line(500).default(''), usageTerms: line(2000).default(''), dataMining: dataMining.optional() })
    .optional(),
  audience: audience.default('public'),
  storyId: line(200).optional(),
  translationOf: z.string().max(200).optional(),
  related: z.array(z.string().max(200)).max(100).default([]),
  duplicateOf: z.string().max(200).optional(),
  aiUse: line(200).optional(),
  /** The sites (`site.id`) it came through, oldest first: who finds itself in it does not take it again. */
  via: z.array(line(200)).max(50).optional(),
  extensions: z.record(z.string(), z.unknown()).optional(),
})
export type ArticleInput = z.output<typeof articleInput>

/** One size of a picture. `key` is where the object store has it; `url` is made from it by whoever shows it. */
export const rendition = z.object({
  preset: z.string(),
  key: z.string(),
  type: z.string(),
  width: z.int(),
  height: z.int(),
  bytes: z.int(),
})
export type Rendition = z.output<typeof rendition>

/** A picture as it stands: what the publisher said, and what became of it. `renditions` is empty unless `state` is `ready`. */
export const picture = z.object({
  url: z.string(),
  role,
  caption: z.string(),
  alt: z.string(),
  credit: z.string(),
  focus: z.object({ x: z.number(), y: z.number() }).optional(),
  rights: z.object({ outlets: z.array(z.string()), until: z.string().optional() }).optional(),
  copyright: z.string().optional(),
  usageTerms: z.string().optional(),
  digitalSourceType: z.string().optional(),
  dataMining: dataMining.optional(),
  state: z.enum(['ready', 'refused', 'waiting']),
  /** SHA-256 of the original; its renditions' keys begin with it. */
  sha256: z.string().optional(),
  renditions: z.array(rendition),
  /** What stands in its place until it has come: a colour (`#rrggbb`), and a BlurHash of it. */
  preview: z.object({ color: z.string().regex(/^#[0-9a-f]{6}$/), blurHash: z.string().max(100) }).optional(),
  /** Names the refusal, `NEWSWIRE_PICTURE_…`. */
  code: z.string().optional(),
  /** Why it is refused or still waiting, for a person. */
  reason: z.string().optional(),
})
export type Picture = z.output<typeof picture>

/** The article inside the pipeline: everything of the input, the body as clean HTML, pictures with their renditions. */
export const article = z.object({
  sourceVersion: z.int().optional(),
  type: articleType,
  language: z.string(),
  title: z.string(),
  summary: z.string(),
  body: z.object({ html: z.string() }),
  byline: z.string(),
  dateline: z.string(),
  source: z.string(),
  categories: z.array(z.string()),
  tags: z.array(z.string()),
  urgency: z.int(),
  publishedAt: z.string().optional(),
  updatedAt: z.string().optional(),
  embargoUntil: z.string().optional(),
  expiresAt: z.string().optional(),
  expiryMode,
  canonicalUrl: z.string().optional(),
  slug: z.string().optional(),
  images: z.array(picture),
  change,
  correction: z.object({ note: z.string() }).optional(),
  rights: z.object({ copyright: z.string(), usageTerms: z.string(), dataMining: dataMining.optional() }).optional(),
  audience,
  storyId: z.string().optional(),
  translationOf: z.string().optional(),
  related: z.array(z.string()),
  duplicateOf: z.string().optional(),
  aiUse: z.string().optional(),
  via: z.array(z.string()).optional(),
  extensions: z.record(z.string(), z.unknown()).optional(),
})
export type Article = z.output<typeof article>

const RENDITION_KEY = /^renditions\/[0-9a-f]{64}\/[a-z0-9][a-z0-9.-]*$/
/** A key that is none of a rendition; `undefined` when all are. Whatever else the store has there would be handed out as a picture. */
export const findForeignKey = (pictures: readonly Picture[]): string | undefined =>
  pictures.flatMap(({ renditions }) => renditions).find(({ key }) => !RENDITION_KEY.test(key))?.key

/** The first of an article's times that is none, by its name; `undefined` when all are: one would compare as "not in the future", and let an embargo slip. */
export const findBadInstant = ({
  embargoUntil,
  expiresAt,
  publishedAt,
  updatedAt,
  images,
}: Article): readonly [string, string] | undefined => {
  const rights = images.map(({ rights }, index) => [`images[${index}].rights.until`, rights?.until] as const)
  const times = [...Object.entries({ embargoUntil, expiresAt, publishedAt, updatedAt }), ...rights]
  return times.find((one): one is [string, string] => one[1] !== undefined && !isInstant(one[1]))
}

/**
 * From the outside's article to ours. `language` falls back to the site's. Relative addresses in the body are of `canonicalUrl`. Pictures start as `waiting` with no renditions;
 * the images service settles them. Pure: equal input gives equal output.
 */
export const toArticle = ({ body, images, language, ...rest }: ArticleInput, site: { language: string }): Article => ({
  ...rest,
  language: language ?? site.language,
  body: { html: 'html' in body ? completeAddresses(cleanHtml(body.html), rest.canonicalUrl).html : textToHtml(body.text) },
  images: images.map(one => ({ ...one, state: 'waiting' as const, renditions: [] })),
})

/**
 * What makes two submissions "the same content": everything the publisher said, but not his own version number, not the way that it came and
 * not what became of the pictures. Its SHA-256 is what duplicates are told by.
 */
export const contentOf = ({ sourceVersion: _, via: _way, images, ...rest }: Article): unknown => ({
  ...rest,
  images: images.map(({ url, role, caption, alt, credit, focus, rights, copyright, usageTerms, digitalSourceType, dataMining }) => ({
    url,
    role,
    caption,
    alt,
    credit,
    focus,
    rights,
    copyright,
    usageTerms,
    digitalSourceType,
    dataMining,
  })),
})

/**
 * Whether a submission says what `known` says, which is out. An embargo that has passed says nothing any more: an import or a hook that was dated ahead
 * got one, and what is sent again later gets none. `nowMs`: ms since 1970.
 */
export const isSaidAgain = (
  known: Article,
  { article: { embargoUntil }, contentSha256 }: Readonly<{ article: Article; contentSha256: string }>,
  nowMs: number,
): boolean => {
  const { embargoUntil: _passed, ...rest } = known
  if (embargoUntil !== undefined && Date.parse(embargoUntil) > nowMs) return canonicalSha256(contentOf(known)) === contentSha256
  return canonicalSha256(contentOf({ ...rest, ...(embargoUntil === undefined ? {} : { embargoUntil }) })) === contentSha256
}
