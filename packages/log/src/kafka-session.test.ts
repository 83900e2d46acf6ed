import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFetchSession, type WantedTopic } from './kafka-session.ts'

const wanted = (offsets: Readonly<Record<number, string>>, topic = 'work'): WantedTopic => ({
  topic,
  partitions: Object.entries(offsets).map(([partition, fetchOffset]) => ({ partition: Number(partition), fetchOffset, maxBytes: 1000 })),
})

/** A session whose first request was answered. */
const begun = (offsets: Readonly<Record<number, string>>) => {
  const session = createFetchSession()
  session.ask([wanted(offsets)])
  session.answered({ errorCode: 0, sessionId: 7 })
  return session
}

test('the first request names every partition and begins a session; the next only what moved', () => {
  const session = createFetchSession()
  const first = session.ask([wanted({ 0: '5', 1: '9' })])
  assert.deepEqual(first, { sessionId: 0, sessionEpoch: 0, topics: [wanted({ 0: '5', 1: '9' })], forgottenTopics: [] })
  assert.equal(session.answered({ errorCode: 0, sessionId: 7 }), true)
  const second = session.ask([wanted({ 0: '6', 1: '9' })])
  assert.deepEqual(second, { sessionId: 7, sessionEpoch: 1, topics: [wanted({ 0: '6' })], forgottenTopics: [] })
  assert.equal(session.answered({ errorCode: 0, sessionId: 7 }), true)
  assert.deepEqual(session.ask([wanted({ 0: '6', 1: '9' })]).topics, [])
})

test('a partition that is paused is taken out of the session, and named again with its offset when it goes on', () => {
  const session = begun({ 0: '5', 1: '9' })
  const paused = session.ask([wanted({ 1: '9' })])
  assert.deepEqual([paused.topics, paused.forgottenTopics], [[], [{ topic: 'work', partitions: [0] }]])
  session.answered({ errorCode: 0, sessionId: 7 })
  const resumed = session.ask([wanted({ 0: '5', 1: '9' })])
  assert.deepEqual([resumed.topics, resumed.forgottenTopics], [[wanted({ 0: '5' })], []])
})

test('a topic that is asked for no more is taken out with all its partitions', () => {
  const session = createFetchSession()
  session.ask([wanted({ 0: '1' }), wanted({ 0: '2', 1: '3' }, 'other')])
  session.answered({ errorCode: 0, sessionId: 7 })
  assert.deepEqual(session.ask([wanted({ 0: '1' })]).forgottenTopics, [{ topic: 'other', partitions: [0, 1] }])
})

test('a session that the broker has forgotten is asked for anew, with everything', () => {
  const session = begun({ 0: '5', 1: '9' })
  session.ask([wanted({ 0: '6', 1: '9' })])
  assert.equal(session.answered({ errorCode: 70, sessionId: 0 }), false)
  const again = session.ask([wanted({ 0: '6', 1: '9' })])
  assert.deepEqual([again.sessionId, again.sessionEpoch, again.topics], [0, 0, [wanted({ 0: '6', 1: '9' })]])
})

test('after an answer that was lost everything is named, in place of the session there was', () => {
  const session = begun({ 0: '5' })
  session.ask([wanted({ 0: '6' })])
  session.lost()
  const again = session.ask([wanted({ 0: '6' })])
  assert.deepEqual([again.sessionId, again.sessionEpoch, again.topics], [7, 0, [wanted({ 0: '6' })]])
})

test('a broker that gives no session, or is older than sessions, is told everything every time', () => {
  for (const answer of [{ errorCode: 0, sessionId: 0 }, {}]) {
    const session = createFetchSession()
    session.ask([wanted({ 0: '5' })])
    assert.equal(session.answered(answer), true)
    const next = session.ask([wanted({ 0: '5' })])
    assert.deepEqual([next.sessionId, next.sessionEpoch, next.topics], [0, 0, [wanted({ 0: '5' })]])
  }
})
