import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRateLimiter, toClientAddress, toClientKey } from './rate.ts'

const NOW = Date.now()

test('a client gets its quota at once, then as much as time gives back', () => {
  const limiter = createRateLimiter({ name: 'feeds', quota: 10, windowSeconds: 60 })
  const client = limiter.client('a')
  for (let index = 0; index < 10; index++) {
    assert.equal(limiter.remaining(client, NOW), 10 - index)
    assert.equal(limiter.mayAsk(client, NOW), true)
    limiter.charge(client, NOW)
  }
  assert.equal(limiter.mayAsk(client, NOW), false)
  assert.equal(limiter.retryAfterSeconds(client, NOW), 6)
  assert.equal(limiter.resetSeconds(client, NOW), 60)
  assert.equal(limiter.mayAsk(client, NOW + 6_000), true)
  assert.equal(limiter.remaining(client, NOW + 60_000), 10)
  assert.equal(limiter.mayAsk(limiter.client('b'), NOW), true)
})

test('what is cheap may cost less', () => {
  const limiter = createRateLimiter({ name: 'feeds', quota: 10, windowSeconds: 60 })
  const client = limiter.client('a')
  for (let index = 0; index < 90; index++) limiter.charge(client, NOW, 0.1)
  assert.equal(limiter.remaining(client, NOW), 1)
  limiter.charge(client, NOW, 5)
  assert.equal(limiter.remaining(client, NOW), 0)
  assert.ok(limiter.retryAfterSeconds(client, NOW) <= 6)
})

test('a clock that is set back locks nobody out, for however long it needs to catch up', () => {
  for (const backMs of [30_000, 59_999, 3_600_000, 86_400_000]) {
    const limiter = createRateLimiter({ name: 'feeds', quota: 1, windowSeconds: 60 })
    const client = limiter.client('a')
    limiter.charge(client, NOW)
    assert.ok(limiter.retryAfterSeconds(client, NOW - backMs) <= 60)
    let waitedMs = 0
    while (!limiter.mayAsk(client, NOW - backMs + waitedMs)) waitedMs += 1_000
    assert.ok(waitedMs <= 120_000, `${backMs} ms back: ${waitedMs} ms`)
    limiter.charge(client, NOW - backMs + waitedMs)
    assert.equal(limiter.mayAsk(client, NOW - backMs + waitedMs), false, 'and it counts again')
  }
})

test('however many clients there are, only so many are remembered', () => {
  const limiter = createRateLimiter({ name: 'feeds', quota: 1, windowSeconds: 60 }, { maxClients: 100 })
  for (let index = 0; index < 10_000; index++) limiter.client(`c${index}`)
  assert.ok(limiter.clients() <= 200)
  const client = limiter.client('kept')
  for (let index = 0; index < 100; index++) limiter.client(`d${index}`)
  assert.equal(limiter.isForgotten(client), true)
  assert.equal(limiter.client('kept'), client)
})

test('a client is an IPv4 address or the /64 of an IPv6 one', () => {
  assert.equal(toClientKey('203.0.113.7'), '203.0.113.7')
  assert.equal(toClientKey('::ffff:203.0.113.7'), '203.0.113.7')
  assert.equal(toClientKey('2001:db8:0:1:aaaa::1'), toClientKey('2001:0DB8:0:1::ffff'))
  assert.notEqual(toClientKey('2001:db8:0:1::1'), toClientKey('2001:db8:0:2::1'))
  assert.equal(toClientKey('::1'), '0:0:0:0::/64')
  assert.equal(toClientKey('fe80::1%eth0'), 'fe80:0:0:0::/64')
})

test('X-Forwarded-For is believed only as far as trusted proxies wrote it', () => {
  assert.equal(toClientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 0), '10.0.0.1')
  assert.equal(toClientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 1), '2.2.2.2')
  assert.equal(toClientAddress('10.0.0.1', '1.1.1.1, 2.2.2.2', 2), '1.1.1.1')
  assert.equal(toClientAddress('10.0.0.1', '2.2.2.2', 2), '10.0.0.1')
  assert.equal(toClientAddress('10.0.0.1', undefined, 1), '10.0.0.1')
})
