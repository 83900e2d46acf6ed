/**
 * The state machine of one article at one outlet, a row for each of its transitions: the real actor in virtual time, seen from outside, by
 * what the outlet gets, what the store remembers and what is told.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from './machine.ts'
import {
  accepted,
  answered,
  BEGAN_MS,
  createOneOutlet,
  goneForGood,
  noAnswer,
  noConnection,
  type OneOutlet,
  refusedWith,
} from './one-outlet.ts'
import { createOwnSide } from './own-side.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

type Row = Readonly<{ state: string; event: string; to: string; action: string; story: (outlet: OneOutlet) => Promise<void> }>

/** Version 1 is released and wanted, and a moment passes. */
const publish = async (outlet: OneOutlet, version = 1) => {
  outlet.release('a', version)
  outlet.want('a', version)
  await outlet.pass(1)
}
const kill = async (outlet: OneOutlet, version: number) => {
  outlet.release('a', version, { kill: true })
  outlet.want('a', version, { kill: true })
  await outlet.pass(1)
}
/** Enough failures of other articles to open the breaker. */
const openBreaker = async (outlet: OneOutlet) => {
  outlet.answers(() => answered(500))
  for (const id of ['p', 'q', 'r', 's', 't']) {
    outlet.release(id, 1)
    outlet.want(id, 1)
  }
  await outlet.pass(1)
  assert.ok(outlet.actor().stats().open)
}
/** How outlets answer that cannot take it now. */
const later = ['408', '425', '429', '500', '503', '401', '403', '404'] as const

