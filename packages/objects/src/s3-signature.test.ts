import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { createSigner, encodeKey, type ToSign } from './s3-signature.ts'

/** The examples of "Authenticating Requests: Using the Authorization Header" in Amazon's S3 reference. */
const example = {
  host: 'examplebucket.s3.amazonaws.com',
  region: 'us-east-1',
  nowMs: Date.UTC(2013, 4, 24),
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
} as const
const signatureOf = (request: ToSign) => createSigner()(request).authorization?.split('Signature=')[1]

test('a get is signed as in Amazon’s own example', () => {
  const asked = {
    ...example,
    method: 'GET',
    path: '/test.txt',
    headers: { range: 'bytes=0-9' },
    payloadSha256: hash('sha256', ''),
  } as const
  assert.equal(signatureOf(asked), 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

test('a put is signed as in Amazon’s own example, its key encoded once', () => {
  const asked = {
    ...example,
    method: 'PUT',
    path: `/${encodeKey('test$file.text')}`,
    headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    payloadSha256: hash('sha256', 'Welcome to Amazon S3.'),
  } as const
  assert.equal(signatureOf(asked), '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
})

test('a session’s token is sent and signed, and another secret or day makes another signature', () => {
  const sign = createSigner()
  const asked = { ...example, method: 'GET', path: '/a', headers: {}, payloadSha256: hash('sha256', '') } as const
  const session = sign({ ...asked, credentials: { ...example.credentials, sessionToken: 'of a role' } })
  assert.equal(session['x-amz-security-token'], 'of a role')
  assert.match(session.authorization ?? '', /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/)
  const all = [
    asked,
    { ...asked, nowMs: asked.nowMs + 86_400_000 },
    { ...asked, credentials: { ...example.credentials, secretAccessKey: 'other' } },
    { ...asked, region: 'ap-southeast-1' },
  ].map(one => sign(one).authorization)
  assert.equal(new Set(all).size, all.length)
})

test('what is special in an address is encoded in a key, and its slashes are not', () => {
  assert.equal(encodeKey("a b/ô~*'()!+?#%.json"), 'a%20b/%C3%B4~%2A%27%28%29%21%2B%3F%23%25.json')
})
