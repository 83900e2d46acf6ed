/**
 * Where a retracted article could still be seen, and whether an answer shows it. Pure. An answer is read as a stranger reads it: by the formats'
 * own words, with nothing of the code that makes them.
 */
import { type CategoryConfig, type FeedConfig, isPrivate, matches } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { type FeedFormat, feedFiles, feedFormats, feedOutputs } from '@newswire/events/feed'
import { toPageFile } from '@newswire/events/feed-page'
import { isSha256 } from '@newswire/events/ids'
import type { ExitKind, ExitState } from '@newswire/events/retraction-proof'
import { keys } from '@newswire/objects/keys'

/** How what comes from there is read. */
type Reading = 'rss' | 'atom' | 'json' | 'links' | 'hits' | 'status' | 'rendition'

export type Exit = Readonly<{
  kind: ExitKind
  /** Path at the gateway, or key in the store. */
  address: string
  from: 'gateway' | 'store'
  reading: Reading
  /** Asked for only when this exit is there: the next part of a day's pages. */
  next?: () => Exit
}>

export type Answer = Readonly<{ status: number; body: string; link: string }>
/** What an article is known by at its exits. `articleUrl`: of its page. */
export type Wanted = Readonly<{ articleId: string; tag: string; articleUrl: string }>

const READINGS = { rss: 'rss', atom: 'atom', json: 'json', sitemap: 'links' } as const

type Sources = Readonly<{ feeds: Iterable<FeedConfig>; categories: ReadonlyMap<string, CategoryConfig> }>

const feedPath = (feed: FeedConfig, file: string): Pick<Exit, 'address' | 'from'> =>
  isPrivate(feed) ? { address: `feeds/${feed.id}/${file}`, from: 'store' } : { address: `/feeds/${feed.id}/${file}`, from: 'gateway' }

/** The files of every feed, whether the article was ever to be in it or not. */
export const feedExits = (feeds: Iterable<FeedConfig>): Exit[] =>
  [...feeds].flatMap(feed =>
    feedOutputs.map((output): Exit => ({ kind: 'feed', ...feedPath(feed, feedFiles[output].name), reading: READINGS[output] })),
  )

/** A day has no more parts than this; each holds a hundred articles. */
const MOST_PARTS = 50

const pageExit = (feed: FeedConfig, format: FeedFormat, day: string, part: number): Exit => ({
  kind: 'feed-page',
  ...feedPath(feed, `pages/${toPageFile({ day, part }, format)}`),
  reading: READINGS[format],
  ...(part < MOST_PARTS ? { next: () => pageExit(feed, format, day, part + 1) } : {}),
})

/** The archive pages of the day on which it was first released, in the feeds that it was ever in. */
export const pageExits = ({ firstReleasedAt, facetsEver }: Fact, { feeds, categories }: Sources): Exit[] =>
  [...feeds]
    .filter(feed => matches(feed.match, facetsEver, categories))
    .flatMap(feed => feedFormats.map(format => pageExit(feed, format, firstReleasedAt.slice(0, 10), 1)))

/** Letters of a title that are searched for. */
const MOST_TITLE = 200

const searchExits = (title: string): Exit[] => {
  const query = new URLSearchParams({ q: title.slice(0, MOST_TITLE) })
  return [
    { kind: 'search', address: `/v1/search?${query}`, from: 'gateway', reading: 'hits' },
    { kind: 'search', address: `/search?${query}`, from: 'gateway', reading: 'links' },
    { kind: 'search', address: `/search/rss.xml?${query}`, from: 'gateway', reading: 'links' },
  ]
}

/** What an earlier version was known by. */
type Earlier = Readonly<{ titles: readonly string[]; renditions: readonly string[] }>

/** The article's own exits. */
export const articleExits = (articleId: string, { titles, renditions }: Earlier): Exit[] => {
  const own = (kind: ExitKind, end: string): Exit => ({ kind, address: `/articles/${articleId}${end}`, from: 'gateway', reading: 'status' })
  return [
    own('page', ''),
    own('page', '/print'),
    own('document', '/article.json'),
    own('document', '/ninjs.json'),
    { kind: 'list', address: '/', from: 'gateway', reading: 'links' },
    ...titles.flatMap(searchExits),
    ...renditions.map((key): Exit => ({ kind: 'rendition', address: `/${key}`, from: 'gateway', reading: 'rendition' })),
  ]
}

