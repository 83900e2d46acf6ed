/** The front door on the embedded log and the disk, asked as a publisher asks it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type FeedConfig, type OutletConfig, outletConfig, type PublisherConfig, type Scope } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { newId, sha256Hex } from '@newswire/events/ids'
import { sampleFact, sampleRetraction } from '@newswire/events/sample-fact'
import type { Retraction } from '@newswire/events/submission'
import { parseWarnings } from '@newswire/events/warnings'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Objects } from '@newswire/objects/objects'
import { createLogger } from '@newswire/runtime/logger'
import type { ServiceContext } from '@newswire/runtime/service'
import type { Span } from '@newswire/runtime/telemetry'
import { toSpan } from './accepted-span.ts'
import { addRoutes } from './routes.ts'

const SECRET = 'nw_press'
const tokenOf = (id: string, secret: string, scopes: Scope[]) => ({ id, sha256: sha256Hex(secret), scopes })
const pages = { canonical: 'source', index: true } as const
const publishers: PublisherConfig[] = [
  {
    id: 'press',
    name: 'Press',
    tokens: [tokenOf('cms', SECRET, ['publish', 'retract', 'republish', 'read']), tokenOf('reader', 'nw_read', ['read'])],
    pages,
  },
  { id: 'other', name: 'Other', tokens: [tokenOf('cms', 'nw_other', ['publish', 'read'])], pages },
]
const feed: FeedConfig = {
  id: 'news',
  title: 'News',
  description: '',
  match: { categories: ['news'] },
  limit: 5,
  content: 'full',
  profile: 'standard',
}
const outlet: OutletConfig = outletConfig.parse({
  id: 'desk',
  audience: 'editorial',
  deliver: { kind: 'webhook', url: 'https://desk.example', secretEnv: 'DESK' },
})

const SUBMISSION = '0198c0de-0000-7000-8000-000000000001'
const article = { title: 'Tin mới', body: { text: 'Nội dung' } }

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-ingest-'))
  const disk = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const away = { log: false, shortcut: false, marks: false }
  /** Keys that cannot be read, in a way that the port does not name. */
  const broken = new Set<string>()
  const objects: Objects = {
    ...disk,
    get: async (key, options) => {
      if (broken.has(key)) throw new TypeError('nobody thought of this')
      return disk.get(key, options)
    },
    put: async (key, bytes, options) => {
      if (away.marks && options?.ifMatch !== undefined) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
      return disk.put(key, bytes, options)
    },
  }
  const publishIt = publishEvents(log)
  const publish: typeof publishIt = async (events, options) => {
    if (away.log || (away.shortcut && events[0]?.type === 'submission.prepared'))
      throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'away')
    return publishIt(events, options)
  }
  const { app, close } = createHttpServer({
    name: 'ingest',
    logger: createLogger({ service: 'ingest', level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    bodyLimit: 2 * 1024 * 1024,
  })
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(...[method].flat().map(one => `${one} ${url}`))
  })
  const snapshot = {
    site: { id: 'news.example,2026', title: 'News', language: 'vi', timeZone: 'UTC', publicUrl: 'https://news.example' },
    network: { allow: [], allowHttp: false },
    publishers: new Map(publishers.map(one => [one.id, one])),
    categories: new Map([['news', { id: 'news', name: 'News' }]]),
    feeds: new Map([[feed.id, feed]]),
    outlets: new Map([[outlet.id, outlet]]),
  }
  const known = { submissionId: SUBMISSION, articleId: 'press.a', command: 'publish', state: 'released', acceptedAt: null, at: '' }
  /** What the trace has of submissions, by id. */
  const told = new Map<string, string>()
  /** The trace is behind the log. */
  const behind = { is: false }
  const trace = async () =>
    ({
      caughtUp: async () => {
        if (behind.is) throw new DOMException('the trace is behind', 'TimeoutError')
      },
      submission: id => (id === SUBMISSION ? known : told.has(id) ? { ...known, submissionId: id, state: told.get(id) } : null),
      article: id => {
        const command = id === 'press.a' ? 'publish' : id === 'press.retracted-only' ? 'retract' : null
        return command === null ? null : { articleId: id, title: null, versions: [], submissions: [{ ...known, articleId: id, command }] }
      },
    }) as Awaited<ReturnType<ServiceContext['trace']>>
  const configuration = { current: () => snapshot, onChange: () => () => undefined, close: async () => undefined }
  const places = { free: true }
  const spans: Span[] = []
  const backfill = { admit: async () => places.free, failed: (submissionId: string) => void failed.push(submissionId) }
  const failed: string[] = []
  addRoutes(app, {
    objects,
    configuration,
    now: Date.now,
    trace,
    publish,
    backfill,
    secret: () => undefined,
    onAccepted: taken => spans.push(toSpan(taken, Date.now())),
  })
  t.after(async () => {
    await close()
    await log.close()
    await disk.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const request = async (method: 'GET' | 'PUT' | 'POST', url: string, body?: unknown, headers: Record<string, string> = {}) => {
    const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const answer = await app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${SECRET}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(payload === undefined ? {} : { payload: payload as string }),
    })
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
  }
  const put = (body: unknown, headers: Record<string, string> = {}, id = 'a') => request('PUT', `/v1/articles/${id}`, body, headers)
  const read = async (topic: string) => {
    const found: { event: NewswireEvent; position: number }[] = []
    for (const { partition } of await log.ends(topic))
      for (const record of (await log.read({ topic, partition, from: 'start', limit: 500 })).records) {
        const event = fromRecord(record)
        if (event) found.push({ event, position: record.position })
      }
    return found
  }
  const submissions = async () => (await read('submissions')) as { event: NewswireEvent<'submission.accepted'>; position: number }[]
  const prepared = async () => (await read('prepared')) as { event: NewswireEvent<'submission.prepared'>; position: number }[]
  return { app, request, put, submissions, prepared, read, disk, away, broken, told, behind, routes, places, failed, spans }
}

test('an article is answered once the log has it, and what was sent is kept byte for byte', async t => {
  const { put, submissions, read, disk } = await open(t)
  const sent = `  ${JSON.stringify({ ...article, title: 'Ha\u0300 No\u0323\u0302i' })}\n`
  const answer = await put(sent)
  assert.equal(answer.status, 202)
  assert.deepEqual(Object.keys(answer.body).sort(), ['articleId', 'submissionId', 'trace'])
  assert.equal(answer.body.articleId, 'press.a')
  const [one] = await submissions()
  assert.equal(one?.event.id, answer.body.submissionId)
  const data = one?.event.data
  assert.ok(data?.command === 'publish' && data.native)
  assert.equal(data.article.title, 'Hà Nội')
  assert.equal(data.article.language, 'vi')
  assert.equal(data.article.body.html, '<p>Nội dung</p>')
  assert.equal(Buffer.from((await disk.get(data.native.key))?.bytes ?? []).toString(), sent)
  assert.equal(data.native.sha256, sha256Hex(sent))
  const [milestone] = await read('milestones')
  assert.equal(
    milestone?.event.type === 'milestone.reached' && milestone.event.data.kind === 'submission' && milestone.event.data.state,
    'accepted',
  )
})

