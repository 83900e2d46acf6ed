/** Articles that are routed to an outlet and are not its to know of yet (`embargoOffsetHours`). */
import type { OutletConfig } from '@newswire/events/config'
import { earliestMs } from '@newswire/events/entitled'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { sideBySide } from './side-by-side.ts'

/** An article that the outlet has, or has to get, and since when: never before its first release. */
type Wanted = Readonly<{ articleId: string; sinceMs: number }>

const READS_AT_ONCE = 16
const HOUR_MS = 3_600_000
/** What was released by one clock was wanted by another one. */
const CLOCKS_APART_MS = 60_000

/**
 * Those of them whose time has not come, by the configuration in force. One that cannot be found is among them: nothing says that its time has
 * come. Throws what the store throws.
 */
export const findEarly = async (
  objects: Pick<Objects, 'get'>,
  outlet: Pick<OutletConfig, 'embargoOffsetHours'>,
  wanted: readonly Wanted[],
  nowMs: number,
): Promise<ReadonlySet<string>> => {
  const early = new Set<string>()
  if (outlet.embargoOffsetHours === 0) return early
  const after = nowMs - outlet.embargoOffsetHours * HOUR_MS - CLOCKS_APART_MS
  const young = new Set(wanted.filter(({ sinceMs }) => sinceMs > after).map(({ articleId }) => articleId))
  await sideBySide([...young], READS_AT_ONCE, async articleId => {
    const released = await getReleased(objects, articleId)
    if (released === null || nowMs < earliestMs(outlet, released.fact)) early.add(articleId)
  })
  return early
}
