/** How long a feed keeps notices: as long as its slowest reader takes to come back, and never less than seven days. */
import { feedReaders } from '@newswire/events/feed'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { NOTICE_MS } from './window.ts'

const DAY_MS = 86_400_000
/** What a reader that is late once may be late, of its usual interval. */
const MARGIN = 1.25
/** Longer absences are no interval: such a reader begins anew, and a notice of a season ago helps nobody. */
export const MAX_NOTICE_MS = 90 * DAY_MS

type Readers = Readonly<{ slowestMs: number; seenAt: string }>

/** Whole days, so that a window is not written again for every poll. `at` is the time of the look, not the clock. Pure. */
export const noticeMsFor = (readers: Readers | null, at: string): number => {
  if (readers === null) return NOTICE_MS
  const awayMs = Date.parse(at) - Date.parse(readers.seenAt)
  if (!Number.isFinite(readers.slowestMs) || Number.isNaN(awayMs) || awayMs > MAX_NOTICE_MS) return NOTICE_MS
  const wanted = Math.ceil((readers.slowestMs * MARGIN) / DAY_MS) * DAY_MS
  return Math.min(MAX_NOTICE_MS, Math.max(NOTICE_MS, wanted))
}

/** What the gateways saw of a feed's readers; `null` when nothing was seen yet, or what is there is not as it should be. */
export const readReaders = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<Readers | null> => {
  const found = await objects.get(keys.feed(feedId, 'readers.json'))
  if (found === null) return null
  try {
    const parsed = feedReaders.safeParse(JSON.parse(new TextDecoder().decode(found.bytes)))
    return parsed.success ? parsed.data : null
  } catch {
    // No JSON: the gateways put a good one in its place; until then the seven days hold.
    return null
  }
}
