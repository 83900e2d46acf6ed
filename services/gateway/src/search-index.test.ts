import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { makeLive } from './sample-facts.ts'
import { createIndexWriter, searchSchema } from './search-index.ts'
import { createPreparing } from './search-text.ts'

test('what was rolled back and is written again is filed under what it is of, and so is what comes after it', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(searchSchema)
  const index = createIndexWriter(db, { mostSegments: 64 })
  const preparing = createPreparing({ isNumbered: false })
  const write = (articleId: string, category: string, end: 'COMMIT' | 'ROLLBACK') => {
    const prepared = preparing.prepare(makeLive({ articleId, article: { categories: [category] } }))
    db.exec('BEGIN')
    index.write([prepared], preparing.takeCounts())
    db.exec(end)
  }
  write('press.a', 'culture', 'ROLLBACK')
  write('press.a', 'culture', 'COMMIT')
  write('press.b', 'sport', 'COMMIT')
  const filed = db
    .prepare('SELECT id, categories FROM shown JOIN filed USING (place) LEFT JOIN profile ON n = profile ORDER BY id')
    .all()
    .map(row => ({ ...row }))
  db.close()
  assert.deepEqual(filed, [
    { id: 'press.a', categories: '["culture"]' },
    { id: 'press.b', categories: '["sport"]' },
  ])
})
