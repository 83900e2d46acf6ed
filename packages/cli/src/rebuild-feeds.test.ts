import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedRebuild } from '@newswire/events/feed-page'
import { progressOf } from './rebuild-feeds.ts'

const rebuild = (feedId: string, id: string, state: FeedRebuild['state']): FeedRebuild => ({
  n: 1,
  id,
  feedId,
  requestedAt: '2026-03-01T08:00:00.000Z',
  state,
  changed: true,
  pages: { total: 3, looked: 2, written: 1 },
})

test('a feed that somebody asked to rebuild again is replaced, and is not taken for done', () => {
  const progress = progressOf({ id: 'mine', feeds: ['a', 'b', 'c'] }, [rebuild('a', 'mine', 'done'), rebuild('b', 'theirs', 'done')])
  assert.deepEqual(
    progress.map(one => [one.feed, one.state, one.pages.looked]),
    [
      ['a', 'done', 2],
      ['b', 'replaced', 0],
      ['c', 'replaced', 0],
    ],
  )
})