test('the publisher comes from the token, and without one nothing is taken', async t => {
  const { put, request, submissions } = await open(t)
  for (const authorization of ['', 'Bearer', 'Bearer nw_unknown', `Basic ${SECRET}`, `Bearer ${sha256Hex(SECRET)}`]) {
    const refused = await put(article, { authorization })
    assert.equal(refused.status, 401, authorization)
    assert.equal(refused.body.code, 'NEWSWIRE_AUTH_TOKEN')
    assert.match(String(refused.headers['www-authenticate']), /^Bearer/)
  }
  assert.equal((await put(article, { authorization: 'Bearer nw_other' })).body.articleId, 'other.a')
  assert.equal((await put({ ...article, publisher: 'other' })).status, 422)
  const retraction = { mode: 'gone', reason: 'r' }
  for (const [method, url, authorization] of [
    ['PUT', '/v1/articles/a', 'Bearer nw_read'],
    ['POST', '/v1/articles/a/retract', 'Bearer nw_other'],
    ['POST', '/v1/articles/a/republish', 'Bearer nw_other'],
    ['POST', '/v1/articles/a/pictures', 'Bearer nw_read'],
  ] as const) {
    const refused = await request(method, url, retraction, { authorization })
    assert.equal(refused.status, 403, url)
    assert.equal(refused.body.code, 'NEWSWIRE_AUTH_SCOPE')
  }
  assert.equal((await submissions()).length, 1)
})

test('an import that could not be logged holds up no other', async t => {
  const { request, away, failed } = await open(t)
  const importIt = () => request('PUT', '/v1/articles/a?lane=backfill', article)
  away.log = true
  assert.equal((await importIt()).status, 503)
  assert.equal(failed.length, 1)
  away.log = false
  assert.equal((await importIt()).status, 202)
  assert.equal(failed.length, 1)
})

test('while the log is away nothing is acknowledged: 503, and the repeat is taken', async t => {
  const { put, submissions, away } = await open(t)
  away.log = true
  const refused = await put(article)
  assert.equal(refused.status, 503)
  assert.equal(refused.body.code, 'NEWSWIRE_LOG_UNAVAILABLE')
  assert.equal(refused.headers['retry-after'], '1')
  away.log = false
  assert.equal((await put(article)).status, 202)
  assert.equal((await submissions()).length, 1)
})

test('the same key and request again is the same answer and no second record', async t => {
  const { put, submissions } = await open(t)
  const key = { 'idempotency-key': 'k-1' }
  const first = await put(article, key)
  const second = await put(article, key)
  assert.equal(second.status, 202)
  assert.deepEqual(second.body, first.body)
  assert.equal((await submissions()).length, 1)
  const other = await put({ ...article, title: 'Khác' }, key)
  assert.equal(other.status, 409)
  assert.equal(other.body.code, 'NEWSWIRE_IDEMPOTENCY_REUSED')
  assert.equal((await put(article, key, 'b')).status, 409)
  assert.equal((await put(article, { ...key, authorization: 'Bearer nw_other' })).status, 202)
  assert.equal((await submissions()).length, 2)
})

test('a key never answers for what was not logged: the repeat publishes under the same id', async t => {
  const { put, submissions, away } = await open(t)
  const key = { 'idempotency-key': 'k-1' }
  away.log = true
  assert.equal((await put(article, key)).status, 503)
  away.log = false
  const first = await put(article, key)
  assert.equal(first.status, 202)
  away.log = true
  assert.deepEqual((await put(article, key)).body, first.body)
  const [only, ...more] = await submissions()
  assert.equal(only?.event.id, first.body.submissionId)
  assert.deepEqual(more, [])
})

test('when the mark cannot be written after the log has it, it is accepted all the same, and a repeat has the same id', async t => {
  const { put, submissions, away } = await open(t)
  away.marks = true
  const key = { 'idempotency-key': 'k-1' }
  const first = await put(article, key)
  assert.equal(first.status, 202)
  const second = await put(article, key)
  assert.deepEqual(second.body, first.body)
  const found = await submissions()
  assert.equal(found.length, 2)
  assert.equal(new Set(found.map(one => one.event.id)).size, 1)
  assert.deepEqual(found[1]?.event.data, found[0]?.event.data)
})

test('what is known to have passed the log is not logged again, however long its mark is missing', async t => {
  const { put, submissions, away, told } = await open(t)
  const key = { 'idempotency-key': 'k-1' }
  away.marks = true
  const first = await put(article, key)
  const repeats = async (state: string) => {
    told.set(first.body.submissionId, state)
    assert.deepEqual((await put(article, key)).body, first.body)
    return (await submissions()).length
  }
  // Its acceptance is a record of its own, and may be there without it.
  assert.equal(await repeats('accepted'), 2)
  for (const state of ['parked', 'held', 'released', 'superseded', 'refused']) assert.equal(await repeats(state), 2, state)
  away.marks = false
  assert.equal(await repeats('released'), 2)
  told.clear()
  assert.deepEqual((await put(article, key)).body, first.body)
  assert.equal((await submissions()).length, 2)
})

test('many at once under one key end with one id', async t => {
  const { put, submissions } = await open(t)
  const answers = await Promise.all(Array.from({ length: 8 }, () => put(article, { 'idempotency-key': 'race' })))
  assert.deepEqual(
    answers.map(one => one.status),
    Array(8).fill(202),
  )
  assert.equal(new Set(answers.map(one => one.body.submissionId)).size, 1)
  assert.equal(new Set((await submissions()).map(one => one.event.id)).size, 1)
})

test('a request that is refused does not take its key', async t => {
  const { put } = await open(t)
  const key = { 'idempotency-key': 'k-1' }
  assert.equal((await put({ ...article, title: '' }, key)).status, 422)
  assert.equal((await put(article, key)).status, 202)
  assert.equal((await put(article, { 'idempotency-key': 'x'.repeat(256) })).status, 400)
})

/** The desk's object, as far as others may read it. */
const release = async (objects: Objects, sourceVersion: number, accepted?: NewswireEvent<'submission.accepted'>['data']) => {
  assert.ok(accepted?.command === 'publish')
  const { submissionId, receivedAt, article } = accepted
  const fact = sampleFact({ sourceVersion, submissionId, at: receivedAt, article })
  await objects.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact } })))
}

test('what is out under the same sourceVersion is no other content because its embargo has passed', async t => {
  const { put, submissions, disk } = await open(t)
  const embargoUntil = new Date(Date.now() + 60_000).toISOString()
  await put({ ...article, sourceVersion: 3, embargoUntil })
  await release(disk, 3, (await submissions())[0]?.event.data)
  assert.equal((await put({ ...article, sourceVersion: 3 })).status, 202)
  const later = new Date(Date.now() + 120_000).toISOString()
  assert.equal((await put({ ...article, sourceVersion: 3, embargoUntil: later })).body.code, 'NEWSWIRE_ARTICLE_VERSION_REUSED')
})

