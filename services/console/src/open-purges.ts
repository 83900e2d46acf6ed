/** What an operator is told of purges by law that do not come to their end. Pure. */
import type { OpenPurge } from '@newswire/objects/open-purges'

/**
 * A purge takes seconds; one that waits for its manifest, a minute; one of an article that was given a picture just before, ten minutes and a look.
 * One that is open for longer needs a person, ms.
 */
const LATE_MS = 1_200_000
const MOST_NAMED = 3

export const isLatePurge = ({ at, trouble }: OpenPurge, nowMs: number): boolean => trouble !== null || nowMs - Date.parse(at) > LATE_MS

const WAITS = 'it waits for the archive to close; look for `archive.not-closed` in its log'

/** Parts of a sentence: the oldest first, those with something to do about them before the others. */
export const toPurgeTrouble = (purges: readonly OpenPurge[], nowMs: number): readonly string[] => {
  const late = purges
    .filter(one => isLatePurge(one, nowMs))
    .sort((a, b) => Number(a.trouble === null) - Number(b.trouble === null) || (a.at < b.at ? -1 : 1))
  const named = late
    .slice(0, MOST_NAMED)
    .map(one => `the purge of ${one.articleId} of ${one.at} is not done: ${one.trouble?.message ?? WAITS}`)
  return late.length > MOST_NAMED ? [...named, `${late.length - MOST_NAMED} more purges are not done`] : named
}
