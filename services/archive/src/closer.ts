/**
 * When the archive closes: once a UTC day has ended, and on demand. The process that holds the first partition of `articles` does it, so that the
 * others need not try; that two may think they hold it costs one lost race (`close.ts`).
 */
import { codeOf, messageOf, UnavailableError } from '@newswire/events/errors'
import { type ArchiveTrouble, changeWanted, readWanted } from '@newswire/objects/archive-wanted'
import { keys } from '@newswire/objects/keys'
import { type Closed, type CloseNeeds, closeOnce } from './close.ts'
import { listStaged, newestManifest, readManifest } from './finish.ts'
import { settlePurges } from './purge.ts'
import { readPurged } from './purged.ts'
import { addReindexed, NOTHING_REINDEXED, reindexManifest } from './reindex.ts'
import { isRetiring, rotateKey } from './signing.ts'

/** How often it is asked whether a day has ended, ms; the first time one such time after start, so that a start stays quick. */
const LOOK_EVERY_MS = 60_000
/** How often it is asked whether an operator wants something, ms. */
const WISHES_EVERY_MS = 2_000
/** One round closes what waits in at most this many manifests. */
const MAX_AT_ONCE = 1_000

type Closer = Readonly<{
  /** Closes all that waits now; rounds do not overlap. Throws what `closeOnce` throws. */
  close(): Promise<readonly Closed[]>
  /** Runs it when nothing of this process is closing or purging: both make packs anew, and tidy up behind themselves. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Why the last try failed; `null` when it did not. */
  trouble(): ArchiveTrouble | null
  stop(): Promise<void>
}>

type Needs = CloseNeeds & Readonly<{ owns: () => boolean; everyMs?: number; wishesEveryMs?: number; afterClose?: () => Promise<void> }>

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** The newest manifest is of another day, or there is none, or its packs are not made, or the last try failed, or the record of a purge waits for one. A clock that was set back closes once more than it must, and no less. */
export const isDue = async ({ objects, now }: Pick<Needs, 'objects' | 'now'>): Promise<boolean> => {
  const newest = await newestManifest(objects)
  const last = await readManifest(objects, newest)
  if (last === null || last.head.closedAt.slice(0, 10) !== dayOf(now())) return true
  // Whoever put it was killed before its packs were made: the day that it closes cannot be proved until they are.
  for await (const { number } of listStaged(objects)) if (number === newest) return true
  // It is said to fail until one has not.
  if (((await readWanted(objects))?.value.trouble ?? null) !== null) return true
  return (await isPurging(objects)) && (await readPurged(objects)).unlisted.length > 0
}

const isPurging = async (objects: Needs['objects']): Promise<boolean> =>
  (await objects.list(keys.archivePurgingPrefix, { limit: 1 })).length > 0

