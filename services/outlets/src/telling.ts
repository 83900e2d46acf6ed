/** Telling what became of a subject, and who waits for the end of that: nothing is written down of it before. */
import type { Kind } from './kind.ts'
import type { Cause } from './pending.ts'
import type { News } from './tell.ts'

/** How much is being told of it, and who waits for the end of that; fails with what cannot be told. */
export type Telling = { telling: number; told: PromiseWithResolvers<void> | null }

type Needs = Readonly<{
  kind: Pick<Kind, 'say'>
  /** Waits a while for our own log; throws what no waiting mends. */
  outlast: (error: unknown) => Promise<void>
}>

const end = (item: Telling, failed: Readonly<{ error: unknown }> | null) => {
  item.telling -= 1
  if (item.told === null || (failed === null && item.telling > 0)) return
  if (failed === null) item.told.resolve()
  else item.told.reject(failed.error)
  item.told = null
}

/** Resolves once it is told; thousands of times a second, so it is one step where nothing fails. */
export const createSay =
  ({ kind, outlast }: Needs) =>
  async (item: Telling & Readonly<{ subject: string; cause: Cause }>, news: readonly News[]): Promise<void> => {
    if (news.length === 0) return
    item.telling += 1
    for (;;) {
      try {
        await kind.say(item.subject, news, item.cause)
        return end(item, null)
      } catch (failed) {
        await outlast(failed).catch(error => {
          end(item, { error })
          throw error
        })
      }
    }
  }

/** What is being told of it now; `null`: nothing. Whoever waits looks again afterwards, because more may be told by then. */
export const beingTold = (item: Telling): Promise<void> | null => {
  if (item.telling === 0) return null
  item.told ??= Promise.withResolvers<void>()
  return item.told.promise
}
