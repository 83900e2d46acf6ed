/** ingest: the front door. Topics, limits and failure modes: README.md. */
import { createHttpServer } from '@newswire/http/server'
import { publishEvents } from '@newswire/log/events'
import type { StartService } from '@newswire/runtime/service'
import { addRoutes } from './routes.ts'

/** Contract §3: an article with its text, pictures go their own way. */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024

export const start: StartService = async context => {
  const { log, objects, configuration, logger, metrics, now, settings, trace } = context
  const accepted = metrics.counter('newswire_articles_accepted_total', 'Submissions accepted.', ['publisher', 'command'])
  let open = true
  const readiness = () => ({ ready: open, detail: {} })
  const server = createHttpServer({
    name: 'ingest',
    logger,
    host: settings.host,
    port: settings.ingestPort,
    bodyLimit: BODY_LIMIT_BYTES,
    // A picture of 25 MB over a slow line is no attack.
    timeouts: { requestMs: 60_000 },
    readiness,
    metrics,
  })
  addRoutes(server.app, {
    objects,
    configuration,
    now,
    trace,
    publish: publishEvents(log),
    onAccepted: ({ publisher, command }) => accepted.inc({ publisher, command }),
  })
  const url = await server.listen()
  logger.info({ url }, 'service.started')
  return {
    name: 'ingest',
    url,
    readiness,
    stop: async () => {
      open = false
      await server.close()
    },
  }
}
