import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { ProblemError, toProblem, toProblemBody } from './problem.ts'

test('a problem document has what RFC 9457 asks for, the code and a correlation id', () => {
  const problem = new ProblemError({ status: 409, code: 'NEWSWIRE_X', title: 'T', detail: 'D' })
  assert.deepEqual(toProblemBody(problem, 'c1'), {
    type: 'about:blank',
    title: 'T',
    status: 409,
    detail: 'D',
    code: 'NEWSWIRE_X',
    correlationId: 'c1',
  })
  assert.notEqual(toProblemBody(problem).correlationId, toProblemBody(problem).correlationId)
})

test('input that can never succeed is 422 with its own code and words', () => {
  const { status, code, detail } = toProblem(new RejectError('NEWSWIRE_LOG_TOO_LARGE', 'it is 5 MiB, the limit is 4 MiB'))
  assert.deepEqual({ status, code, detail }, { status: 422, code: 'NEWSWIRE_LOG_TOO_LARGE', detail: 'it is 5 MiB, the limit is 4 MiB' })
})

test('a log or store that is away is 503 with Retry-After, and tells nothing of itself', () => {
  const problem = toProblem(new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'kafka-1.internal:9092 refused'))
  assert.equal(problem.status, 503)
  assert.equal(problem.headers['retry-after'], '1')
  assert.ok(!JSON.stringify(toProblemBody(problem)).includes('internal:9092'))
})

test('an unknown error is 500 and tells nothing of itself', () => {
  for (const error of [new TypeError('secret'), 'secret', null, undefined, { code: 'secret', message: 'secret' }]) {
    const problem = toProblem(error)
    assert.equal(problem.status, 500)
    assert.equal(problem.code, 'NEWSWIRE_INTERNAL')
    assert.ok(!JSON.stringify(toProblemBody(problem)).includes('secret'))
  }
})
