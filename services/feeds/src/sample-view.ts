/** A view of facts without a log, and a store that has them: what the tests of windows and pages share. */
import { DatabaseSync } from 'node:sqlite'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { FACETS, type FacetView, openFacets } from './facets.ts'
import { categories } from './sample-facts.ts'
import type { Rule } from './window.ts'

/** `put` does what following `articles` does. */
export type SampleView = FacetView & Readonly<{ put(...facts: Fact[]): void }>

export const openSampleView = (feeds: readonly FeedConfig[] = [], db = new DatabaseSync(':memory:')): SampleView => {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'article'").get() === undefined) db.exec(FACETS)
  const { apply, applied, ...view } = openFacets(db, { feeds: new Map(feeds.map(feed => [feed.id, feed])), categories })
  const ready = Promise.resolve()
  return {
    ...view,
    projection: {
      db,
      reading: work => work(),
      ready,
      isReady: () => true,
      isRead: () => true,
      caughtUp: () => ready,
      hurry: () => undefined,
      failure: () => null,
      stop: () => ready,
    },
    put: (...facts) => {
      apply(facts)
      applied()
    },
  }
}

export const toRule = (feed: FeedConfig): Rule => ({ feed, categories })
