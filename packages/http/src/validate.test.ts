import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput } from '@newswire/events/article'
import { z } from 'zod'
import { ProblemError } from './problem.ts'
import { validateWith } from './validate.ts'

const refusal = (schema: z.ZodType, value: unknown): ProblemError => {
  try {
    validateWith(schema, value, 'article')
  } catch (error) {
    assert.ok(error instanceof ProblemError)
    return error
  }
  throw new assert.AssertionError({ message: 'it was taken' })
}

test('a valid value comes back as its schema makes it', () => {
  const { urgency, body } = validateWith(articleInput, { title: 'A', body: { text: 'B' } }, 'article')
  assert.deepEqual({ urgency, body }, { urgency: 4, body: { text: 'B' } })
})

test('every wrong field is named by JSON pointer with what was expected and found', () => {
  const problem = refusal(articleInput, { title: 'A', body: { text: 'B' }, urgency: 'high', images: [{ url: 'x', focus: { x: 2, y: 0 } }] })
  assert.equal(problem.status, 422)
  assert.equal(problem.code, 'NEWSWIRE_INVALID')
  assert.deepEqual(problem.errors, [
    { pointer: '/urgency', detail: 'expected a number, found "high"', expected: 'a number', found: '"high"' },
    {
      pointer: '/images/0/url',
      detail: 'expected an http or https address, or newswire:<sha256> of an upload, found "x"',
      expected: 'an http or https address, or newswire:<sha256> of an upload',
      found: '"x"',
    },
    { pointer: '/images/0/focus/x', detail: 'expected at most 1, found 2', expected: 'at most 1', found: '2' },
  ])
  assert.match(problem.detail, /^\/urgency: expected a number, found "high" \(and 2 more\)$/)
})

test('an unknown field is refused with the name that was probably meant', () => {
  const hints = (fields: object) => refusal(articleInput, { title: 'A', body: { text: 'B' }, ...fields }).errors.map(one => one.detail)
  assert.deepEqual(hints({ tittle: 1 }), ['there is no such field; did you mean "title"?'])
  assert.deepEqual(hints({ embargoUntill: 1 }), ['there is no such field; did you mean "embargoUntil"?'])
  assert.deepEqual(hints({ zzzzzz: 1 }), ['there is no such field'])
  assert.deepEqual(hints({ '': 1 }), ['there is no such field'])
  assert.deepEqual(hints({ images: [{ url: 'https://a.example/a.jpg', captoin: 'x' }] }), [
    'there is no such field; did you mean "caption"?',
  ])
  assert.deepEqual(hints({ rights: { copyrigt: 'x' } }), ['there is no such field; did you mean "copyright"?'])
})

test('pointers escape what RFC 6901 reserves', () => {
  const [error] = refusal(z.object({ 'a/b~c': z.number() }), { 'a/b~c': 'x' }).errors
  assert.equal(error?.pointer, '/a~1b~0c')
})

test('thousands of long unknown fields cost little and are told about the first ones', () => {
  const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`${'titl'.repeat(100)}${index}`, 1]))
  const started = performance.now()
  const { errors, detail } = refusal(articleInput, { title: 'A', body: { text: 'B' }, ...many })
  assert.ok(performance.now() - started < 1_000)
  assert.equal(errors.length, 50)
  assert.match(detail, /and 3999 more/)
  assert.ok(JSON.stringify(errors).length < 30_000)
})
