/** desk: decides what goes out, in which version and when. Topics, settings, limits and failure modes: README.md. */
import { join } from 'node:path'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { RunningService, ServiceContext, StartService } from '@newswire/runtime/service'
import type { Settings } from '@newswire/runtime/settings'
import { dueCause, picturesCause, referencesCause, submissionCause } from './cause.ts'
import { tellDeadSubmissions } from './dead-submissions.ts'
import { createHandle, type Needs } from './handle.ts'
import { createHolds } from './holds.ts'
import { createMend } from './mend.ts'
import { createReferenceSweep } from './reference-sweep.ts'
import { openSeenVersions } from './seen.ts'

/** Articles handled at once: each waits for one swap and one publish, which are grouped by store and log. */
const CONCURRENCY = 32
/** How often holds are looked through and late writes are mended, before `NEWSWIRE_RETRY_SCALE`. */
const ROUND_MS = 30_000
/** An article that still names what it should not, or not what it should, is asked for again after so long, before `NEWSWIRE_RETRY_SCALE`. */
const AGAIN_MS = 5_000
const SHORTEST_ROUND_MS = 200

type Context = Pick<ServiceContext, 'log' | 'objects' | 'logger' | 'metrics' | 'now'> &
  Readonly<{ settings: Pick<Settings, 'dataDir' | 'retryScale'> }>

export const start = (async ({ log, objects, logger, metrics, settings, now }: Context): Promise<RunningService> => {
  const roundMs = Math.max(SHORTEST_ROUND_MS, ROUND_MS * settings.retryScale)
  const owned = new Set<number>()
  const owns = (articleId: string): boolean => owned.has(log.partitionOf(topics.prepared.name, articleId))

  const releases = metrics.counter('newswire_articles_released_total', 'Versions released by the desk.', ['action'])
  const submissions = metrics.counter('newswire_submissions_total', 'What became of submissions at the desk.', ['state'])
  const onHandled: Needs['onHandled'] = ({ articleId, released, outcomes }) => {
    for (const { state } of outcomes) submissions.inc({ state })
    if (released === null) return
    releases.inc({ action: released.fact.action })
    logger.info({ articleId, version: released.fact.version, action: released.fact.action }, 'article.released')
  }

  const seen = await openSeenVersions({ log, file: join(settings.dataDir, 'views', 'desk-articles.db') })
  const mend = createMend({ log, objects, behind: seen.behind, owns, logger })
  seen.whenBehind(() => void mend.round())
  const { isReady, unsettledAfter } = seen
  const againMs = Math.max(SHORTEST_ROUND_MS, AGAIN_MS * settings.retryScale)
  const sweep = createReferenceSweep({ log, unsettledAfter, isReady, owns, now, logger, againMs })
  seen.whenUnsettled(() => void sweep.round())
  seen.ready.then(sweep.round, () => undefined) // `failure()` tells
  const holds = createHolds({ log, objects, owns, now, logger, roundMs })
  const handle = createHandle({ log, objects, seen, remember: holds.remember, now, onHandled })

  // No fence against zombies: a second desk loses the swap, and what it publishes late is mended (handle.ts).
  const subscription = await log.subscribe({
    topic: topics.prepared.name,
    group: 'desk',
    concurrency: CONCURRENCY,
    handle: byType({
      'submission.prepared': (event, { record }) => handle(submissionCause(event, record.key)),
      'pictures.arrived': (event, { record }) => handle(picturesCause(event, record.key)),
      'hold.due': (event, { record }) => handle(dueCause(event, record.key)),
      'references.changed': async (event, { record }) => {
        await handle(referencesCause(event, record.key))
        sweep.handled(event.data.articleId)
      },
    }),
    onAssigned: async ({ gained, lost }) => {
      for (const partition of lost) owned.delete(partition)
      for (const partition of gained) owned.add(partition)
      if (gained.length > 0) void holds.round().then(mend.round).then(sweep.round)
    },
  })

  const refusals = await log.subscribe({
    topic: topics.deadLetters.name,
    group: 'desk-dead-letters',
    handle: tellDeadSubmissions(publishEvents(log)),
  })

  let isStopped = false
  let round: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    round = holds.round().then(mend.round).then(sweep.round)
  }, roundMs)

  return {
    name: 'desk',
    readiness: () => ({
      ready: seen.isReady() && seen.failure() === null,
      detail: {
        partitions: owned.size,
        holds: holds.waiting(),
        references: sweep.underWay(),
        ...subscription.stats(),
        failure: seen.failure()?.message ?? null,
      },
    }),
    stop: async () => {
      if (isStopped) return
      isStopped = true
      clearInterval(timer)
      holds.stop()
      await Promise.all([subscription.stop(), refusals.stop()])
      await round
      await mend.stop()
      await sweep.stop()
      await seen.stop()
    },
  }
}) satisfies StartService
