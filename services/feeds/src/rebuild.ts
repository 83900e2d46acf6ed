/**
 * A feed made again because an operator wants it (`feeds/<feed id>/rebuild.json`, `feed-page.ts` of the events package). The document says how
 * far it is and is the memory of it too: one that is not done is taken up again by the next sweep, from the beginning.
 */
import { type FeedRebuild, feedRebuild } from '@newswire/events/feed-page'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

export type RebuildProgress = Readonly<{
  /** One more page was looked at. */
  looked(written: boolean): Promise<void>
  finished(): Promise<void>
}>

/** How often the document is written while pages are looked at, milliseconds. */
const TELL_MS = 500

type Store = Pick<Objects, 'get' | 'put'>

/** The wish that is not fulfilled yet; `null` when there is none. */
export const wantedRebuild = async (objects: Store, feedId: string): Promise<FeedRebuild | null> => {
  const found = await getDocument(objects, keys.feed(feedId, 'rebuild.json'), feedRebuild).catch(() => null)
  return found === null || found.value.state === 'done' ? null : found.value
}

type Begun = Readonly<{ id: string; feedId: string; changed: boolean; total: number; now: () => number }>

/** Says that the feed itself is done and its pages are next. A newer wish in the document is left alone, and then nothing is told. */
export const startRebuild = async (objects: Store, { id, feedId, changed, total, now }: Begun): Promise<RebuildProgress> => {
  const key = keys.feed(feedId, 'rebuild.json')
  let looked = 0
  let written = 0
  let toldMs = 0
  const tell = async (state: FeedRebuild['state']): Promise<void> => {
    const before = await getDocument(objects, key, feedRebuild)
    if (before === null || before.value.id !== id || before.value.state === 'done') return
    toldMs = now()
    const next: FeedRebuild = {
      ...before.value,
      n: before.value.n + 1,
      state,
      changed: changed || written > 0,
      pages: { total, looked, written },
      ...(state === 'done' ? { finishedAt: new Date(now()).toISOString() } : {}),
    }
    // Lost to a newer wish: that one is told of.
    await swapDocument(objects, key, next, before.etag)
  }
  await tell('pages')
  return {
    looked: async isWritten => {
      looked += 1
      if (isWritten) written += 1
      if (now() - toldMs >= TELL_MS) await tell('pages')
    },
    finished: () => tell('done'),
  }
}
