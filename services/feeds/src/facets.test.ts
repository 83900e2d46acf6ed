import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import { FACETS, openFacets } from './facets.ts'
import { categories, feedOf, makeFact } from './sample-facts.ts'
import { toRule } from './sample-view.ts'

const openView = (db: DatabaseSync, feed: FeedConfig, isAlone: boolean) =>
  openFacets(db, { feeds: new Map([[feed.id, feed]]), categories }, { isAlone })

const openDatabase = (): DatabaseSync => {
  const db = new DatabaseSync(':memory:')
  db.exec(FACETS)
  return db
}

test('an empty view of a lone process places articles as they come, and nothing is left to be placed', async () => {
  const db = openDatabase()
  const view = openView(db, feedOf(), true)
  view.apply([makeFact({ articleId: 'baoqk.a' })])
  assert.deepEqual(
    view.places.newest('all', 10).map(slot => slot.articleId),
    ['baoqk.a'],
  )
  db.exec('DELETE FROM article')
  await view.ensure([toRule(feedOf())])
  assert.equal(view.places.newest('all', 10).length, 1, 'it was not gone through again')
})

test('a view that has articles, or shares its feeds with others, places none before it is asked', async () => {
  const db = openDatabase()
  const first = openView(db, feedOf(), false)
  first.apply([makeFact({ articleId: 'baoqk.a' })])
  assert.equal(first.places.newest('all', 10).length, 0)
  const second = openView(db, feedOf(), true)
  assert.deepEqual([...second.kept()], [])
  await second.ensure([toRule(feedOf())])
  assert.equal(second.places.newest('all', 10).length, 1)
})
