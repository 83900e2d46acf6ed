/** images: settles the pictures of every submission and passes it on. Topics, limits and failure modes: README.md. */
import { availableParallelism } from 'node:os'
import type { Picture } from '@newswire/events/article'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import type { StartService } from '@newswire/runtime/service'
import { createKeyedLimit, createLimit } from './limit.ts'
import { onSubmissionAccepted } from './on-submission-accepted.ts'
import { createParking } from './parking.ts'
import { settlePicture } from './settle-picture.ts'
import { loadRenderer, type Renderer } from './sharp.ts'

/** A record is done within this, pictures or not (architecture §6.12). */
const WITHIN_MS = 2_000
const TAKE_UP_EVERY_MS = 30_000
/** Records of the backfill topic handled at once, end to end. */
const BACKFILL_WINDOW = 64
/** Pictures fetched at once: each may hold 25 MB. A server that hangs takes its own share of them at most. */
const FETCHES = 16
const FETCHES_PER_HOST = 6

const hostOf = ({ url }: Picture): string => (URL.canParse(url) ? new URL(url).host : '')

export const start: StartService = async ({ log, objects, outbound, logger, metrics, now, settings }) => {
  const publish = publishEvents(log)
  const settledPictures = metrics.counter('newswire_pictures_total', 'Pictures settled, by outcome.', ['outcome'])
  let loading: Promise<Renderer> | undefined
  const renderer = () => {
    loading ??= loadRenderer().catch(error => {
      loading = undefined
      throw error
    })
    return loading
  }
  const fetches = createLimit(FETCHES)
  const fetchesOfHost = createKeyedLimit(FETCHES_PER_HOST)
  const needs = { objects, outbound, renderer, limit: createLimit(availableParallelism()) }
  const settle = async (picture: Picture, signal: AbortSignal) => {
    const result = await fetchesOfHost(hostOf(picture), () => fetches(() => settlePicture(needs, picture, signal)))
    settledPictures.inc({ outcome: result.outcome === 'settled' ? result.picture.state : 'later' })
    return result
  }
  const parking = createParking({ objects, publish, settle, now, retryScale: settings.retryScale, logger })

  const subscriptions: Subscription[] = []
  const isMine = (articleId: string) =>
    subscriptions[0]?.partitions().some(held => held.partition === log.partitionOf(topics.submissions.name, articleId)) ?? false
  const takeUp = () => parking.takeUp(isMine).catch(error => logger.warn({ err: error }, 'parking.list-failed'))
  const onAssigned = async () => void takeUp()
  const handle = byType({ 'submission.accepted': onSubmissionAccepted({ settle, parking, publish, now, withinMs: WITHIN_MS }) })

  subscriptions.push(await log.subscribe({ topic: topics.submissions.name, group: 'images', concurrency: 64, handle, onAssigned }))
  subscriptions.push(
    await log.subscribe({ topic: topics.submissionsBackfill.name, group: 'images-backfill', concurrency: BACKFILL_WINDOW, handle }),
  )
  const timer = setInterval(takeUp, TAKE_UP_EVERY_MS * settings.retryScale)
  timer.unref()
  void takeUp()
  logger.info('service.started')
  return {
    name: 'images',
    readiness: () => ({
      ready: subscriptions.every(one => one.stats().unavailableSinceMs === null),
      detail: { parked: parking.waiting(), ...subscriptions[0]?.stats() },
    }),
    stop: async () => {
      clearInterval(timer)
      await Promise.all(subscriptions.map(one => one.stop()))
      await parking.stop()
    },
  }
}
