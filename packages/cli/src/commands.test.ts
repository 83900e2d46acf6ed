import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showChanges, splitId } from './commands.ts'

test('an id on the command line is a local one, with dots or without, or the whole one of our own publisher', () => {
  assert.deepEqual(splitId('story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('press.story', null), { localId: 'story', articleId: 'press.story' })
})

test('what a file no longer names is told, with how to retire it, also when nothing else changes', () => {
  const one = (change: 'unnamed' | 'update' | 'unchanged', id: string, detail = '') => ({ kind: 'feeds' as const, id, change, detail })
  const left = [one('unchanged', 'all'), one('unnamed', 'english', 'no longer named')]
  assert.equal(showChanges(left, false), 'Nothing to change.\n1 no longer named and still in force: feeds/english (retire with --prune)')
  assert.equal(
    showChanges([...left, one('update', 'thoi-su', 'limit: 50 → 20')], true),
    '  update  feeds/thoi-su  limit: 50 → 20\nNothing was applied (--dry-run).\n1 no longer named and still in force: feeds/english (retire with --prune)',
  )
  assert.equal(showChanges([one('unchanged', 'all')], false), 'Nothing to change.')
})