test('a version known to be old, or the same with other content, is refused at once, with a key too; what was logged before is answered again', async t => {
  const { put, submissions, disk, request } = await open(t)
  const key = { 'idempotency-key': 'third' }
  const first = await put({ ...article, sourceVersion: 3 }, key)
  await release(disk, 3, (await submissions())[0]?.event.data)
  for (const headers of [{}, { 'idempotency-key': 'new' }]) {
    const old = await put({ ...article, sourceVersion: 2 }, headers as Record<string, string>)
    assert.equal(old.status, 409)
    assert.equal(old.body.code, 'NEWSWIRE_ARTICLE_STALE')
    const other = await put({ ...article, title: 'Khác', sourceVersion: 3 }, headers as Record<string, string>)
    assert.equal(other.body.code, 'NEWSWIRE_ARTICLE_VERSION_REUSED')
  }
  await release(disk, 9, (await submissions())[0]?.event.data)
  assert.deepEqual((await put({ ...article, sourceVersion: 3 }, key)).body, first.body)
  assert.equal((await submissions()).length, 1)
  assert.equal((await put({ ...article, sourceVersion: 10 })).status, 202)
  const shown = await request('GET', '/v1/articles/a')
  assert.equal(shown.body.id, 'press.a')
  assert.equal(shown.body.title, 'Tin mới')
})

test('a retraction whose substitute was taken back as well is shown as it is told to everybody', async t => {
  const { request, disk } = await open(t)
  const retraction = { mode: 'replace', reason: 'r', redirectTo: 'b' } as const
  const fact = sampleRetraction({ version: 3, goneReferences: ['b'], retraction })
  await disk.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact } })))
  assert.deepEqual((await request('GET', '/v1/articles/a')).body.retraction, { mode: 'gone', reason: 'r', legal: false })
})

test('an article that came from this site is not taken again, however many sites it went through', async t => {
  const { put, request, submissions } = await open(t)
  const passedOn = { ...article, via: ['agency.example,2020', 'news.example,2026', 'partner.example,2021'] }
  const refused = await put(passedOn)
  assert.equal(refused.status, 422)
  assert.equal(refused.body.code, 'NEWSWIRE_ARTICLE_LOOP')
  assert.equal((refused.body.errors as { pointer: string }[])[0]?.pointer, '/via/1')
  const checked = await request('POST', '/v1/articles:validate', passedOn)
  assert.equal(checked.body.valid, false)
  assert.equal((await submissions()).length, 0)
  assert.equal((await put({ ...article, via: ['agency.example,2020'] })).status, 202)
})

test('a retraction goes to the desk directly as well, with the position that it has in submissions', async t => {
  const { request, put, submissions, prepared } = await open(t)
  await put(article)
  const answer = await request('POST', '/v1/articles/a/retract', { mode: 'withdraw', reason: 'sai tên' })
  assert.equal(answer.status, 202)
  const retraction = (await submissions()).at(-1)
  assert.equal(retraction?.event.data.command, 'retract')
  const [shortcut, ...more] = await prepared()
  assert.deepEqual(more, [])
  assert.equal(shortcut?.event.data.position, retraction?.position)
  assert.equal(shortcut?.event.data.submissionId, answer.body.submissionId)
})

test('a retraction whose shortcut cannot be written is accepted: the log has it', async t => {
  const { request, submissions, prepared, away } = await open(t)
  away.shortcut = true
  assert.equal((await request('POST', '/v1/articles/a/retract', { mode: 'gone', reason: 'r' })).status, 202)
  assert.equal((await submissions()).length, 1)
  assert.equal((await prepared()).length, 0)
})

test('a retraction says why, and where readers go when it sends them on', async t => {
  const { request, submissions } = await open(t)
  const retract = (body: unknown) => request('POST', '/v1/articles/a/retract', body)
  for (const [body, pointer] of [
    [{ mode: 'gone' }, '/reason'],
    [{ mode: 'gone', reason: ' ' }, '/reason'],
    [{ mode: 'hide', reason: 'r' }, '/mode'],
    [{ mode: 'redirect', reason: 'r' }, '/redirectTo'],
    [{ mode: 'redirect', reason: 'r', redirectTo: 'javascript:alert(1)' }, '/redirectTo'],
    [{ mode: 'redirect', reason: 'r', redirectTo: 'https://[' }, '/redirectTo'],
    [{ mode: 'redirect', reason: 'r', redirectTo: 'https://news.example:99999/' }, '/redirectTo'],
    [{ mode: 'redirect', reason: 'r', redirectTo: 'https://name:word@news.example/' }, '/redirectTo'],
    [{ mode: 'gone', reason: 'r', redirectTo: 'https://news.example/b' }, '/redirectTo'],
    [{ mode: 'replace', reason: 'r', redirectTo: '../x' }, '/redirectTo'],
    [{ mode: 'replace', reason: 'r', redirectTo: 'a' }, '/redirectTo'],
    [{ mode: 'replace', reason: 'r', redirectTo: 'press.a' }, '/redirectTo'],
    [{ mode: 'gone', reason: '\u200b' }, '/reason'],
    [{ mode: 'gone', reason: 'r', unknown: 1 }, '/unknown'],
  ] as const) {
    const refused = await retract(body)
    assert.equal(refused.status, 422, JSON.stringify(body))
    assert.equal(refused.body.errors[0].pointer, pointer)
  }
  assert.equal((await retract({ mode: 'replace', reason: 'r', redirectTo: 'b' })).status, 202)
  assert.equal((await retract({ mode: 'redirect', reason: 'r', redirectTo: 'https://news.example/b' })).status, 202)
  assert.equal((await submissions()).length, 2)
})

