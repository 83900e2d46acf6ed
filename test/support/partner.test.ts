import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Partner, startPartner } from './partner.ts'
import { waitFor } from './wait-for.ts'

const partnerFor = async (t: TestContext): Promise<Partner> => {
  const partner = await startPartner()
  t.after(() => partner.close())
  return partner
}

type Delivery = { version?: number; action?: string; article?: string; id?: string; body?: string; secret?: string; signal?: AbortSignal }

const deliver = async (
  partner: Partner,
  {
    version = 1,
    action = 'published',
    article = 'p.a',
    id = `msg_${article}_${version}`,
    secret = partner.secret,
    signal,
    ...more
  }: Delivery,
) => {
  const body = more.body ?? JSON.stringify({ type: `article.${action}`, data: { article: { id: article, version } } })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  const response = await fetch(partner.url, {
    method: 'POST',
    body,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1a,other v1,${signature}`,
      'x-newswire-article': article,
      'x-newswire-version': String(version),
      'x-newswire-action': action,
      'x-newswire-sequence': String(version),
    },
    ...(signal ? { signal } : {}),
  })
  return { status: response.status, retryAfter: response.headers.get('retry-after') }
}

test('what is delivered is recorded, checked and held', async t => {
  const partner = await partnerFor(t)
  assert.equal((await deliver(partner, { version: 1 })).status, 204)
  assert.equal((await deliver(partner, { version: 2, action: 'retracted' })).status, 204)
  assert.deepEqual(partner.taken('p.a'), [1, 2])
  assert.equal(partner.held('p.a')?.action, 'retracted')
  assert.deepEqual(partner.heldIds(), ['p.a'])
  assert.deepEqual(partner.findOffences(), [])
})

test('a wrong signature, a changed body and an older version after a newer one are offences', async t => {
  const partner = await partnerFor(t)
  await deliver(partner, { version: 2, secret: 'whsec_b3RoZXI=' })
  await deliver(partner, { version: 2, body: '{"type":"x"}' })
  await deliver(partner, { version: 1 })
  const offences = partner.findOffences()
  assert.equal(offences.length, 3, offences.join('\n'))
  assert.match(offences[0] ?? '', /no signature matches/)
  assert.match(offences[1] ?? '', /came before with another body/)
  assert.match(offences[2] ?? '', /v1 was delivered after v2/)
  assert.equal(partner.held('p.a')?.version, 2)
})

test('an answer that is no success leaves nothing held, and Retry-After goes along', async t => {
  const partner = await partnerFor(t)
  await partner.setMode({ status: 429, retryAfter: 7 })
  assert.deepEqual(await deliver(partner, {}), { status: 429, retryAfter: '7' })
  assert.equal(partner.held('p.a'), undefined)
  assert.equal(partner.requests.length, 1)
  partner.setModeFor('p.b', 'ok')
  assert.equal((await deliver(partner, { article: 'p.b' })).status, 204)
  partner.setModeFor('p.b', null)
  assert.equal((await deliver(partner, { article: 'p.b' })).status, 429)
})

test('a partner that is down refuses connections and comes back where it was', async t => {
  const partner = await partnerFor(t)
  await partner.setMode('down')
  await assert.rejects(deliver(partner, {}), { name: 'TypeError' })
  await partner.setMode('ok')
  assert.equal((await deliver(partner, {})).status, 204)
})

test('a partner that hangs has the request and never answers, until its mode changes', async t => {
  const partner = await partnerFor(t)
  await partner.setMode('hang')
  const first = deliver(partner, {})
  const outcome = assert.rejects(first)
  await waitFor('the request', () => partner.requests.length === 1)
  assert.equal(partner.requests[0]?.answered, null)
  await partner.setMode('ok')
  await outcome
  assert.equal((await deliver(partner, {})).status, 204)
  assert.deepEqual(partner.findOffences(), [])
})
