import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { describe, test } from 'node:test'
import type { OutboundResult } from '@newswire/outbound/outbound'
import { classify } from './answers.ts'
import { toDocument } from './document.ts'
import { actionOf, type Parcel } from './parcel.ts'
import { contextOf, killFact, liveFact, outletOf, SECRET } from './samples.ts'
import { type Post, sign, toKey, toSignedPost } from './signing.ts'
import { createWebhook, toWebhook, webhookId } from './webhook.ts'

const NOW = Date.parse('2026-11-24T03:30:00.250Z')
const SITE = { id: 'news.example,2026', publicUrl: 'https://news.example' }
const outlet = outletOf({ id: 'partner' })
const parcel = (fields: Partial<Parcel<'webhook'>> = {}): Parcel<'webhook'> => ({
  outlet,
  fact: liveFact({ articleId: 'press.a', version: 3 }),
  due: 'content',
  sequence: 77,
  settling: false,
  ...fields,
})
const MAX_BODY_BYTES = outlet.deliver.maxBytes
const toWhole = (one: Parcel<'webhook'>) => toDocument(one, contextOf(SITE), one.outlet.deliver)
const toBody = (one: Parcel<'webhook'>) => toWhole(one).bytes
/** As it goes out. */
const sentOf = (one: Parcel<'webhook'>) => {
  const made = toWebhook(one, { keys: [toKey(SECRET)], document: toWhole(one), nowMs: NOW })
  return made && toSignedPost(made)
}
const json = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString())
const answer = (status: number, headers: Record<string, string> = {}): OutboundResult => ({
  ok: true,
  response: { status, headers, body: new Uint8Array() },
})

