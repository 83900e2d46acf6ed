import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { authenticate, bearerToken, findByToken, requireScope } from './auth.ts'
import { ProblemError } from './problem.ts'

const sha256 = (token: string) => createHash('sha256').update(token).digest('hex')
const problemOf = (run: () => unknown): ProblemError => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ProblemError)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

test('a bearer token is read as RFC 6750 has it, and nothing else is', () => {
  assert.equal(bearerToken('Bearer nw_abc-123.~+/=='), 'nw_abc-123.~+/==')
  assert.equal(bearerToken('bearer  abc'), 'abc')
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Bearer ä', `Bearer ${'a'.repeat(600)}`])
    assert.equal(bearerToken(header), null, header)
})

test('a token belongs to the hash that it has, and to none that is cut, empty or no hash', () => {
  for (const hash of [sha256('abd'), '', sha256('abc').slice(0, 62), 'zz', `${sha256('abc')}00`])
    assert.equal(findByToken('abc', [{ sha256: hash }]), null, hash)
  const known = [
    { id: 'one', sha256: sha256('abc') },
    { id: 'two', sha256: sha256('def') },
  ]
  assert.equal(findByToken('abc', known)?.id, 'one')
  assert.equal(findByToken('def', known)?.id, 'two')
  assert.equal(findByToken('ghi', known), null)
})

test('without a known token the answer is 401 and says how to send one, never what was sent', () => {
  const known = [{ id: 'one', sha256: sha256('abc') }]
  assert.equal(authenticate('Bearer abc', known).id, 'one')
  for (const header of [undefined, 'Bearer sesame']) {
    const problem = problemOf(() => authenticate(header, known))
    assert.equal(problem.status, 401)
    assert.equal(problem.headers['www-authenticate'], 'Bearer realm="newswire"')
    assert.ok(!problem.detail.includes('sesame'))
  }
})

test('a token without the scope is answered 403', () => {
  requireScope({ id: 'cms', scopes: ['publish'] }, 'publish')
  const problem = problemOf(() => requireScope({ id: 'cms', scopes: ['publish'] }, 'retract'))
  assert.equal(problem.status, 403)
  assert.match(problem.detail, /scope retract is needed; token cms has publish/)
})
