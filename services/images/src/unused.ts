/** What is done about a picture that is looked at, by how it is used and what was found before. Pure. */
import { isTakenOver, type PictureUse } from '@newswire/objects/picture-use'

/**
 * `shown`: an article that is out, or that goes out by itself, has it. `kept`: only a republish could bring it back, for which the original is
 * enough. `none`: nobody has it.
 */
export type Use = 'shown' | 'kept' | 'none'

type Step =
  | Readonly<{ step: 'nothing' }>
  /** The document in place of the one that was found. */
  | Readonly<{ step: 'note'; next: PictureUse }>
  /** The files go, once this document is in place. */
  | Readonly<{ step: 'remove'; next: PictureUse }>
  /** The document has said all it had to. */
  | Readonly<{ step: 'forget' }>

const DAY_MS = 86_400_000
/**
 * A picture is looked at once a day. When nobody looked for longer, nothing is known of that time: what was under way before may not have arrived
 * yet, so the days are counted again.
 */
const MAX_BREAK_MS = 3 * DAY_MS
/** What `prepared` may hold before it is an article: a walk sees all articles that had the picture when it began so long after the first look. */
const PREPARED_MS = 7 * DAY_MS

export const nextStep = (
  found: PictureUse | null,
  { use, hasFiles }: Readonly<{ use: Use; hasFiles: boolean }>,
  { nowMs, keepMs, walkedFromMs }: Readonly<{ nowMs: number; keepMs: number; walkedFromMs: number | null }>,
): Step => {
  const lookedAt = new Date(nowMs).toISOString()
  const note = (phase: PictureUse['phase'], since: string) => ({ n: (found?.n ?? 0) + 1, phase, since, lookedAt })
  const isUnused = use !== 'shown' && hasFiles
  if (found === null) return isUnused ? { step: 'note', next: note('unused', lookedAt) } : { step: 'nothing' }
  const sinceMs = Date.parse(found.since)
  const isSure = walkedFromMs !== null && walkedFromMs >= sinceMs + PREPARED_MS
  const restMs = nowMs - Date.parse(found.lookedAt)
  switch (found.phase) {
    case 'used':
      if (isUnused) return { step: 'note', next: note('unused', lookedAt) }
      return restMs > MAX_BREAK_MS ? { step: 'forget' } : { step: 'nothing' }
    case 'unused':
      if (!isUnused) return { step: 'note', next: note('used', found.since) }
      if (restMs > MAX_BREAK_MS) return { step: 'note', next: note('unused', lookedAt) }
      if (nowMs - sinceMs < keepMs || !isSure) return { step: 'note', next: note('unused', found.since) }
      return { step: 'remove', next: note('removing', found.since) }
    case 'removing':
      if (!isTakenOver(found, nowMs)) return { step: 'nothing' }
      if (use === 'shown') return { step: 'note', next: note('used', found.since) }
      return isSure ? { step: 'remove', next: note('removing', found.since) } : { step: 'nothing' }
    default:
      return found.phase satisfies never
  }
}
