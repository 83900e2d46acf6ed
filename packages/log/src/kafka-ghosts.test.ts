import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createGhosts } from './kafka-ghosts.ts'

const place = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-ghosts-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'members.json')
}

test('the next process finds the members that did not leave, and no others', t => {
  const file = place(t)
  const first = createGhosts(() => file)
  first.joined('a', 'member-1')
  first.joined('a', 'member-2')
  first.joined('b', 'member-3')
  first.joined('c', 'member-4')
  first.left('b')
  first.left('never joined')
  const second = createGhosts(() => file)
  assert.deepEqual([second.of('a'), second.of('b'), second.of('c'), second.of('__proto__')], ['member-2', null, 'member-4', null])
})

test('without a place, and with a file that is torn or says something else, nobody is taken for dead', t => {
  const nowhere = createGhosts(() => null)
  nowhere.joined('a', 'member-1')
  assert.equal(nowhere.of('a'), null)
  const file = place(t)
  const ghosts = createGhosts(() => file)
  for (const torn of ['', '{"a":"memb', 'null', '[]', '{"a":7}']) {
    writeFileSync(file, torn)
    assert.equal(ghosts.of('a'), null, torn)
  }
  ghosts.joined('a', 'member-2')
  assert.equal(ghosts.of('a'), 'member-2')
})

test('a place that cannot be written costs nothing but the wait', t => {
  const file = join(place(t), 'no such folder', 'members.json')
  const ghosts = createGhosts(() => file)
  ghosts.joined('a', 'member-1')
  assert.equal(ghosts.of('a'), null)
})