test('every complaint at once names its field; what cannot be read is a 400; nothing of it is accepted', async t => {
  const { put, submissions } = await open(t)
  const wrong = await put({ titel: 'x', body: { text: 't' }, urgency: 9, publishedAt: '2026-01-01', images: [{ url: 'ftp://x' }] })
  assert.equal(wrong.status, 422)
  const pointers = wrong.body.errors.map((one: { pointer: string }) => one.pointer).sort()
  assert.deepEqual(pointers, ['/images/0/url', '/publishedAt', '/titel', '/title', '/urgency'])
  assert.match(JSON.stringify(wrong.body.errors), /did you mean \\"title\\"/)
  assert.ok(wrong.body.correlationId)
  for (const body of ['{"title":', '{"title":"a","title":"b"}', '{"__proto__":{}}', '{"sourceVersion":9007199254740993}', '[', '']) {
    const refused = await put(body)
    assert.equal(refused.status, 400, body)
  }
  assert.equal((await put(Buffer.from([0x7b, 0xff, 0x7d]))).status, 400)
  assert.equal((await put('title=x', { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await put(JSON.stringify({ ...article, body: { text: 'x'.repeat(2_100_000) } }))).status, 413)
  // Little as it is sent: each of its addresses is made whole.
  const links = { html: `<p>${'<a href="b">x</a>'.repeat(5_000)}</p>` }
  assert.equal(
    (await put(JSON.stringify({ ...article, body: links, canonicalUrl: `https://x.example/${'a'.repeat(2_000)}/` }))).status,
    413,
  )
  assert.equal((await submissions()).length, 0)
})

test('an id cannot become a path: what is no id is a 404 before anything is kept', async t => {
  const { put, submissions, disk } = await open(t)
  for (const id of ['..', 'a..b', '%2e%2e%2fx', 'a%2fb', '.a', '-a', 'a%00', 'x'.repeat(129), '%C3%A0'])
    assert.equal((await put(article, {}, id)).status, 404, id)
  assert.equal((await put(article, {}, 'x'.repeat(128))).status, 202)
  assert.equal((await submissions()).length, 1)
  assert.equal((await disk.list('native/')).length, 1)
})

test('validate says every complaint and what would match, and keeps nothing', async t => {
  const { request, submissions, disk } = await open(t)
  const ask = (body: unknown) => request('POST', '/v1/articles:validate', body)
  const good = await ask({ ...article, categories: ['news'] })
  assert.deepEqual([good.status, good.body], [200, { valid: true, complaints: [], matches: { feeds: ['news'], outlets: ['desk'] } }])
  const editorial = await ask({ ...article, categories: ['news', 'nowhere'], audience: 'editorial' })
  assert.deepEqual(editorial.body.matches, { feeds: [], outlets: ['desk'] })
  assert.equal(editorial.body.complaints[0].pointer, '/categories/1')
  for (const body of [{ ...article, urgency: 0 }, '{"half', null]) {
    const bad = await ask(body)
    assert.equal(bad.status, 200)
    assert.equal(bad.body.valid, false)
    assert.ok(bad.body.complaints.length > 0)
  }
  assert.equal((await submissions()).length, 0)
  assert.deepEqual(await disk.list('native/'), [])
})

const formOf = (bytes: Uint8Array, boundary = 'xxBOUNDARYxx') => ({
  headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  body: Buffer.concat([
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="picture"; filename="../../x.svg"\r\ncontent-type: image/svg+xml\r\n\r\n`,
    ),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]),
})

test('a picture is kept under its own hash, whatever its name says, also one larger than an article may be', async t => {
  const { request, disk } = await open(t)
  const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(3_000_000, 7)])
  const { body, headers } = formOf(bytes)
  const answer = await request('POST', '/v1/articles/a/pictures', body, headers)
  assert.equal(answer.status, 201)
  assert.equal(answer.body.url, `newswire:${sha256Hex(bytes)}`)
  assert.deepEqual(Buffer.from((await disk.get(`originals/${sha256Hex(bytes)}`))?.bytes ?? []), bytes)
  assert.deepEqual((await request('POST', '/v1/articles/a/pictures', body, headers)).body, answer.body)
})

test('a picture that is being removed at that moment is asked for again, and one that was found unused counts as wanted', async t => {
  const { request, disk } = await open(t)
  const bytes = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const { body, headers } = formOf(bytes)
  const key = `images/unused/${sha256Hex(bytes)}.json`
  const note = (phase: string) => JSON.stringify({ n: 1, phase, since: '2026-01-01T00:00:00.000Z', lookedAt: new Date().toISOString() })
  await disk.put(key, Buffer.from(note('removing')))
  const refused = await request('POST', '/v1/articles/a/pictures', body, headers)
  assert.deepEqual([refused.status, refused.body.code], [503, 'NEWSWIRE_PICTURE_BEING_REMOVED'])
  assert.deepEqual(await disk.list('originals/'), [])
  await disk.put(key, Buffer.from(note('unused')))
  assert.equal((await request('POST', '/v1/articles/a/pictures', body, headers)).status, 201)
  assert.equal(JSON.parse(Buffer.from((await disk.get(key))?.bytes ?? []).toString()).phase, 'used')
})

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(30_000, 7)])
const dataOf = (bytes: Uint8Array, type = 'image/png') => `data:${type};base64,${Buffer.from(bytes).toString('base64')}`

test('pictures that lie in an article are kept as uploads, live and imported, and the log is told their names alone', async t => {
  const { put, request, submissions, read, disk } = await open(t)
  const url = `newswire:${sha256Hex(PNG)}`
  const inside = {
    ...article,
    images: [{ url: dataOf(PNG), caption: 'Một' }, { url: 'https://press.example/b.jpg' }, { url: dataOf(PNG, 'image/jpeg') }],
  }
  assert.equal((await put(inside)).status, 202)
  assert.equal((await request('PUT', '/v1/articles/b?lane=backfill', inside)).status, 202)
  assert.deepEqual(Buffer.from((await disk.get(`originals/${sha256Hex(PNG)}`))?.bytes ?? []), PNG)
  const imported = (await read('submissions.backfill')) as Awaited<ReturnType<typeof submissions>>
  const taken = [...(await submissions()), ...imported].map(one => one.event.data)
  assert.equal(taken.length, 2)
  for (const data of taken) {
    assert.ok(data.command === 'publish')
    assert.deepEqual(
      data.article.images.map(one => one.url),
      [url, 'https://press.example/b.jpg', url],
    )
    assert.equal(data.article.images[0]?.caption, 'Một')
    assert.ok(JSON.stringify(data).length < 5_000)
    // What was sent stays as it was sent.
    assert.equal(Buffer.from((await disk.get(data.native?.key ?? ''))?.bytes ?? []).toString(), JSON.stringify(inside))
  }
  assert.equal(
    (await put({ ...article, images: inside.images.map(one => ({ ...one, url: one.url.startsWith('data:') ? url : one.url })) })).status,
    202,
  )
  const hashes = (await submissions()).map(one => (one.event.data.command === 'publish' ? one.event.data.contentSha256 : ''))
  assert.equal(new Set(hashes).size, 1, 'the same picture named otherwise is the same article')
})

test('a data: address without a picture is named by its place, every one, and nothing of the article is kept', async t => {
  const { put, request, submissions, disk } = await open(t)
  const bad = [
    'data:image/svg+xml;base64,PHN2Zy8+',
    dataOf(Buffer.from('<svg/>')),
    'data:image/png;base64,%%%%',
    `data:${'x'.repeat(100_000)}`,
  ]
  const inside = { ...article, images: [{ url: dataOf(PNG) }, ...bad.map(url => ({ url }))] }
  const refused = await put(inside)
  assert.deepEqual([refused.status, refused.body.code], [422, 'NEWSWIRE_PICTURE_DATA'])
  assert.deepEqual(
    refused.body.errors.map((one: { pointer: string }) => one.pointer),
    bad.map((_, index) => `/images/${index + 1}/url`),
  )
  assert.ok(JSON.stringify(refused.body).length < 3_000, 'it does not say back what was sent')
  const asked = await request('POST', '/v1/articles:validate', inside)
  assert.deepEqual([asked.status, asked.body.valid, asked.body.complaints.length], [200, false, bad.length])
  assert.equal((await request('POST', '/v1/articles:validate', { ...article, images: [{ url: dataOf(PNG) }] })).body.valid, true)
  for (const images of [7, null, [null, 7, 'data:', { url: 7 }], { url: dataOf(PNG) }])
    assert.equal((await put({ ...article, images })).status, 422)
  assert.deepEqual([await disk.list('originals/'), await submissions()], [[], []])
})

test('what is no picture, no form, or too large is refused and not kept', async t => {
  const { request, disk } = await open(t)
  const upload = (bytes: Uint8Array) => request('POST', '/v1/articles/a/pictures', formOf(bytes).body, formOf(bytes).headers)
  assert.equal((await upload(Buffer.from('<svg/>'))).status, 422)
  assert.equal((await upload(Buffer.alloc(0))).status, 422)
  assert.equal((await upload(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(25_000_001)]))).status, 413)
  assert.equal((await request('POST', '/v1/articles/a/pictures', article)).status, 415)
  const empty = { 'content-type': 'multipart/form-data; boundary=b' }
  assert.equal((await request('POST', '/v1/articles/a/pictures', '--b--\r\n', empty)).status, 422)
  const unreadable: readonly (readonly [string, string])[] = [
    ['multipart/form-data', ''],
    ['multipart/form-data; boundary=b', 'nothing of a form'],
    ['multipart/form-data; boundary=b', '--b\r\n[]--b--\r\n'],
    ['multipart/form-data; boundary=b', `${'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\nv\r\n'.repeat(11)}--b--\r\n`],
    ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\nv\r\n--b--\r\n'],
    ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\n\r\n\x89PNG'],
  ]
  for (const [type, form] of unreadable) {
    const { status, body } = await request('POST', '/v1/articles/a/pictures', form, { 'content-type': type })
    assert.deepEqual([status, body.code], [400, 'NEWSWIRE_PICTURE_FORM'], form)
  }
  assert.deepEqual(await disk.list('originals/'), [])
})

test('an upload that its sender breaks off is no failure of ours', async t => {
  const { app, disk } = await open(t)
  let tell: (status: number) => void = () => undefined
  const answered = new Promise<number>(resolve => {
    tell = resolve
  })
  app.addHook('onSend', async (_request, reply) => tell(reply.statusCode))
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { body, headers } = formOf(Buffer.concat([PNG, Buffer.alloc(300_000)]))
  const begin = `POST /v1/articles/a/pictures HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: ${body.byteLength}\r\n\r\n`
  const sender = connect(Number(port), '127.0.0.1')
  await new Promise(resolve => sender.write(Buffer.concat([Buffer.from(begin), body.subarray(0, 200_000)]), resolve))
  sender.resetAndDestroy()
  assert.equal(await answered, 400)
  assert.deepEqual(await disk.list('originals/'), [])
})

test('a form with a second file is refused whole, wherever the second stands, and its first is not kept', async t => {
  const { request, disk } = await open(t)
  const part = (name: string, more: string, bytes: string | Uint8Array) =>
    Buffer.concat([
      Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`),
      Buffer.from(bytes),
      Buffer.from('\r\n'),
    ])
  const send = (...parts: readonly Uint8Array[]) =>
    request('POST', '/v1/articles/a/pictures', Buffer.concat([...parts, Buffer.from('--b--\r\n')]), {
      'content-type': 'multipart/form-data; boundary=b',
    })
  const first = part('picture', '; filename="a.png"', PNG)
  const large = part('picture', '; filename="b.png"', Buffer.concat([PNG, Buffer.alloc(3_000_000, 7)]))
  const field = part('caption', '', 'Lễ đài')
  for (const parts of [
    [first, first],
    [first, large],
    [large, field, first],
    [first, part('other', '; filename="c.txt"', 'x')],
  ]) {
    const refused = await send(...parts)
    assert.deepEqual([refused.status, refused.body.code], [422, 'NEWSWIRE_PICTURE_FORM'])
    assert.match(refused.body.detail, /one file/)
  }
  assert.deepEqual(await disk.list('originals/'), [])
  assert.equal((await send(field, first)).status, 201)
  assert.equal((await send(first, field)).status, 201)
})

test('a form is taken for a picture alone, and a republish that says more than it can is refused', async t => {
  const { request, submissions } = await open(t)
  const { body, headers } = formOf(PNG)
  assert.equal((await request('PUT', '/v1/articles/a', body, headers)).status, 415)
  assert.equal((await request('POST', '/v1/articles/a/republish', body, headers)).status, 415)
  const refused = await request('POST', '/v1/articles/a/republish', { at: '2026-01-01T00:00:00Z' })
  assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, '/at'])
  assert.deepEqual(await submissions(), [])
  assert.equal((await request('POST', '/v1/articles/a/republish', {})).status, 202)
  assert.equal((await request('POST', '/v1/articles/a/republish')).status, 202)
})

