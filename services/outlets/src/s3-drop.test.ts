import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { DeliveryNeeds } from './delivery.ts'
import type { OutletBy } from './parcel.ts'
import { createS3Drop } from './s3-drop.ts'
import { contextOf, liveFact } from './samples.ts'

const SECRET_KEY = 'the secret key of the bucket'
const answer = (status: number, code = '', headers: Record<string, string> = {}): OutboundResult => ({
  ok: true,
  response: {
    status,
    headers,
    body: Buffer.from(code === '' ? '' : `<Error><Code>${code}</Code><Message>do not quote me</Message></Error>`),
  },
})
const picture = {
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: '',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: 'a'.repeat(64),
  renditions: [{ preset: 'w640', key: `renditions/${'a'.repeat(64)}/w640-r1.jpg`, type: 'image/jpeg', width: 640, height: 360, bytes: 4 }],
}

const deliver = async (
  request: (asked: OutboundRequest) => OutboundResult,
  { objects, images = [] }: Partial<{ objects: object; images: (typeof picture)[] }> = {},
) => {
  const asked: OutboundRequest[] = []
  const drop = createS3Drop({
    request: async (one: OutboundRequest) => {
      asked.push(one)
      return request(one)
    },
    secret: (name: string) => (name === 'B' ? SECRET_KEY : 'AKIA'),
    objects: objects ?? { get: async () => null },
    context: () => contextOf({ id: 'news.example,2026', publicUrl: 'https://news.example' }),
    now: () => Date.parse('2026-11-24T03:00:00Z'),
  } as unknown as DeliveryNeeds)
  const outlet = outletConfig.parse({
    id: 'drop',
    deliver: { kind: 's3', bucket: 'drops', prefix: 'in/', region: 'ap-southeast-1', accessKeyIdEnv: 'A', secretAccessKeyEnv: 'B' },
  }) as OutletBy<'s3'>
  const fact = liveFact({ articleId: 'press.a', version: 1, article: { images } })
  return { asked, outcome: await drop.deliver({ outlet, fact, due: 'content', sequence: 1, settling: false }, () => true) }
}
/** Nothing is there, and a write is answered so. */
const writesGet = (result: OutboundResult) => (asked: OutboundRequest) => (asked.method === 'PUT' ? result : answer(404, 'NoSuchKey'))

test('what a store answers is an outcome like any other, told in our own words', async () => {
  for (const [result, expected, reason] of [
    [answer(403, 'SignatureDoesNotMatch'), { alarm: true }, 'its store answered 403 (SignatureDoesNotMatch)'],
    [answer(404, 'NoSuchBucket'), { alarm: true }, 'its store answered 404 (NoSuchBucket)'],
    [answer(301, 'PermanentRedirect'), { alarm: true }, 'its store answered 301 (PermanentRedirect)'],
    [answer(501, 'NotImplemented'), { alarm: true }, 'its store answered 501 (NotImplemented)'],
    [answer(400, 'ComeToThisAddress'), { alarm: true }, 'its store answered 400'],
    [answer(500, 'InternalError'), { alarm: false }, 'its store answered 500 (InternalError)'],
    [answer(503, 'SlowDown', { 'retry-after': '7' }), { alarm: false, retryAfterMs: 7_000 }, 'its store answered 503 (SlowDown)'],
    [answer(504), { alarm: false, ambiguous: true }, 'its store answered 504'],
    [{ ok: false, kind: 'connect', code: 'NEWSWIRE_OUTBOUND_X', message: '10.0.0.1' }, { connect: true }, /no connection/],
    [{ ok: false, kind: 'ambiguous', code: 'NEWSWIRE_OUTBOUND_X', message: 'm' }, { ambiguous: true }, /no whole answer/],
    [{ ok: false, kind: 'refused', code: 'NEWSWIRE_OUTBOUND_X', message: 'm' }, { alarm: true }, /our own rules/],
  ] as const) {
    const { outcome } = await deliver(writesGet(result))
    assert.ok(outcome.kind === 'failed', JSON.stringify(outcome))
    for (const [name, value] of Object.entries(expected)) assert.equal(outcome[name as 'alarm'], value, `${outcome.reason}: ${name}`)
    if (typeof reason === 'string') assert.equal(outcome.reason, reason)
    else assert.match(outcome.reason, reason)
  }
  assert.equal((await deliver(writesGet(answer(413)))).outcome.kind, 'refused')
  assert.equal((await deliver(writesGet(answer(400, 'EntityTooLarge')))).outcome.kind, 'refused')
  assert.equal((await deliver(writesGet(answer(200)))).outcome.kind, 'accepted')
})

test('every write has a condition, and none has the secret in it', async () => {
  const { asked } = await deliver(writesGet(answer(200)))
  const writes = asked.filter(one => one.method === 'PUT')
  assert.equal(writes.length, 2)
  for (const { headers = {}, url } of writes) {
    assert.ok('if-none-match' in headers || 'if-match' in headers)
    assert.match(headers['authorization'] ?? '', /^AWS4-HMAC-SHA256 Credential=AKIA\//)
    assert.match(url, /^https:\/\/drops\.s3\.ap-southeast-1\.amazonaws\.com\/in\/press\.a\//)
  }
  assert.ok(!JSON.stringify(asked).includes(SECRET_KEY))
})

test('our own store being away is no fault of the partner’s', async () => {
  const objects = {
    get: async () => {
      throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'the disk is full')
    },
  }
  const { outcome } = await deliver(writesGet(answer(200)), { objects, images: [picture] })
  assert.equal(outcome.kind, 'own')
})
