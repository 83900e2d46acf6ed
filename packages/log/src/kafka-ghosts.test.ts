import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createGhosts } from './kafka-ghosts.ts'

const place = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-ghosts-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'members.json')
}

const BOOT = 'a-start-of-this-machine'

test('the next process finds the members that did not leave, and no others', t => {
  const file = place(t)
  const first = createGhosts(() => file, BOOT)
  first.joined('a', 'member-1')
  first.joined('a', 'member-2')
  first.joined('b', 'member-3')
  first.joined('c', 'member-4')
  first.left('a', 'member-1')
  first.left('b', 'member-3')
  first.left('never joined', 'member-5')
  const second = createGhosts(() => file, BOOT)
  assert.deepEqual([second.of('a'), second.of('b'), second.of('c'), second.of('__proto__')], ['member-2', null, 'member-4', null])
})

test('on a copy of the folder, on another machine and after it was started anew nobody is taken for dead', t => {
  const file = place(t)
  createGhosts(() => file, BOOT).joined('a', 'member-1')
  const copy = place(t)
  cpSync(file, copy)
  const others = [createGhosts(() => copy, BOOT), createGhosts(() => file, 'another start'), createGhosts(() => file, null)]
  assert.deepEqual(
    others.map(one => one.of('a')),
    [null, null, null],
  )
  const [, anew] = others
  anew?.joined('b', 'member-2')
  assert.deepEqual([anew?.of('a'), anew?.of('b'), createGhosts(() => file, BOOT).of('a')], [null, 'member-2', null])
})

test('without a place, and with a file that is torn or says something else, nobody is taken for dead', t => {
  const nowhere = createGhosts(() => null, BOOT)
  nowhere.joined('a', 'member-1')
  assert.equal(nowhere.of('a'), null)
  const file = place(t)
  const ghosts = createGhosts(() => file, BOOT)
  const origin = { boot: BOOT, folder: statSync(dirname(file)).ino }
  const said = [null, 7, ['member-1'], { a: 7 }].map(members => JSON.stringify({ ...origin, members }))
  for (const torn of ['', '{"a":"memb', 'null', '[]', '{"a":"member-1"}', ...said]) {
    writeFileSync(file, torn)
    assert.equal(ghosts.of('a'), null, torn)
  }
  ghosts.joined('a', 'member-2')
  assert.equal(ghosts.of('a'), 'member-2')
})

test('a place that cannot be written costs nothing but the wait', t => {
  const file = join(place(t), 'no such folder', 'members.json')
  const ghosts = createGhosts(() => file, BOOT)
  ghosts.joined('a', 'member-1')
  assert.equal(ghosts.of('a'), null)
})