test('a title that nobody can see and an address with a password are refused', async t => {
  const { put, submissions } = await open(t)
  for (const [changes, pointer] of [
    [{ title: '\u200b\u200d ' }, '/title'],
    [{ title: '\u3164\u2800' }, '/title'],
    [{ canonicalUrl: 'https://name:word@news.example/a' }, '/canonicalUrl'],
  ] as const) {
    const refused = await put({ ...article, ...changes })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, pointer])
  }
  assert.deepEqual(await submissions(), [])
  assert.equal((await put({ ...article, title: '👩‍🚀' })).status, 202)
})

test('a publisher sees its own submissions and articles, and nobody else’s', async t => {
  const { request } = await open(t)
  assert.equal((await request('GET', `/v1/submissions/${SUBMISSION}`)).body.state, 'released')
  const other = { authorization: 'Bearer nw_other' }
  assert.equal((await request('GET', `/v1/submissions/${SUBMISSION}`, undefined, other)).status, 404)
  for (const id of [newId(), 'x', '..%2f..']) assert.equal((await request('GET', `/v1/submissions/${id}`)).status, 404, id)
  assert.equal((await request('GET', '/v1/articles/a/trace')).body.articleId, 'press.a')
  assert.equal((await request('GET', '/v1/articles/a/trace', undefined, other)).status, 404)
  assert.equal((await request('GET', '/v1/articles/nothing')).status, 404)
})

test('the trace of what was accepted begins with its request, or goes on from the caller’s, and nothing is told of what was not', async t => {
  const { put, submissions, spans } = await open(t)
  const given = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  assert.equal((await put(article)).status, 202)
  assert.equal((await put({ ...article, title: 'b' }, { traceparent: given }, 'b')).status, 202)
  assert.equal((await put({ title: '' })).status, 422)
  const { event } = (await submissions()).find(one => one.event.subject === 'press.a') ?? assert.fail()
  const [root, child] = spans
  assert.equal(spans.length, 2)
  assert.deepEqual([root?.traceparent, root?.spanId], [event.traceparent, event.traceparent?.split('-')[2]])
  assert.deepEqual([root?.name, root?.attributes['newswire.submission']], ['PUT /v1/articles/:localId', event.data.submissionId])
  assert.equal(child?.traceparent, given)
  assert.match(child?.spanId ?? '', /^[0-9a-f]{16}$/)
  assert.notEqual(child?.spanId, 'b'.repeat(16))
})

