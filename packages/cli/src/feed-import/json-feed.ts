/** JSON Feed 1.0 and 1.1. A field of another type than it should have is taken for one that is not there: one bad item must not cost the others. */
import { textToHtml } from '@newswire/events/markup'
import { z } from 'zod'
import { type FeedDocument, type FeedEntry, type FeedPicture, type OwnWords, parseTag, toInstant } from './feed-document.ts'
import { isPictureType } from './media.ts'

const text = z.string().catch('')
const texts = z.array(text).catch([])
const point = z.object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) })

const ownPicture = z.object({
  url: z.string(),
  caption: text,
  alt: text,
  credit: text,
  role: z.enum(['inline', 'gallery']).optional().catch(undefined),
  focus: point.optional().catch(undefined),
  renditions: z.array(z.object({ url: z.string(), width: z.number() })).catch([]),
})
const ownItem = z.object({
  articleId: z.string(),
  status: text,
  publisher: text,
  type: text,
  urgency: z.number().catch(0),
  dateline: text,
  source: text,
  copyright: text,
  usageTerms: text,
  aiUse: text,
  story: text,
  translationOf: text,
  duplicateOf: text,
  related: texts,
  expiresAt: text,
  categories: texts,
  correction: text,
  pictures: z.array(ownPicture).catch([]),
})

const author = z.object({ name: text })
const item = z.object({
  id: z.union([z.string(), z.number().transform(String)]).catch(''),
  url: text,
  external_url: text,
  title: text,
  content_html: z.string().nullable().catch(null),
  content_text: text,
  summary: text,
  image: text,
  banner_image: text,
  date_published: text,
  date_modified: text,
  authors: z.array(author).catch([]),
  author: author.nullable().catch(null),
  tags: texts,
  language: text,
  attachments: z.array(z.object({ url: text, mime_type: text, title: text })).catch([]),
  _newswire: ownItem.nullable().catch(null),
})
type Item = z.output<typeof item>

const feed = z.object({
  version: z.string().regex(/^https?:\/\/(www\.)?jsonfeed\.org\/version\//),
  language: text,
  next_url: z.string().nullable().catch(null),
  authors: z.array(author).catch([]),
  author: author.nullable().catch(null),
  items: z.array(z.unknown()).catch([]),
})

const namesOf = ({ authors, author: one }: Pick<Item, 'authors' | 'author'>): string =>
  (authors.length > 0 ? authors : one === null ? [] : [one])
    .map(({ name }) => name.trim())
    .filter(name => name !== '')
    .join(', ')

const toOwn = ({ id, _newswire: own }: Item): OwnWords | null => {
  const tag = parseTag(id)
  if (own === null || tag === null) return null
  const { articleId: _, urgency, expiresAt, ...rest } = own
  return { ...tag, ...rest, urgency: String(urgency), expiresAt: toInstant(expiresAt) }
}

const ownPictures = (own: z.output<typeof ownItem>): readonly FeedPicture[] =>
  own.pictures.map(({ url, caption, alt, credit, role, focus, renditions }) => {
    const [widest] = renditions.toSorted((a, b) => b.width - a.width)
    const also = [url, ...renditions.map(one => one.url)]
    return {
      url: widest?.url ?? url,
      also,
      caption,
      alt,
      credit,
      ...(role === undefined ? {} : { role }),
      ...(focus === undefined ? {} : { focus }),
    }
  })

const picturesOf = ({ image, banner_image: banner, attachments }: Item): readonly FeedPicture[] => {
  const attached = attachments.filter(one => one.url !== '' && isPictureType(one.mime_type))
  const lead = image || banner
  const told = lead === '' || attached.some(({ url }) => url === lead) ? [] : [{ url: lead, title: '' }]
  return [...told, ...attached].map(({ url, title }) => ({ url, also: [url], caption: title, alt: '', credit: '' }))
}

const toEntry = (one: Item, language: string, by: string): FeedEntry => {
  const own = toOwn(one)
  const words = own === null ? null : one._newswire
  const html = one.content_html ?? (one.content_text === '' ? null : textToHtml(one.content_text))
  return {
    id: one.id,
    link: one.url || one.external_url,
    title: one.title.trim(),
    summary: one.summary.trim(),
    html: html === '' ? null : html,
    base: one.url,
    language: one.language || language,
    author: namesOf(one) || by,
    source: words?.source ?? '',
    copyright: words?.copyright ?? '',
    publishedAt: toInstant(one.date_published),
    updatedAt: toInstant(one.date_modified),
    categories: words === null ? one.tags.map(name => ({ id: null, name })) : words.categories.map(id => ({ id, name: id })),
    tags: words === null ? [] : one.tags,
    pictures: words === null ? picturesOf(one) : ownPictures(words),
    isRetracted: one._newswire?.status === 'retracted',
    own,
  }
}

/** `null` for JSON that is no feed. */
export const readJsonFeed = (value: unknown): FeedDocument | null => {
  const parsed = feed.safeParse(value)
  if (!parsed.success) return null
  const { language, next_url: older, items } = parsed.data
  const by = namesOf(parsed.data)
  const entries = items.flatMap(one => {
    const read = item.safeParse(one)
    return read.success ? [toEntry(read.data, language, by)] : []
  })
  return { format: 'JSON Feed', language, older: older === '' ? null : older, entries }
}
