/** The address that a CMS's webhook goes to, asked as Ghost asks it. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import { publisherConfig } from '@newswire/events/config'
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { LiveFact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { toFactVia } from '@newswire/events/outlet-article'
import { toPublicArticle } from '@newswire/events/public-article'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createLogger } from '@newswire/runtime/logger'
import type { ServiceContext } from '@newswire/runtime/service'
import { addRoutes } from '../routes.ts'

const SECRET = 'a-secret-of-ghost-4711'
const NOW = Date.parse('2026-03-01T08:00:00.000Z')
const publisher = publisherConfig.parse({
  id: 'press',
  name: 'Press',
  tokens: [{ id: 'cms', sha256: sha256Hex('nw_press'), scopes: ['publish'] }],
  hooks: [
    { id: 'ghost-main', preset: 'ghost', secretEnv: 'GHOST_SECRET', mapping: { categories: { News: 'news' } } },
    { id: 'unset', preset: 'ghost', secretEnv: 'NOBODY_SET_THIS' },
    { id: 'events', preset: 'cloudevents', secretEnv: 'GHOST_SECRET' },
    { id: 'any', preset: 'generic', secretEnv: 'GHOST_SECRET' },
    { id: 'other', preset: 'standard-webhooks', secretEnv: 'GHOST_SECRET', mapping: { categories: { 'thoi-su': 'news' }, idPrefix: 'o-' } },
    { id: 'empty', preset: 'standard-webhooks', secretEnv: 'EMPTY' },
    { id: 'garbage', preset: 'standard-webhooks', secretEnv: 'GARBAGE' },
    { id: 'short', preset: 'ghost', secretEnv: 'SHORT' },
  ],
})
const post = (changes: object = {}) => ({
  id: 'a1',
  title: 'Tin',
  html: '<p>Một</p>',
  status: 'published',
  visibility: 'public',
  updated_at: '2026-03-01T07:00:00.000Z',
  ...changes,
})

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-hooks-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const logged: string[] = []
  const submitted = { ids: new Set<string>(), isBehind: false }
  const logger = createLogger({ service: 'ingest', level: 'trace', destination: { write: line => void logged.push(line) } })
  const { app, close } = createHttpServer({ name: 'ingest', logger, host: '127.0.0.1', port: 0, bodyLimit: 2 * 1024 * 1024 })
  const snapshot = {
    site: { id: 'news.example,2026', title: 'News', language: 'vi', timeZone: 'UTC', publicUrl: 'https://news.example' },
    network: { allow: [], allowHttp: false },
    publishers: new Map([[publisher.id, publisher]]),
    categories: new Map([['news', { id: 'news', name: 'News' }]]),
    feeds: new Map(),
    outlets: new Map(),
  }
  addRoutes(app, {
    objects,
    configuration: { current: () => snapshot, onChange: () => () => undefined, close: async () => undefined },
    now: () => NOW,
    trace: async () =>
      ({
        caughtUp: async () => {
          if (submitted.isBehind) throw new Error('behind')
        },
        article: id => (submitted.ids.has(id) ? { articleId: id, title: null, versions: [], submissions: [] } : null),
      }) as Awaited<ReturnType<ServiceContext['trace']>>,
    publish: publishEvents(log),
    backfill: { admit: async () => true, failed: () => undefined },
    secret: name => ({ GHOST_SECRET: SECRET, EMPTY: 'whsec_', GARBAGE: 'whsec_!!', SHORT: '1234567' })[name],
    onAccepted: () => undefined,
  })
  t.after(async () => {
    await close()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const send = async (body: string, headers: Record<string, string>, hook = 'press/ghost-main') => {
    const answer = await app.inject({
      method: 'POST',
      url: `/v1/hooks/${hook}`,
      headers: { 'content-type': 'application/json', ...headers },
      payload: body,
    })
    return { status: answer.statusCode, body: answer.json() as Record<string, string>, text: answer.body }
  }
  const sign = (body: string, atMs = NOW, secret = SECRET) => ({
    'x-ghost-signature': `sha256=${createHmac('sha256', secret).update(`${body}${atMs}`).digest('hex')}, t=${atMs}`,
  })
  const ghost = (current: object, previous: object = {}, atMs = NOW) => {
    const body = JSON.stringify({ post: { current, previous } })
    return send(body, sign(body, atMs))
  }
  const submissions = async () => {
    const found: NewswireEvent<'submission.accepted'>['data'][] = []
    for (const { partition } of await log.ends('submissions'))
      for (const record of (await log.read({ topic: 'submissions', partition, from: 'start', limit: 500 })).records)
        found.push((fromRecord(record) as NewswireEvent<'submission.accepted'>).data)
    return found
  }
  const natives = async () => (await objects.list(keys.nativePrefix)).map(one => one.key)
  const kept = async () => (await objects.list(keys.hookDeliveryPrefix)).map(one => one.key)
  /** What the desk would have made of it. */
  const release = (fact: object) =>
    objects.put(keys.current('press.a1'), Buffer.from(JSON.stringify({ n: 1, released: { fact: { ...common, ...fact } } })))
  return { app, submitted, send, sign, ghost, submissions, natives, kept, release, logged, objects }
}