test('the caller’s trace goes on, and one that is none is not passed on', async t => {
  const { put, submissions } = await open(t)
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  await put(article, { traceparent })
  await put({ ...article, title: 'b' }, { traceparent: 'x\u0009y' })
  const found = await submissions()
  assert.equal(found[0]?.event.traceparent, traceparent)
  assert.match(found[1]?.event.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test('an import goes by its own lane, and says whether it is delivered', async t => {
  const { request, submissions, read } = await open(t)
  const importIt = (query: string, id = 'a') => request('PUT', `/v1/articles/${id}?${query}`, article)
  assert.equal((await importIt('lane=backfill')).status, 202)
  assert.equal((await importIt('lane=backfill&deliver=true', 'b')).status, 202)
  assert.equal((await importIt('lane=backfill&deliver=false', 'c')).status, 202)
  assert.equal((await importIt('lane=live', 'd')).status, 202)
  const imported = (await read('submissions.backfill')) as Awaited<ReturnType<typeof submissions>>
  const said = imported.map(({ event: { data } }) => [data.articleId, data.lane, data.deliver])
  assert.deepEqual(said.sort(), [
    ['press.a', 'backfill', undefined],
    ['press.b', 'backfill', true],
    ['press.c', 'backfill', undefined],
  ])
  assert.deepEqual(
    (await submissions()).map(({ event: { data } }) => [data.articleId, data.lane, data.deliver]),
    [['press.d', 'live', undefined]],
  )
  for (const query of [
    'lane=backfil',
    'lane=',
    'deliver=true',
    'lane=live&deliver=true',
    'lane=backfill&deliver=yes',
    'lane=live&lane=backfill',
    'Lane=backfill',
    'lane=backfill&delivery=true',
    '__proto__=x',
  ]) {
    const { status, body } = await importIt(query)
    assert.deepEqual([status, body.code], [400, 'NEWSWIRE_LANE'], query)
  }
  const reader = await request('PUT', '/v1/articles/a?lane=backfill', article, { authorization: 'Bearer nw_read' })
  assert.equal(reader.status, 403)
})

test('an import that is dated ahead is held until then, as what a hook sends is; a later embargo of its own stays', async t => {
  const { request, read } = await open(t)
  const [soon, late] = [1, 2].map(days => new Date(Date.now() + days * 86_400_000).toISOString())
  const importIt = (id: string, times: object) => request('PUT', `/v1/articles/${id}?lane=backfill`, { ...article, ...times })
  const { body } = await importIt('a', { publishedAt: late })
  assert.deepEqual(
    (body['warnings'] as unknown as { pointer: string }[]).map(one => one.pointer),
    ['/publishedAt'],
  )
  await importIt('b', { publishedAt: late, embargoUntil: soon })
  await importIt('c', { publishedAt: soon, embargoUntil: late })
  await importIt('d', { publishedAt: new Date(Date.now() + 5_000).toISOString() })
  const told = (await read('submissions.backfill')) as { event: NewswireEvent<'submission.accepted'> }[]
  const held = told.map(({ event: { data } }) => data.command === 'publish' && [data.articleId, data.article.embargoUntil])
  assert.deepEqual(held.sort(), [
    ['press.a', late],
    ['press.b', late],
    ['press.c', late],
    ['press.d', undefined],
  ])
})

test('an import that there is no room for is sent away with when to come again, and is the same one when it does', async t => {
  const { request, put, submissions, read, places } = await open(t)
  places.free = false
  const importIt = () => request('PUT', '/v1/articles/a?lane=backfill', article, { 'idempotency-key': 'k' })
  const refused = await importIt()
  assert.deepEqual([refused.status, refused.body.code, refused.headers['retry-after']], [429, 'NEWSWIRE_BACKFILL_FULL', '1'])
  assert.equal((await put(article, {}, 'live')).status, 202, 'what is live needs no room')
  assert.equal((await read('submissions.backfill')).length, 0)
  places.free = true
  const taken = await importIt()
  assert.equal(taken.status, 202)
  places.free = false
  assert.deepEqual((await importIt()).body, taken.body, 'what was taken is answered again, room or not')
  assert.equal((await read('submissions.backfill')).length, 1)
  assert.equal((await submissions()).length, 1)
})

test('OpenAPI names every address and method of the front door, and each of its own schemas', async t => {
  const { request, routes } = await open(t)
  const { body } = await request('GET', '/v1/openapi.json')
  const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  )
  const served = routes
    .filter(one => !one.startsWith('HEAD ') && !one.endsWith('/v1/openapi.json'))
    .map(one =>
      one
        .replace('::', '\0')
        .replaceAll(/:(\w+)/g, '{$1}')
        .replace('\0', ':'),
    )
  assert.deepEqual(documented.sort(), [...new Set(served)].sort())
  for (const [, name] of JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g))
    assert.ok(body.components.schemas[String(name)], name)
  const { Article, Retraction } = body.components.schemas
  assert.equal(Article.properties.title.minLength, 1)
  assert.deepEqual([Retraction.required, Retraction.additionalProperties], [['mode', 'reason'], false], 'made of the schema that checks')
  const answers = Object.keys(body.paths['/v1/articles:validate'].post.responses)
  for (const headers of [{ authorization: '' }, { authorization: 'Bearer nw_read' }, { 'content-type': 'text/plain' }]) {
    const { status } = await request('POST', '/v1/articles:validate', article, headers)
    assert.ok(answers.includes(String(status)), String(status))
  }
  assert.doesNotMatch('a..b', new RegExp(body.paths['/v1/articles/{localId}'].put.parameters[0].schema.pattern, 'u'))
})

test('what is answered is described: every field that must be there is, and no other but those of an article', async t => {
  const { request, put, disk } = await open(t)
  const { schemas } = (await request('GET', '/v1/openapi.json')).body.components
  const check = (name: string, answer: Readonly<Record<string, unknown>>) => {
    const { required, properties } = schemas[name] as { required: string[]; properties: object }
    assert.deepEqual(
      required.filter(one => !(one in answer)),
      [],
      `${name} lacks them`,
    )
    const known = { ...properties, ...(name === 'Standing' ? schemas.Article.properties : {}) }
    const undescribed = Object.keys(answer).filter(one => !(one in known) && !['firstReleasedAt', 'releasedAt', 'retraction'].includes(one))
    assert.deepEqual(undescribed, [], name)
  }
  const uploaded = formOf(PNG)
  check('Picture', (await request('POST', '/v1/articles/a/pictures', uploaded.body, uploaded.headers)).body)
  check('Accepted', (await put({ ...article, categories: ['nobody'] })).body)
  check('Verdict', (await request('POST', '/v1/articles:validate', article)).body)
  check('Verdict', (await request('POST', '/v1/articles:validate', { title: 1 })).body)
  check('Submission', (await request('GET', `/v1/submissions/${SUBMISSION}`)).body)
  check('Trace', (await request('GET', '/v1/articles/a/trace')).body)
  check('Problem', (await put({ title: 1 })).body)
  for (const fact of [sampleFact(), sampleRetraction()]) {
    await disk.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact } })))
    check('Standing', (await request('GET', '/v1/articles/a')).body)
  }
})

