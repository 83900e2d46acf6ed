import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLive } from './sample-facts.ts'
import { createHeld } from './search-held.ts'
import { createPreparing } from './search-text.ts'
import { createVocabulary } from './search-vocabulary.ts'

test('what is written again, because its transaction was undone, has the words that it came with, and nothing after it has them too', () => {
  const preparing = createPreparing({ isNumbered: false })
  const held = createHeld('articles')
  const put = (articleId: string, position: number) => {
    const prepared = preparing.prepare(makeLive({ articleId, article: { title: `Zebra ${articleId}` } }))
    held.hold([{ partition: 0, position, prepared }], 10, preparing.takeCounts())
  }
  put('press.a', 0)
  const first = held.take(createVocabulary())
  const told = held.of(first)
  assert.ok(told.counts.size > 0)
  assert.deepEqual(held.size(), { records: 0, bytes: 0 })
  put('press.b', 1)
  const second = held.take(createVocabulary())
  assert.deepEqual(held.of(first), told, 'again, with more behind it')
  assert.equal(held.of(second).counts.get('zebra'), told.counts.get('zebra'))
  assert.deepEqual(
    [first, second].map(records => held.of(records).versions.map(one => one.articleId)),
    [['press.a'], ['press.b']],
  )
})