export const createCloser = (needs: Needs): Closer => {
  const { logger, owns, now, everyMs = LOOK_EVERY_MS, wishesEveryMs = WISHES_EVERY_MS, afterClose } = needs
  const stopping = new AbortController()
  let running: Promise<readonly Closed[]> | null = null
  let trouble: ReturnType<Closer['trouble']> = null
  let last: Promise<unknown> = Promise.resolve()
  const alone: Closer['alone'] = work => {
    const next = last.then(work)
    last = next.catch(() => undefined)
    return next
  }

  /** Also where the console finds it. It cannot be said to a store that is away, which says so by itself. */
  const sayTrouble = async (said: ArchiveTrouble | null) => {
    trouble = said
    const isSaid = (is: ArchiveTrouble | null) => is?.code === said?.code && is?.message === said?.message
    try {
      if (!isSaid((await readWanted(needs.objects))?.value.trouble ?? null))
        await changeWanted(needs.objects, is => ({ ...is, trouble: said }))
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'archive.trouble-untold')
    }
  }

  const closeAll = async (): Promise<readonly Closed[]> => {
    const closed: Closed[] = []
    try {
      for (let hasMore = true; hasMore && !stopping.signal.aborted && closed.length < MAX_AT_ONCE; ) {
        const { one, settled } = await alone(async () => {
          const closing = await closeOnce({ ...needs, stopping: stopping.signal })
          return { one: closing, settled: await settlePurges(needs, closing.manifest) }
        })
        hasMore = one.hasMore || settled.hasMore
        closed.push(one)
      }
      await afterClose?.()
      // One that was stopped before it began says nothing of what others have tried.
      if (closed.length > 0) await sayTrouble(null)
    } catch (error) {
      if (!stopping.signal.aborted)
        await sayTrouble({ code: codeOf(error), message: messageOf(error), since: trouble?.since ?? new Date(now()).toISOString() })
      throw error
    }
    return closed
  }
  const close = () => {
    running ??= closeAll().finally(() => {
      running = null
    })
    return running
  }
  /** A purge that is not done for good is looked at again also when there is nothing to close. */
  const settle = (): Promise<boolean> =>
    alone(async () => {
      const manifest = await readManifest(needs.objects, await newestManifest(needs.objects))
      return manifest !== null && (await settlePurges(needs, manifest)).hasMore
    })
  const whenDue = async () => {
    const isWanted = (await isDue(needs)) || ((await isPurging(needs.objects)) && (await settle()))
    if (isWanted) await close()
    await retire()
  }
  /** Whoever came by the old key can do nothing more with it: what it is still good for is closed with the new one, at once. */
  const retire = async () => {
    while (!stopping.signal.aborted && (await isRetiring(needs.objects, await newestManifest(needs.objects)))) await close()
  }
  /** Said to be done only after it is: killed in between it is done once more. */
  const whenWanted = async () => {
    const wanted = (await readWanted(needs.objects))?.value
    if (wanted === undefined) return
    if (wanted.rotateKey > wanted.rotated) {
      const kid = await rotateKey(needs, () => newestManifest(needs.objects))
      logger.info({ kid }, 'archive.key-rotated')
      await changeWanted(needs.objects, now => ({ ...now, rotated: Math.max(now.rotated, wanted.rotateKey) }))
      await retire()
    }
    if (wanted.close > wanted.closed) {
      await close()
      await changeWanted(needs.objects, now => ({ ...now, closed: Math.max(now.closed, wanted.close) }))
    }
    if (wanted.reindex > wanted.reindexed) reindex(wanted.reindex)
  }
  /** Manifest by manifest, so that closings and purges come in between. Not said to be done when it was stopped. */
  const reindexAll = async (upTo: number) => {
    let all = NOTHING_REINDEXED
    let [unreadable, number] = [0, 0]
    for (const newest = await newestManifest(needs.objects); number < newest; number++) {
      if (stopping.signal.aborted) return
      const one = await alone(() => reindexManifest(needs, number + 1)).catch(error => {
        // Only the store's being away ends by itself: begun anew for anything else, all packs would be read again and again.
        if (error instanceof UnavailableError) throw error
        logger.error({ err: error, code: codeOf(error), manifest: number + 1 }, 'archive.not-reindexed')
        unreadable += 1
        return NOTHING_REINDEXED
      })
      all = addReindexed(all, one)
    }
    await afterClose?.()
    const lastReindex = { at: new Date(now()).toISOString(), manifests: number, ...all, unreadable }
    await changeWanted(needs.objects, is => ({ ...is, reindexed: Math.max(is.reindexed, upTo), lastReindex }))
    logger.info(lastReindex, 'archive.reindexed-all')
  }
  let reindexing: Promise<void> | null = null
  /** Beside everything else: years of packs take a while, and days are closed meanwhile. */
  const reindex = (upTo: number) => {
    reindexing ??= reindexAll(upTo)
      .catch(error => logger.error({ err: error, code: codeOf(error) }, 'archive.not-reindexed'))
      .finally(() => {
        reindexing = null
      })
  }
  let looking: Promise<void> = Promise.resolve()
  const every = (ms: number, look: () => Promise<void>) => {
    const one = async () => {
      try {
        if (!stopping.signal.aborted && owns()) await look()
      } catch (error) {
        if (stopping.signal.aborted) return
        logger.error({ err: error, code: codeOf(error) }, 'archive.not-closed')
      }
    }
    let isWaiting = false
    return setInterval(() => {
      if (isWaiting) return
      isWaiting = true
      looking = looking.then(one).finally(() => {
        isWaiting = false
      })
    }, ms).unref()
  }
  const timers = [every(everyMs, whenDue), every(wishesEveryMs, whenWanted)]
  return {
    close,
    alone,
    trouble: () => trouble,
    stop: async () => {
      stopping.abort(new Error('the archive stops; what is not closed is closed after its next start'))
      for (const timer of timers) clearInterval(timer)
      await looking
      await reindexing
      await running?.catch(() => undefined) // told to whoever asked for it
    },
  }
}
