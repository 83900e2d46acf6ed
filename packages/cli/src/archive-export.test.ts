import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toDayFolders } from './archive-export.ts'
import { UsageError } from './usage-error.ts'

test('an export is asked for by days of the calendar, in their order: any other is wrong use, and not an empty file', () => {
  assert.deepEqual(toDayFolders({}), {})
  assert.deepEqual(toDayFolders({ from: '2026-01-02', to: '2026-01-02' }), { from: '2026/01/02', to: '2026/01/02' })
  assert.deepEqual(toDayFolders({ to: '2026-03-01' }), { to: '2026/03/01' })
  for (const wrong of [{ from: '2026-02-31' }, { to: '2026/01/01' }, { from: '2026-01-03', to: '2026-01-02' }])
    assert.throws(() => toDayFolders(wrong), UsageError, JSON.stringify(wrong))
})
