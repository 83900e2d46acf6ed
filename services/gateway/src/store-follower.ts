/**
 * What comes to the feeds in the store while the log does not tell: whoever still has the log goes on building them, so they say which articles are newer
 * than those known here. Those are read (`stored`), which is how the view gets to know them.
 */
import { codeOf, messageOf } from '@newswire/events/errors'
import { feedFiles } from '@newswire/events/feed'
import { isArticleId } from '@newswire/events/ids'
import { hashOfTag } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { damagedCode, unpack } from '@newswire/objects/packed'
import type { Configuration } from '@newswire/runtime/configuration'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

type StoreFollower = Readonly<{
  /** Looks through all feeds, private ones too: what they show is public. Whoever asks meanwhile waits for the same look. Never throws. */
  look(): Promise<void>
  /**
   * Whether each feed was looked at once at least, and what one of them shows was read. One without a file has nothing to look at; one whose file is no
   * feed hinders no other; one that the store did not answer for has not been looked at.
   */
  hasLooked(): boolean
  stop(): Promise<void>
}>

type Unread = Readonly<{ feedId: string; reason: string }>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'head'>
  configuration: Pick<Configuration, 'current'>
  stored: Pick<StoreArticles, 'refresh'>
  view: Pick<View, 'article'>
  isLogThere: () => boolean
  /** Told when a feed was written, ms since 1970. */
  onWritten: (at: number) => void
  /** Told once a look of those that could not be read: how many, and the first of them. They are looked at again (default: nobody is). */
  onUnread?: (details: Readonly<{ feeds: number }> & Unread) => void
  /** Between two looks while the log is away, ms (default 5 000): as feeds that somebody reads are looked at. */
  everyMs?: number
}>

const EVERY_MS = 5_000
const LOOKS_AT_ONCE = 16

type Shown = Readonly<{ articleId: string; version: number }>

/** What a JSON feed says of its items; of one that does not say which version it is, any may be newer. Throws when it is none. */
const shownIn = (bytes: Uint8Array): readonly Shown[] => {
  const { items } = JSON.parse(Buffer.from(bytes).toString()) as { items: readonly unknown[] }
  return items.flatMap(item => {
    const { articleId, version = Number.POSITIVE_INFINITY } = (item as { _newswire?: Partial<Shown> } | null)?._newswire ?? {}
    return typeof articleId === 'string' && isArticleId(articleId) ? [{ articleId, version }] : []
  })
}

/** The store answered, with what nothing can be read of: no JSON, or not as it was written. */
const isNoFeed = (error: unknown): boolean => error instanceof SyntaxError || error instanceof TypeError || codeOf(error) === damagedCode

export const createStoreFollower = (needs: Needs): StoreFollower => {
  const { objects, configuration, stored, view, isLogThere, onWritten, onUnread = () => undefined, everyMs = EVERY_MS } = needs
  /** By feed, the tag of the file whose articles are all known. */
  const known = new Map<string, string>()
  const lookedAt = new Set<string>()
  let hasLooked = false
  let looking: Promise<void> | null = null
  let isStopped = false

  /** Those of which the view does not have what is shown. */
  const newerOf = (shown: readonly Shown[]): readonly string[] =>
    shown.flatMap(({ articleId, version }) => (version > (view.article(articleId)?.fact.version ?? 0) ? articleId : []))

  const lookAt = async (feedId: string): Promise<void> => {
    const key = keys.feed(feedId, feedFiles.json.name)
    const there = await objects.head(key)
    if (there === null || there.etag === known.get(feedId)) return
    const found = await objects.get(key, { sha256: hashOfTag(there.etag) })
    if (found === null) return
    const shown = shownIn(await unpack(key, found.bytes))
    await stored.refresh(newerOf(shown))
    // A reading that was under way is shared, and may be of before the feed was written. The next one is not.
    await stored.refresh(newerOf(shown))
    known.set(feedId, found.etag)
    onWritten(found.lastModified.getTime())
  }
  const lookAtAll = async (): Promise<void> => {
    const feedIds = [...configuration.current().feeds.keys()]
    const unread = await sideBySide(feedIds, LOOKS_AT_ONCE, async (feedId): Promise<Unread | null> => {
      if (isStopped) return null
      try {
        await lookAt(feedId)
        lookedAt.add(feedId)
        return null
      } catch (error) {
        if (isNoFeed(error)) lookedAt.add(feedId)
        return { feedId, reason: messageOf(error) }
      }
    })
    const those = unread.filter(one => one !== null)
    const [first] = those
    if (first !== undefined) onUnread({ feeds: those.length, ...first })
    hasLooked ||= known.size > 0 && feedIds.every(feedId => lookedAt.has(feedId))
  }
  const look = (): Promise<void> => {
    looking ??= lookAtAll().finally(() => {
      looking = null
    })
    return looking
  }
  const timer = setInterval(() => (isLogThere() ? undefined : void look()), everyMs)
  timer.unref()
  return {
    look,
    hasLooked: () => hasLooked,
    stop: async () => {
      isStopped = true
      clearInterval(timer)
      await looking
    },
  }
}
