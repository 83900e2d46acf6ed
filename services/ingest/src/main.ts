/** ingest: the front door. Topics, limits and failure modes: README.md. */
import { UnavailableError } from '@newswire/events/errors'
import { createHttpServer } from '@newswire/http/server'
import { type Publish, publishEvents } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import type { StartService } from '@newswire/runtime/service'
import { toSpan } from './accepted-span.ts'
import { createSpacing, unspaced } from './backfill-spacing.ts'
import { createBackfillWindow } from './backfill-window.ts'
import { addRoutes } from './routes.ts'
import { sweepClaims } from './sweep-claims.ts'

/** How long one failed write makes this process not ready, so that others are asked first. */
const REFUSING_MS = 5_000
/** Claims go after weeks: few listings a day are enough. */
const SWEEP_EVERY_MS = 6 * 3_600_000
/** Contract §3: an article with its text, pictures go their own way. */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024

export const start: StartService = async context => {
  const { log, configuration, logger, metrics, now, settings, trace, secret } = context
  const accepted = metrics.counter('newswire_articles_accepted_total', 'Submissions accepted.', ['publisher', 'command'])
  let open = true
  // Not for long: without requests nothing would ever say that log and store are back.
  const failedAt = { log: Number.NEGATIVE_INFINITY, store: Number.NEGATIVE_INFINITY }
  const isAway = (part: keyof typeof failedAt) => now() - failedAt[part] < REFUSING_MS
  const noting =
    <A extends unknown[], R>(part: keyof typeof failedAt, work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      try {
        const done = await work(...given)
        failedAt[part] = Number.NEGATIVE_INFINITY
        return done
      } catch (error) {
        if (error instanceof UnavailableError) failedAt[part] = now()
        throw error
      }
    }
  const publish: Publish = noting('log', publishEvents(log))
  const objects: Objects = { ...context.objects, put: noting('store', context.objects.put) }
  const readiness = () => ({
    ready: open && !isAway('log') && !isAway('store'),
    detail: { open, logAway: isAway('log'), storeAway: isAway('store') },
  })
  const server = createHttpServer({
    name: 'ingest',
    logger,
    host: settings.host,
    port: settings.ingestPort,
    bodyLimit: BODY_LIMIT_BYTES,
    // A picture of 25 MB over a slow line is no attack.
    timeouts: { requestMs: 60_000 },
    readiness,
  })
  const backfill = createBackfillWindow({ objects, trace, now, spacing: log.kind === 'embedded' ? createSpacing() : unspaced })
  const underWay = metrics.gauge('newswire_backfill_under_way', 'Imports that were taken and have not come to an end.')
  metrics.onCollect(async () => underWay.set(backfill.taken()))
  addRoutes(server.app, {
    objects,
    configuration,
    now,
    trace,
    secret,
    publish,
    backfill,
    onAccepted: taken => {
      const { publisher, command } = taken.submission
      accepted.inc({ publisher, command })
      context.spans?.add(toSpan(taken, now()))
    },
  })
  const url = await server.listen()
  const stopping = new AbortController()
  const sweeping = setInterval(
    () => void sweepClaims(objects, now(), stopping.signal).catch(error => logger.warn({ err: error }, 'claims.unswept')),
    SWEEP_EVERY_MS,
  )
  sweeping.unref()
  logger.info({ url }, 'service.started')
  return {
    name: 'ingest',
    url,
    readiness,
    stop: async () => {
      open = false
      clearInterval(sweeping)
      stopping.abort()
      backfill.stop()
      await server.close()
    },
  }
}