const rows: readonly Row[] = [
  {
    state: 'NONE',
    event: 'intent',
    to: 'PENDING',
    action: 'scheduled now, kills first',
    story: async outlet => {
      outlet.settings.target = { concurrency: 1, deliver: 'an address' }
      let free = () => undefined as unknown
      outlet.answers((_, count) => (count === 1 ? new Promise(resolve => (free = () => resolve(accepted))) : accepted))
      for (const id of ['first', 'second']) outlet.release(id, 1)
      outlet.want('first', 1)
      outlet.want('second', 1)
      outlet.release('a', 2, { kill: true })
      outlet.want('a', 2, { kill: true })
      await outlet.pass(1)
      free()
      await outlet.pass(1)
      assert.deepEqual(
        outlet.sent.map(one => one.subject),
        ['first', 'a', 'second'],
      )
    },
  },
  {
    state: 'PENDING',
    event: 'slot free, breaker closed',
    to: 'INFLIGHT(latest)',
    action: 'the version is read when it is sent',
    story: async outlet => {
      outlet.release('a', 5)
      outlet.want('a', 3)
      await outlet.pass(1)
      assert.deepEqual(outlet.versions('a'), [5])
    },
  },
  ...(['newer version', 'kill'] as const).map(
    (event): Row => ({
      state: 'PENDING',
      event,
      to: event === 'kill' ? 'PENDING(kill)' : 'PENDING',
      action: 'it takes the place of the one before, which is never sent',
      story: async outlet => {
        outlet.settings.target = { concurrency: 1, deliver: 'an address' }
        let free = () => undefined as unknown
        outlet.answers((_, count) => (count === 1 ? new Promise(resolve => (free = () => resolve(accepted))) : accepted))
        outlet.release('first', 1)
        outlet.want('first', 1)
        await publish(outlet)
        if (event === 'kill') await kill(outlet, 2)
        else await publish(outlet, 2)
        free()
        await outlet.pass(1)
        assert.deepEqual(outlet.versions('a'), [2])
        assert.deepEqual(outlet.states('a'), ['v1 superseded', 'v2 done'])
      },
    }),
  ),
  {
    state: 'PENDING',
    event: 'the read is behind the intent',
    to: 'PENDING',
    action: 'nothing is sent, nothing is dropped',
    story: async outlet => {
      outlet.release('a', 1)
      const committed = outlet.want('a', 2)
      await outlet.pass(30 * SECOND)
      assert.deepEqual(outlet.versions('a'), [])
      assert.ok(committed.done, 'it is written down meanwhile')
      assert.equal(outlet.stored('a')?.attempts, 0)
      outlet.release('a', 2)
      await outlet.pass(5 * SECOND)
      assert.deepEqual(outlet.versions('a'), [2])
    },
  },
  {
    state: 'WAIT',
    event: 'newer version',
    to: 'PENDING',
    action: 'attempts from the start, now',
    story: async outlet => {
      outlet.answers(({ version }) => (version === 1 ? answered(500) : accepted))
      await publish(outlet)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      await publish(outlet, 2)
      assert.deepEqual(outlet.versions('a'), [1, 2])
      assert.deepEqual(outlet.states('a'), ['v1 retrying', 'v1 superseded', 'v2 done'])
    },
  },
  {
    state: 'WAIT',
    event: 'newer version while the breaker is open',
    to: 'PENDING',
    action: 'the breaker still applies',
    story: async outlet => {
      await openBreaker(outlet)
      const before = outlet.sent.length
      await publish(outlet)
      assert.equal(outlet.sent.length, before)
      assert.equal(outlet.stored('a')?.phase, 'pending')
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: '2xx, v is the latest',
    to: 'DONE',
    action: 'the exception is cleared',
    story: async outlet => {
      outlet.answers((_, count) => (count === 1 ? answered(500) : accepted))
      await publish(outlet)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      await outlet.pass(6 * SECOND)
      assert.equal(outlet.stored('a'), null)
      assert.deepEqual(outlet.states('a'), ['v1 retrying', 'v1 done'])
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: '2xx, a newer one is wanted',
    to: 'PENDING',
    action: 'the newer one at once, never beside it',
    story: async outlet => {
      let free = () => undefined as unknown
      outlet.answers(({ version }) => (version === 1 ? new Promise(resolve => (free = () => resolve(accepted))) : accepted))
      await publish(outlet)
      await publish(outlet, 2)
      assert.deepEqual(outlet.versions('a'), [1])
      free()
      await outlet.pass(1)
      assert.deepEqual(outlet.versions('a'), [1, 2])
      assert.deepEqual(outlet.states('a'), ['v1 done', 'v2 done'])
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: 'timeout or reset after bytes were sent',
    to: 'AMBIG(v), WAIT',
    action: 'what may have got there is remembered, in the store too',
    story: async outlet => {
      outlet.answers(() => noAnswer)
      await publish(outlet)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      assert.equal(outlet.stored('a')?.maybeSent, 1)
      await outlet.restart()
      assert.equal(outlet.stored('a')?.maybeSent, 1)
    },
  },
  ...later.map(
    (status): Row => ({
      state: 'INFLIGHT(v)',
      event: status,
      to: 'WAIT',
      action: 'counts against the outlet; tried again by the schedule',
      story: async outlet => {
        outlet.answers(() => answered(Number(status)))
        await publish(outlet)
        assert.equal(outlet.stored('a')?.phase, 'wait')
        assert.equal(outlet.stored('a')?.nextAtMs, BEGAN_MS + 5 * SECOND)
        assert.equal(outlet.stored('a')?.maybeSent, null)
        await outlet.pass(20 * MINUTE)
        assert.ok(outlet.actor().stats().open)
      },
    }),
  ),
  {
    state: 'INFLIGHT(v)',
    event: 'no connection, name or TLS',
    to: 'WAIT',
    action: 'counts against the outlet',
    story: async outlet => {
      outlet.answers(() => noConnection)
      await publish(outlet)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      await outlet.pass(20 * MINUTE)
      assert.ok(outlet.actor().stats().open)
    },
  },
  ...['400', '413', '415', '422'].map(
    (status): Row => ({
      state: 'INFLIGHT(v)',
      event: status,
      to: 'REJECTED(v)',
      action: 'no other try of v, not counted against the outlet',
      story: async outlet => {
        outlet.answers(({ subject }) => (subject === 'a' ? refusedWith(Number(status)) : accepted))
        await publish(outlet)
        await outlet.pass(100 * HOUR)
        assert.deepEqual(outlet.versions('a'), [1])
        assert.equal(outlet.stored('a')?.phase, 'rejected')
        assert.equal(outlet.actor().stats().open, false)
        assert.deepEqual(outlet.states('a'), ['v1 rejected'])
        outlet.release('b', 1)
        outlet.want('b', 1)
        await outlet.pass(1)
        assert.deepEqual(outlet.states('b'), ['v1 done'])
      },
    }),
  ),
  {
    state: 'INFLIGHT(v)',
    event: '410',
    to: 'SUSPENDED',
    action: 'nothing more is sent, what is pending is kept, also over a restart; another address ends it',
    story: async outlet => {
      outlet.answers(() => goneForGood)
      await publish(outlet)
      assert.ok(outlet.isSuspended())
      await outlet.pass(100 * HOUR)
      await outlet.restart()
      outlet.release('b', 1)
      const committed = outlet.want('b', 1)
      await outlet.pass(100 * HOUR)
      assert.ok(committed.done)
      assert.equal(outlet.sent.length, 1)
      assert.ok(outlet.stored('a') !== null && outlet.stored('b') !== null)
      assert.deepEqual(outlet.states('b'), ['v1 suspended'])
      outlet.answers(() => accepted)
      outlet.settings.target = { concurrency: 4, deliver: 'another address' }
      outlet.actor().review()
      await outlet.pass(1)
      assert.deepEqual(outlet.states('a').at(-1), 'v1 done')
      assert.deepEqual(outlet.states('b').at(-1), 'v1 done')
    },
  },
  {
    state: 'WAIT',
    event: 'another address is configured',
    to: 'PENDING, INFLIGHT',
    action: 'tried there at once, past the breaker that its failures opened; any other setting changes nothing',
    story: async outlet => {
      outlet.settings.target = { concurrency: 4, deliver: { url: 'https://old.example/' } }
      outlet.answers(() => answered(500))
      outlet.actor().review()
      await publish(outlet)
      await outlet.pass(2 * HOUR)
      assert.ok(outlet.actor().stats().open)
      const tried = outlet.sent.length
      outlet.answers(() => accepted)
      outlet.settings.target = { concurrency: 2, deliver: { url: 'https://old.example/' } }
      outlet.actor().review()
      await outlet.pass(1)
      assert.equal(outlet.sent.length, tried)
      outlet.settings.target = { concurrency: 2, deliver: { url: 'https://new.example/' } }
      outlet.actor().review()
      await outlet.pass(1)
      assert.equal(outlet.sent.length, tried + 1)
      assert.deepEqual(outlet.states('a').at(-1), 'v1 done')
    },
  },
  {
    state: 'WAIT',
    event: 'another address is configured, and fails too',
    to: 'WAIT',
    action: 'the schedule begins anew: what failed for days at another address is not given up for that',
    story: async outlet => {
      outlet.settings.target = { concurrency: 4, deliver: { url: 'https://old.example/' } }
      outlet.answers(() => answered(500))
      outlet.actor().review()
      await publish(outlet)
      await outlet.pass(60 * HOUR)
      const attempts = outlet.stored('a')?.attempts ?? 0
      outlet.settings.target = { concurrency: 4, deliver: { url: 'https://new.example/' } }
      outlet.actor().review()
      await outlet.pass(1)
      const { phase, attempts: tried, nextAtMs } = outlet.stored('a') ?? {}
      assert.deepEqual([phase, tried], ['wait', attempts + 1], 'attempts are counted on')
      assert.ok((nextAtMs ?? 0) - outlet.clock.now() < 10 * SECOND)
      await outlet.pass(60 * HOUR)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      await outlet.pass(20 * HOUR)
      assert.equal(outlet.stored('a')?.phase, 'dead')
    },
  },
  {
    state: 'WAIT',
    event: 'another address is configured while the process is down',
    to: 'PENDING, INFLIGHT',
    action: 'tried there at once; with the same address it waits on',
    story: async outlet => {
      outlet.settings.target = { concurrency: 4, deliver: { url: 'https://old.example/' } }
      outlet.answers(() => answered(500))
      await publish(outlet)
      await outlet.pass(30 * HOUR)
      const tried = outlet.sent.length
      outlet.answers(() => accepted)
      outlet.settings.target = { concurrency: 2, deliver: { url: 'https://old.example/' } }
      await outlet.restart()
      await outlet.pass(1)
      assert.equal(outlet.sent.length, tried)
      outlet.settings.target = { concurrency: 2, deliver: { url: 'https://new.example/' } }
      await outlet.restart()
      await outlet.pass(1)
      assert.deepEqual(outlet.states('a').at(-1), 'v1 done')
    },
  },
  {
    state: 'INFLIGHT',
    event: 'another address is configured, and the attempt at the one before fails',
    to: 'PENDING, INFLIGHT',
    action: 'tried there at once; its failure is none of the new address',
    story: async outlet => {
      outlet.settings.target = { concurrency: 8, deliver: { url: 'https://old.example/' } }
      const ends: (() => void)[] = []
      outlet.answers(() => new Promise(resolve => ends.push(() => resolve(noAnswer))))
      const ids = ['a', 'p', 'q', 'r', 's', 't']
      for (const id of ids) outlet.release(id, 1)
      for (const id of ids) outlet.want(id, 1)
      await outlet.pass(1)
      assert.equal(ends.length, ids.length)
      outlet.settings.target = { concurrency: 8, deliver: { url: 'https://new.example/' } }
      outlet.actor().review()
      outlet.answers(() => accepted)
      for (const end of ends) end()
      await outlet.pass(1)
      assert.equal(outlet.actor().stats().open, false)
      for (const id of ids) assert.deepEqual(outlet.states(id).at(-1), 'v1 done')
    },
  },
  {
    state: 'WAIT',
    event: 'its time has come',
    to: 'PENDING, INFLIGHT',
    action: 'the attempt is counted on, under the same version',
    story: async outlet => {
      outlet.answers(() => answered(500))
      await publish(outlet)
      await outlet.pass(5 * SECOND - 2)
      assert.equal(outlet.sent.length, 1)
      await outlet.pass(2)
      assert.equal(outlet.sent.length, 2)
      assert.equal(outlet.stored('a')?.attempts, 2)
    },
  },
  {
    state: 'WAIT',
    event: '72 h after the first failure, no kill',
    to: 'DEAD',
    action: 'kept in the store, told; nothing more is sent',
    story: async outlet => {
      outlet.answers(() => answered(500))
      await publish(outlet)
      await outlet.pass(300 * HOUR)
      assert.equal(outlet.stored('a')?.phase, 'dead')
      assert.equal(outlet.states('a').at(-1), 'v1 dead')
      assert.ok(outlet.sent.length <= 13, `${outlet.sent.length} attempts`)
    },
  },
  ...(['REJECTED', 'DEAD'] as const).flatMap((state): Row[] => {
    const arrive = async (outlet: OneOutlet) => {
      outlet.answers(() => (state === 'DEAD' ? answered(500) : refusedWith(422)))
      await publish(outlet)
      await outlet.pass(300 * HOUR)
      assert.equal(outlet.stored('a')?.phase, state.toLowerCase())
      outlet.answers(() => accepted)
    }
    return [
      {
        state,
        event: 'newer version',
        to: 'PENDING',
        action: 'it is delivered, the older one is superseded',
        story: async outlet => {
          await arrive(outlet)
          outlet.release('a', 2)
          outlet.want('a', 2)
          await outlet.pass(2 * HOUR)
          assert.deepEqual(outlet.states('a').slice(-2), ['v1 superseded', 'v2 done'])
          assert.equal(outlet.stored('a'), null)
        },
      },
      {
        state,
        event: 'operator replay',
        to: 'PENDING',
        action: 'it is tried from the start, as it is now',
        story: async outlet => {
          await arrive(outlet)
          const before = outlet.sent.length
          outlet.want('a', 1, { again: true })
          await outlet.pass(2 * HOUR)
          assert.equal(outlet.sent.length, before + 1)
          assert.deepEqual(outlet.told.at(-1)?.attempts, 1)
          assert.equal(outlet.states('a').at(-1), 'v1 done')
          assert.equal(outlet.stored('a'), null)
        },
      },
      {
        state,
        event: 'another address is configured',
        to: state,
        action: 'it waits for a person or a newer version all the same',
        story: async outlet => {
          await arrive(outlet)
          const before = outlet.sent.length
          outlet.settings.target = { concurrency: 4, deliver: 'another address' }
          outlet.actor().review()
          await outlet.pass(2 * HOUR)
          await outlet.restart()
          await outlet.pass(2 * HOUR)
          assert.equal(outlet.sent.length, before)
          assert.equal(outlet.stored('a')?.phase, state.toLowerCase())
        },
      },
      {
        state,
        event: 'kill',
        to: 'PENDING(kill)',
        action: 'it goes out all the same, through an open breaker within a minute',
        story: async outlet => {
          await arrive(outlet)
          await kill(outlet, 2)
          await outlet.pass(MINUTE)
          assert.equal(outlet.states('a').at(-1), 'v2 done')
        },
      },
    ]
  }),
  {
    state: 'any',
    event: 'kill, the breaker is open',
    to: 'PENDING(kill)',
    action: 'bypasses the breaker once a minute',
    story: async outlet => {
      await openBreaker(outlet)
      await outlet.pass(10 * HOUR)
      const kills = Array.from({ length: 10 }, (_, index) => `k${index}`)
      for (const id of kills) {
        outlet.release(id, 2, { kill: true })
        outlet.want(id, 2, { kill: true })
      }
      const before = outlet.sent.length
      await outlet.pass(10 * MINUTE)
      const sent = outlet.sent.slice(before)
      assert.ok(sent.every(one => one.kill))
      // One each minute, and at most one probe, which the breaker grants every quarter of an hour.
      assert.ok(sent.length >= 10 && sent.length <= 12, `${sent.length} in ten minutes`)
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: 'kill',
    to: 'PENDING(kill)',
    action: 'it follows the end of v at once, and is never beside it',
    story: async outlet => {
      let end = () => undefined as unknown
      outlet.answers(({ version }) => (version === 1 ? new Promise(resolve => (end = () => resolve(answered(500)))) : accepted))
      await publish(outlet)
      await kill(outlet, 2)
      await outlet.pass(SECOND)
      assert.deepEqual(outlet.versions('a'), [1])
      end()
      await outlet.pass(1)
      assert.deepEqual(outlet.versions('a'), [1, 2])
      assert.deepEqual(outlet.states('a').slice(-2), ['v1 superseded', 'v2 done'])
    },
  },
  {
    state: 'any',
    event: 'an operator pauses the outlet',
    to: 'kept',
    action: 'nothing goes out, kills neither; when that ends all of it is due, kills first',
    story: async outlet => {
      outlet.answers(() => answered(500))
      outlet.release('b', 1)
      outlet.want('b', 1)
      await outlet.pass(1)
      await outlet.setPaused(true)
      outlet.answers(() => accepted)
      await kill(outlet, 2)
      await outlet.pass(HOUR)
      assert.deepEqual(outlet.versions('a'), [])
      assert.equal(outlet.states('a').at(-1), 'v2 suspended')
      const before = outlet.sent.length
      await outlet.setPaused(false)
      await outlet.pass(SECOND)
      assert.deepEqual(
        outlet.sent.slice(before).map(one => one.subject),
        ['a', 'b'],
      )
    },
  },
  {
    state: 'any',
    event: 'kill, the outlet is suspended (410)',
    to: 'PENDING(kill)',
    action: 'is sent all the same and kept until it gets through, which ends the suspension',
    story: async outlet => {
      outlet.answers(() => goneForGood)
      await publish(outlet)
      await kill(outlet, 2)
      await outlet.pass(HOUR)
      assert.ok(outlet.versions('a').filter(version => version === 2).length > 3)
      assert.equal(outlet.stored('a')?.kill, true)
      outlet.answers(() => accepted)
      await outlet.pass(15 * MINUTE + 4 * MINUTE)
      assert.equal(outlet.states('a').at(-1), 'v2 done')
      assert.equal(outlet.isSuspended(), false)
    },
  },
  {
    state: 'PENDING(kill)',
    event: 'refused with 4xx',
    to: 'WAIT',
    action: 'a kill is never rejected',
    story: async outlet => {
      outlet.answers(() => refusedWith(422))
      await kill(outlet, 2)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      await outlet.pass(3 * SECOND)
      assert.deepEqual(outlet.versions('a'), [2, 2])
    },
  },
  {
    state: 'PENDING(kill)',
    event: '72 h of failures',
    to: 'WAIT',
    action: 'a kill is never given up',
    story: async outlet => {
      outlet.answers(() => answered(500))
      await kill(outlet, 2)
      await outlet.pass(200 * HOUR)
      assert.equal(outlet.stored('a')?.phase, 'wait')
      const before = outlet.sent.length
      await outlet.pass(3 * HOUR)
      assert.ok(outlet.sent.length > before)
    },
  },
  {
    state: 'PENDING(kill)',
    event: 'routed, but no send on record',
    to: 'INFLIGHT(kill)',
    action: 'is sent anyway: successes leave nothing behind, so no record is no proof',
    story: async outlet => {
      await outlet.restart()
      await kill(outlet, 2)
      assert.deepEqual(outlet.states('a'), ['v2 done'])
    },
  },
  {
    state: 'INFLIGHT(kill)',
    event: '2xx after a send of unknown outcome',
    to: 'WAIT (settle-repeat)',
    action: 'one repeat a minute later under an id of its own, then DONE',
    story: async outlet => {
      outlet.answers((_, count) => (count === 1 ? noAnswer : accepted))
      await publish(outlet)
      await kill(outlet, 2)
      assert.deepEqual(outlet.states('a').at(-1), 'v2 done')
      assert.ok(outlet.stored('a')?.settling)
      await outlet.pass(MINUTE - 2)
      assert.deepEqual(
        outlet.sent.map(one => one.settling),
        [false, false],
      )
      await outlet.pass(HOUR)
      assert.deepEqual(
        outlet.sent.map(one => `v${one.version} ${one.settling}`),
        ['v1 false', 'v2 false', 'v2 true'],
      )
      assert.equal(outlet.stored('a'), null)
    },
  },
  ...(['`deliver` is changed', 'a pause ends'] as const).map(
    (event): Row => ({
      state: 'WAIT (settle-repeat)',
      event,
      to: 'WAIT (settle-repeat)',
      action: 'it keeps its minute, because the send of unknown outcome may still arrive',
      story: async outlet => {
        outlet.answers((_, count) => (count === 1 ? noAnswer : accepted))
        await publish(outlet)
        await kill(outlet, 2)
        if (event === 'a pause ends') {
          await outlet.setPaused(true)
          await outlet.setPaused(false)
        } else {
          outlet.settings.target = { concurrency: 4, deliver: 'the same address, and another format' }
          outlet.actor().review()
        }
        await outlet.pass(MINUTE - 2)
        assert.equal(outlet.sent.length, 2)
        await outlet.pass(2)
        assert.equal(outlet.sent.at(-1)?.settling, true)
      },
    }),
  ),
  {
    state: 'WAIT (settle-repeat)',
    event: 'newer version: the article is back',
    to: 'PENDING',
    action: 'it goes at once, and nothing is repeated',
    story: async outlet => {
      outlet.answers(({ version }) => (version === 1 ? noAnswer : accepted))
      await publish(outlet)
      await kill(outlet, 2)
      assert.equal(outlet.stored('a')?.settling, true)
      await publish(outlet, 3)
      await outlet.pass(HOUR)
      assert.deepEqual(outlet.versions('a'), [1, 2, 3])
      assert.equal(outlet.stored('a'), null)
    },
  },
  {
    state: 'WAIT (settle-repeat)',
    event: 'the process dies',
    to: 'WAIT (settle-repeat)',
    action: 'the repeat still goes out',
    story: async outlet => {
      outlet.answers((_, count) => (count === 1 ? noAnswer : accepted))
      await publish(outlet)
      await kill(outlet, 2)
      await outlet.restart(false)
      await outlet.pass(HOUR)
      assert.deepEqual(outlet.sent.at(-1)?.settling, true)
      assert.equal(outlet.stored('a'), null)
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: 'the process dies before anything is written',
    to: 'PENDING',
    action: 'the intent is read again; a kill after that is repeated once, because v may have been sent',
    story: async outlet => {
      let free = () => undefined as unknown
      outlet.answers((_, count) => (count === 1 ? new Promise(resolve => (free = () => resolve(accepted))) : accepted))
      outlet.release('a', 1)
      const committed = outlet.want('a', 1)
      await outlet.pass(1)
      await outlet.restart(false)
      assert.equal(committed.done, false)
      outlet.release('a', 2, { kill: true })
      outlet.want('a', 2, { kill: true, maybeSent: 0 })
      await outlet.pass(HOUR)
      assert.deepEqual(
        outlet.sent.map(one => `v${one.version} ${one.settling}`),
        ['v1 false', 'v2 false', 'v2 true'],
      )
      free()
    },
  },
  {
    state: 'AMBIG(v)',
    event: 'handed over, and the store took what is known of it',
    to: 'AMBIG(v) → WAIT',
    action: 'the next owner knows, and repeats a kill for that reason',
    story: async outlet => {
      outlet.answers((_, count) => (count === 1 ? noAnswer : accepted))
      await publish(outlet)
      assert.equal(await outlet.restart(), true)
      await kill(outlet, 2)
      await outlet.pass(HOUR)
      assert.equal(outlet.sent.at(-1)?.settling, true)
    },
  },
  {
    state: 'AMBIG(v)',
    event: 'handed over while the store takes nothing',
    to: 'forgotten',
    action: 'the hand-over says that not all is known',
    story: async outlet => {
      let end = () => undefined as unknown
      outlet.answers(() => new Promise(resolve => (end = () => resolve(noAnswer))))
      outlet.release('a', 1)
      outlet.want('a', 1)
      await outlet.pass(1)
      outlet.setStoreAway(true)
      end()
      assert.equal(await outlet.restart(), false)
    },
  },
  {
    state: 'DONE',
    event: 'handed over within the time in which an older version may still arrive',
    to: 'DONE',
    action: 'the hand-over says that not all is known, until that time is over',
    story: async outlet => {
      outlet.answers((_, count) => (count === 1 ? noAnswer : accepted))
      await publish(outlet)
      await publish(outlet, 2)
      assert.equal(outlet.states('a').at(-1), 'v2 done')
      assert.equal(await outlet.restart(), false)
      await publish(outlet, 3)
      await outlet.pass(10 * MINUTE)
      assert.equal(await outlet.restart(), true)
    },
  },
  {
    state: 'PENDING',
    event: 'our own store is away',
    to: 'PENDING',
    action: 'no attempt is counted, no breaker moves, the record waits; afterwards all goes on',
    story: async outlet => {
      outlet.answers(() => answered(500))
      outlet.setStoreAway(true)
      outlet.release('a', 1)
      const committed = outlet.want('a', 1)
      await outlet.pass(10 * SECOND)
      assert.equal(committed.done, false)
      outlet.answers(() => accepted)
      outlet.setStoreAway(false)
      await outlet.pass(10 * SECOND)
      assert.ok(committed.done)
      assert.equal(outlet.states('a').at(-1), 'v1 done')
    },
  },
  {
    state: 'INFLIGHT(v)',
    event: 'nearly no outlet can be reached',
    to: 'PENDING (frozen)',
    action: 'the fault is taken to be ours: no attempt is counted, no breaker opens, one canary every 5 s',
    story: async outlet => {
      outlet.answers(() => noConnection)
      await publish(outlet)
      await outlet.pass(HOUR)
      assert.equal(outlet.stored('a')?.attempts ?? 0, 0)
      assert.equal(outlet.actor().stats().open, false)
      const before = outlet.sent.length
      await outlet.pass(MINUTE)
      assert.ok(
        outlet.sent.length - before >= 10 && outlet.sent.length - before <= 13,
        `${outlet.sent.length - before} canaries in a minute`,
      )
      outlet.answers(() => accepted)
      await outlet.pass(6 * SECOND)
      assert.equal(outlet.states('a').at(-1), 'v1 done')
    },
  },
]

/** Four others that cannot be reached either, for as long as time is asked for. */
const everybodyIsCutOff = () => {
  const real = createOwnSide(1)
  const others = ['w', 'x', 'y', 'z']
  return {
    ...real,
    note: (id: string, reached: boolean, nowMs: number) => {
      for (const other of others) real.note(other, reached, nowMs)
      real.note(id, reached, nowMs)
    },
  }
}

describe('one article at one outlet', () => {
  for (const { state, event, to, action, story } of rows)
    test(`${state} | ${event} → ${to}: ${action}`, async () => {
      await story(createOneOutlet(to.includes('frozen') ? { ownSide: everybodyIsCutOff() } : {}))
    })
})

test('a kill is sent when something of ours broke while the version before it was on its way', async () => {
  const outlet = createOneOutlet()
  let answer: (outcome: Outcome) => void = () => undefined
  outlet.answers(({ version }) => (version === 1 ? new Promise(resolve => (answer = resolve)) : accepted))
  await publish(outlet)
  await outlet.pass(3 * SECOND)
  assert.equal(outlet.stored('a')?.phase, 'inflight')
  outlet.settings.statesBroken = true
  answer(goneForGood)
  await outlet.pass(1)
  outlet.settings.statesBroken = false
  await kill(outlet, 2)
  await outlet.pass(SECOND)
  assert.deepEqual(outlet.versions('a'), [1, 2])
  await outlet.pass(2 * MINUTE)
  assert.deepEqual(outlet.versions('a'), [1, 2, 2], 'nobody knows whether the first arrived, so its retraction is repeated')
  assert.equal(outlet.stored('a'), null)
})

test('what is still being written down is not let go of: its write would come after that of its end, and it would be sent again behind newer ones', async () => {
  const outlet = createOneOutlet()
  const [first, second] = outlet.slowDownSaves(2)
  outlet.answers((_, count) => (count === 1 ? answered(500) : accepted))
  await publish(outlet)
  await outlet.pass(3 * SECOND)
  first?.()
  await outlet.pass(MINUTE)
  second?.()
  await outlet.pass(MINUTE)
  assert.deepEqual(outlet.versions('a'), [1, 1])
  assert.equal(outlet.stored('a'), null)
})

test('what an attempt came to is not written down before it is told: over a crash nobody would ever tell it', async () => {
  const outlet = createOneOutlet()
  outlet.answers(({ version }) => (version === 1 ? noAnswer : accepted))
  await publish(outlet)
  await outlet.pass(3 * SECOND)
  const [saved] = outlet.slowDownSaves(1)
  outlet.settings.tellAway = true
  await kill(outlet, 2)
  outlet.want('a', 2, { kill: true, again: true })
  await outlet.pass(SECOND)
  saved?.()
  await outlet.pass(SECOND)
  assert.equal(outlet.stored('a')?.settling, false)
  outlet.settings.tellAway = false
  await outlet.restart(false)
  await outlet.pass(3 * MINUTE)
  assert.deepEqual(outlet.states('a').at(-1), 'v2 done')
  assert.equal(outlet.stored('a'), null)
})
