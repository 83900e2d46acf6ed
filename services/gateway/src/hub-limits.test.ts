import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHubLimits, ownerOf } from './hub-limits.ts'

test('names below one registrable domain are one owner, tenants of a public suffix are many', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['https://reader.example.com/cb', 'example.com'],
    ['https://a.b.c.example.com:8443/cb?x=1', 'example.com'],
    ['https://toa-soan.com.vn/cb', 'toa-soan.com.vn'],
    ['https://cb.toa-soan.com.vn/cb', 'toa-soan.com.vn'],
    ['https://one.github.io/cb', 'one.github.io'],
    ['http://192.0.2.7/cb', '192.0.2.7'],
    ['http://localhost:9000/cb', 'localhost'],
  ]
  for (const [callback, owner] of cases) assert.equal(ownerOf(callback), owner, callback)
  assert.equal(ownerOf('http://[2001:db8:1:2::1]/cb'), ownerOf('http://[2001:db8:1:2::2]/cb'))
})

test('a stranger cannot ask more of one domain by giving it many names', () => {
  const limits = createHubLimits()
  const asked = Array.from({ length: 40 }, (_, index) => limits.findHaste(`198.51.100.${index}`, `https://n${index}.example.com/cb`, 0))
  assert.equal(asked.filter(haste => haste === null).length, 30)
  assert.match(asked.at(-1)?.reason ?? '', /30 requests a minute for callbacks of one domain/)
  assert.equal(limits.findHaste('198.51.100.200', 'https://other.example.net/cb', 0), null)
})