const common = {
  articleId: 'press.a1',
  publisher: 'press',
  version: 2,
  sourceVersion: Date.parse('2026-03-01T07:00:00.000Z'),
  submissionId: '0198c0de-0000-7000-8000-000000000001',
  lane: 'live',
  firstReleasedAt: '2026-03-01T07:00:01.000Z',
  releasedAt: '2026-03-01T07:30:00.000Z',
  updatedAt: '2026-03-01T07:30:00.000Z',
  facetsEver: { categories: [], languages: ['vi'], publishers: ['press'], types: ['article'], public: true },
  aliases: [],
}
const retracted = (reason: string, mode = 'withdraw') => ({
  state: 'retracted',
  action: 'retracted',
  retraction: { mode, reason, legal: false },
})

test('a publication is a submission of its publisher; what was sent is kept byte for byte; the same delivery again is the same', async t => {
  const { ghost, submissions, objects } = await open(t)
  const current = post({ tags: [{ name: 'News', slug: 'news' }] })
  const first = await ghost(current)
  assert.equal(first.status, 202, first.text)
  assert.equal(first.body['articleId'], 'press.a1')
  const again = await ghost(current)
  assert.deepEqual(again.body, first.body)
  const [one, ...more] = await submissions()
  assert.ok(one?.command === 'publish' && one.native && more.length === 0)
  assert.deepEqual([one.article.title, one.article.categories, one.article.sourceVersion], ['Tin', ['news'], common.sourceVersion])
  assert.equal(
    Buffer.from((await objects.get(one.native.key))?.bytes ?? []).toString(),
    JSON.stringify({ post: { current, previous: {} } }),
  )
})

test('what is not signed, signed otherwise, or signed long ago is refused; nothing is kept of it, and the secret is told nowhere', async t => {
  const { send, sign, ghost, submissions, kept, logged } = await open(t)
  const body = JSON.stringify({ post: { current: post(), previous: {} } })
  const refused = [
    await send(body, {}),
    await send(body, sign(body, NOW, 'another')),
    await send(`${body} `, sign(body)),
    await ghost(post(), {}, NOW - 400_000),
    await send(body, { authorization: `Bearer ${SECRET}` }),
  ]
  assert.deepEqual(
    refused.map(one => [one.status, one.body['code']]),
    refused.map(() => [401, 'NEWSWIRE_HOOK_SIGNATURE']),
  )
  const unset = await send(body, sign(body), 'press/unset')
  assert.deepEqual([unset.status, unset.body['code']], [503, 'NEWSWIRE_HOOK_SECRET'])
  for (const hook of ['press/none', 'other/ghost-main', 'press/__proto__']) assert.equal((await send(body, sign(body), hook)).status, 404)
  assert.deepEqual([await submissions(), await kept()], [[], []])
  const told = [...refused, unset].map(one => one.text).join() + logged.join()
  assert.ok(!told.includes(SECRET) && !told.includes('NOBODY_SET_THIS'))
})