test('what is taken and perhaps not meant is said with the 202, every time, and kept with the milestone', async t => {
  const { put, request, read } = await open(t)
  const sent = { ...article, categories: ['news', 'newz'], change: 'correction' }
  const answer = await put(sent, { 'idempotency-key': 'k' })
  assert.equal(answer.status, 202)
  assert.deepEqual(
    answer.body.warnings.map((one: { pointer: string }) => one.pointer),
    ['/categories/1', '/correction'],
  )
  assert.match(answer.body.warnings[0].detail, /did you mean "news"\?/)
  assert.deepEqual((await put(sent, { 'idempotency-key': 'k' })).body, answer.body)
  const [milestone] = (await read('milestones')) as { event: NewswireEvent<'milestone.reached'> }[]
  assert.deepEqual(parseWarnings(milestone?.event.data.detail ?? ''), answer.body.warnings)
  const replaced = await request('POST', '/v1/articles/a/retract', { mode: 'replace', reason: 'r', redirectTo: 'b' })
  assert.equal(replaced.status, 202)
  assert.deepEqual(
    replaced.body.warnings.map((one: { pointer: string }) => one.pointer),
    ['/redirectTo'],
  )
})

test('what would not do beside what is out what it seems to is said with the 202', async t => {
  const { put, request, read, disk } = await open(t)
  const pointers = ({ body }: { body: { warnings?: { pointer: string }[] } }) => (body.warnings ?? []).map(one => one.pointer)
  const picture = { role: 'inline', caption: '', alt: '', credit: '', state: 'waiting' } as const
  const images = ['a', 'b', 'c'].map(name => ({ ...picture, url: `https://press.example/${name}.jpg`, renditions: [] }))
  const fact = sampleFact({ article: { byline: 'An', categories: ['news'], images, summary: '', dateline: '', tags: [] } })
  await disk.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact } })))
  const correction = { ...article, change: 'correction', correction: { note: 'Sai ngày.' } }
  const lost = await put(correction)
  assert.equal(lost.status, 202)
  assert.deepEqual(pointers(lost), ['/images', '/byline', '/categories'])
  assert.match(lost.body.warnings?.[0]?.detail, /0 pictures, and version 1 has 3.*the whole article again/)
  const whole = { ...correction, byline: 'An', categories: ['news'] }
  assert.deepEqual(pointers(await put({ ...whole, images: images.map(({ url }) => ({ url })) })), [])
  const held = await put({ ...article, embargoUntil: '9999-01-01T00:00:00Z' })
  assert.deepEqual(pointers(held), ['/embargoUntil'])
  assert.match(held.body.warnings?.[0]?.detail, /stays public until then; retract it to take it down/)
  assert.deepEqual(pointers(await put({ ...article, embargoUntil: '2020-01-01T00:00:00Z' })), [], 'its embargo ended before it came out')
  assert.deepEqual(pointers(await put({ ...article, embargoUntil: '2020-01-01T00:00:00Z' }, {}, 'new')), ['/embargoUntil'])
  assert.deepEqual(pointers(await put({ ...article, embargoUntil: '9999-01-01T00:00:00Z' }, {}, 'new')), [])
  const again = await request('POST', '/v1/articles/a/republish', {})
  assert.deepEqual([again.status, ...pointers(again)], [202, ''])
  const milestones = (await read('milestones')) as { event: NewswireEvent<'milestone.reached'> }[]
  const kept = milestones.find(({ event }) => event.correlationid === again.body.submissionId)
  assert.deepEqual(parseWarnings(kept?.event.data.detail ?? ''), again.body.warnings)
  assert.deepEqual(pointers(await put(article)), [])
})

test('a retraction that changes nothing of what a law asked for is told what would', async t => {
  const { request, disk } = await open(t)
  const said = async (asked: object) => {
    const { status, body } = await request('POST', '/v1/articles/a/retract', { reason: 'sai tên', ...asked })
    assert.equal(status, 202)
    return (body.warnings ?? []).map((one: { pointer: string; detail: string }) => `${one.pointer} ${one.detail}`)
  }
  const standsWith = (retraction: Partial<Retraction>) =>
    disk.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact: sampleRetraction({ version: 2, retraction }) } })))
  await standsWith({ legal: true, notice: 'Theo yêu cầu.' })
  for (const asked of [
    { mode: 'withdraw', notice: 'Lời khác.' },
    { mode: 'gone' },
    { mode: 'redirect', redirectTo: 'https://press.example/b' },
  ]) {
    const [warning, ...more] = await said(asked)
    assert.match(
      warning ?? '',
      /^\/legal version 2 .*only another retraction with "legal" \(--legal\) changes that$/,
      JSON.stringify(asked),
    )
    assert.deepEqual(more, [])
  }
  assert.deepEqual(await said({ mode: 'withdraw' }), [], 'the same once more, as a CMS sends it that knows nothing of the first')
  assert.deepEqual(await said({ mode: 'withdraw', notice: 'Theo yêu cầu.' }), [])
  assert.deepEqual(await said({ mode: 'gone', legal: true }), [])
  await standsWith({ legal: false })
  assert.deepEqual(await said({ mode: 'gone', notice: 'Lời khác.' }), [])
})

test('a correction or republish of an article that was purged for good is told that it never comes out', async t => {
  const { put, request, disk } = await open(t)
  const { article: _, ...common } = sampleFact()
  const fact: Fact = { ...common, state: 'purged', action: 'purged', reason: 'court order' }
  await disk.put('current/press.a.json', Buffer.from(JSON.stringify({ released: { fact } })))
  const correction = { ...article, change: 'correction', correction: { note: 'Sai ngày.' } }
  for (const answer of [await put(correction), await request('POST', '/v1/articles/a/republish', {})]) {
    assert.equal(answer.status, 202)
    const [warning, ...more] = answer.body.warnings ?? []
    assert.match(warning?.detail ?? '', /purged for good.*publish under another id$/)
    assert.deepEqual([warning?.pointer, more], ['', []])
  }
  assert.equal((await request('PUT', '/v1/articles/a?lane=backfill', article)).body.warnings, undefined, 'an import is taken as it is')
})

