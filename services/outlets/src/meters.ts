/** What the service measures. Labels are outlets and feeds, which are few; never subscribers. */
import type { Metrics } from '@newswire/runtime/metrics'
import type { Hub } from './hub.ts'
import type { Attempted } from './outlet-kind.ts'
import type { Distributed } from './websub.ts'
import type { Worker } from './worker.ts'

export const createMeters = (metrics: Metrics, now: () => number) => {
  const seconds = metrics.histogram('newswire_delivery_seconds', 'From intent to acceptance by the outlet.', ['outlet'])
  const visible = metrics.histogram('newswire_publish_to_visible_seconds', 'From taken at the front door to held by the sink.', ['sink'])
  const results = metrics.counter('newswire_outlet_deliveries_total', 'Attempts, by what came of them.', ['outlet', 'result'])
  const oldest = metrics.gauge('newswire_oldest_pending_seconds', 'Age of the oldest article that the outlet still has to get.', ['outlet'])
  const backlog = metrics.gauge('newswire_outlet_backlog', 'Articles that the outlet still has to get.', ['outlet'])
  return {
    onAttempt: ({ outletId: outlet, outcome, fact, sinceIntentMs }: Attempted) => {
      results.inc({ outlet, result: outcome })
      if (outcome !== 'accepted') return
      seconds.observe(sinceIntentMs / 1000, { outlet })
      visible.observe(Math.max(0, now() - Date.parse(fact.receivedAt ?? fact.releasedAt)) / 1000, { sink: 'outlet' })
    },
    watch: (stats: Worker['stats']) =>
      metrics.onCollect(() => {
        // Of an outlet whose partition went to another process, that one tells.
        oldest.reset()
        backlog.reset()
        for (const one of stats()) {
          const ageMs = one.oldestSinceMs === null ? 0 : Math.max(0, now() - one.oldestSinceMs)
          oldest.set(ageMs / 1000, { outlet: one.id })
          backlog.set(one.backlog, { outlet: one.id })
        }
      }),
  }
}

export const createHubMeters = (metrics: Metrics, now: () => number) => {
  const seconds = metrics.histogram('newswire_hub_delivery_seconds', 'From the build of a feed to its acceptance by a subscriber.', [
    'feed',
  ])
  const results = metrics.counter('newswire_hub_deliveries_total', 'Attempts at WebSub callbacks, by what came of them.', [
    'feed',
    'result',
  ])
  const backlog = metrics.gauge('newswire_hub_backlog', 'Subscribers that have still to get the newest build.', ['feed'])
  const oldest = metrics.gauge('newswire_hub_oldest_pending_seconds', 'How long the subscriber that waits longest has waited.', ['feed'])
  return {
    onAttempt: ({ feedId: feed, outcome, sinceIntentMs }: Distributed) => {
      results.inc({ feed, result: outcome })
      if (outcome === 'accepted') seconds.observe(sinceIntentMs / 1000, { feed })
    },
    watch: (stats: Hub['stats']) =>
      metrics.onCollect(() => {
        const feeds = new Map<string, { backlog: number; oldestMs: number }>()
        for (const one of stats()) {
          const feed = feeds.get(one.feedId) ?? { backlog: 0, oldestMs: 0 }
          feed.backlog += one.backlog
          if (one.oldestSinceMs !== null) feed.oldestMs = Math.max(feed.oldestMs, now() - one.oldestSinceMs)
          feeds.set(one.feedId, feed)
        }
        oldest.reset()
        backlog.reset()
        for (const [feed, one] of feeds) {
          backlog.set(one.backlog, { feed })
          oldest.set(one.oldestMs / 1000, { feed })
        }
      }),
  }
}
