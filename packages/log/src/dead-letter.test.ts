import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buryWith, type DeadRecord, firstPosition, isForGroup, leftOf, parseDeadLetter, toDeadLetter, toRedrive } from './dead-letter.ts'
import type { NewRecord, PublishOptions } from './log.ts'

const value = Uint8Array.from({ length: 256 }, (_, i) => i)
const original = {
  topic: 'submissions',
  partition: 3,
  position: 42,
  key: 'demo.a',
  value,
  headers: { ce_id: 'e1', ce_type: 'submission.accepted', traceparent: '00-x' },
  timestamp: 1,
}
const at = '2026-11-24T00:00:00.000Z'
const dead = (over: Partial<DeadRecord> = {}): DeadRecord => ({
  record: original,
  group: 'desk',
  attempts: 2,
  firstFailedAt: at,
  lastFailedAt: '2026-11-24T00:00:05.000Z',
  error: { code: 'NEWSWIRE_INTERNAL', message: 'broken' },
  failures: [{ at, attempt: 1, code: 'NEWSWIRE_INTERNAL', message: 'broken' }],
  ...over,
})

/** The record as the log would give it back. */
const stored = ({ key, value: bytes, headers = {} }: NewRecord) => ({ key, value: bytes, headers })

test('a dead letter keeps key, bytes and headers, and reads back what was written', () => {
  const letter = toDeadLetter(dead(), null)
  assert.deepEqual([letter.topic, letter.key, letter.value], ['dead-letters', 'demo.a', value])
  for (const [name, text] of Object.entries(original.headers)) assert.equal(letter.headers?.[name], text)
  const { id, ...rest } = parseDeadLetter(stored(letter))
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {
    service: 'desk',
    topic: 'submissions',
    partition: 3,
    position: 42,
    attempts: 2,
    firstFailedAt: at,
    lastFailedAt: '2026-11-24T00:00:05.000Z',
    errorCode: 'NEWSWIRE_INTERNAL',
    errorMessage: 'broken',
    failures: dead().failures,
    pointer: null,
    redriven: 0,
  })
})

test('the same record given up by the same group is the same dead letter; by another group it is another', () => {
  assert.deepEqual(toDeadLetter(dead(), null), toDeadLetter(dead(), null))
  const ids = [dead(), dead({ group: 'feeds' }), dead({ record: { ...original, position: 43 } })].map(
    one => parseDeadLetter(stored(toDeadLetter(one, null))).id,
  )
  assert.equal(new Set(ids).size, 3)
})

test('messages and lists of errors are cut to size without half a character', () => {
  const message = `${'ở'.repeat(5000)}`
  const failures = Array.from({ length: 50 }, (_, i) => ({ at, attempt: i + 1, code: 'NEWSWIRE_INTERNAL', message }))
  const { headers = {} } = toDeadLetter(dead({ error: { code: 'NEWSWIRE_INTERNAL', message }, failures }), null)
  const text = headers['newswire-dead-error-message'] ?? ''
  assert.ok(Buffer.byteLength(text) <= 1024 && Buffer.byteLength(text) > 1000)
  assert.match(text, /^ở+…$/)
  assert.ok(Buffer.byteLength(headers['newswire-dead-errors'] ?? '') <= 8192)
  const kept = parseDeadLetter({ headers }).failures
  assert.ok(kept.length > 5)
  assert.equal(kept.at(-1)?.attempt, 50)
})

test('a redrive is the original record with its first position, for the group that failed, counted', () => {
  const once = toRedrive(stored(toDeadLetter(dead(), null)))
  assert.deepEqual(once, {
    topic: 'submissions',
    key: 'demo.a',
    value,
    headers: { ...original.headers, 'newswire-redrive-group': 'desk', 'newswire-first-position': '42', 'newswire-dead-redriven': '1' },
  })
  const again = { ...original, position: 99, headers: { ...once.headers } }
  const twice = toRedrive(stored(toDeadLetter(dead({ record: again }), null)))
  assert.equal(twice.headers?.['newswire-first-position'], '42')
  assert.equal(twice.headers?.['newswire-dead-redriven'], '2')
  assert.equal(firstPosition({ position: 120, headers: twice.headers ?? {} }), 42)
})

