import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from './settle.ts'

const cases = [
  ['nothing is there to create over', { ifNoneMatch: '*' }, null, 'write'],
  ['something else is there', { ifNoneMatch: '*' }, 'other', 'exists'],
  ['our bytes are there: the answer was lost', { ifNoneMatch: '*' }, 'new', 'same'],
  ['it is still what was read', { ifMatch: 'old' }, 'old', 'write'],
  ['it is something else by now', { ifMatch: 'old' }, 'other', 'stale'],
  ['it is gone', { ifMatch: 'old' }, null, 'stale'],
  ['our bytes are there after a swap', { ifMatch: 'old' }, 'new', 'same'],
  ['no condition, something there', {}, 'other', 'write'],
  ['no condition, nothing there', {}, null, 'write'],
] as const

for (const [title, wanted, found, verdict] of cases) {
  test(`a put is settled by what is there: ${title} → ${verdict}`, () => assert.equal(settle({ wanted, etag: 'new', found }), verdict))
}
