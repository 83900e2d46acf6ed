/**
 * What the store says of articles, for as long as the log has not told: `current/` is swapped before a fact is published, so what is released
 * there is never older than the log, and a retraction, a purge or a narrowed audience is there first. It cannot say who refers to an article;
 * whoever needs that is told that it is not known.
 */
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { type Fact, isPublic } from '@newswire/events/fact'
import type { FeedOutput } from '@newswire/events/feed'
import { isArticleId } from '@newswire/events/ids'
import { articleUrl } from '@newswire/events/public-article'
import { idsMeantBy, referencesOf } from '@newswire/events/references'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { createLimit, type Limit } from '@newswire/runtime/limit'
import { articlesIn } from './shown-articles.ts'
import { type Seen, toSeen, type View } from './view.ts'

/** How long what was seen of an article is not asked for again for the sake of a feed or its pages: as long as a feed read from the store is taken for current. */
const KNOWN_MS = 5_000
/** Of feeds, which are few, and again as many of everything else, which strangers choose. */
const READS_AT_ONCE = 32
/** Of everything else. */
const MAX_WAITING = 4_000
/** Of the articles that one refers to: a page without the rest is still right. */
const MOST_REFERENCES = 20
/** One reading of an article and those around it serves all who ask within this time, ms, as long as not more than so many are asked for. */
const SHARED_MS = 1_000
const MAX_SHARED = 100
/** Articles and pictures remembered. When it is full it begins again. */
const MAX_KNOWN = 50_000

type Around = Pick<View, 'article' | 'translationsOf' | 'hasAny'>

export type StoreArticles = Readonly<{
  /** The article, and those it leads to, as a view of them alone, at most a second old. Throws `UnavailableError`. */
  around(articleId: string): Promise<Around>
  /**
   * Whether every article that these bytes show may be shown, by what the store says now or said within 5 s. Throws `UnavailableError` when that is
   * not known of some and none is known to be taken back. `kind`: what they are of (default: a feed).
   */
  mayShow(output: FeedOutput, bytes: Uint8Array, kind?: 'feed' | 'page'): Promise<boolean>
  /** Which of these the store no longer has for all, by what it says now or said within 5 s, and of which that cannot be read. */
  askFor(articleIds: readonly string[]): Promise<Readonly<{ takenBack: ReadonlySet<string>; unread: ReadonlySet<string> }>>
  /** Reads these; a reading of one that is under way is taken for it, so a second call has all of them as they were at the first or later. Throws `UnavailableError`. */
  refresh(articleIds: readonly string[]): Promise<void>
  /** A public article that shows this picture to everybody, among those that were read here and `also`; `null`: none of them, which says nothing of others. */
  shownBy(sha256: string, also: string | null): Promise<string | null>
}>

type StoreArticlesOptions = Readonly<{ onUnreadable?: (details: Unreadable) => void; onRead?: (fact: Fact) => void }>
type Unreadable = Readonly<{ articleId: string; code: string; message: string }>

/** As `createLimit`; with too many waiting it throws `UnavailableError` `NEWSWIRE_GATEWAY_BUSY` at once. */
const createBoundedLimit = (): Limit => {
  const limit = createLimit(READS_AT_ONCE)
  let waiting = 0
  return async work => {
    if (waiting >= MAX_WAITING) throw new UnavailableError('NEWSWIRE_GATEWAY_BUSY', `${MAX_WAITING} articles wait to be read already`)
    waiting += 1
    try {
      return await limit(work)
    } finally {
      waiting -= 1
    }
  }
}

/**
 * Readings of one article at the same time are one. `onUnreadable`: told of a document that is not as it should be; of such an article nothing is
 * known. `onRead`: told of what is released of an article, for nobody's eyes but its own (default of both: nobody is).
 */