test('what is unpublished is withdrawn, what is deleted is gone, and what concerns nobody is answered with why', async t => {
  const { ghost, submissions, submitted } = await open(t)
  const unknown = await ghost({}, post({ title: 'of long ago' }))
  assert.deepEqual([unknown.status, unknown.body], [202, { ignored: 'nothing was ever submitted as this' }])
  submitted.ids.add('press.a1')
  await ghost(post({ status: 'draft', updated_at: '2026-03-01T07:10:00.000Z' }), { status: 'published' })
  await ghost({}, post())
  const all = await submissions()
  assert.deepEqual(
    all.map(one => (one.command === 'retract' ? [one.articleId, one.retraction.mode, one.retraction.reason] : [])),
    [
      ['press.a1', 'withdraw', 'unpublished in ghost-main'],
      ['press.a1', 'gone', 'deleted in ghost-main'],
    ],
  )
  const draft = await ghost(post({ status: 'draft' }))
  assert.deepEqual([draft.status, draft.body], [202, { ignored: 'its status is draft' }])
  assert.equal((await submissions()).length, 2)
  submitted.ids.clear()
  submitted.isBehind = true
  assert.ok(
    (await ghost({}, post({ title: 'perhaps known' }))).body['submissionId'],
    'what cannot be known is no reason to lose a retraction',
  )
})

test('what was taken back stays away when it is published again: only republish, by its own scope, brings an article back', async t => {
  const { ghost, submissions, release } = await open(t)
  for (const reason of ['unpublished in ghost-main', 'court order']) {
    await release(retracted(reason))
    await ghost(post({ updated_at: '2026-03-01T07:40:00.000Z', title: reason }))
  }
  assert.deepEqual(
    (await submissions()).map(one => one.command),
    ['publish', 'publish'],
  )
})

test('where neither time nor id is signed, no retraction is taken for a repeat of what had the same body', async t => {
  const { send, submissions, submitted, release } = await open(t)
  submitted.ids.add('press.a1')
  const token = { authorization: `Bearer ${SECRET}` }
  const tell = async (event: string) => {
    const answer = await send(JSON.stringify({ event, article: { id: 'a1', title: 'T', text: 'T' } }), token, 'press/any')
    return answer.body['submissionId']
  }
  const told = [await tell('publish'), await tell('unpublish')]
  await release(retracted('unpublished in any'))
  told.push(await tell('publish'), await tell('unpublish'))
  assert.ok(!told.includes(undefined) && new Set(told).size === told.length)
  const binary = (type: string) => send(JSON.stringify({ id: 'a1', title: 'T', text: 'T' }), { ...token, 'ce-type': type }, 'press/events')
  await binary('x.published')
  await binary('x.deleted')
  await binary('x.deleted')
  const commands = (await submissions()).map(one => one.command)
  assert.deepEqual(commands, ['publish', 'retract', 'publish', 'retract', 'publish', 'retract', 'retract'])
})

test('what a CMS holds back is held here, and what cannot be read of it is refused and released by nobody', async t => {
  const { send, submissions } = await open(t)
  const tell = (article: object) =>
    send(
      JSON.stringify({ event: 'publish', article: { id: 'a1', title: 'T', text: 'T', ...article } }),
      { authorization: `Bearer ${SECRET}` },
      'press/any',
    )
  const bad = await tell({ embargo: 'after the press conference' })
  assert.deepEqual([bad.status, bad.body['code']], [422, 'NEWSWIRE_HOOK_EMBARGO'])
  assert.match(bad.body['detail'] ?? '', /^\/embargo: expected an ISO 8601 date and time/)
  assert.deepEqual(await submissions(), [])
  await tell({ embargoUntil: '2027-01-01T00:00:00+0000' })
  const ahead = await tell({ publishedAt: '2027-02-01T00:00:00Z' })
  assert.deepEqual(
    (ahead.body['warnings'] as unknown as { pointer: string }[]).map(one => one.pointer),
    ['/publishedAt'],
  )
  assert.deepEqual(
    (await submissions()).map(one => one.command === 'publish' && one.article.embargoUntil),
    ['2027-01-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z'],
  )
})

test('a draft of what is out leaves it out, and the answer says so; a status that nobody knows is refused, and kept for whoever mends the mapping', async t => {
  const { send, ghost, submissions, release, kept } = await open(t)
  const tell = (article: object) =>
    send(
      JSON.stringify({ event: 'publish', article: { id: 'a1', title: 'T', text: 'T', ...article } }),
      { authorization: `Bearer ${SECRET}` },
      'press/any',
    )
  assert.deepEqual((await tell({ status: 'nháp' })).body, { ignored: 'its status is nháp' })
  const unknown = await tell({ status: 'đang xét' })
  assert.deepEqual([unknown.status, unknown.body['code'], (await kept()).length], [422, 'NEWSWIRE_HOOK_STATUS', 2])
  assert.match(unknown.body['detail'] ?? '', /^\/status: "đang xét" is no status.*mapping\.statuses/)
  const article = toArticle(articleInput.parse({ title: 'T', body: { text: 'T' } }), { language: 'vi' })
  await release({ state: 'live', action: 'updated', article })
  for (const { body } of [await tell({ status: 'nháp' }), await tell({ draft: true }), await ghost(post({ status: 'draft' }))]) {
    const [warning] = body['warnings'] as unknown as { pointer: string; detail: string }[]
    assert.equal(warning?.pointer, '/status')
    assert.match(warning.detail, /^version 2 of press\.a1 stays public.*newswire retract press\.a1$/)
  }
  assert.deepEqual(await submissions(), [])
})

