import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { killFact, liveFact } from './samples.ts'
import { createView } from './view.ts'

const releasedAtMs = Date.parse('2026-01-01T00:00:00.000Z')
const at = (version: number, releasedMs = releasedAtMs) =>
  liveFact({ articleId: 'p.a', version, releasedAt: new Date(releasedMs).toISOString() })

/** A view at a clock of ours, of a store whose one article is as told and whose reads are counted. */
const viewOf = (stored: Fact | null) => {
  const clock = { nowMs: releasedAtMs }
  const held = { fact: stored, reads: 0 }
  const get = async (key: string) => {
    assert.equal(key, keys.current('p.a'))
    held.reads += 1
    const bytes = Buffer.from(JSON.stringify({ n: 1, released: held.fact === null ? null : { fact: held.fact } }))
    return { bytes, etag: '', contentType: '', lastModified: new Date(0) }
  }
  return { view: createView({ get } as unknown as Objects, () => clock.nowMs), clock, held }
}

test('a fact that passed by within a second is not read again', async () => {
  const { view, clock, held } = viewOf(null)
  view.offer(at(1))
  clock.nowMs += 999
  assert.equal((await view.read('p.a', 1))?.version, 1)
  assert.equal(held.reads, 0)
})

test('what was released a second ago or more is read where it may have changed', async () => {
  const { view, clock, held } = viewOf(killFact({ articleId: 'p.a', version: 2 }))
  view.offer(at(1))
  clock.nowMs += 1000
  view.offer(at(1))
  assert.equal((await view.read('p.a', 1))?.version, 2)
  assert.equal(held.reads, 1)
})

test('a version above the one that passed by is read', async () => {
  const { view, held } = viewOf(at(2))
  view.offer(at(1))
  assert.equal((await view.read('p.a', 2))?.version, 2)
  assert.equal(held.reads, 1)
})

test('a fact that comes late takes the place of nothing newer', async () => {
  const { view, held } = viewOf(at(3))
  view.offer(at(2))
  view.offer(at(1))
  assert.equal((await view.read('p.a', 1))?.version, 2)
  await view.read('p.a', 3)
  view.offer(at(1))
  assert.equal((await view.read('p.a', 1))?.version, 3)
  assert.equal(held.reads, 1)
})

test('a release dated ahead of the clock is passed over, because nobody knows how long ago it was', async () => {
  const { view, held } = viewOf(killFact({ articleId: 'p.a', version: 2 }))
  view.offer(at(1, releasedAtMs + 5_000))
  assert.equal((await view.read('p.a', 1))?.version, 2)
  assert.equal(held.reads, 1)
})

test('clocks that differ by a few ms are taken to agree', async () => {
  const { view, held } = viewOf(null)
  view.offer(at(1, releasedAtMs + 5))
  assert.equal((await view.read('p.a', 1))?.version, 1)
  assert.equal(held.reads, 0)
})

test('what is no longer shared is held no longer, once something else comes', async () => {
  const { view, clock } = viewOf(null)
  for (let n = 0; n < 400; n++) view.offer(liveFact({ articleId: `p.${n}`, version: 1, releasedAt: new Date(clock.nowMs).toISOString() }))
  assert.equal(view.held(), 400)
  clock.nowMs += 1_000
  view.offer(at(1, clock.nowMs))
  assert.equal(view.held(), 1)
})
