/**
 * What comes to the feeds in the store while the log does not tell: whoever still has the log goes on building them, so they say which articles are newer
 * than those known here. Those are read (`stored`), which is how the view gets to know them.
 */
import { messageOf } from '@newswire/events/errors'
import { feedFiles } from '@newswire/events/feed'
import { isArticleId } from '@newswire/events/ids'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { unpack } from '@newswire/objects/packed'
import type { Configuration } from '@newswire/runtime/configuration'
import type { StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

export type StoreFollower = Readonly<{
  /** Looks through all feeds, private ones too: what they show is public. Whoever asks meanwhile waits for the same look. Never throws. */
  look(): Promise<void>
  /** Whether all feeds were looked at once at least, and what one of them shows was read. */
  hasLooked(): boolean
  stop(): Promise<void>
}>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'head'>
  configuration: Pick<Configuration, 'current'>
  stored: Pick<StoreArticles, 'refresh'>
  view: Pick<View, 'article'>
  isLogThere: () => boolean
  /** Told when a feed was written, ms since 1970. */
  onWritten: (at: number) => void
  /** Told of a feed that cannot be read; it is looked at again (default: nobody is). */
  onUnread?: (details: Readonly<{ feedId: string; reason: string }>) => void
  /** Between two looks while the log is away, ms (default 5 000): as feeds that somebody reads are looked at. */
  everyMs?: number
}>

const EVERY_MS = 5_000

type Shown = Readonly<{ articleId: string; version: number }>

/** What a JSON feed says of its items; of one that does not say which version it is, any may be newer. Throws when it is none. */
const shownIn = (bytes: Uint8Array): readonly Shown[] => {
  const { items } = JSON.parse(Buffer.from(bytes).toString()) as { items: readonly unknown[] }
  return items.flatMap(item => {
    const { articleId, version = Number.POSITIVE_INFINITY } = (item as { _newswire?: Partial<Shown> } | null)?._newswire ?? {}
    return typeof articleId === 'string' && isArticleId(articleId) ? [{ articleId, version }] : []
  })
}

export const createStoreFollower = (needs: Needs): StoreFollower => {
  const { objects, configuration, stored, view, isLogThere, onWritten, onUnread = () => undefined, everyMs = EVERY_MS } = needs
  /** By feed, the tag of the file whose articles are all known. */
  const known = new Map<string, string>()
  let hasLooked = false
  let looking: Promise<void> | null = null
  let isStopped = false

  const lookAt = async (feedId: string): Promise<void> => {
    const key = keys.feed(feedId, feedFiles.json.name)
    const there = await objects.head(key)
    if (there === null || there.etag === known.get(feedId)) return
    const found = await objects.get(key)
    if (found === null) return
    const shown = shownIn(await unpack(key, found.bytes))
    await stored.refresh(
      shown.flatMap(({ articleId, version }) => (version > (view.article(articleId)?.fact.version ?? 0) ? articleId : [])),
    )
    known.set(feedId, found.etag)
    onWritten(found.lastModified.getTime())
  }
  const lookAtAll = async (): Promise<void> => {
    for (const feedId of configuration.current().feeds.keys()) {
      if (isStopped) return
      try {
        await lookAt(feedId)
      } catch (error) {
        onUnread({ feedId, reason: messageOf(error) })
      }
    }
    hasLooked ||= known.size > 0
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