test('what stands beside the article is read as well', async t => {
  const { send, submissions } = await open(t)
  const tell = (around: object) =>
    send(
      JSON.stringify({ event: 'publish', article: { id: 'a1', title: 'T', text: 'T' }, ...around }),
      { authorization: `Bearer ${SECRET}` },
      'press/any',
    )
  assert.deepEqual((await tell({ status: 'draft' })).body, { ignored: 'its status is draft' })
  await tell({ embargo: '2027-01-01T00:00:00+0000' })
  assert.deepEqual(
    (await submissions()).map(one => one.command === 'publish' && one.article.embargoUntil),
    ['2027-01-01T00:00:00.000Z'],
  )
})

test('a header that nobody signed overrules no body', async t => {
  const { send, submissions, submitted } = await open(t)
  submitted.ids.add('press.a1')
  const body = JSON.stringify({ event: 'publish', article: { id: 'a1', title: 'T', text: 'T' } })
  const signature = { 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}` }
  await send(body, { ...signature, 'ce-type': 'x.deleted', 'x-newswire-event': 'deleted' }, 'press/any')
  assert.equal((await send(body, { ...signature, 'ce-type': 'x.deleted' }, 'press/events')).status, 401)
  assert.deepEqual(
    (await submissions()).map(one => one.command),
    ['publish'],
  )
})

test('with a secret that is no key nobody is believed', async t => {
  const { send, submissions } = await open(t)
  const empty = Buffer.alloc(0)
  for (const hook of ['press/empty', 'press/garbage', 'press/short']) {
    const signed = createHmac('sha256', empty)
      .update(`m.${NOW / 1000}.{}`)
      .digest('base64')
    const answer = await send(
      '{}',
      { 'webhook-id': 'm', 'webhook-timestamp': String(NOW / 1000), 'webhook-signature': `v1,${signed}` },
      hook,
    )
    assert.deepEqual([answer.status, answer.body['code']], [503, 'NEWSWIRE_HOOK_SECRET'])
    assert.match(answer.body['detail'] ?? '', /no key/)
  }
  assert.deepEqual(await submissions(), [])
})

test('an article of another Newswire is taken whole: editorial stays editorial, and what came from here is refused', async t => {
  const { send, submissions } = await open(t)
  const given = {
    title: 'T',
    body: { html: '<p>T</p>' },
    audience: 'editorial',
    urgency: 2,
    type: 'live',
    expiresAt: '2027-03-01T07:00:00.000Z',
    rights: { copyright: 'C', usageTerms: 'U' },
    categories: ['thoi-su'],
    tags: ['x'],
    via: ['first.example,2026'],
    images: ['a', 'b'].map(name => ({ url: `https://other.example/${name}.jpg`, copyright: 'P', usageTerms: 'once' })),
  }
  const fact = (changes: object) => {
    const article = toArticle(articleInput.parse({ ...given, ...changes }), { language: 'vi' })
    const images = article.images.map(one => ({ ...one, state: 'ready' as const }))
    return toFactVia({ ...common, state: 'live', action: 'published', article: { ...article, images } } as LiveFact, 'other.example,2026')
  }
  const tell = (changes: object) => {
    const body = JSON.stringify({ type: 'article.published', data: { article: toPublicArticle(fact(changes), 'https://other.example') } })
    const [id, time] = [`msg_${sha256Hex(body).slice(0, 9)}`, String(NOW / 1000)]
    const signature = createHmac('sha256', SECRET).update(`${id}.${time}.${body}`).digest('base64')
    return send(body, { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` }, 'press/other')
  }
  const answer = await tell({})
  assert.deepEqual([answer.status, answer.body['articleId']], [202, 'press.o-press.a1'], answer.text)
  const [one] = await submissions()
  assert.ok(one?.command === 'publish')
  const { article } = one
  const { audience, urgency, type, expiresAt, rights } = given
  assert.deepEqual(
    [article.audience, article.urgency, article.type, article.expiresAt, article.rights],
    [audience, urgency, type, expiresAt, rights],
  )
  assert.deepEqual([article.via, article.sourceVersion], [['first.example,2026', 'other.example,2026'], common.version])
  assert.deepEqual([article.categories, article.tags], [['news'], ['x']])
  assert.deepEqual(
    article.images.map(({ url, copyright, usageTerms }) => [url, copyright, usageTerms]),
    ['a', 'b'].map(name => [`https://other.example/${name}.jpg`, 'P', 'once']),
  )
  const home = await tell({ via: ['news.example,2026'] })
  assert.deepEqual([home.status, home.body['code']], [422, 'NEWSWIRE_ARTICLE_LOOP'])
  const worded = await tell({ title: 'EMBARGOED: the book' })
  assert.equal(worded.status, 202, 'it is out there already')
})

test('a withdrawal that comes after a newer version, and a version that is older than what is out, change nothing', async t => {
  const { ghost, submissions, release } = await open(t)
  const article = toArticle(articleInput.parse({ title: 'T', body: { text: 'T' } }), { language: 'vi' })
  await release({ state: 'live', action: 'updated', article })
  const late = await ghost(post({ status: 'draft', updated_at: '2026-03-01T06:00:00.000Z' }), { status: 'published' })
  assert.match(late.body['ignored'] ?? '', /newer than what this takes back/)
  const old = await ghost(post({ updated_at: '2026-03-01T06:00:00.000Z' }))
  assert.deepEqual([old.status, /older than/.test(old.body['ignored'] ?? '')], [202, true])
  assert.deepEqual(await submissions(), [])
})

test('what is verified is kept before it is read: once, and no longer than it takes to become a submission', async t => {
  const { send, sign, ghost, natives, kept, submissions } = await open(t)
  const signed = (body: string) => send(body, sign(body))
  const bad = await signed('{"post":')
  assert.deepEqual([bad.status, bad.body['code']], [400, 'NEWSWIRE_JSON'])
  const empty = await ghost(post({ title: '', html: '' }))
  assert.deepEqual([empty.status, empty.body['code']], [422, 'NEWSWIRE_INVALID'])
  assert.match(empty.text, /\/title/)
  const deep = await signed(`{"post":{"current":${'['.repeat(200)}${']'.repeat(200)}}}`)
  assert.equal(deep.status, 400)
  await ghost(post({ status: 'draft' }))
  await ghost(post({ status: 'draft' }), {}, NOW - 1_000)
  assert.deepEqual([(await kept()).length, await natives()], [4, []])
  await ghost(post({ title: 'of long ago' }))
  assert.deepEqual([(await kept()).length, (await natives()).length], [4, 1])
  assert.equal((await signed(JSON.stringify({ post: { current: post({ html: 'x'.repeat(3_000_000) }) } }))).status, 413)
  assert.equal((await send('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
  assert.deepEqual([(await kept()).length, (await submissions()).length], [4, 1])
})

test('JSON under a name of its own is taken from a hook, and from nobody else', async t => {
  const { app, send, submissions } = await open(t)
  const event = JSON.stringify({ specversion: '1.0', type: 'example.article.published', data: { id: 'ce', title: 'T', text: 'T' } })
  const named = { 'content-type': 'application/cloudevents+json; charset=utf-8', authorization: `Bearer ${SECRET}` }
  assert.equal((await send(event, named, 'press/events')).status, 202)
  assert.equal((await submissions())[0]?.articleId, 'press.ce')
  const batch = await send(`[${event}]`, { ...named, 'content-type': 'application/cloudevents-batch+json' }, 'press/events')
  assert.deepEqual([batch.status, batch.body['code']], [415, 'NEWSWIRE_MEDIA_TYPE'], 'a 202 would say that it was taken')
  const elsewhere = await app.inject({
    method: 'PUT',
    url: '/v1/articles/a',
    headers: { ...named, authorization: 'Bearer nw_press' },
    payload: event,
  })
  assert.equal(elsewhere.statusCode, 415)
})