test('a redrive of what was done in part names what is left, until less is', () => {
  const once = toRedrive(stored(toDeadLetter(dead({ left: ['a', 'b'] }), null)))
  assert.deepEqual(leftOf({ headers: once.headers ?? {} }), ['a', 'b'])
  const again = { ...original, position: 99, headers: { ...once.headers } }
  const unnamed = toRedrive(stored(toDeadLetter(dead({ record: again }), null)))
  assert.deepEqual(leftOf({ headers: unnamed.headers ?? {} }), ['a', 'b'])
  const less = toRedrive(stored(toDeadLetter(dead({ record: again, left: ['b'] }), null)))
  assert.deepEqual(leftOf({ headers: less.headers ?? {} }), ['b'])
})

test('of a record that names nothing, or what is no list of names, all is left', () => {
  assert.equal(leftOf(original), null)
  for (const text of ['', '{', '7', '"a"', '[1]', '{"a":1}'])
    assert.equal(leftOf({ headers: { 'newswire-redrive-left': text } }), null, text)
})

test('a redriven record is for the group that failed only; every other record is for all', () => {
  assert.ok(isForGroup({ headers: {} }, 'feeds'))
  assert.ok(isForGroup({ headers: { 'newswire-redrive-group': 'feeds' } }, 'feeds'))
  assert.ok(!isForGroup({ headers: { 'newswire-redrive-group': 'desk' } }, 'feeds'))
})

test('a first position that is no position or lies ahead does not count', () => {
  for (const text of ['', 'x', '-1', '1.5', '11', '9007199254740993'])
    assert.equal(firstPosition({ position: 10, headers: { 'newswire-first-position': text } }), 10, text)
})

test('bytes above 1 MiB are stored first, and the redrive needs them back', async () => {
  const large = new Uint8Array(1_048_577).fill(7)
  const order: string[] = []
  const published: Array<[readonly NewRecord[], PublishOptions | undefined]> = []
  const bury = buryWith(
    async (records, options) => {
      order.push('publish')
      published.push([records, options])
      return []
    },
    async (id, bytes) => {
      order.push('store')
      assert.equal(bytes, large)
      return `dead-letters/bytes/${id}`
    },
  )
  await bury(dead({ record: { ...original, value: large } }))
  await bury(dead())
  assert.deepEqual(order, ['store', 'publish', 'publish'])
  const letter = published[0]?.[0][0]
  assert.ok(letter)
  assert.deepEqual(published[0]?.[1], { synced: true })
  assert.equal(letter.value?.length, 0)
  assert.match(parseDeadLetter(stored(letter)).pointer ?? '', /^dead-letters\/bytes\//)
  assert.throws(() => toRedrive(stored(letter)), /read them from there/)
  const redriven = toRedrive(stored(letter), large)
  assert.equal(redriven.value, large)
  assert.equal(redriven.headers?.['newswire-dead-pointer'], undefined)
})

test('a tombstone and an empty value stay what they are', () => {
  for (const bytes of [null, new Uint8Array()])
    assert.deepEqual(toRedrive(stored(toDeadLetter(dead({ record: { ...original, value: bytes } }), null))).value, bytes)
})

test('a record that does not say where it came from is refused by the header that is missing', () => {
  assert.throws(() => parseDeadLetter({ headers: {} }), /newswire-dead-id is missing/)
  const { headers = {} } = toDeadLetter(dead(), null)
  assert.throws(() => parseDeadLetter({ headers: { ...headers, 'newswire-dead-position': 'x' } }), /newswire-dead-position is no position/)
  assert.deepEqual(parseDeadLetter({ headers: { ...headers, 'newswire-dead-errors': '{' } }).failures, [])
})
