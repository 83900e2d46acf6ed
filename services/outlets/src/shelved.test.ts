import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hold, wantVersion } from './machine.ts'
import { createOneCopy } from './one-copy.ts'
import { type Origin, Shelved } from './shelved.ts'

const SINCE_MS = 1_800_000_000_000

test('what is remembered of a delivery is what it was, whatever is said by yes and no', () => {
  for (const origin of ['us', 'before', 'stray'] as const satisfies readonly Origin[])
    for (const kill of [false, true])
      for (const phase of ['pending', 'wait', 'rejected', 'dead'] as const)
        for (const held of [false, true]) {
          const wanted = { ...wantVersion(null, { version: 3, kill, sequence: 2 ** 33, maybeSent: null }, SINCE_MS + 0.5), phase }
          const delivery = held ? { ...hold(wanted, SINCE_MS + 9), phase } : wanted
          const one = new Shelved({ subject: 'press.a', sinceMs: SINCE_MS + 999.5 }, delivery, origin)
          const { subject, want, sequence, nextAtMs, turn } = one
          assert.deepEqual(
            {
              subject,
              want,
              sequence,
              nextAtMs,
              turn,
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
              turn: 0,
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

test('a text comes back as it is, however many were seen before and between', () => {
  const oneCopy = createOneCopy(4)
  for (const text of ['a', 'b', 'a', 'c', 'd', 'e', 'a', 'b', 'b']) assert.equal(oneCopy(text), text)
})
