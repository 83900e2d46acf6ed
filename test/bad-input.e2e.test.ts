/** What cannot be taken is refused whole, with words that help. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicSpecs, topics } from '@newswire/events/topics'
import { createWriter } from './support/articles.ts'
import { makePng } from './support/pictures.ts'
import { type Answer, createPublisher } from './support/publisher.ts'
import { listAll, withLog, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, type System, tokens } from './support/system.ts'

type FieldError = { pointer: string; detail: string; expected?: string; found?: string }

/** RFC 9457, with what contract §3 adds to it. */
const assertProblem = (what: string, { status, body, headers }: Answer, expected: number, code: RegExp): FieldError[] => {
  assert.equal(status, expected, `${what}: ${JSON.stringify(body)}`)
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, what)
  assert.equal(body['status'], expected, what)
  assert.match(String(body['code']), code, what)
  for (const field of ['title', 'detail', 'correlationId']) assert.ok(String(body[field] ?? '').length > 2, `${what}: ${field}`)
  return (body['errors'] ?? []) as FieldError[]
}

const JSON_TYPE = { 'content-type': 'application/json' }
const ok = (more: Record<string, unknown> = {}) => ({ title: 'Bài', body: { text: 'Nội dung' }, ...more })
const nested = (depth: number): string => `{"title":"x","body":{"text":"x"},"extensions":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`
const withBody = (rest: string): string => `{"title":"x","body":{"text":"x"},${rest}}`

const UNREADABLE: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['half of it', '{"title":"x"'],
  ['something behind it', `${JSON.stringify(ok())}x`],
  ['deeper than 32', nested(40)],
  ['a key twice', withBody('"title":"y"')],
  ['a key twice, written differently', withBody('"t\\u0069tle":"y"')],
  ['__proto__', withBody('"extensions":{"__proto__":{"polluted":true}}')],
  ['constructor.prototype through __proto__', '{"__proto__":{"title":"x"},"body":{"text":"x"}}'],
  ['an integer beyond 2^53', withBody('"sourceVersion":9007199254740993')],
  ['a number that is infinite', withBody('"extensions":{"n":1e999}')],
  ['NaN', withBody('"extensions":{"n":NaN}')],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xc3, 0x28]), Buffer.from('","body":{"text":"x"}}')])],
]

/** Body, the pointer that is named, and words of the complaint. */
const INVALID: readonly (readonly [Record<string, unknown>, string, RegExp])[] = [
  [{ body: { text: 'x' } }, '/title', /expected/],
  [ok({ title: '   ' }), '/title', /some text/],
  [ok({ titel: 'x' }), '/titel', /did you mean "title"/],
  [ok({ Summary: 'x' }), '/Summary', /did you mean "summary"/],
  [ok({ urgency: 9 }), '/urgency', /8/],
  [ok({ sourceVersion: 0 }), '/sourceVersion', /1/],
  [ok({ sourceVersion: 1.5 }), '/sourceVersion', /integer|whole/],
  [ok({ publishedAt: '2026-01-01T08:30:00' }), '/publishedAt', /offset/],
  [ok({ embargoUntil: 'tomorrow' }), '/embargoUntil', /offset/],
  [ok({ language: 'tiếng Việt' }), '/language', /BCP 47/],
  [ok({ categories: ['Thời sự'] }), '/categories/0', /lower-case/],
  [ok({ body: { html: 'x', text: 'y' } }), '/body', /expected/],
  [ok({ body: 'x' }), '/body', /expected/],
  [ok({ audience: 'everyone' }), '/audience', /public/],
  [ok({ images: [{ url: 'javascript:alert(1)' }] }), '/images/0/url', /https/],
  [ok({ images: [{ url: 'file:///etc/passwd' }] }), '/images/0/url', /https/],
  [ok({ images: [{ url: 'newswire:../../secrets' }] }), '/images/0/url', /newswire/],
  [ok({ canonicalUrl: 'javascript:alert(1)' }), '/canonicalUrl', /http/],
  [ok({ slug: '../x' }), '/slug', /lower-case/],
]

const STATE = [
  'native/',
  'idempotency/',
  'hooks/',
  'originals/',
  'renditions/',
  'current/',
  'holds/',
  'images/',
  'archive/',
  'feeds/',
  'outlets/routes/',
]
/** A start looks at every feed, which is said there. */
const wanted = topicSpecs.map(one => one.name).filter(name => name !== topics.feedChanges.name && name !== topics.feeds.name)
const readState = async (system: System) => ({
  objects: await withObjects(system, async objects => (await Promise.all(STATE.map(prefix => listAll(objects, prefix)))).flat()),
  ends: Object.fromEntries(
    await withLog(system, log =>
      Promise.all(wanted.map(async name => [name, (await log.ends(name)).map(({ end }) => end).join(' ')] as const)),
    ),
  ),
})

