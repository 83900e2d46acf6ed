/** What is doubted beside what is out now: a submission that would not do what it seems to. Pure. */
import type { Article } from '@newswire/events/article'
import type { Released } from '@newswire/events/current'
import { isLive, type LiveFact } from '@newswire/events/fact'
import { findStandingDoubts } from '@newswire/events/standing-doubts'
import type { Submission } from '@newswire/events/submission'
import type { Warning } from '@newswire/events/warnings'

/** Whether there is anything to doubt that only what is out can tell: a plain publish costs no look at the store. */
export const dependsOnReleased = (submission: Submission): boolean => {
  if (submission.command === 'retract' || submission.command === 'republish') return true
  if (submission.command !== 'publish' || submission.lane === 'backfill') return false
  return submission.article.change === 'correction' || submission.article.embargoUntil !== undefined
}

const findLivedEmbargo = ({ embargoUntil = '' }: Article, { articleId, version }: LiveFact): Warning => ({
  pointer: '/embargoUntil',
  detail: `only this change is held until ${embargoUntil}: version ${version} of ${articleId} stays public until then; retract it to take it down`,
})

const findEmbargo = (article: Article, released: Released, now: number): readonly Warning[] => {
  const { embargoUntil } = article
  if (embargoUntil === undefined) return []
  if (Date.parse(embargoUntil) > now) return released !== null && isLive(released.fact) ? [findLivedEmbargo(article, released.fact)] : []
  // What is out already keeps the embargo that it had.
  if (released !== null) return []
  return [{ pointer: '/embargoUntil', detail: `${embargoUntil} has passed, so nothing is held: it goes out at once` }]
}

/** What a correction that was meant as a note alone would empty. */
const EMPTIED = ['summary', 'byline', 'dateline', 'categories', 'tags'] as const
const AGAIN = 'a correction is the whole article again'

const findLosses = (article: Article, { version, article: before }: LiveFact): readonly Warning[] => {
  if (article.change !== 'correction') return []
  const [has, had] = [article.images.length, before.images.length]
  const fewer = has < had ? [{ pointer: '/images', detail: `it has ${has} pictures, and version ${version} has ${had}: ${AGAIN}` }] : []
  const emptied = EMPTIED.filter(name => article[name].length === 0 && before[name].length > 0)
  return [...fewer, ...emptied.map(name => ({ pointer: `/${name}`, detail: `it is empty here and not in version ${version}: ${AGAIN}` }))]
}

/** `released`: as it is now; what is on its way to the desk is not in it, so this is a doubt and never a refusal. `now` in ms. */
export const findReleasedDoubts = (submission: Submission, released: Released, now: number): readonly Warning[] => {
  const standing = findStandingDoubts(submission, released)
  if (standing.length > 0) return standing
  const live = released !== null && isLive(released.fact) ? released.fact : null
  if (submission.command === 'republish')
    return live === null
      ? []
      : [{ pointer: '', detail: `version ${live.version} is out and not retracted, so there is nothing to bring back` }]
  if (submission.command !== 'publish' || submission.lane === 'backfill') return []
  return [...findEmbargo(submission.article, released, now), ...(live === null ? [] : findLosses(submission.article, live))]
}
