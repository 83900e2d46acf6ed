/** Everything public that shows an article, or may have shown it: what a cache must forget when it changes or is taken back. */
import type { Picture } from '@newswire/events/article'
import { cacheKeys } from '@newswire/events/cache-keys'
import { type FeedConfig, isPrivate, matches } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { feedFiles, feedOutputs } from '@newswire/events/feed'
import { articleUrl, renditionUrl } from '@newswire/events/public-article'
import { getArchived } from '@newswire/objects/archived'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { DeliveryNeeds } from './delivery.ts'
import { routesDocument } from './routes.ts'

type Touched = Readonly<{ keys: readonly string[]; urls: readonly string[] }>

/** Versions that are looked at for pictures: those before are out of every cache by their age. */
const MOST_VERSIONS = 20
/** Pages of one feed and day. */
const MOST_PAGES = 300

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'list'>
  context: ReturnType<DeliveryNeeds['context']>
  feeds: ReadonlyMap<string, FeedConfig>
}>

type Shown = Readonly<{ sha256: string; key: string | null }>

const toShown = ({ sha256, renditions }: Picture): readonly Shown[] =>
  sha256 === undefined ? [] : [{ sha256, key: null }, ...renditions.map(({ key }) => ({ sha256, key }))]

/** `renditions/<sha256 of the source>/…` */
const sourceOf = (key: string): string => key.split('/')[1] ?? ''

/** What routing remembered, which outlives a purge by law, and what the archive still has, which may be from before there was a cache. */
const findShown = async (fact: Fact, objects: Needs['objects']): Promise<readonly Shown[]> => {
  const shown = fact.state === 'live' ? fact.article.images.flatMap(toShown) : []
  const routes = await getDocument(objects, keys.routes(fact.articleId), routesDocument)
  for (const key of routes?.value.shown ?? []) shown.push({ sha256: sourceOf(key), key })
  for (let version = fact.version - 1; version > 0 && version >= fact.version - MOST_VERSIONS; version--) {
    const before = (await getArchived(objects, fact.articleId, version))?.fact
    if (before?.state === 'live') shown.push(...before.article.images.flatMap(toShown))
  }
  return shown
}

const toArticleUrls = ({ articleId, publisher, aliases }: Fact, publicUrl: string): readonly string[] => {
  const page = articleUrl(publicUrl, articleId)
  return [
    page,
    `${page}/print`,
    `${page}/article.json`,
    `${page}/ninjs.json`,
    ...aliases.map(slug => articleUrl(publicUrl, `${publisher}.${slug}`)),
  ]
}

/** Every format of a feed, and its pages of the article's day. */
const toFeedUrls = async (feedId: string, fact: Fact, { objects, context }: Needs): Promise<readonly string[]> => {
  const folder = `${context.site.publicUrl}/feeds/${feedId}`
  const prefix = keys.feedPagePrefix(feedId)
  const day = new Date(fact.firstReleasedAt).toISOString().slice(0, 10)
  const pages = await objects.list(`${prefix}${day}`, { limit: MOST_PAGES })
  return [
    ...feedOutputs.map(output => `${folder}/${feedFiles[output].name}`),
    ...pages.map(({ key }) => `${folder}/pages/${key.slice(prefix.length)}`),
  ]
}

/** Throws what the store throws. Each once. */
export const findTouched = async (fact: Fact, needs: Needs): Promise<Touched> => {
  const { objects, context, feeds } = needs
  const { publicUrl } = context.site
  const concerned = [...feeds.values()].filter(feed => !isPrivate(feed) && matches(feed.match, fact.facetsEver, context.categories))
  const shown = await findShown(fact, objects)
  const feedUrls = await Promise.all(concerned.map(({ id }) => toFeedUrls(id, fact, needs)))
  const found = {
    keys: [
      cacheKeys.article(fact.articleId),
      ...concerned.map(({ id }) => cacheKeys.feed(id)),
      ...shown.map(({ sha256 }) => cacheKeys.picture(sha256)),
      cacheKeys.lists,
    ],
    urls: [
      ...toArticleUrls(fact, publicUrl),
      ...feedUrls.flat(),
      ...shown.flatMap(({ key }) => (key === null ? [] : [renditionUrl(publicUrl, key)])),
      `${publicUrl}/`,
      `${publicUrl}/feeds`,
      `${publicUrl}/search`,
    ],
  }
  return { keys: [...new Set(found.keys)], urls: [...new Set(found.urls)] }
}
