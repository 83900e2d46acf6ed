/** JSON Feed 1.1, made from the model: the `feed` package writes 1.0, without authors, language and attachments. */
import type { FeedItem, FeedNotice, MediaItem } from './feed-item.ts'
import type { FeedShell } from './shell.ts'

const unique = (values: readonly string[]): string[] => [...new Set(values)]

/** Of these fields only those that say something. */
const said = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))

const picture = ({ url, width, height, caption, alt, credit, role, focus, preview, renditions, thumbnail, ...rights }: MediaItem) => ({
  url,
  width,
  height,
  caption,
  alt,
  credit,
  ...said({
    copyright: rights.copyright,
    usageTerms: rights.usageTerms,
    digitalSourceType: rights.digitalSourceType,
    dataMining: rights.dataMining,
  }),
  role,
  ...(focus === null ? {} : { focus }),
  ...(preview === null ? {} : { preview }),
  ...(thumbnail === null ? {} : { thumbnail: thumbnail.url }),
  renditions: renditions.map(one => ({ url: one.url, type: one.type, width: one.width, height: one.height, bytes: one.bytes })),
})

const jsonItem = (item: FeedItem) => ({
  id: item.id,
  url: item.link,
  title: item.title,
  ...(item.html === null ? { content_text: item.summary } : { content_html: item.html }),
  summary: item.summary,
  ...(item.lead === null ? {} : { image: item.lead.url }),
  date_published: item.published.toISOString(),
  date_modified: item.updated.toISOString(),
  authors: [{ name: item.author }],
  tags: unique([...item.categories.map(one => one.name), ...item.tags]),
  language: item.language,
  ...(item.media.length === 0
    ? {}
    : {
        attachments: item.media.map(one => ({
          url: one.url,
          mime_type: one.type,
          ...(one.caption === '' ? {} : { title: one.caption }),
          size_in_bytes: one.bytes,
        })),
      }),
  _newswire: {
    articleId: item.articleId,
    version: item.version,
    status: item.status,
    type: item.type,
    urgency: item.urgency,
    publisher: item.publisher,
    ...said({
      dateline: item.dateline,
      source: item.source,
      copyright: item.copyright,
      usageTerms: item.usageTerms,
      dataMining: item.dataMining,
      aiUse: item.aiUse,
      story: item.story,
      translationOf: item.translationOf,
      duplicateOf: item.duplicateOf,
    }),
    ...(item.related.length === 0 ? {} : { related: item.related }),
    ...(item.expires === null ? {} : { expiresAt: item.expires.toISOString() }),
    ...(item.categories.length === 0 ? {} : { categories: item.categories.map(one => one.id) }),
    ...(item.correction === null ? {} : { correction: item.correction }),
    ...(item.media.length === 0 ? {} : { pictures: item.media.map(picture) }),
  },
})

const jsonNotice = (notice: FeedNotice) => ({
  id: notice.id,
  url: notice.link,
  title: notice.title,
  content_text: notice.title,
  date_published: notice.published.toISOString(),
  date_modified: notice.retractedAt.toISOString(),
  language: notice.language,
  _newswire: { articleId: notice.articleId, version: notice.version, status: 'retracted', mode: notice.mode },
})

/** One item as JSON; what was taken back has `_newswire.status` `retracted`. */
export const renderJsonItem = (item: FeedItem | FeedNotice): string =>
  JSON.stringify(item.kind === 'item' ? jsonItem(item) : jsonNotice(item))

/** What stands before and after the items (an item a line): `head + items.join(',\n') + foot` is the feed. */
export const renderJsonShell = (shell: FeedShell): { head: string; foot: string } => {
  const head = {
    version: 'https://jsonfeed.org/version/1.1',
    title: shell.title,
    home_page_url: shell.home,
    feed_url: shell.self.json,
    ...(shell.description === '' ? {} : { description: shell.description }),
    language: shell.language,
    authors: [{ name: shell.author }],
    ...(shell.hub === null ? {} : { hubs: [{ type: 'WebSub', url: shell.hub }] }),
    _newswire: { feed: shell.feedId, updatedAt: shell.updated.toISOString() },
  }
  return { head: `${JSON.stringify(head).slice(0, -1)},"items":[\n`, foot: '\n]}\n' }
}
