/** What is seen of readers, told outside: as metrics when they are asked for, and into the store every few minutes. */
import { feedReaders } from '@newswire/events/feed'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import type { Metrics } from '@newswire/runtime/metrics'
import { mergeReaders, outcomes, type Readers } from './readers.ts'

/** Feeds with metrics of their own; those beyond are counted together, so that a configuration of thousands does not become as many series. */
const MAX_LABELS = 300
const DAY_MS = 86_400_000
/** Gateways that swap the same object at once: one wins, the others look again. */
const TRIES = 5

/** Counters are sums over the process's life; the collector is told only what came since it last asked. */
export const showReaders = (readers: Readers, metrics: Metrics, now: () => number): void => {
  const polls = metrics.counter('newswire_feed_polls_total', 'Requests for feeds, by what they were answered with.', [
    'feed',
    'output',
    'outcome',
  ])
  const bytes = metrics.counter('newswire_feed_sent_bytes_total', 'Bytes of feed bodies sent.', ['feed', 'output'])
  const distinct = metrics.gauge('newswire_feed_readers', 'Different readers of a feed in the last 24 hours, at most 100 000 in all.', [
    'feed',
  ])
  const last = metrics.gauge('newswire_feed_last_poll_seconds', 'When a feed was last asked for, seconds since 1970.', ['feed'])
  const told = new Map<string, number>()
  const labels = new Set<string>()
  const labelOf = (feedId: string): string => {
    if (labels.size < MAX_LABELS) labels.add(feedId)
    return labels.has(feedId) ? feedId : 'other'
  }
  const since = (key: string, value: number): number => {
    const more = value - (told.get(key) ?? 0)
    told.set(key, value)
    return more
  }
  metrics.onCollect(() => {
    distinct.reset()
    const lastAt = new Map<string, number>()
    for (const use of readers.uses()) {
      const feed = labelOf(use.feedId)
      const { output } = use
      for (const outcome of outcomes) {
        const more = since(`${use.feedId}/${output}/${outcome}`, use.polls[outcome])
        if (more > 0) polls.inc({ feed, output, outcome }, more)
      }
      bytes.inc({ feed, output }, since(`${use.feedId}/${output}`, use.bytes))
      if (output !== 'page') lastAt.set(feed, Math.max(lastAt.get(feed) ?? 0, use.lastAt))
    }
    for (const [feed, at] of lastAt) {
      last.set(at / 1000, { feed })
      if (feed !== 'other') distinct.set(readers.distinct(feed, now() - DAY_MS), { feed })
    }
  })
}

type Needs = Readonly<{ readers: Readers; objects: Pick<Objects, 'get' | 'put'>; logger: Pick<Logger, 'warn'>; now: () => number }>

/** Merges what was seen of one feed's readers into the store, by compare-and-swap. Safe to repeat. */
const keepOne = async ({ readers, objects, now }: Needs, feedId: string): Promise<void> => {
  const seen = readers.seen(feedId)
  if (seen === null) return
  const key = keys.feed(feedId, 'readers.json')
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const held = await getDocument(objects, key, feedReaders)
    const merged = mergeReaders(held?.value ?? null, seen, now())
    if (merged === null) return
    if ((await swapDocument(objects, key, merged, held?.etag ?? null, { durable: false })).ok) return
  }
}

/** All feeds. One that cannot be kept is logged and tried again in the next round: nothing is lost but time. */
export const keepReaders = async (needs: Needs): Promise<void> => {
  for (const feedId of needs.readers.feeds())
    try {
      await keepOne(needs, feedId)
    } catch (error) {
      needs.logger.warn({ feedId, err: error }, 'readers.not-kept')
    }
  needs.readers.sweep(needs.now())
}

/** Every `everyMs` (default five minutes), and once more when stopped. */
export const startKeepingReaders = (needs: Needs, everyMs = 300_000): { stop(): Promise<void> } => {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => keepReaders(needs))
  }, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      running = running.then(() => keepReaders(needs))
      return running
    },
  }
}
