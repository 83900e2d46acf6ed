import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseListPlace, toListPath } from './paging.ts'

const cursor = { at: '2026-03-01T08:00:00.000Z', articleId: 'press.a' }
const queryOf = (path: string) => Object.fromEntries(new URL(path, 'https://x.example').searchParams)

test('a place in a list comes back from its address', () => {
  for (const place of [
    { category: null, before: null, after: null },
    { category: 'thoi-su', before: null, after: null },
    { category: null, before: cursor, after: null },
    { category: 'thoi-su', before: null, after: cursor },
  ])
    assert.deepEqual(parseListPlace(queryOf(toListPath(place))), place)
})

test('what none of our pages links to is no place', () => {
  for (const query of [
    { before: '' },
    { before: 'press.a' },
    { before: 'yesterday,press.a' },
    { before: '2026-13-01T08:00:00.000Z,press.a' },
    { before: `${cursor.at},"><script>` },
    { before: `${cursor.at},press.a`, after: `${cursor.at},press.a` },
    { category: ['a', 'b'] },
  ])
    assert.equal(parseListPlace(query), null, JSON.stringify(query))
})

test('what others add to an address changes nothing', () => {
  assert.deepEqual(parseListPlace({ utm_source: 'x' }), { category: null, before: null, after: null })
})
