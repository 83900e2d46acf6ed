/**
 * What a shared cache in front of the gateway knows answers by, so that all that shows an article can be taken out of it at once: the gateway says
 * the keys of each answer (`Surrogate-Key` for Fastly and Varnish, `Cache-Tag` for Cloudflare), a `purge` outlet names those to be forgotten.
 */

export const cacheKeys = {
  /** The article in all its forms. */
  article: (articleId: string): string => `article-${articleId}`,
  /** A feed in all its formats, with its pages. */
  feed: (feedId: string): string => `feed-${feedId}`,
  /** All renditions of a picture. */
  picture: (sha256: string): string => `picture-${sha256}`,
  /** What lists articles: the front page, the list of feeds, search. */
  lists: 'lists',
} as const

export const cacheKeyHeaders = (...keys: readonly string[]): Readonly<Record<'surrogate-key' | 'cache-tag', string>> => ({
  'surrogate-key': keys.join(' '),
  'cache-tag': keys.join(','),
})
