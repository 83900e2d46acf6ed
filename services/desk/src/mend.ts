/** Publishes the newest version again where an older one landed last, for the articles that this process owns. */
import { toRecord } from '@newswire/events/events'
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { newestFact } from './handle.ts'
import type { Behind } from './seen.ts'

type Needs = Readonly<{
  log: Pick<Log, 'publish'>
  objects: Pick<Objects, 'get'>
  /** Articles whose newest version is not the last in `articles`. */
  behind: () => readonly Behind[]
  owns: (articleId: string) => boolean
  logger: Pick<Logger, 'warn' | 'error'>
}>

type Mend = Readonly<{
  /** One round; rounds do not overlap. What fails is still behind in the next one. Repeating is safe: the same bytes under the same id. */
  round(): Promise<void>
  /** Resolves when nothing is under way and nothing will be. */
  stop(): Promise<void>
}>

export const createMend = ({ log, objects, behind, owns, logger }: Needs): Mend => {
  let isStopped = false
  let running: Promise<void> | null = null

  const mendOne = async ({ articleId, newest }: Behind): Promise<void> => {
    try {
      const found = await newestFact(objects, articleId)
      if (found === null || found.version < newest) {
        logger.error({ articleId, landed: newest, version: found?.version ?? 0 }, 'article.foreign') // nobody but the desk gives versions
        return
      }
      await log.publish([toRecord(found.event)], { synced: true })
      logger.warn({ articleId, version: found.version }, 'article.mended')
    } catch (error) {
      logger.warn({ articleId, error }, 'article.mend.failed')
    }
  }

  const mendAll = async (): Promise<void> => {
    if (isStopped) return
    for (const one of behind()) if (!isStopped && owns(one.articleId)) await mendOne(one)
  }

  return {
    round: () => {
      running ??= mendAll().finally(() => {
        running = null
      })
      return running
    },
    stop: async () => {
      isStopped = true
      await running
    },
  }
}
