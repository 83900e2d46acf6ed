/**
 * Has an article released once more when what it names was taken back, or came back. It decides nothing: it puts `references.changed` into the article's
 * own lane, where the state decides. It is told of nothing either, but looks at what differs, so that whatever is lost on the way is found again.
 *
 * At most a few are under way at once: live work never waits behind the ten thousand articles that name one.
 */
import { setImmediate } from 'node:timers/promises'
import { toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Log } from '@newswire/log/log'
import type { Logger } from '@newswire/runtime/logger'
import { SOURCE } from './outcomes.ts'
import type { Unsettled } from './referrers.ts'

/** A quarter of what an import may have under way. */
const AT_ONCE = 16
/** A difference is judged when it is read, so no more are read than may soon be asked for. */
const PAGE = 2 * AT_ONCE
/** With so few under way there is room enough to be worth a round. */
const FEW = AT_ONCE / 4

type Needs = Readonly<{
  log: Pick<Log, 'publish'>
  /** After this article, in their order (`referrers.ts`). */
  unsettledAfter: (articleId: string, limit: number) => readonly Unsettled[]
  isReady: () => boolean
  owns: (articleId: string) => boolean
  /** Wall clock, ms since 1970. */
  now: () => number
  logger: Pick<Logger, 'warn'>
  /** What was asked for and still differs after so long is asked for again, ms. */
  againMs: number
}>

type ReferenceSweep = Readonly<{
  /** Looks on from where the last round ran out of room. Rounds do not overlap. Repeating is safe. */
  round(): Promise<void>
  /** The article's lane has handled what was asked for: there is room again. */
  handled(articleId: string): void
  underWay(): number
  /** Resolves when nothing is under way and nothing will be. */
  stop(): Promise<void>
}>

export const createReferenceSweep = ({ log, unsettledAfter, isReady, owns, now, logger, againMs }: Needs): ReferenceSweep => {
  /** What was asked for, by article: of which version, and until when it is not asked for again; the view may not have seen yet what came of it. */
  const asked = new Map<string, Readonly<{ version: number; untilMs: number; isHandled: boolean }>>()
  let underWay = 0
  let from = ''
  let isStopped = false
  let running: Promise<void> | null = null
  let isWanted = false

  const drop = (articleId: string): void => {
    if (asked.get(articleId)?.isHandled === false) underWay -= 1
    asked.delete(articleId)
  }

  const forgetOld = (): void => {
    for (const [articleId, { untilMs }] of asked) if (untilMs <= now()) drop(articleId)
  }

  const ask = async ({ articleId, version }: Unsettled): Promise<void> => {
    drop(articleId)
    asked.set(articleId, { version, untilMs: now() + againMs, isHandled: false })
    underWay += 1
    const id = deriveId('desk', 'references', articleId, version)
    const time = new Date(now()).toISOString()
    await log.publish([toRecord({ id, type: 'references.changed', source: SOURCE, subject: articleId, time, data: { articleId } })])
  }

  const isDue = ({ articleId, version, isOutdated }: Unsettled): boolean =>
    isOutdated && owns(articleId) && asked.get(articleId)?.version !== version

  const look = async (): Promise<void> => {
    forgetOld()
    for (;;) {
      const page = unsettledAfter(from, PAGE)
      const due = page.filter(isDue).slice(0, AT_ONCE - underWay)
      await Promise.all(due.map(ask))
      if (isStopped || (underWay >= AT_ONCE && page.length > 0)) return
      if (page.length < PAGE) break
      from = page.at(-1)?.articleId ?? ''
      await setImmediate()
    }
    from = ''
  }

  const round = (): Promise<void> => {
    if (isStopped || !isReady()) return Promise.resolve()
    isWanted = running !== null
    running ??= look()
      .catch(error => logger.warn({ error }, 'references.round.failed')) // what was asked for in it is asked for again
      .finally(() => {
        running = null
        if (isWanted) void round()
      })
    return running
  }

  return {
    round,
    handled: articleId => {
      const one = asked.get(articleId)
      if (one === undefined || one.isHandled) return
      asked.set(articleId, { ...one, isHandled: true })
      underWay -= 1
      if (underWay <= FEW) void round()
    },
    underWay: () => underWay,
    stop: async () => {
      isStopped = true
      await running
    },
  }
}
