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
import { sha256Hex } from '@newswire/events/ids'
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
    admit: async () => true,
    secret: name => (name === 'GHOST_SECRET' ? SECRET : undefined),
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
  /** What the desk would have made of it. */
  const release = (fact: object) =>
    objects.put(keys.current('press.a1'), Buffer.from(JSON.stringify({ n: 1, released: { fact: { ...common, ...fact } } })))
  return { app, submitted, send, sign, ghost, submissions, natives, release, logged, objects }
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
  const { send, sign, ghost, submissions, natives, logged } = await open(t)
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
  assert.deepEqual([await submissions(), await natives()], [[], []])
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

test('published again after this hook withdrew it, it comes back; what came late, or was taken back by somebody else, does not', async t => {
  const { ghost, submissions, release } = await open(t)
  const commands = async () => (await submissions()).map(one => one.command)
  const next = (minute: number) => post({ updated_at: `2026-03-01T07:${minute}:00.000Z`, title: `${minute}` })
  await release(retracted('unpublished in ghost-main'))
  await ghost(next(10))
  assert.deepEqual(await commands(), ['publish'], 'changed before it was withdrawn')
  await release(retracted('court order'))
  await ghost(next(40))
  await release(retracted('unpublished in ghost-main', 'gone'))
  await ghost(next(41))
  assert.deepEqual(await commands(), ['publish', 'publish', 'publish'], 'not this hook’s to bring back')
  await release(retracted('unpublished in ghost-main'))
  await ghost(next(42))
  await ghost(next(42))
  assert.deepEqual((await commands()).slice(3), ['publish', 'republish'])
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

test('a body that no article can be made of is a problem that says where, and is kept for whoever mends the mapping', async t => {
  const { send, sign, ghost, natives, submissions } = await open(t)
  const signed = (body: string) => send(body, sign(body))
  const bad = await signed('{"post":')
  assert.deepEqual([bad.status, bad.body['code']], [400, 'NEWSWIRE_JSON'])
  const empty = await ghost(post({ title: '', html: '' }))
  assert.deepEqual([empty.status, empty.body['code']], [422, 'NEWSWIRE_INVALID'])
  assert.match(empty.text, /\/title/)
  const deep = await signed(`{"post":{"current":${'['.repeat(200)}${']'.repeat(200)}}}`)
  assert.equal(deep.status, 400)
  assert.equal((await natives()).length, 3)
  assert.equal((await signed(JSON.stringify({ post: { current: post({ html: 'x'.repeat(3_000_000) }) } }))).status, 413)
  assert.equal((await send('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415)
  assert.deepEqual(await submissions(), [])
})

test('JSON under a name of its own is taken from a hook, and from nobody else', async t => {
  const { app, send, submissions } = await open(t)
  const event = JSON.stringify({ specversion: '1.0', type: 'example.article.published', data: { id: 'ce', title: 'T', text: 'T' } })
  const named = { 'content-type': 'application/cloudevents+json; charset=utf-8', authorization: `Bearer ${SECRET}` }
  assert.equal((await send(event, named, 'press/events')).status, 202)
  assert.equal((await submissions())[0]?.articleId, 'press.ce')
  const elsewhere = await app.inject({
    method: 'PUT',
    url: '/v1/articles/a',
    headers: { ...named, authorization: 'Bearer nw_press' },
    payload: event,
  })
  assert.equal(elsewhere.statusCode, 415)
})
