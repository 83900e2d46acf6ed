import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewswireEvent } from '@newswire/events/events'
import { byType, publishEvents } from './events.ts'
import type { LogRecord, NewRecord } from './log.ts'

const event: NewswireEvent<'config.changed'> = {
  id: 'e1',
  type: 'config.changed',
  source: '/services/console',
  subject: 'feeds/all',
  time: '2026-11-24T00:00:00.000Z',
  data: { kind: 'feeds', id: 'all', n: 1 },
}
const context = { signal: new AbortController().signal, attempt: 1 }

const publishedAs = async (events: readonly NewswireEvent[]): Promise<LogRecord[]> => {
  const taken: NewRecord[] = []
  const publish = publishEvents({
    publish: async records => {
      taken.push(...records)
      return []
    },
  })
  await publish(events)
  return taken.map(({ headers = {}, ...rest }, position) => ({ ...rest, headers, partition: 0, position, timestamp: 0 }))
}

test('an event that was published comes to the handler of its type, with the record it came in', async () => {
  const records = await publishedAs([event])
  assert.deepEqual([records[0]?.topic, records[0]?.key], ['config-changes', 'feeds/all'])
  const got: unknown[] = []
  const handle = byType({
    'config.changed': async (one, { record, attempt }) => void got.push([one.id, one.data, record.position, attempt]),
  })
  await handle(records, context)
  assert.deepEqual(got, [['e1', event.data, 0, 1]])
})

test('types without a handler and types of a newer build are passed over', async () => {
  const [record] = await publishedAs([event])
  assert.ok(record)
  const newer = { ...record, headers: { ...record.headers, ce_type: 'article.translated' } }
  await byType({})([record, newer], context)
})

test('a record that is no event is rejected, so that it ends in dead letters with its bytes', async () => {
  const [record] = await publishedAs([event])
  assert.ok(record)
  const handle = byType({})
  const isReject = (error: unknown) => (error as Error).name === 'RejectError'
  await assert.rejects(handle([{ ...record, headers: {} }], context), isReject)
  await assert.rejects(handle([{ ...record, value: new TextEncoder().encode('{') }], context), isReject)
})

test('a handler that throws ends the call, and what comes after it is not handled', async () => {
  const records = await publishedAs([event, { ...event, id: 'e2' }])
  const got: string[] = []
  const handle = byType({
    'config.changed': async one => {
      got.push(one.id)
      throw new Error('not now')
    },
  })
  await assert.rejects(handle(records, context), /not now/)
  assert.deepEqual(got, ['e1'])
})
