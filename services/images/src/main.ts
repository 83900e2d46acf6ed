/** images: settles the pictures of every submission and passes it on. Topics, limits and failure modes: README.md. */
import { availableParallelism } from 'node:os'
import type { Picture } from '@newswire/events/article'
import { picturesConfig } from '@newswire/events/picture-config'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import { picturesOf } from '@newswire/runtime/configuration'
import { createRounds } from '@newswire/runtime/rounds'
import type { StartService } from '@newswire/runtime/service'
import { createShared } from '@newswire/runtime/shared'
import { createBringBack } from './bring-back.ts'
import { createDecoder } from './decoder.ts'
import { createFetches } from './fetches.ts'
import { onSubmissionAccepted } from './on-submission-accepted.ts'
import { createParking } from './parking.ts'
import { tableOf, toPlan } from './presets.ts'
import { rerenderAll } from './rerender.ts'
import { type Settle, type Settled, settlePicture } from './settle-picture.ts'
import { startSweep } from './start-sweep.ts'

/** A record is done within this, pictures or not (architecture §6.12). */
const WITHIN_MS = 2_000
const TAKE_UP_EVERY_MS = 30_000
const DAY_MS = 86_400_000
/** A change of presets whose note was lost is found by then. */
const RERENDER_EVERY_MS = 300_000
/** Records of the backfill topic handled at once, end to end. */
const BACKFILL_WINDOW = 64
/** Pictures fetched at once: each may hold 25 MB. A server that hangs takes its own share of them at most. */
const FETCHES = 16
const BACKFILL_FETCHES = 2
const FETCHES_PER_HOST = 6

const hostOf = ({ url }: Picture): string => (URL.canParse(url) ? new URL(url).host : '')

/** Processes that decode: a core is left to everything else, and each takes some 100 MB. */
const DECODERS = Math.max(1, Math.min(4, availableParallelism() - 1))

export const start: StartService = async ({ log, objects, outbound, configuration, logger, metrics, now, settings }) => {
  const publish = publishEvents(log)
  const settledPictures = metrics.counter('newswire_pictures_total', 'Pictures settled, by outcome.', ['outcome'])
  const crashes = metrics.counter('newswire_picture_decoder_crashes_total', 'Decoding processes that ended by themselves.')
  const decoder = createDecoder({
    processes: DECODERS,
    onCrash: end => {
      crashes.inc()
      logger.warn({ code: end.code, signal: end.signal, said: end.said }, 'decoder.crashed')
    },
  })
  const fetches = createFetches({ live: FETCHES, backfill: BACKFILL_FETCHES, ofHost: FETCHES_PER_HOST })
  const plan = () => toPlan(picturesOf(configuration.current()))
  const needs = { objects, outbound, decoder, plan, shared: createShared<Settled>(), now }
  const settle: Settle = async (picture, settleFor, signal) => {
    const result = await fetches({ lane: settleFor.lane, host: hostOf(picture) }, () => settlePicture(needs, picture, settleFor, signal))
    settledPictures.inc({ outcome: result.outcome === 'settled' ? result.picture.state : 'later' })
    return result
  }
  const bringBack = createBringBack({ objects, settle, logger })
  const parking = createParking({ objects, publish, settle, bringBack, now, retryScale: settings.retryScale, logger })

  const subscriptions: Subscription[] = []
  const partitions = () => subscriptions[0]?.partitions().map(held => held.partition) ?? []
  const partitionOf = (articleId: string) => log.partitionOf(topics.submissions.name, articleId)
  const takeUp = () =>
    parking
      .takeUp(articleId => partitions().includes(partitionOf(articleId)))
      .catch(error => logger.warn({ err: error }, 'parking.list-failed'))
  const table = () => tableOf(plan())
  const defaultTable = tableOf(toPlan(picturesConfig.parse({})))
  const rerender = createRounds({
    run: signal => rerenderAll({ objects, publish, settle, table, defaultTable, partitions, partitionOf }, signal),
    everyMs: RERENDER_EVERY_MS,
    retryMs: TAKE_UP_EVERY_MS * settings.retryScale,
    onError: (error, { aborted }) => {
      if (!aborted) logger.warn({ err: error }, 'rerender.interrupted')
    },
  })
  const keepMs = () => picturesOf(configuration.current()).keepUnusedDays * DAY_MS
  const sweep = startSweep({ log, objects, logger, metrics, now, keepMs, partitions, partitionOf })
  const forgetConfiguration = configuration.onChange(changed => {
    if (changed.has('pictures')) rerender.request()
  })
  const onAssigned = async () => {
    void takeUp()
    rerender.request()
    sweep.request()
  }
  const handle = byType({ 'submission.accepted': onSubmissionAccepted({ settle, bringBack, parking, publish, now, withinMs: WITHIN_MS }) })

  subscriptions.push(await log.subscribe({ topic: topics.submissions.name, group: 'images', concurrency: 64, handle, onAssigned }))
  subscriptions.push(
    await log.subscribe({ topic: topics.submissionsBackfill.name, group: 'images-backfill', concurrency: BACKFILL_WINDOW, handle }),
  )
  const timer = setInterval(takeUp, TAKE_UP_EVERY_MS * settings.retryScale)
  timer.unref()
  void takeUp()
  // Partitions that came while subscribing were not ours to see yet.
  rerender.request()
  sweep.request()
  logger.info('service.started')
  return {
    name: 'images',
    readiness: () => ({
      ready: subscriptions.every(one => one.stats().unavailableSinceMs === null),
      detail: { parked: parking.waiting(), decoder: decoder.stats(), ...subscriptions[0]?.stats() },
    }),
    stop: async () => {
      clearInterval(timer)
      forgetConfiguration()
      await Promise.all(subscriptions.map(one => one.stop()))
      await Promise.all([rerender.stop(), sweep.stop()])
      await parking.stop()
      await decoder.stop()
    },
  }
}
