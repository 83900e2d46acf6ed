/** What every feed shows, what it is shown without and why, and what keeps it back: a projection of `feeds`, beside what is configured. */
import { join } from 'node:path'
import type { FeedConfig } from '@newswire/events/config'
import { type FeedBuilt, type FeedOutput, feedOutputs } from '@newswire/events/feed'
import type { Log } from '@newswire/log/log'
import { openBuiltFeeds } from '@newswire/runtime/built-feeds'

type FeedStatus = Readonly<{
  id: string
  title: string
  profile: FeedConfig['profile']
  private: boolean
  /** The four below are `null` until the feed is built for the first time. */
  counter: number | null
  updatedAt: string | null
  items: number | null
  /** Bytes of each file; `null` for one that is not there yet. */
  outputs: Readonly<Record<FeedOutput, number | null>> | null
  /** Articles that the feed is shown without, each with the rule it breaks or what else is wrong with it. */
  quarantined: NonNullable<FeedBuilt['quarantined']>
  /** Why the last good files are shown and not the newest state. */
  fault: FeedBuilt['fault'] | null
}>

export type Feeds = Readonly<{
  /** The feeds of a configuration, in its order. */
  list(configured: Iterable<FeedConfig>): readonly FeedStatus[]
  caughtUp(signal?: AbortSignal): Promise<void>
  isReady(): boolean
  stop(): Promise<void>
}>

const toStatus = ({ id, title, profile, access }: FeedConfig, built: FeedBuilt | null): FeedStatus => ({
  id,
  title,
  profile,
  private: access !== undefined,
  counter: built?.counter ?? null,
  updatedAt: built?.updatedAt ?? null,
  items: built?.items ?? null,
  outputs:
    built === null
      ? null
      : (Object.fromEntries(feedOutputs.map(output => [output, built.outputs[output]?.bytes ?? null])) as FeedStatus['outputs']),
  quarantined: built?.quarantined ?? [],
  fault: built?.fault ?? null,
})

/** Who looks at the list lets it catch up first, ms. */
const PATIENCE_MS = 1_000

export const openFeeds = async ({ log, dataDir }: { log: Log; dataDir: string }): Promise<Feeds> => {
  const { built, caughtUp, isReady, stop } = await openBuiltFeeds({
    log,
    file: join(dataDir, 'views', 'console-feeds.db'),
    // The guard of the topic says it.
    onPoison: () => undefined,
    patienceMs: PATIENCE_MS,
  })
  return { list: configured => [...configured].map(feed => toStatus(feed, built(feed.id))), caughtUp, isReady, stop }
}