describe('the signature', () => {
  test('is the one of the Standard Webhooks examples', () => {
    // Published with the specification, for its secret, id, time and payload.
    const signature = sign(
      toKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'),
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      Buffer.from('{"test": 2432232314}'),
    )
    assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  test('is verified by an independent reading of the specification', () => {
    const made = sentOf(parcel())
    assert.ok(made?.headers && made.body)
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = made.headers
    const key = Buffer.from(SECRET.split('_')[1] ?? '', 'base64')
    const expected = createHmac('sha256', key)
      .update(`${id}.${timestamp}.${Buffer.from(made.body).toString('utf8')}`)
      .digest()
    assert.ok(timingSafeEqual(expected, Buffer.from((signature ?? '').slice(3), 'base64')))
    assert.equal(timestamp, String(Math.floor(NOW / 1000)))
  })

  test('takes a secret that is no whsec_ as it is', () => {
    const body = Buffer.from('{}')
    assert.equal(sign(toKey('plain'), 'id', 1, body), `v1,${createHmac('sha256', 'plain').update('id.1.{}').digest('base64')}`)
  })
})

describe('the headers', () => {
  test('say article, version, action and sequence, and nothing that a header cannot carry', () => {
    const headers = sentOf(parcel())?.headers ?? {}
    assert.equal(headers['x-newswire-article'], 'press.a')
    assert.equal(headers['x-newswire-version'], '3')
    assert.equal(headers['x-newswire-action'], 'updated')
    assert.equal(headers['x-newswire-sequence'], '77')
    for (const value of Object.values(headers)) assert.match(value, /^[!-~]+$/)
  })

  test('what is taken back from one outlet alone has an id of its own: the version’s is of its content', () => {
    const idOf = (fields: Partial<Parcel<'webhook'>>) =>
      toWebhook(parcel(fields), { keys: [toKey(SECRET)], document: toWhole(parcel(fields)), nowMs: NOW })?.id
    const ids = [idOf({}), idOf({ due: 'retraction' }), idOf({ due: 'retraction', settling: true })]
    assert.equal(new Set(ids).size, 3)
    const fact = killFact({ articleId: 'press.a', version: 3 })
    assert.equal(idOf({ fact, due: 'retraction' }), ids[0], 'of a version that is a retraction there is nothing else')
  })

  test('one id for every attempt at an outlet, article and version, without dots; the settle-repeat has one of its own', () => {
    const id = webhookId('partner', 'press.a', 3, 'version')
    assert.match(id, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(webhookId('partner', 'press.a', 3, 'version'), id)
    const others = [
      webhookId('partner', 'press.a', 3, 'settle'),
      webhookId('partner', 'press.a', 4, 'version'),
      webhookId('partner', 'press.b', 3, 'version'),
      webhookId('other', 'press.a', 3, 'version'),
    ]
    assert.equal(new Set([id, ...others]).size, 5)
  })

  test('name the type of the format that the outlet asked for', async () => {
    const types: unknown[] = []
    for (const format of ['newswire', 'ninjs', 'newsml-g2'] as const) {
      const asking = { ...outlet, deliver: { ...outlet.deliver, format } }
      const document = toDocument(parcel(), contextOf(SITE), asking.deliver)
      types.push(toWebhook(parcel({ outlet: asking }), { keys: [toKey(SECRET)], document, nowMs: NOW })?.contentType)
    }
    assert.deepEqual(types, ['application/json', 'application/json', 'application/vnd.iptc.g2.newsitem+xml'])
  })

  test('an article that no header can name is refused, not sent', async () => {
    const { deliver } = createWebhook({
      post: async () => assert.fail('nothing may be sent'),
      secret: () => SECRET,
      context: () => contextOf(SITE),
      now: () => NOW,
    })
    const outcome = await deliver(parcel({ fact: liveFact({ articleId: 'press.é', version: 1 }) }), () => true)
    assert.equal(outcome.kind, 'refused')
  })
})

describe('the body', () => {
  test('is the article of the contract, and the same for every attempt', () => {
    const body = toBody(parcel())
    assert.deepEqual(toBody(parcel({ sequence: 99 })), body)
    const { type, timestamp, data } = json(body)
    assert.equal(type, 'article.updated')
    assert.equal(timestamp, '2026-11-24T03:00:00.000Z')
    assert.equal(data.article.id, 'press.a')
    assert.equal(data.article.version, 3)
    assert.equal(data.article.supersedes, 2)
    assert.equal(data.article.title, 'The bridge is open again')
    assert.equal(data.retraction, undefined)
  })

  test('of a retraction has its mode and reason, and no content', () => {
    const { type, data } = json(toBody(parcel({ fact: killFact({ articleId: 'press.a', version: 4 }), due: 'retraction' })))
    assert.equal(type, 'article.retracted')
    assert.equal(data.retraction.mode, 'gone')
    assert.equal(data.retraction.reason, 'a name was wrong')
    assert.deepEqual(data.article, { id: 'press.a', version: 4, supersedes: 3 })
  })

  test('of a live version that this outlet may no longer have is a retraction without content', () => {
    const fact = liveFact({ articleId: 'press.a', version: 4, article: { audience: 'editorial', title: 'internal only' } })
    const body = Buffer.from(toBody(parcel({ fact, due: 'retraction' }))).toString()
    assert.equal(JSON.parse(body).type, 'article.retracted')
    assert.ok(!body.includes('internal only'))
    assert.equal(actionOf(fact, 'retraction'), 'retracted')
  })

  test('of a purge keeps the reason of the purge to itself', () => {
    const { articleId, version, ...rest } = killFact({ articleId: 'press.a', version: 4 })
    const fact = { ...rest, articleId, version, state: 'purged' as const, action: 'purged' as const, reason: 'court order 77' }
    const body = Buffer.from(toBody(parcel({ fact, due: 'retraction' }))).toString()
    assert.ok(!body.includes('court order'))
    assert.equal(JSON.parse(body).type, 'article.retracted')
  })

  test('above 256 KiB becomes thin, with a link', () => {
    const fact = liveFact({ articleId: 'press.a', version: 1, article: { body: { html: `<p>${'x'.repeat(MAX_BODY_BYTES)}</p>` } } })
    const body = toBody(parcel({ fact }))
    assert.ok(body.byteLength < 1_000)
    assert.equal(json(body).data.article.url, 'https://news.example/articles/press.a/article.json')
    assert.equal(json(body).data.article.thin, true)
    const fits = liveFact({ articleId: 'press.a', version: 1, article: { body: { html: `<p>${'x'.repeat(MAX_BODY_BYTES - 2_000)}</p>` } } })
    assert.equal(json(toBody(parcel({ fact: fits }))).data.article.thin, undefined)
  })

  test('of an editorial article is never thin: the link would lead nowhere', () => {
    const article = { audience: 'editorial' as const, body: { html: `<p>${'x'.repeat(MAX_BODY_BYTES)}</p>` } }
    const body = toBody(parcel({ fact: liveFact({ articleId: 'press.a', version: 1, article }) }))
    assert.ok(body.byteLength > MAX_BODY_BYTES)
    assert.equal(json(body).data.article.thin, undefined)
    assert.equal(json(body).data.article.body.html, article.body.html)
  })

  test('leaves out pictures that this outlet has no rights to', () => {
    const image = (url: string, rights?: { outlets: string[]; until?: string }) => ({
      url,
      role: 'inline' as const,
      caption: '',
      alt: '',
      credit: '',
      state: 'ready' as const,
      renditions: [],
      ...(rights ? { rights } : {}),
    })
    const images = [
      image('https://p.example/1'),
      image('https://p.example/2', { outlets: ['other'] }),
      image('https://p.example/3', { outlets: ['*'], until: '2026-11-23T00:00:00.000Z' }),
      image('https://p.example/4', { outlets: ['partner'], until: '2027-01-01T00:00:00.000Z' }),
    ]
    const { data } = json(toBody(parcel({ fact: liveFact({ articleId: 'press.a', version: 1, article: { images } }) })))
    assert.deepEqual(
      data.article.images.map((one: { url: string }) => one.url),
      ['https://p.example/1', 'https://p.example/4'],
    )
  })
})

describe('what an answer means', () => {
  test('2xx is success, and nothing else is', () => {
    for (const status of [200, 201, 202, 204, 299]) assert.equal(classify(answer(status), NOW).kind, 'accepted')
    for (const status of [100, 199, 300, 301, 304, 308]) assert.equal(classify(answer(status), NOW).kind, 'failed')
  })

  test('refusals of one article are 400, 413, 415 and 422; 410 ends the outlet', () => {
    for (const status of [400, 413, 415, 422]) assert.equal(classify(answer(status), NOW).kind, 'refused')
    assert.equal(classify(answer(410), NOW).kind, 'gone')
  })

  test('everything else is tried again; 401, 403 and 404 alarm at once; gateway timeouts are ambiguous', () => {
    for (const status of [401, 403, 404, 408, 425, 429, 500, 502, 503, 504]) {
      const outcome = classify(answer(status), NOW)
      assert.ok(outcome.kind === 'failed')
      assert.equal(outcome.alarm, [401, 403, 404].includes(status))
      assert.equal(outcome.ambiguous, [502, 504].includes(status))
      assert.equal(outcome.connect, false)
    }
  })

  test('Retry-After is seconds or a date; nonsense is passed over', () => {
    const wait = (value: string) => {
      const outcome = classify(answer(429, { 'retry-after': value }), NOW)
      return outcome.kind === 'failed' ? outcome.retryAfterMs : undefined
    }
    assert.equal(wait('120'), 120_000)
    assert.equal(wait('Tue, 24 Nov 2026 03:31:00 GMT'), 59_750)
    assert.equal(wait('Tue, 24 Nov 2020 03:31:00 GMT'), 0)
    for (const value of ['', 'soon', '-5', '1e9', '9'.repeat(30)]) assert.equal(wait(value), null, value)
  })

  test('no connection is not ambiguous; bytes sent without an answer are; our own rules are an alarm', () => {
    const failure = (kind: 'refused' | 'connect' | 'ambiguous') =>
      classify({ ok: false, kind, code: 'NEWSWIRE_OUTBOUND_X', message: 'secret 10.0.0.1' }, NOW)
    const [refused, connect, ambiguous] = [failure('refused'), failure('connect'), failure('ambiguous')]
    assert.ok(refused.kind === 'failed' && connect.kind === 'failed' && ambiguous.kind === 'failed')
    assert.deepEqual([refused.alarm, connect.connect, ambiguous.ambiguous], [true, true, true])
    assert.equal(connect.ambiguous, false)
    for (const one of [refused, connect, ambiguous]) assert.ok(!one.reason.includes('10.0.0.1'))
    const expired = classify({ ok: false, kind: 'connect', code: 'NEWSWIRE_OUTBOUND_X', message: 'secret', cause: 'CERT_HAS_EXPIRED' }, NOW)
    assert.equal(expired.kind === 'failed' && expired.reason, 'no connection could be made (CERT_HAS_EXPIRED)')
  })
})

describe('sending', () => {
  const asked: Post[] = []
  const needs = {
    post: async (post: Post) => {
      asked.push(post)
      return answer(204)
    },
    secret: (name: string) => (name === 'PARTNER_SECRET' ? SECRET : undefined),
    context: () => contextOf(SITE),
    now: () => NOW,
  }

  test('asks once more for ownership right before the first byte', async () => {
    asked.length = 0
    assert.equal((await createWebhook(needs).deliver(parcel(), () => false)).kind, 'own')
    assert.equal(asked.length, 0)
    assert.equal((await createWebhook(needs).deliver(parcel(), () => true)).kind, 'accepted')
    assert.equal(asked.length, 1)
  })

  test('never sends unsigned', async () => {
    asked.length = 0
    const outcome = await createWebhook({ ...needs, secret: () => undefined }).deliver(parcel(), () => true)
    assert.ok(outcome.kind === 'failed' && outcome.alarm)
    assert.match(outcome.reason, /PARTNER_SECRET/)
    assert.equal(asked.length, 0)
  })

  test('reads 16 KiB of an answer at most, and follows no redirect', async () => {
    asked.length = 0
    await createWebhook(needs).deliver(parcel(), () => true)
    const [request] = asked.map(toSignedPost)
    assert.equal(request?.maxBytes, 16_384)
    assert.equal(request?.overflow, 'cut')
    assert.equal(request?.redirects ?? 0, 0)
  })
})
