/** What a build is asked for, and what is said of it: pure. */
import { RejectError } from '@newswire/events/errors'
import { follow, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { type FeedBuilt, feedFiles, feedOutputs } from '@newswire/events/feed'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { keys } from '@newswire/objects/keys'
import { type Built, MAX_REASON, type Wanted } from './build.ts'

export type Intent = NewswireEvent<'feed.changed'>

/** Merges what waits for one feed. */
export const toWanted = (intents: readonly Intent[], position: number): Wanted | null => {
  const feedId = intents[0]?.data.feedId
  if (feedId === undefined) return null
  const articles = new Map<string, number>()
  let lookedAt: string | null = null
  for (const { data, time } of intents) {
    if (data.articleId !== null) articles.set(data.articleId, Math.max(data.version, articles.get(data.articleId) ?? 0))
    else if (lookedAt === null || time > lookedAt) lookedAt = time
  }
  return { feedId, articles, lookedAt, position }
}

export const toFeedBuilt = (feedId: string, built: Built, isQuiet = false): FeedBuilt => ({
  feedId,
  counter: built.window.counter,
  updatedAt: built.updatedAt,
  items: built.items,
  outputs: Object.fromEntries(
    feedOutputs.map(output => [output, { key: keys.feed(feedId, feedFiles[output].name), ...built.outputs[output] }]),
  ) as FeedBuilt['outputs'],
  ...(isQuiet ? { quiet: true } : {}),
  ...(built.window.quarantined.length === 0 ? {} : { quarantined: built.window.quarantined }),
  ...(built.window.fault === null ? {} : { fault: built.window.fault }),
})

/** What was asked for and is no item of the feed now: taken back, or left it. */
export const removedIn = (wanted: Wanted, built: Built): Fact[] => {
  const items = new Set(built.window.entries.flatMap(one => (one.kind === 'item' ? [one.articleId] : [])))
  return [...wanted.articles.keys()].flatMap(articleId => {
    const state = built.states.get(articleId)
    return state && !(state instanceof RejectError) && !items.has(articleId) ? [state] : []
  })
}

type Sunk = Pick<Extract<Milestone, { kind: 'sink' }>, 'version' | 'state'> & { reason?: string }

/** What became of each article that was asked for: as state says, at the version that state has. */
const outcomeOf = (articleId: string, version: number, state: Fact | null | RejectError, built: Built): Sunk | null => {
  if (state === null) return null
  if (state instanceof RejectError) return { version, state: 'rejected', reason: `${state.code}: ${state.message}` }
  // What was taken back is taken back even while a fault keeps everything else as it is.
  const fault = built.quarantined.get(articleId) ?? (state.state === 'live' ? built.window.fault : null)
  return fault
    ? { version: state.version, state: 'rejected', reason: `${fault.code}: ${fault.reason}` }
    : { version: state.version, state: 'done' }
}

export const toMilestone = (wanted: Wanted, articleId: string, { reason, ...sunk }: Sunk, cause: Intent, at: string): NewswireEvent =>
  follow(cause, {
    type: 'milestone.reached',
    id: deriveId('feed', wanted.feedId, articleId, sunk.version, sunk.state),
    source: '/services/feeds',
    subject: articleId,
    time: at,
    data: {
      kind: 'sink',
      articleId,
      at,
      sink: { kind: 'feed', id: wanted.feedId },
      ...sunk,
      ...(reason === undefined ? {} : { reason: reason.slice(0, MAX_REASON) }),
    },
  })

export const toMilestones = (wanted: Wanted, built: Built, cause: Intent, at: string): NewswireEvent[] => {
  const asked = [...wanted.articles].flatMap(([articleId, version]) => {
    const outcome = outcomeOf(articleId, version, built.states.get(articleId) ?? null, built)
    return outcome === null ? [] : toMilestone(wanted, articleId, outcome, cause, at)
  })
  const recovered = [...built.recovered].filter(([articleId]) => !wanted.articles.has(articleId))
  return [...asked, ...recovered.map(([articleId, version]) => toMilestone(wanted, articleId, { version, state: 'done' }, cause, at))]
}
