/** What the service measures. Labels are outlets, which are few. */
import type { Metrics } from '@newswire/runtime/metrics'
import type { Attempted } from './actor.ts'
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
        for (const one of stats()) {
          const ageMs = one.oldestSinceMs === null ? 0 : Math.max(0, now() - one.oldestSinceMs)
          oldest.set(ageMs / 1000, { outlet: one.outletId })
          backlog.set(one.backlog, { outlet: one.outletId })
        }
      }),
  }
}