export const createStoreArticles = (
  objects: Pick<Objects, 'get'>,
  publicUrl: () => string,
  { onUnreadable = () => undefined, onRead = () => undefined }: StoreArticlesOptions = {},
): StoreArticles => {
  const forFeeds = createLimit(READS_AT_ONCE)
  const forOthers = createBoundedLimit()
  /** Whether an article was public when it was last seen, at a monotonic ms. */
  const known = new Map<string, Readonly<{ isPublic: boolean; at: number }>>()
  const reading = new Map<string, Promise<Seen | null>>()
  const showers = new Map<string, string>()
  /** By the address of a page of the site, the articles that ever said that it is theirs. */
  const pages = new Map<string, Set<string>>()

  const rememberPage = (href: string, articleId: string) => {
    pages.set(href, (pages.get(href) ?? new Set()).add(articleId))
  }
  /** Its own address here, and the one it says it has elsewhere on the site. That of another article here is not its own to say. */
  const rememberPages = (articleId: string, canonicalUrl: string | undefined) => {
    rememberPage(new URL(articleUrl(publicUrl(), articleId)).href, articleId)
    const elsewhere = canonicalUrl === undefined ? undefined : URL.parse(canonicalUrl)?.href
    if (elsewhere !== undefined && !elsewhere.startsWith(new URL(articleUrl(publicUrl(), '')).href)) rememberPage(elsewhere, articleId)
  }
  const remember = (articleId: string, seen: Seen | null) => {
    if (known.size >= MAX_KNOWN) {
      known.clear()
      pages.clear()
    }
    if (showers.size >= MAX_KNOWN) showers.clear()
    known.set(articleId, { isPublic: seen?.state === 'public', at: performance.now() })
    if (seen?.state !== 'public') return
    rememberPages(articleId, seen.fact.article.canonicalUrl)
    for (const { sha256 } of seen.fact.article.images) if (sha256 !== undefined) showers.set(sha256, articleId)
  }
  const readNow = async (articleId: string, limit: Limit): Promise<Seen | null> => {
    try {
      const released = await limit(() => getReleased(objects, articleId))
      const seen = released === null ? null : toSeen(released.fact)
      remember(articleId, seen)
      if (released !== null) onRead(released.fact)
      return seen
    } catch (error) {
      if (!(error instanceof RejectError)) throw error
      onUnreadable({ articleId, code: error.code, message: error.message })
      remember(articleId, null)
      return null
    } finally {
      reading.delete(articleId)
    }
  }
  const read = (articleId: string, limit: Limit = forOthers): Promise<Seen | null> => {
    const running = reading.get(articleId) ?? readNow(articleId, limit)
    reading.set(articleId, running)
    return running
  }
  const isShown = async (articleId: string, limit: Limit): Promise<boolean> => {
    const before = known.get(articleId)
    if (before !== undefined && performance.now() - before.at < KNOWN_MS) return before.isPublic
    return (await read(articleId, limit))?.state === 'public'
  }

  const readAround = async (articleId: string): Promise<Around> => {
    const one = await read(articleId)
    const nothing = { translationsOf: () => [], hasAny: () => false }
    if (one === null) return { article: () => null, ...nothing }
    const { fact } = one
    const original = isPublic(fact) && fact.article.translationOf !== undefined ? [fact.article.translationOf] : []
    const names = [...referencesOf(fact).slice(0, MOST_REFERENCES), ...original]
    const ids = [...new Set(names.flatMap(name => idsMeantBy(name, fact.publisher)))].filter(id => id !== articleId)
    const others = await Promise.all(ids.map(async id => [id, await read(id)] as const))
    const seen = new Map<string, Seen | null>([[articleId, one], ...others])
    return { article: id => seen.get(id) ?? null, ...nothing }
  }
  const shared = new Map<string, Readonly<{ at: number; reading: Promise<Around> }>>()

  return {
    around: articleId => {
      const before = shared.get(articleId)
      if (before !== undefined && performance.now() - before.at < SHARED_MS) return before.reading
      if (shared.size >= MAX_SHARED) shared.clear()
      const reading = readAround(articleId)
      shared.set(articleId, { at: performance.now(), reading })
      reading.catch(() => shared.delete(articleId))
      return reading
    },
    mayShow: async (output, bytes, kind = 'feed') => {
      const ids = articlesIn(output, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), page => pages.get(page) ?? [])
      if (ids === null) return false
      const answers = await Promise.allSettled([...ids].map(id => isShown(id, kind === 'feed' ? forFeeds : forOthers)))
      // What was taken back counts, whatever else could not be read.
      if (answers.some(one => one.status === 'fulfilled' && !one.value)) return false
      for (const one of answers) if (one.status === 'rejected') throw one.reason
      return true
    },
    askFor: async articleIds => {
      const answers = await Promise.allSettled(articleIds.map(id => isShown(id, forOthers)))
      const those = (isSo: (answer: PromiseSettledResult<boolean> | undefined) => boolean) =>
        new Set(articleIds.filter((_, index) => isSo(answers[index])))
      return {
        takenBack: those(answer => answer?.status === 'fulfilled' && !answer.value),
        unread: those(answer => answer?.status === 'rejected'),
      }
    },
    refresh: async articleIds => {
      await Promise.all(articleIds.map(id => read(id, forFeeds)))
    },
    shownBy: async (sha256, also) => {
      const candidates = new Set([showers.get(sha256), also].filter(id => typeof id === 'string' && isArticleId(id)) as string[])
      for (const id of candidates) {
        const seen = await read(id)
        if (seen?.state === 'public' && seen.fact.article.images.some(image => image.sha256 === sha256)) return id
      }
      return null
    },
  }
}
