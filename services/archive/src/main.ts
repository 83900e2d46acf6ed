/** archive: keeps every released version for good. Topics, limits and failure modes: README.md. */
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { StartService } from '@newswire/runtime/service'
import { onArticleReleased } from './on-article-released.ts'

/** Nobody waits for the archive: versions that come together are fetched together, ms. */
const PATIENCE_MS = 100

export const start: StartService = async ({ log, objects, logger, metrics, now }) => {
  const kept = metrics.counter('newswire_archive_versions_total', 'Versions archived.', ['action'])
  const visible = metrics.histogram('newswire_publish_to_visible_seconds', 'From taken at the front door to held by the sink.', ['sink'])
  const handler = onArticleReleased({
    objects,
    publish: publishEvents(log),
    now,
    onKept: event => {
      kept.inc({ action: event.data.action })
      visible.observe((now() - Date.parse(event.data.receivedAt ?? event.data.releasedAt)) / 1000, { sink: 'archive' })
    },
  })
  const subscription = await log.subscribe({
    topic: topics.articles.name,
    group: 'archive',
    concurrency: 32,
    patienceMs: PATIENCE_MS,
    handle: byType({
      'article.published': handler,
      'article.updated': handler,
      'article.corrected': handler,
      'article.retracted': handler,
      'article.purged': handler,
    }),
  })
  logger.info('service.started')
  return {
    name: 'archive',
    readiness: () => ({ ready: subscription.stats().unavailableSinceMs === null, detail: subscription.stats() }),
    stop: () => subscription.stop(),
  }
}
