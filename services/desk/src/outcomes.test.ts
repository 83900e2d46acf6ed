/** Every code that the desk can tell, by the shortest story that ends in it: a new code without one does not compile. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EMBARGOED, INSTANT_LENGTH } from '@newswire/events/milestone'
import type { Cause } from './cause.ts'
import { decide } from './decide.ts'
import { type DeskCode, outcomeEvent, words } from './outcomes.ts'
import { blank, type Outcome, type State } from './state.ts'
import { at, due, publish, purge, republish, retract } from './stories.world.ts'

type Told = Readonly<{ causes: readonly Cause[]; state: Outcome['state'] }>

const A = publish(10, { content: 'A' })
const lane = (cause: Cause): Cause => ({ ...cause, lane: 'backfill' }) as Cause

/** `handle.ts` refuses these before anything is decided; `handle.test.ts` and `desk.test.ts` see them. */
const beforeDeciding = ['NEWSWIRE_DESK_MARKUP', 'NEWSWIRE_DESK_STATE_LOST', 'NEWSWIRE_DESK_TOO_LARGE'] as const
type Decided = Exclude<DeskCode, (typeof beforeDeciding)[number]>

const stories: Readonly<Record<Decided, Told>> = {
  NEWSWIRE_DESK_BEFORE_RETRACTION: { causes: [retract(20), A], state: 'refused' },
  NEWSWIRE_DESK_BACKFILL: { causes: [A, publish(10, { content: 'old', lane: 'backfill' })], state: 'superseded' },
  NEWSWIRE_DESK_STALE: {
    causes: [publish(10, { content: 'A', sourceVersion: 2 }), publish(20, { content: 'B', sourceVersion: 1 })],
    state: 'refused',
  },
  NEWSWIRE_DESK_SAME_VERSION: {
    causes: [publish(10, { content: 'A', sourceVersion: 1 }), publish(20, { content: 'B', sourceVersion: 1 })],
    state: 'refused',
  },
  NEWSWIRE_DESK_DUPLICATE: { causes: [A, publish(20, { content: 'A', id: 'again' })], state: 'duplicate' },
  NEWSWIRE_DESK_SUPERSEDED: { causes: [publish(20, { content: 'B' }), A], state: 'superseded' },
  NEWSWIRE_DESK_EXPIRED: { causes: [due(10), publish(10, { content: 'A', expires: 5 })], state: 'refused' },
  NEWSWIRE_DESK_EMBARGOED: { causes: [publish(10, { content: 'A', embargo: 20 })], state: 'held' },
  NEWSWIRE_DESK_AWAITS_REPUBLISH: { causes: [A, retract(20), publish(30, { content: 'B' })], state: 'held' },
  NEWSWIRE_DESK_RETRACTED_WHILE_HELD: { causes: [publish(10, { content: 'A', embargo: 20 }), retract(20)], state: 'refused' },
  NEWSWIRE_DESK_NO_EFFECT: { causes: [A, retract(30), retract(20)], state: 'superseded' },
  NEWSWIRE_DESK_ALREADY_RETRACTED: { causes: [A, retract(20), retract(30)], state: 'duplicate' },
  NEWSWIRE_DESK_NEVER_RELEASED: { causes: [retract(20)], state: 'released' },
  NEWSWIRE_DESK_NOT_RETRACTED: { causes: [A, republish(20)], state: 'refused' },
  NEWSWIRE_DESK_NOTHING_TO_REPUBLISH: { causes: [retract(10), republish(20)], state: 'refused' },
  NEWSWIRE_DESK_PURGED: { causes: [A, purge(20), publish(30, { content: 'B' })], state: 'refused' },
  NEWSWIRE_DESK_LANE: { causes: [A, lane(retract(20))], state: 'refused' },
}

describe('every code reaches who submitted it, with its words', () => {
  for (const [code, { causes, state }] of Object.entries(stories) as [Decided, Told][])
    it(code, () => {
      let current: State = blank
      let outcomes: readonly Outcome[] = []
      for (const cause of causes) {
        const now = cause.kind === 'publish' && cause.article.expiresAt !== undefined ? at(10) : at(0)
        const decision = decide(current, cause, now)
        current = decision.next
        outcomes = decision.outcomes
      }
      const told = outcomes.find(one => one.code === code)
      assert.ok(told, `nothing was told with ${code}: ${JSON.stringify(outcomes)}`)
      assert.equal(told.state, state)
      const { data } = outcomeEvent(told, { id: 'c', articleId: 'press.a', at: at(0) })
      assert.ok(data.kind === 'submission' && data.code === code && data.state === state)
      assert.ok(data.detail?.startsWith(words[code]))
    })

  it('a duplicate is told of a sourceVersion that came before, when other content is out since', () => {
    const sent = { content: 'A', sourceVersion: 1 }
    const current = [publish(10, sent), publish(20, { content: 'B' })].reduce((state, cause) => decide(state, cause, at(0)).next, blank)
    assert.equal(decide(current, publish(30, { ...sent, id: 'again' }), at(0)).outcomes[0]?.code, 'NEWSWIRE_DESK_DUPLICATE')
    assert.match(words.NEWSWIRE_DESK_DUPLICATE, /or was taken before under its sourceVersion/)
  })

  it('what waits for its embargo says at its end until when: the console finds by that what is overdue', () => {
    const cause = publish(10, { content: 'A', embargo: 20 })
    const [held] = decide(blank, cause, at(0)).outcomes
    assert.ok(held)
    const { data } = outcomeEvent(held, cause)
    assert.ok(data.kind === 'submission' && data.code === EMBARGOED)
    assert.equal(data.detail?.slice(-INSTANT_LENGTH), at(20))
  })

  it('no code is left out', () => {
    assert.deepEqual(Object.keys(words).sort(), [...Object.keys(stories), ...beforeDeciding].sort())
  })
})