test('an id that nothing was ever submitted under is told with the 202, and which article was perhaps meant', async t => {
  const { put, request, disk, read, behind } = await open(t)
  const retract = (id: string) => request('POST', `/v1/articles/${id}/retract`, { mode: 'withdraw', reason: 'sai tên' })
  const said = ({ status, body }: { status: number; body: { warnings?: { pointer: string; detail: string }[] } }) => {
    assert.equal(status, 202)
    return (body.warnings ?? []).map(one => one.detail)
  }
  const whole = await retract('press.a')
  assert.match(
    said(whole).join(),
    /^nothing was ever submitted as press\.press\.a, so nothing is taken back.*if press\.a was meant, its id in this address is a:/,
  )
  const milestones = (await read('milestones')) as { event: NewswireEvent<'milestone.reached'> }[]
  const kept = milestones.find(({ event }) => event.correlationid === whole.body.submissionId)
  assert.deepEqual(parseWarnings(kept?.event.data.detail ?? ''), whole.body.warnings)
  assert.match(said(await retract('other.c9')).join(), /if other\.c9 was meant, it needs a token of other/)
  assert.match(
    said(await retract('no.body')).join(),
    /^nothing was ever submitted as press\.no\.body, [^;]*$/,
    'no publisher is called that',
  )
  assert.match(said(await retract('retracted-only')).join(), /^nothing was ever submitted/, 'to retract is not to submit')
  assert.match(
    said(await request('POST', '/v1/articles/khong-co/republish', {})).join(),
    /^nothing was ever submitted.*nothing to bring back$/,
  )

  assert.match(
    said(await put(article, {}, 'other.c9')).join(),
    /^nothing was ever submitted as press\.other\.c9, so it is a new article; if other\.c9/,
  )
  const correction = { ...article, change: 'correction', correction: { note: 'Sai ngày.' } }
  assert.match(
    said(await put(correction, {}, 'khong-co')).join(),
    /^nothing was ever submitted as press\.khong-co, so it is a new article$/,
  )
  assert.deepEqual(said(await put(article, {}, 'new')), [], 'everything begins once')
  assert.deepEqual(said(await request('PUT', '/v1/articles/other.c9?lane=backfill', article)), [], 'an import is taken as it is')

  assert.deepEqual([said(await retract('a')), said(await put(correction))], [[], []], 'what is on its way is known')
  await disk.put('current/press.press.long.json', Buffer.from(JSON.stringify({ released: null })))
  assert.deepEqual(said(await retract('press.long')), [], 'held for longer than the trace knows')
  behind.is = true
  assert.deepEqual(said(await retract('press.a')), [], 'the log may have it')
  assert.deepEqual(said(await put(correction, {}, 'khong-co')), [])
})

test('the same key answers with the warnings that it was taken with, whatever has come out or gone since', async t => {
  const { put, request, disk, read, away } = await open(t)
  const live = Buffer.from(JSON.stringify({ released: { fact: sampleFact({}) } }))
  const key = { 'idempotency-key': 'back' }
  const republish = () => request('POST', '/v1/articles/a/republish', {}, key)
  const first = await republish()
  assert.deepEqual([first.status, first.body.warnings], [202, undefined])
  await disk.put('current/press.a.json', live)
  assert.deepEqual((await republish()).body, first.body, 'its own release is nothing to doubt')

  const held = { ...article, embargoUntil: '9999-01-01T00:00:00Z' }
  away.log = true
  assert.equal((await put(held, { 'idempotency-key': 'held' })).status, 503)
  await disk.delete('current/press.a.json')
  away.log = false
  const taken = await put(held, { 'idempotency-key': 'held' })
  assert.equal(taken.body.warnings?.[0]?.pointer, '/embargoUntil', 'also when the log has it only at the second time')
  assert.deepEqual((await put(held, { 'idempotency-key': 'held' })).body, taken.body)
  const milestones = (await read('milestones')) as { event: NewswireEvent<'milestone.reached'> }[]
  assert.deepEqual(parseWarnings(milestones.at(-1)?.event.data.detail ?? ''), taken.body.warnings)
})

test('a key that was taken before its warnings were kept with it is answered', async t => {
  const { put, disk, submissions } = await open(t)
  const key = { 'idempotency-key': 'old' }
  const sent = { ...article, categories: ['newz'] }
  const first = await put(sent, key)
  const [claim] = await disk.list('idempotency/', { limit: 1 })
  assert.ok(claim)
  const { warnings, ...old } = JSON.parse(Buffer.from((await disk.get(claim.key))?.bytes ?? []).toString())
  assert.deepEqual(warnings, first.body.warnings)
  await disk.put(claim.key, Buffer.from(JSON.stringify(old)))
  assert.deepEqual((await put(sent, key)).body, first.body)
  assert.equal((await submissions()).length, 1)
})

test('a doubt that cannot be looked up costs no submission, whatever went wrong', async t => {
  const { put, request, broken } = await open(t)
  broken.add('current/press.a.json')
  const correction = { ...article, change: 'correction', correction: { note: 'Sai ngày.' } }
  assert.deepEqual([(await put(correction)).status, (await request('POST', '/v1/articles/a/republish', {})).status], [202, 202])
  const replace = { mode: 'replace', reason: 'r', redirectTo: 'a' }
  assert.equal((await request('POST', '/v1/articles/b/retract', replace)).status, 202)
})

test('what contradicts itself is refused with every field; an archive is taken as it is, with the same words', async t => {
  const { put, request, submissions } = await open(t)
  const sent = { title: 'Tin', body: { text: '' }, related: ['a b'] }
  const refused = await put(sent)
  assert.deepEqual([refused.status, refused.body.code], [422, 'NEWSWIRE_INVALID'])
  assert.deepEqual(
    refused.body.errors.map((one: { pointer: string }) => one.pointer),
    ['/body', '/related/0'],
  )
  assert.deepEqual(await submissions(), [])
  const imported = await request('PUT', '/v1/articles/a?lane=backfill', sent)
  assert.equal(imported.status, 202)
  assert.deepEqual(imported.body.warnings, refused.body.errors)
})

test('who may not ask is told that, before anything is said of what he sent', async t => {
  const { app } = await open(t)
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/json' }, {}]) {
    const answer = await app.inject({ method: 'PUT', url: '/v1/articles/a', headers, payload: 'x'.repeat(2_200_000) })
    assert.equal(answer.statusCode, 401, JSON.stringify(headers))
  }
})

test('what is too large is told the limit, and a picture outside a form how to send it', async t => {
  const { put, request } = await open(t)
  const large = await put('x'.repeat(2_200_000))
  assert.deepEqual([large.status, large.body.detail], [413, 'the limit is 2097152 bytes'])
  for (const type of ['image/jpeg', 'application/json']) {
    const bare = await request('POST', '/v1/articles/a/pictures', 'x', { 'content-type': type })
    assert.deepEqual([bare.status, bare.body.code], [415, 'NEWSWIRE_PICTURE_FORM'])
    assert.match(bare.body.detail, new RegExp(`multipart/form-data with one file in the field "picture".*found ${type}`))
  }
  const boundary = 'b'
  const form = `--${boundary}\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n${'x'.repeat(25_000_001)}\r\n--${boundary}--\r\n`
  const picture = await request('POST', '/v1/articles/a/pictures', form, { 'content-type': `multipart/form-data; boundary=${boundary}` })
  assert.deepEqual([picture.status, picture.body.detail], [413, 'the limit is 25000000 bytes'])
})
