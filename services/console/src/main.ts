/** console: the operators' page and API. Topics, limits and failure modes: README.md. */
import { topics } from '@newswire/events/topics'
import { createHttpServer } from '@newswire/http/server'
import { byType, publishEvents } from '@newswire/log/events'
import { readOpenPurges } from '@newswire/objects/open-purges'
import { createOutbound } from '@newswire/outbound/create-outbound'
import { createFeedHub } from '@newswire/runtime/feed-hub'
import { keptFor } from '@newswire/runtime/kept-for'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import type { StartService } from '@newswire/runtime/service'
import { findConsoleOffence } from '@newswire/runtime/settings'
import { openDeadLetters } from './dead-letters.ts'
import { openFeeds } from './feeds.ts'
import { followEvents } from './follow-events.ts'
import { isLatePurge } from './open-purges.ts'
import { createAsk } from './proof-probe.ts'
import { startProofs } from './proofs.ts'
import { addRoutes } from './routes.ts'
import { readStages } from './stages.ts'
import { checkStore } from './store-health.ts'

/**
 * Topics that are only followed have no group whose failure would be seen. This one reads them for that alone: what is no event of ours
 * ends in the dead letters, with its bytes, and everything else is passed over.
 */
const GUARDED = [topics.milestones.name, topics.feeds.name, topics.configChanges.name, topics.subscriptions.name]

/** A write at most this often, however many look. */
const STORE_CHECKED_FOR_MS = 5_000

const PURGES_KEPT_FOR_MS = 5_000

/** How late a poison record may be found, ms. */
const GUARD_PATIENCE_MS = 1_000

export const start: StartService = async ({
  log,
  objects,
  configuration,
  logger,
  metrics,
  now,
  settings,
  sealing,
  trace: openTrace,
  gatewayUrl: ownGateway,
  secret,
}) => {
  const offence = findConsoleOffence(settings)
  if (offence !== null) throw new Error(offence)
  const counted = metrics.counter('newswire_dead_letters_total', 'Records given up.', ['stage'])
  const trace = await openTrace()
  const deadLetters = await openDeadLetters({ log, objects, dataDir: settings.dataDir, now, onArrival: stage => counted.inc({ stage }) })
  const feeds = await openFeeds({ log, dataDir: settings.dataDir })
  const events = await followEvents({ log, trace })
  const handle = byType({})
  const guards = await Promise.all(
    GUARDED.map(topic =>
      log.subscribe({
        topic,
        group: `console-guard-${topic}`,
        batch: 500,
        lane: record => String(record.partition),
        patienceMs: GUARD_PATIENCE_MS,
        handle,
      }),
    ),
  )

  // The address is the operator's own, so it may be on any network; everything else of the guard holds.
  const outbound = createOutbound({ network: () => ({ allow: ['0.0.0.0/0', '::/0'], allowHttp: true }) })
  const gatewayUrl = () => settings.probeUrl ?? (ownGateway === undefined ? configuration.current().site.publicUrl : ownGateway())
  const proofs = startProofs({
    objects,
    trace,
    configuration,
    publish: publishEvents(log),
    ask: createAsk({ outbound, objects, gatewayUrl }),
    logger,
    metrics,
    now,
    scale: settings.retryScale,
  })

  const lag = metrics.gauge('newswire_consumer_lag', 'Records not handled yet.', ['group', 'topic'])
  const lagSeconds = metrics.gauge('newswire_consumer_lag_seconds', 'Age of the oldest record not handled yet.', ['group', 'topic'])
  const open = metrics.gauge('newswire_dead_letters_open', 'Dead letters that nobody has decided on.')
  const { capabilitiesOf } = createFeedHub({ feeds: () => configuration.current().feeds, sealing })
  const storeTrouble = keptFor(STORE_CHECKED_FOR_MS, () => checkStore({ objects, dataDir: settings.dataDir }))
  const healthy = metrics.gauge('newswire_store_healthy', '1 when the store takes writes and the disk of the data folder has room.')
  const purges = keptFor(PURGES_KEPT_FOR_MS, () => readOpenPurges(objects))
  const openPurges = metrics.gauge('newswire_purges_open', 'Purges by law that failed, or are not done after twenty minutes.')
  const overdueHolds = metrics.gauge('newswire_holds_overdue', 'Articles still held a minute after their embargo ended.')
  metrics.onCollect(async () => {
    healthy.set((await storeTrouble()) === null ? 1 : 0)
    for (const stage of await readStages(log)) {
      lag.set(stage.lag, { group: stage.group, topic: stage.topic })
      lagSeconds.set((stage.oldestMs ?? 0) / 1000, { group: stage.group, topic: stage.topic })
    }
    overdueHolds.set(trace.overdueHolds(now()).articles)
    open.set(await deadLetters.open())
    openPurges.set((await purges()).filter(one => isLatePurge(one, now())).length)
  })

  const readiness = () => ({
    ready: trace.isReady() && deadLetters.isReady() && feeds.isReady(),
    detail: { trace: trace.isReady(), deadLetters: deadLetters.isReady(), feeds: feeds.isReady(), failure: trace.failure()?.message },
  })
  const server = createHttpServer({
    name: 'console',
    logger,
    host: settings.host,
    port: settings.consolePort,
    readiness,
    metrics,
  })
  addRoutes(server.app, {
    log,
    objects,
    configuration,
    trace,
    deadLetters,
    feeds,
    proofs,
    events,
    publish: publishEvents(log),
    control: createOutletControl({ objects, publish: publishEvents(log), sealing, logger, source: '/services/console', now }),
    storeTrouble,
    purges,
    capabilitiesOf,
    now,
    consoleToken: settings.consoleToken,
    // On an embedded log there is one process, which delivers as well.
    ...(log.kind === 'embedded' ? { secret } : {}),
  })
  const url = await server.listen()
  logger.info({ url }, 'service.started')
  return {
    name: 'console',
    url,
    readiness,
    stop: async () => {
      // Streams have no end of their own that closing could wait for.
      await events.stop()
      await server.close()
      await proofs.stop()
      await outbound.close()
      await Promise.all(guards.map(guard => guard.stop()))
      await deadLetters.stop()
      await feeds.stop()
    },
  }
}
