import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RejectError } from './errors.ts'
import { fromRecord, holdsSame, isMade, type NewswireEvent, toRecord } from './events.ts'
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

test('what names outlets without end is rejected: each would be somebody’s work', () => {
  const bytes = (data: object) => new TextEncoder().encode(JSON.stringify(data))
  const also = (length: number) => Array.from({ length }, (_, at) => `o${at}`)
  const wanted = { outletId: 'a', articleId: 'press.a', version: 1 }
  const done = { kind: 'sink', articleId: 'press.a', version: 1, sink: { kind: 'outlet', id: 'a' }, state: 'done', at: event.time }
  for (const [type, data, most] of [
    ['delivery.wanted', wanted, 63],
    ['milestone.reached', done, 999],
  ] as const) {
    const record = toRecord({ ...event, type, data } as NewswireEvent)
    const read = (length: number) => fromRecord({ ...record, value: bytes({ ...data, also: also(length) }) })
    assert.deepEqual(read(most)?.data, { ...data, also: also(most) })
    assert.throws(() => read(most + 1), { code: 'NEWSWIRE_EVENT_DATA' })
  }
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

const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const text = fc.string({ unit: 'binary' })

test('a record of the log that holds what was made here is the event that its bytes say, or refused as they are', () => {
  const data = fc.record(
    {
      kind: fc.constantFrom('sink', 'fanned-out', 'submission'),
      articleId: text,
      at: text,
      version: fc.oneof(fc.nat(), maybe(fc.nat())),
      sink: fc.record({ kind: fc.constantFrom('feed', 'outlet'), id: text, unknown: fc.jsonValue() }),
      state: fc.constantFrom('done', 'rejected', 'accepted'),
      attempts: maybe(fc.nat()),
      ms: fc.oneof(fc.double(), fc.constant(-0)),
      reason: maybe(text),
      stage: fc.constantFrom('feeds', 'desk'),
      submissionId: text,
      sinks: fc.array(maybe(fc.record({ kind: fc.constant('feed'), id: text }))),
      unknown: fc.jsonValue(),
    },
    { requiredKeys: ['kind', 'articleId', 'at', 'version', 'sink', 'state', 'stage', 'submissionId', 'sinks'] },
  )
  const outcome = (record: Parameters<typeof fromRecord>[0]) => {
    try {
      return fromRecord(record)
    } catch (error) {
      return (error as RejectError).code
    }
  }
  fc.assert(
    fc.property(data, one => {
      const record = toRecord({ ...event, type: 'milestone.reached', data: one } as unknown as NewswireEvent)
      const [read, held] = [{ ...record }, { ...record }]
      holdsSame(held, record)
      assert.deepEqual(outcome(held), outcome(read))
    }),
    { numRuns: 1000, seed: 42 },
  )
})

test('only a record that was made of an event is one, and not its likeness', () => {
  const record = toRecord(event)
  const other = { ...record, value: Buffer.from('{"feedId":"other","articleId":null,"version":0}') }
  const held = { ...other }
  holdsSame(held, other)
  assert.deepEqual([isMade(record), isMade(other)], [true, false])
  assert.equal((fromRecord(held) as typeof event).data.feedId, 'other')
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
