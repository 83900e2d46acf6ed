import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError } from './errors.ts'
import { fromRecord, type NewswireEvent, toRecord } from './events.ts'
import { topicSpecs } from './topics.ts'

const event: NewswireEvent<'feed.changed'> = {
  id: '1',
  type: 'feed.changed',
  source: '/services/feeds',
  subject: 'all',
  time: '2026-01-01T00:00:00.000Z',
  correlationid: 's',
  causationid: 'c',
  traceparent: undefined,
  data: { feedId: 'all', articleId: 'a.b', version: 1 },
}

test('an event comes back from its record as it was', () => {
  assert.deepEqual(fromRecord(toRecord(event)), event)
})

test('a record of a type that this build does not know is passed over', () => {
  const record = toRecord(event)
  assert.equal(fromRecord({ ...record, headers: { ...record.headers, ce_type: 'article.translated' } }), null)
})

test('data that its type does not allow is rejected, and the message says where', () => {
  const record = { ...toRecord(event), value: new TextEncoder().encode('{"feedId":1}') }
  assert.throws(
    () => fromRecord(record),
    (error: unknown) => error instanceof RejectError && error.code === 'NEWSWIRE_EVENT_DATA' && /feedId/.test(error.message),
  )
})

for (const [title, value] of [
  ['no JSON', new TextEncoder().encode('{')],
  ['no UTF-8', new Uint8Array([0xff, 0xfe])],
  ['nothing', null],
] as const)
  test(`a record that holds ${title} is rejected`, () => {
    assert.throws(() => fromRecord({ ...toRecord(event), value }), { code: 'NEWSWIRE_EVENT_DATA' })
  })

test('a record without an envelope is rejected', () => {
  assert.throws(() => fromRecord({ headers: {}, value: new Uint8Array() }), { code: 'NEWSWIRE_EVENT_ENVELOPE' })
})

test('a field that a newer producer added does no harm', () => {
  const record = { ...toRecord(event), value: new TextEncoder().encode(JSON.stringify({ ...event.data, later: true })) }
  assert.deepEqual(fromRecord(record)?.data, event.data)
})

test('submissions of the backfill lane go to their own topic', () => {
  const submission = {
    command: 'republish',
    submissionId: 's',
    articleId: 'a.b',
    publisher: 'a',
    receivedAt: event.time,
    lane: 'backfill',
  } as const
  assert.equal(toRecord({ ...event, type: 'submission.accepted', data: submission }).topic, 'submissions.backfill')
  assert.equal(toRecord({ ...event, type: 'submission.accepted', data: { ...submission, lane: 'live' } }).topic, 'submissions')
})

test('every topic that is followed by article has one partition count on the way of an article', () => {
  const byArticle = topicSpecs.filter(spec => spec.key === 'article' && spec.name !== 'milestones')
  assert.deepEqual([...new Set(byArticle.map(spec => spec.partitions))], [12])
})
