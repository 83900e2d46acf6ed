import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitId } from './commands.ts'

test('an id on the command line is a local one, with dots or without, or the whole one of our own publisher', () => {
  assert.deepEqual(splitId('story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('press.story', null), { localId: 'story', articleId: 'press.story' })
})
