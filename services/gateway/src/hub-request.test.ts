import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withParameters } from './hub-intent.ts'
import { type HubPolicy, type HubRequest, readHubRequest } from './hub-request.ts'

const TOPIC = 'https://press.example/feeds/all/atom.xml'
const CALLBACK = 'https://reader.example/cb?id=1'
const feedToken = { tokens: [{ id: 'a', sha256: '0'.repeat(64) }] }
const policy: HubPolicy = {
  known: () => null,
  publicUrl: 'https://press.example',
  feeds: new Map([
    ['all', {}],
    ['inside', { access: feedToken }],
  ]) as HubPolicy['feeds'],
  findUrlOffence: url => (url.startsWith('https:') ? null : 'http is not spoken here'),
  tokenOf: (feedId, capability) => (feedId === 'inside' && capability === 'of-a' ? 'a' : null),
  canSeal: true,
}
const form = (fields: Record<string, string>) => Buffer.from(new URLSearchParams(fields).toString())
const good = { 'hub.mode': 'subscribe', 'hub.topic': TOPIC, 'hub.callback': CALLBACK }
const read = (fields: Record<string, string>, changes: Partial<HubPolicy> = {}) => readHubRequest(form(fields), { ...policy, ...changes })
const request = (fields: Record<string, string>): HubRequest => {
  const found = read(fields)
  assert.ok(found.ok && found.value !== 'publish', JSON.stringify(found))
  return found.value
}
const refusal = (found: ReturnType<typeof readHubRequest>) => {
  assert.ok(!found.ok, 'it was taken')
  return found.refusal
}

test('mode, topic and callback are enough; what the hub does not know is ignored', () => {
  const asked = request({ ...good, 'hub.verify': 'sync', foo: 'bar', 'hub.lease_seconds': '', 'hub.secret': '' })
  assert.deepEqual(asked, {
    mode: 'subscribe',
    feedId: 'all',
    format: 'atom',
    topic: TOPIC,
    callback: CALLBACK,
    secret: null,
    leaseSeconds: 864_000,
  })
})

test('a private feed is subscribed to by the topic that a token was given, in every format, and by no other', () => {
  const inside = 'https://press.example/feeds/inside/rss.xml'
  const asked = request({ ...good, 'hub.topic': `${inside}?hub=of-a` })
  assert.deepEqual([asked.feedId, asked.format, asked.tokenId, asked.topic], ['inside', 'rss', 'a', `${inside}?hub=of-a`])
  assert.equal(request({ ...good, 'hub.topic': `${inside}?hub=of-a ` }).tokenId, 'a')
  const others = [
    inside,
    `${inside}?hub=`,
    `${inside}?hub=of-b`,
    `${inside}?a=1&hub=of-a`,
    `${inside}?hub=of-a&x=1`,
    `${TOPIC}?hub=of-a`,
    `${TOPIC}?hub=of-a `,
  ]
  for (const topic of others) assert.equal(refusal(read({ ...good, 'hub.topic': topic })).status, 404, topic)
})

test('a lease is never shorter than an hour, longer than thirty days, or without end', () => {
  for (const [asked, given] of [
    ['0', 3_600],
    ['60', 3_600],
    ['7200', 7_200],
    ['99999999', 2_592_000],
  ] as const)
    assert.equal(request({ ...good, 'hub.lease_seconds': asked }).leaseSeconds, given)
  for (const bad of ['-1', 'ten', '1.5', '1e9', ' ']) assert.equal(refusal(read({ ...good, 'hub.lease_seconds': bad })).status, 400)
})

test('a secret is less than 200 bytes, not characters', () => {
  assert.equal(request({ ...good, 'hub.secret': 'x'.repeat(199) }).secret?.byteLength, 199)
  assert.match(refusal(read({ ...good, 'hub.secret': 'x'.repeat(200) })).reason, /less than 200 bytes/)
  assert.match(refusal(read({ ...good, 'hub.secret': 'ế'.repeat(67) })).reason, /it has 201/)
})

test('without a key to seal with, a secret is refused with the reason, and a subscription without one is taken', () => {
  assert.match(refusal(read({ ...good, 'hub.secret': 'x' }, { canSeal: false })).reason, /no key to keep secrets with/)
  assert.ok(read(good, { canSeal: false }).ok)
})

test('a topic that is none of our feeds is refused, and a private feed is not told from it', () => {
  const reasons = [
    'https://press.example/feeds/none/atom.xml',
    'https://press.example/feeds/inside/atom.xml',
    'https://press.example/feeds/all/news-sitemap.xml',
    'https://press.example/feeds/all/../inside/atom.xml',
    'https://press.example/feeds/all/atom.xml?x=1',
    'https://press.example/feeds/all/atom.xml#x',
    'https://press.example.evil.example/feeds/all/atom.xml',
    'http://press.example/feeds/all/atom.xml',
    'feeds/all/atom.xml',
    `https://press.example/feeds/all/${'x'.repeat(2_000)}`,
  ].map(topic => {
    const { status, reason } = refusal(read({ ...good, 'hub.topic': topic }))
    assert.equal(status, 404, topic)
    return reason
  })
  assert.equal(new Set(reasons).size, 1)
})

test('a callback must be an absolute address that may be called, and not ours', () => {
  for (const callback of [
    '/cb',
    'reader.example/cb',
    'http://reader.example/cb',
    'https://press.example/hub',
    'https://reader.example/ế',
    'https://reader.example/a b',
    'https://reader.example/a\r\nHost: x',
    'javascript:alert(1)',
    `https://reader.example/${'x'.repeat(2_048)}`,
    '',
  ])
    assert.match(refusal(read({ ...good, 'hub.callback': callback })).reason, /^hub\.callback /, callback)
})

test('a mode that is unknown, a name given twice and a body that is no form are refused; a ping is answered politely', () => {
  assert.match(refusal(read({ ...good, 'hub.mode': 'renew' })).reason, /hub\.mode/)
  assert.match(refusal(read({})).reason, /hub\.mode/)
  const twice = Buffer.concat([form(good), Buffer.from('&hub.callback=https%3A%2F%2Fother.example')])
  assert.match(refusal(readHubRequest(twice, policy)).reason, /hub\.callback is given more than once/)
  for (const body of [Buffer.from('hub.mode=%E0%A4%A'), Buffer.from([0xff, 0xfe]), Buffer.from('hub.mode=%ff')])
    assert.match(refusal(readHubRequest(body, policy)).reason, /no form in UTF-8/)
  assert.deepEqual(readHubRequest(form({ 'hub.mode': 'publish', 'hub.url': TOPIC }), policy), { ok: true, value: 'publish' })
})

test('parameters go behind those of the callback, which stay as they were written', () => {
  const more = { 'hub.mode': 'subscribe', 'hub.topic': 'https://a.example/?b=c&d' }
  const added = 'hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d'
  for (const [callback, expected] of [
    ['https://r.example/cb', `https://r.example/cb?${added}`],
    ['https://r.example/cb?a=1&hub.mode=x', `https://r.example/cb?a=1&hub.mode=x&${added}`],
    ['https://r.example/cb?a=%2f+%20;b', `https://r.example/cb?a=%2f+%20;b&${added}`],
    ['https://r.example/cb?', `https://r.example/cb?${added}`],
    ['https://r.example/cb?a&', `https://r.example/cb?a&${added}`],
    ['https://r.example/cb?a=1#part?b', `https://r.example/cb?a=1&${added}`],
  ] as const)
    assert.equal(withParameters(callback, more), expected)
})
