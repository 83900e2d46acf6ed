import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, RejectError } from '@newswire/events/errors'
import { brokerErrorOf, endsForGood, isHopeless, isRefusal, translate, within } from './kafka-errors.ts'

const brokerError = (type: string, retriable: boolean) => Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable })
const wrapped = (cause: Error) => Object.assign(new Error('retries exceeded', { cause }), { retriable: false })

test('the name of a broker error is found behind any wrapping', () => {
  assert.equal(brokerErrorOf(wrapped(brokerError('MESSAGE_TOO_LARGE', false))), 'MESSAGE_TOO_LARGE')
  assert.equal(
    brokerErrorOf(Object.assign(new Error('several'), { errors: [brokerError('INVALID_TOPIC_EXCEPTION', false)] })),
    'INVALID_TOPIC_EXCEPTION',
  )
  assert.equal(brokerErrorOf(new Error('socket closed')), null)
})

test('a chain of causes that bites its own tail ends', () => {
  const error: Error & { cause?: unknown } = new Error('a')
  error.cause = error
  assert.equal(brokerErrorOf(error), null)
})

test('only what the broker refuses for good is a refusal', () => {
  assert.equal(isRefusal(brokerError('MESSAGE_TOO_LARGE', false)), true)
  assert.equal(isRefusal(wrapped(brokerError('NOT_LEADER_FOR_PARTITION', true))), false)
  assert.equal(isRefusal(brokerError('OUT_OF_ORDER_SEQUENCE_NUMBER', false)), false)
  assert.equal(isRefusal(new Error('connect ECONNREFUSED')), false)
})

test('a subscription ends for good only by what waiting cannot mend', () => {
  const named = (name: string, message = name) => Object.assign(new Error(message), { name, retriable: false })
  assert.equal(endsForGood(named('KafkaJSGroupCoordinatorNotFound', 'Failed to find group coordinator')), false)
  assert.equal(endsForGood(new Error('Broker not connected')), false)
  assert.equal(endsForGood(brokerError('UNKNOWN_MEMBER_ID', false)), false)
  assert.equal(endsForGood(wrapped(brokerError('COORDINATOR_LOAD_IN_PROGRESS', true))), false)
  assert.equal(endsForGood(brokerError('GROUP_AUTHORIZATION_FAILED', false)), true)
  assert.equal(endsForGood(wrapped(named('KafkaJSSASLAuthenticationError'))), true)
})

test('an unknown topic is the input, a lost connection is the brokers, and ours stay as they are', () => {
  assert.equal(codeOf(translate(brokerError('UNKNOWN_TOPIC_OR_PARTITION', true), 'reading', 'nope')), 'NEWSWIRE_LOG_UNKNOWN_TOPIC')
  assert.equal(codeOf(translate(new Error('connect ECONNREFUSED'), 'reading', 'feeds')), 'NEWSWIRE_LOG_UNAVAILABLE')
  const ours = new RejectError('NEWSWIRE_LOG_TOO_LARGE', 'too large')
  assert.equal(translate(ours, 'publishing', 'feeds'), ours)
})

test('who waits longer than the limit is told that the brokers do not answer', async () => {
  await assert.rejects(within(5, 'reading', new Promise(() => undefined)), { code: 'NEWSWIRE_LOG_UNAVAILABLE', message: /within 5 ms/ })
  assert.equal(await within(1000, 'reading', Promise.resolve(7)), 7)
})

test('wrong credentials are for good, and a connection that was lost while they were told is not', () => {
  const failed = (why: string) =>
    wrapped(Object.assign(new Error(`SASL SCRAM SHA256 authentication failed: ${why}`), { name: 'KafkaJSSASLAuthenticationError' }))
  assert.equal(isHopeless(failed('Authentication failed during authentication due to invalid credentials')), true)
  for (const why of ['Connection closed by the server', 'Closed connection', 'Request SaslAuthenticate(key: 36, version: 1) timed out']) {
    assert.equal(isHopeless(failed(why)), false, why)
    assert.equal(endsForGood(failed(why)), false, why)
  }
})
