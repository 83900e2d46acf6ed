/** archive: keeps every released version for good. Topics, limits and failure modes: README.md. */
import { codeOf } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { StartService } from '@newswire/runtime/service'
import { createCloser } from './closer.ts'
import { onArticleReleased } from './on-article-released.ts'
import { createPackedHashes } from './packed-hashes.ts'
import { purge } from './purge.ts'
import { purgedArticles } from './purged.ts'

/** Nobody waits for the archive: versions that come together are fetched together, ms. */
const PATIENCE_MS = 500
/** And said to be archived together, ms: little enough for 32 at once to be 1,500 a second. */
const SAID_WITHIN_MS = 20
const GROUP = 'archive'
/** Whoever holds this partition closes the days. */
const CLOSING_PARTITION = 0

export const start: StartService = async ({ log, objects, sealing, logger, metrics, now }) => {
  const kept = metrics.counter('newswire_archive_versions_total', 'Versions archived.', ['action'])
  const visible = metrics.histogram('newswire_publish_to_visible_seconds', 'From taken at the front door to held by the sink.', ['sink'])
  const isClosing = metrics.gauge('newswire_archive_closing', '1 while days can be closed, 0 since a try has failed.')
  const publish = publishEvents(log)
  const packed = createPackedHashes(objects, now)
  let purged: Set<string> = new Set()
  let holdsClosing = () => false
  const closer = createCloser({
    objects,
    log,
    sealing,
    logger,
    now,
    group: GROUP,
    owns: () => holdsClosing(),
    afterClose: async () => packed.forget(),
  })
  const handler = onArticleReleased({
    objects,
    packed,
    isPurged: articleId => purged.has(articleId),
    purge: async fact => {
      purged.add(fact.articleId)
      await closer.alone(() => purge({ objects, log, sealing, logger, now }, fact))
      packed.forget()
      // So that a manifest lists the record at once; when it cannot, the next look does.
      void closer.close().catch(error => logger.error({ err: error, code: codeOf(error) }, 'archive.not-closed'))
    },
    publish: events => publish(events, { patienceMs: SAID_WITHIN_MS }),
    now,
    onKept: event => {
      kept.inc({ action: event.data.action })
      visible.observe((now() - Date.parse(event.data.receivedAt ?? event.data.releasedAt)) / 1000, { sink: 'archive' })
    },
  })
  const subscription = await log.subscribe({
    topic: topics.articles.name,
    group: GROUP,
    concurrency: 32,
    patienceMs: PATIENCE_MS,
    // Another process may have purged an article of a partition that comes here.
    onAssigned: async ({ gained }) => {
      if (gained.length > 0) purged = new Set([...purged, ...(await purgedArticles(objects))])
    },
    handle: byType({
      'article.published': handler,
      'article.updated': handler,
      'article.corrected': handler,
      'article.retracted': handler,
      'article.purged': handler,
    }),
  })
  holdsClosing = () => subscription.partitions().some(({ partition }) => partition === CLOSING_PARTITION)
  metrics.onCollect(() => isClosing.set(closer.trouble() === null ? 1 : 0))
  logger.info('service.started')
  return {
    name: 'archive',
    readiness: () => ({
      ready: subscription.stats().unavailableSinceMs === null,
      detail: { ...subscription.stats(), ...(closer.trouble() === null ? {} : { notClosed: closer.trouble() }) },
    }),
    stop: async () => {
      await closer.stop()
      await subscription.stop()
    },
  }
}
