import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hold, wantVersion } from './machine.ts'
import { createOneCopy } from './one-copy.ts'
import { type Origin, Shelves } from './shelved.ts'

const SINCE_MS = 1_800_000_000_000

/** Lehmer's generator (Park and Miller 1988): the same story each time. */
const seeded = (seed: number) => () => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

test('what is remembered of a delivery is what it was, whatever is said by yes and no', () => {
  for (const origin of ['us', 'before', 'stray'] as const satisfies readonly Origin[])
    for (const kill of [false, true])
      for (const phase of ['pending', 'wait', 'rejected', 'dead'] as const)
        for (const held of [false, true]) {
          const wanted = { ...wantVersion(null, { version: 3, kill, sequence: 2 ** 33, maybeSent: null }, SINCE_MS + 0.5), phase }
          const delivery = held ? { ...hold(wanted, SINCE_MS + 9), phase } : wanted
          const one = new Shelves().put({ subject: 'press.a', sinceMs: SINCE_MS + 999.5 }, delivery, origin)
          const { subject, want, sequence, nextAtMs } = one
          assert.deepEqual(
            {
              subject,
              want,
              sequence,
              nextAtMs,
              origin: one.origin,
              kill: one.kill,
              held: one.held,
              armed: one.armed,
              busy: one.busy,
            },
            {
              subject: 'press.a',
              want: 3,
              sequence: 2 ** 33,
              nextAtMs: delivery.nextAtMs,
              origin,
              kill,
              held,
              armed: phase === 'pending' || phase === 'wait',
              busy: false,
            },
          )
          assert.equal(one.sinceMs, SINCE_MS)
          one.busy = true
          one.held = !held
          assert.deepEqual([one.busy, one.held, one.kill, one.origin], [true, !held, kill, origin])
          one.busy = false
          one.held = held
          assert.deepEqual([one.busy, one.held, one.kill, one.origin], [false, held, kill, origin])
        }
})

test('shelves say what a map would, whatever is put there, taken out and put there again', () => {
  const random = seeded(20_261_127)
  const shelves = new Shelves()
  const model = new Map<string, { want: number; sinceMs: number; held: boolean }>()
  for (let step = 0; step < 30_000; step++) {
    // First many come, then nearly all go, then many come again.
    const isGrowing = Math.floor(step / 10_000) % 2 === 0
    const subject = `press.${Math.floor(random() * 2_000)}`
    if (random() < (isGrowing ? 0.7 : 0.1)) {
      const sinceMs = SINCE_MS + Math.floor(random() * 1_000) * 1_000
      const wanted = wantVersion(null, { version: step + 1, kill: false, sequence: step, maybeSent: null }, sinceMs)
      const held = random() < 0.5
      shelves.put({ subject, sinceMs }, held ? hold(wanted, sinceMs + 9) : wanted, 'us')
      model.set(subject, { want: step + 1, sinceMs, held })
    } else {
      shelves.delete(subject)
      model.delete(subject)
    }
    assert.equal(shelves.size, model.size)
    assert.equal(shelves.get(subject)?.want, model.get(subject)?.want)
    if (step % 500 !== 0) continue
    for (const [known, { want }] of model) assert.equal(shelves.get(known)?.want, want)
    assert.deepEqual([...shelves.keys()].sort(), [...model.keys()].sort())
    assert.deepEqual([...shelves.values()].map(one => one.want).sort(), [...model.values()].map(one => one.want).sort())
    const due = [...model.values()].filter(one => !one.held).map(one => one.sinceMs)
    assert.equal(shelves.oldestSinceMs(), due.length === 0 ? null : Math.min(...due))
  }
})

test('what was queued of one that is gone has no turn, also when another stands in its row', () => {
  const shelves = new Shelves()
  const wanted = wantVersion(null, { version: 1, kill: false, sequence: 1, maybeSent: null }, SINCE_MS)
  const first = shelves.put({ subject: 'press.a', sinceMs: SINCE_MS }, wanted, 'us')
  const [before, turn] = [first.begin(), first.begin()]
  assert.deepEqual([shelves.stands(first.row, before), shelves.stands(first.row, turn)], [false, true])
  shelves.delete('press.a')
  assert.equal(shelves.stands(first.row, turn), false)
  const second = shelves.put({ subject: 'press.b', sinceMs: SINCE_MS }, wanted, 'us')
  assert.equal(second.row, first.row)
  assert.equal(shelves.stands(second.row, turn), false)
  // Whoever still looks at the first one changes nothing of the second.
  first.busy = true
  first.nextAtMs = 0
  assert.deepEqual([second.busy, second.nextAtMs], [false, wanted.nextAtMs])
})

test('a text comes back as it is, however many were seen before and between', () => {
  const oneCopy = createOneCopy(4)
  for (const text of ['a', 'b', 'a', 'c', 'd', 'e', 'a', 'b', 'b']) assert.equal(oneCopy(text), text)
})