/** Every title and rendition that any of these versions had. */
export const toEarlier = (versions: readonly Fact[]): Earlier => {
  const live = versions.flatMap(fact => (fact.state === 'live' ? [fact.article] : []))
  return {
    titles: [...new Set(live.map(({ title }) => title))],
    renditions: [...new Set(live.flatMap(({ images }) => images.flatMap(({ renditions }) => renditions.map(({ key }) => key))))],
  }
}

type Seen = Readonly<{ state: ExitState; detail: string }>
const gone = (detail: string): Seen => ({ state: 'gone', detail })
const visible = (detail: string): Seen => ({ state: 'visible', detail })
const unclear = (detail: string): Seen => ({ state: 'unknown', detail })

/** An item with the article's identity that is no notice. */
const showsInRss = (body: string, tag: string): boolean =>
  body.split('<item>').some(item => item.includes(`>${tag}</guid>`) && !item.includes('<nw:status>retracted<'))

/** A deleted entry has a `ref`, and no `id` (RFC 6721 §3). */
const showsInAtom = (body: string, tag: string): boolean => body.includes(`<id>${tag}</id>`)

const showsInJson = (body: string, tag: string): boolean => {
  const { items = [] } = JSON.parse(body) as { items?: readonly { id?: unknown; _newswire?: { status?: unknown } }[] }
  return items.some(item => item.id === tag && item._newswire?.status !== 'retracted')
}

const showsInHits = (body: string, articleId: string): boolean => {
  const { hits } = JSON.parse(body) as { hits: readonly { id?: unknown }[] }
  return hits.some(hit => hit.id === articleId)
}

/** An address with nothing behind it that would make it another one's. */
const namesAddress = (body: string, address: string): boolean => {
  for (let at = body.indexOf(address); at !== -1; at = body.indexOf(address, at + 1))
    if (!/[A-Za-z0-9._~%-]/.test(body.charAt(at + address.length))) return true
  return false
}

const showsLink = (body: string, { articleId, articleUrl }: Wanted): boolean =>
  namesAddress(body, articleUrl) || namesAddress(body, `/articles/${articleId}`)

const shows = (reading: Exclude<Reading, 'status' | 'rendition'>, body: string, wanted: Wanted): boolean => {
  switch (reading) {
    case 'rss':
      return showsInRss(body, wanted.tag)
    case 'atom':
      return showsInAtom(body, wanted.tag)
    case 'json':
      return showsInJson(body, wanted.tag)
    case 'hits':
      return showsInHits(body, wanted.articleId)
    case 'links':
      return showsLink(body, wanted)
    default:
      return reading satisfies never
  }
}

/** What is not there, was there, or leads elsewhere. */
const ABSENT: ReadonlySet<number> = new Set([301, 302, 404, 410])

/** The article that shows a picture now, as the answer's `Link` says; `null` when it says none. */
export const shownBy = (link: string): string | null => /<[^>]*\/articles\/([^>/]+)>;\s*rel="describedby"/.exec(link)?.[1] ?? null

/** Whether an answer shows the article. A rendition that another article shows is for who asks that article to judge: `visible` until then. */
export const judge = (reading: Reading, answer: Answer, wanted: Wanted): Seen => {
  const { status, body } = answer
  if (ABSENT.has(status)) return gone(`it answered ${status}`)
  if (status !== 200) return unclear(`it answered ${status}`)
  if (reading === 'status' || reading === 'rendition') return visible('it answered 200')
  try {
    return shows(reading, body, wanted) ? visible('it is still in it') : gone('it is not in it')
  } catch {
    return unclear('what it answered cannot be read')
  }
}

/** Of an address or a key: the SHA-256 of the source picture. */
const sourceOf = (address: string): string | null => {
  const [, sha256 = ''] = /renditions\/([0-9a-f]{64})\//.exec(address) ?? []
  return isSha256(sha256) ? sha256 : null
}

/** Keys of renditions are made by one function; a fact's are held against it before they become addresses. */
export const isRenditionKey = (key: string): boolean => {
  const sha256 = sourceOf(key)
  return sha256 !== null && key.startsWith(keys.renditionPrefix(sha256)) && /^[a-z0-9/.-]+$/.test(key)
}