test('every refusal is a problem that says what to do, and leaves nothing behind', async t => {
  const system = await createSystem(t, { env: { NEWSWIRE_LOG_LEVEL: 'trace' } })
  const first = await system.start()
  const known = { ...createWriter(91)(), sourceVersion: 5 }
  const taken = await first.publisher.put('co-san', known, 'khoa-1')
  assert.equal(taken.status, 202)
  await first.settled(String(taken.body['submissionId']))
  await first.everywhere('co-san', 1)
  assert.deepEqual(await first.newswire.stop(), { code: 0, signal: null })
  const before = await readState(system)

  const running = await system.start()
  const { publisher } = running
  const put = (path: string, body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
    publisher.send('PUT', path, body, headers)

  await t.test('400: a body that cannot be read', async () => {
    for (const [what, body] of UNREADABLE) assertProblem(what, await put('/v1/articles/xau', body), 400, /^NEWSWIRE_(JSON|REQUEST)$/)
    const [twice] = assertProblem(
      'where',
      await put('/v1/articles/xau', withBody('"extensions":{"a":{"b":1,"b":2}}')),
      400,
      /^NEWSWIRE_JSON$/,
    )
    assert.match(twice?.pointer ?? '', /^\/extensions\/a/)
    assertProblem('retraction', await publisher.send('POST', '/v1/articles/co-san/retract', '{', JSON_TYPE), 400, /^NEWSWIRE_JSON$/)
  })

  await t.test('401 and 403: who is asking', async () => {
    const ingest = running.newswire.url('ingest')
    const body = JSON.stringify(ok())
    for (const authorization of ['', 'Bearer nw_wrong_token_1', 'Basic bncKOm53', `Bearer ${tokens.all}x`]) {
      const answer = await publisher.send('PUT', '/v1/articles/xau', body, { ...JSON_TYPE, authorization })
      assertProblem(`"${authorization}"`, answer, 401, /^NEWSWIRE_AUTH_TOKEN$/)
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
    }
    const [reader, sender] = [createPublisher(ingest, tokens.readOnly), createPublisher(ingest, tokens.publishOnly)]
    assertProblem('reader publishes', await reader.put('xau', ok()), 403, /^NEWSWIRE_AUTH_SCOPE$/)
    assertProblem('reader uploads', await reader.upload('xau', makePng({ width: 9, height: 9 }), 'image/png'), 403, /^NEWSWIRE_AUTH_SCOPE$/)
    assertProblem('sender retracts', await sender.retract('co-san', { mode: 'gone', reason: 'x' }), 403, /^NEWSWIRE_AUTH_SCOPE$/)
    assertProblem('sender republishes', await sender.republish('co-san'), 403, /^NEWSWIRE_AUTH_SCOPE$/)
    assertProblem('sender reads', await sender.article('co-san'), 403, /^NEWSWIRE_AUTH_SCOPE$/)
  })

  await t.test('404: an id that cannot be, or that nobody knows', async () => {
    for (const id of [
      '..%2fsecrets',
      '..%2f..%2fconfig%2fsite',
      'a%2Fb',
      'a..b',
      '%00',
      'a%5cb',
      '-x',
      'a%20b',
      'b%C3%A0i',
      'x'.repeat(129),
    ])
      assertProblem(id, await put(`/v1/articles/${id}`, JSON.stringify(ok())), 404, /^NEWSWIRE_/)
    assertProblem('article', await publisher.article('khong-co'), 404, /^NEWSWIRE_ARTICLE_UNKNOWN$/)
    assertProblem('submission', await publisher.submission('0198c0de-0000-7000-8000-000000000000'), 404, /^NEWSWIRE_SUBMISSION_UNKNOWN$/)
    assertProblem('path', await publisher.send('GET', '/v1/nothing'), 404, /^NEWSWIRE_/)
    for (const path of [
      '/articles/..%2f..%2fetc',
      '/feeds/..%2fall/rss.xml',
      '/feeds/all/window.json',
      `/renditions/${'0'.repeat(64)}/..%2fset.json`,
      '/renditions/..%2f..%2foriginals/x.jpg',
    ])
      assert.equal((await running.get(path)).status, 404, path)
  })

  await t.test('409: an idempotency key or a version used for something else', async () => {
    assertProblem(
      'key, other body',
      await publisher.put('co-san', { ...known, sourceVersion: 6 }, 'khoa-1'),
      409,
      /^NEWSWIRE_IDEMPOTENCY_REUSED$/,
    )
    assertProblem('key, other article', await publisher.put('khac', known, 'khoa-1'), 409, /^NEWSWIRE_IDEMPOTENCY_REUSED$/)
    assertProblem('older', await publisher.put('co-san', { ...known, sourceVersion: 4 }), 409, /^NEWSWIRE_ARTICLE_STALE$/)
    assertProblem('same number', await publisher.put('co-san', { ...known, title: 'Khác' }), 409, /^NEWSWIRE_ARTICLE_VERSION_REUSED$/)
    const again = await publisher.put('co-san', known, 'khoa-1')
    assert.deepEqual([again.status, again.body], [202, taken.body], 'the same again is the same answer')
  })

  await t.test('413 and 415: too much, or of another kind', async () => {
    assertProblem(
      '3 MB',
      await put('/v1/articles/xau', JSON.stringify(ok({ summary: 'x'.repeat(3_000_000) }))),
      413,
      /^NEWSWIRE_BODY_TOO_LARGE$/,
    )
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])
      assertProblem(type, await put('/v1/articles/xau', JSON.stringify(ok()), { 'content-type': type }), 415, /^NEWSWIRE_MEDIA_TYPE$/)
    assertProblem(
      'gzip',
      await put('/v1/articles/xau', 'x', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      /^NEWSWIRE_CONTENT_ENCODING$/,
    )
    assertProblem('no form', await publisher.send('POST', '/v1/articles/xau/pictures', '{}', JSON_TYPE), 415, /^NEWSWIRE_/)
  })

  await t.test('422: every field by its pointer, with what was expected and what was found', async () => {
    for (const [body, pointer, words] of INVALID) {
      const errors = assertProblem(pointer, await put('/v1/articles/xau', JSON.stringify(body)), 422, /^NEWSWIRE_INVALID$/)
      const found = errors.find(one => one.pointer === pointer)
      assert.ok(found, `${pointer} in ${JSON.stringify(errors)}`)
      assert.match(`${found.detail} ${found.expected}`, words, pointer)
    }
    const all = assertProblem(
      'all at once',
      await publisher.put('xau', { titel: 'x', urgency: 'high', tags: [1] }),
      422,
      /^NEWSWIRE_INVALID$/,
    )
    assert.deepEqual(all.map(one => one.pointer).sort(), ['/body', '/tags/0', '/titel', '/title', '/urgency'])
    assertProblem(
      'no picture',
      await publisher.upload('xau', Buffer.from('<svg onload=alert(1)>'), 'image/png'),
      422,
      /^NEWSWIRE_PICTURE_TYPE$/,
    )
    const retract = (body: Record<string, unknown>) =>
      publisher.send('POST', '/v1/articles/co-san/retract', JSON.stringify(body), JSON_TYPE)
    for (const [body, pointer] of [
      [{ mode: 'gone' }, '/reason'],
      [{ mode: 'vanish', reason: 'x' }, '/mode'],
      [{ mode: 'redirect', reason: 'x' }, '/redirectTo'],
      [{ mode: 'redirect', reason: 'x', redirectTo: 'javascript:alert(1)' }, '/redirectTo'],
    ] as const)
      assert.ok(assertProblem(pointer, await retract(body), 422, /^NEWSWIRE_INVALID$/).some(one => one.pointer === pointer))
  })

  await t.test('nothing of all this was accepted, kept or logged', async () => {
    assert.equal(system.partner.requests.length, 1)
    assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
    assert.deepEqual(await readState(system), before)
    const output = first.newswire.output() + running.newswire.output()
    for (const secret of [tokens.all, tokens.readOnly, tokens.publishOnly, 'nw_wrong_token_1', 'khoa-1', system.partner.secret.slice(6)])
      assert.ok(!output.includes(secret), `${secret.slice(0, 4)}… is not in the log`)
  })
})

test('one idempotency key has one effect, however many ask at once and after a kill', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const article = createWriter(92)()
  const answers = await Promise.all(Array.from({ length: 12 }, () => running.publisher.put('mot-lan', article, 'khoa')))
  assert.deepEqual([...new Set(answers.map(one => one.status))], [202])
  const ids = [...new Set(answers.map(one => String(one.body['submissionId'])))]
  assert.equal(ids.length, 1)
  await running.settled(ids[0] ?? '')
  await running.everywhere('mot-lan', 1)
  await running.newswire.kill()
  const again = await system.start()
  const late = await again.publisher.put('mot-lan', article, 'khoa')
  assert.deepEqual([late.status, late.body['submissionId']], [202, ids[0]])
  await again.publish('sau', createWriter(93)())
  const { body } = await again.console(`/v1/articles/${articleIdOf('mot-lan')}/trace`)
  assert.deepEqual([(body['versions'] as unknown[]).length, (body['submissions'] as unknown[]).length], [1, 1])
  assert.equal(new Set(system.partner.requests.filter(one => one.article === articleIdOf('mot-lan')).map(one => one.id)).size, 1)
})
