/** When pictures are looked at for removal (`sweep.ts`), and by whom: a 256th of them every six minutes, each by the process that holds a partition. */

import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { createRounds, type Rounds } from '@newswire/runtime/rounds'
import type { ServiceContext } from '@newswire/runtime/service'
import { markPictures, walkedFromMs } from './mark-pictures.ts'
import { type Removed, sweepByte } from './sweep.ts'

type Needs = Pick<ServiceContext, 'objects' | 'logger' | 'metrics' | 'now'> &
  Readonly<{
    log: Pick<Log, 'ends'>
    keepMs: () => number
    partitions: () => readonly number[]
    partitionOf: (key: string) => number
  }>

const BYTES = 256
/** Every byte once a day. */
const TURN_MS = 86_400_000 / BYTES
const RETRY_MS = 30_000

/** Bytes whose turn has come since the turn `last`, as two digits; each once, however long ago that was. */
export const bytesSince = (last: number, nowMs: number): { turn: number; bytes: readonly string[] } => {
  const turn = Math.floor(nowMs / TURN_MS)
  const count = Math.min(BYTES, Math.max(0, turn - last))
  const bytes = Array.from({ length: count }, (_, index) => ((turn - count + 1 + index) % BYTES).toString(16).padStart(2, '0'))
  return { turn, bytes }
}

export const startSweep = ({ log, objects, logger, metrics, now, keepMs, partitions, partitionOf }: Needs): Rounds => {
  const removed = metrics.counter('newswire_pictures_removed_total', 'Pictures whose files were removed because no article uses them.', [
    'what',
  ])
  const skipped = metrics.counter(
    'newswire_picture_articles_skipped_total',
    'Articles whose pictures could not be read when all were gone through; no pictures are removed until all can be.',
  )
  const onSkipped = (articleId: string, error: unknown) => {
    skipped.inc()
    logger.error({ err: error, articleId }, 'sweep.article-unreadable')
  }
  const needs = {
    objects,
    now,
    keepMs,
    // Not kept: `rebuild all` takes it back.
    walkedFromMs: async () =>
      walkedFromMs(
        objects,
        (await log.ends(topics.submissions.name)).map(one => one.partition),
      ),
    onRemoved: ({ sha256, files, unusedSince, original }: Removed) => {
      removed.inc({ what: original ? 'all' : 'renditions' })
      logger.info({ sha256, files, unusedSince, original }, 'picture.removed')
    },
  }
  let last = Math.floor(now() / TURN_MS) - 1

  const run = async (signal: AbortSignal): Promise<void> => {
    await markPictures({ objects, now, partitions, partitionOf, onSkipped }, signal)
    if (partitions().length === 0) return
    const { turn, bytes } = bytesSince(last, now())
    for (const byte of bytes) if (partitions().includes(partitionOf(byte)) && !signal.aborted) await sweepByte(needs, byte, signal)
    last = turn
  }
  return createRounds({
    run,
    everyMs: TURN_MS,
    retryMs: RETRY_MS,
    onError: (error, { aborted }) => {
      if (!aborted) logger.warn({ err: error }, 'sweep.interrupted')
    },
  })
}
