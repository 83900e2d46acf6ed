/** Takes up the operators' wish for a new search index (`search/wanted.json`), and says in it how far this process is. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { messageOf } from '@newswire/events/errors'
import type { Objects } from '@newswire/objects/objects'
import { readSearchWanted, type SearchWanted, tellSearch } from '@newswire/objects/search-wanted'
import type { Logger } from '@newswire/runtime/logger'
import type { Search } from './search.ts'
import { archivedSeeds } from './search-seeds.ts'

/** How often the wish is looked at, and how often progress is told, ms. */
const LOOK_MS = 2_000
const TELL_MS = 1_000

type Needs = Readonly<{
  search: Pick<Search, 'rebuild'>
  objects: Pick<Objects, 'get' | 'put' | 'list'>
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
  lookMs?: number
}>

export const followSearchWishes = ({ search, objects, logger, lookMs = LOOK_MS }: Needs): Readonly<{ stop(): Promise<void> }> => {
  const gateway = randomUUID()
  const stopping = new AbortController()
  let done: string | null = null

  const fulfil = async ({ id, source }: SearchWanted): Promise<void> => {
    let articles = 0
    let toldMs = performance.now()
    let telling: Promise<unknown> = tellSearch(objects, id, { gateway, state: 'running', articles })
    await telling
    const onTaken = (taken: number) => {
      articles = taken
      if (performance.now() - toldMs < TELL_MS) return
      toldMs = performance.now()
      // One after the other; progress that is not told is no reason to fail.
      telling = telling.then(() => tellSearch(objects, id, { gateway, state: 'running', articles })).catch(() => undefined)
    }
    const failed = await search.rebuild({ onTaken, ...(source === 'archive' ? { seeds: archivedSeeds(objects) } : {}) }).then(
      () => null,
      (error: unknown) => messageOf(error),
    )
    await telling
    if (stopping.signal.aborted) return
    logger.info({ id, source, articles, failed }, 'search.rebuilt')
    await tellSearch(
      objects,
      id,
      failed === null ? { gateway, state: 'done', articles } : { gateway, state: 'failed', articles, reason: failed },
    )
  }
  const look = async (isFirst: boolean): Promise<void> => {
    const wanted = (await readSearchWanted(objects))?.value
    if (wanted === undefined || wanted.id === done) return
    // A process that starts has made or found its index just now: only what nobody has finished is still wanted of it.
    if (!isFirst || !wanted.gateways.some(({ state }) => state === 'done')) await fulfil(wanted)
    done = wanted.id
  }
  const run = async (): Promise<void> => {
    for (let isFirst = true; !stopping.signal.aborted; ) {
      try {
        await look(isFirst)
        isFirst = false
      } catch (error) {
        logger.warn({ reason: messageOf(error) }, 'search.wish-unread')
      }
      await setTimeout(lookMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
