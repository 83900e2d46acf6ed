/** The console on the embedded log and the disk, asked as a browser or the command line asks it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { newswireConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import { toRecord } from '@newswire/events/events'
import type { FeedBuilt } from '@newswire/events/feed'
import { newId, sha256Hex } from '@newswire/events/ids'
import { sampleRetraction } from '@newswire/events/sample-fact'
import { topics } from '@newswire/events/topics'
import { createHttpServer } from '@newswire/http/server'
import { toDeadLetter } from '@newswire/log/dead-letter'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import type { Log, NewRecord } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { readOpenPurges } from '@newswire/objects/open-purges'
import { createSealing } from '@newswire/objects/sealed'
import { applyConfiguration } from '@newswire/runtime/apply-config'
import { createConfiguration } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import { createTrace } from '@newswire/trace/trace'
import { openDeadLetters } from './dead-letters.ts'
import { openFeeds } from './feeds.ts'
import { addRoutes } from './routes.ts'

const site = { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' }
const file = {
  site,
  publishers: [{ id: 'press', name: 'Press' }],
  categories: [{ id: 'local', name: 'Local' }],
  feeds: [{ id: 'all', title: 'All' }],
}
const JSON_TYPE = { 'content-type': 'application/json' }

const open = async (
  t: TestContext,
  { consoleToken = null, isBehind = false }: { consoleToken?: string | null; isBehind?: boolean } = {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-console-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', retryScale: 0.01 })
  const logger = createLogger({ service: 'console', level: 'silent' })
  const publish = publishEvents(log)
  await applyConfiguration({ objects, publish, config: newswireConfig.parse(file), now: Date.now })
  const configuration = await createConfiguration({ objects, log, logger })
  const trace = await createTrace({ log, file: join(folder, 'trace.db'), onPoison: () => undefined })
  const arrived: string[] = []
  const deadLetters = await openDeadLetters({
    log,
    objects,
    dataDir: folder,
    now: Date.now,
    onArrival: service => arrived.push(service),
  })
  const { app, close } = createHttpServer({ name: 'console', logger, host: '127.0.0.1', port: 0 })
  const feeds = await openFeeds({ log, dataDir: folder })
  const sealing = createSealing(objects, Buffer.alloc(32, 7))
  const control = createOutletControl({ objects, publish, sealing, logger, source: '/services/console', now: Date.now })
  addRoutes(app, {
    log,
    objects,
    configuration,
    trace: isBehind ? { ...trace, caughtUp: () => Promise.reject(new Error('it is behind')) } : trace,
    deadLetters,
    feeds,
    proofs: { of: async () => null, stop: async () => undefined },
    events: { open: async () => null },
    publish,
    control,
    storeTrouble: async () => null,
    purges: () => readOpenPurges(objects),
    capabilitiesOf: () => [],
    now: Date.now,
    consoleToken,
  })
  t.after(async () => {
    await close()
    await deadLetters.stop()
    await feeds.stop()
    await trace.stop()
    await configuration.close()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ url, headers: { host: '127.0.0.1:8082', ...headers } })
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
  }
  const send = async (method: 'POST' | 'PUT' | 'DELETE', url: string, payload: unknown, headers: Record<string, string> = JSON_TYPE) => {
    const answer = await app.inject({ method, url, headers: { host: 'localhost', ...headers }, payload: JSON.stringify(payload) })
    return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
  }
  const caughtUp = () => deadLetters.caughtUp(AbortSignal.timeout(5_000))
  return { app, ask, send, log, objects, configuration, deadLetters, arrived, caughtUp, trace }
}

const poison = { topic: topics.prepared.name, key: 'press.a', value: Buffer.from('{"half'), headers: { ce_id: 'x' } }

const waitFor = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const signal = AbortSignal.timeout(10_000)
  while (!(await holds())) {
    assert.equal(signal.aborted, false, `${what}: not within 10 s`)
    await setTimeout(10)
  }
}

/** As a group that gave a record up leaves it. */
const bury = async (log: Log, record: NewRecord = poison, group = 'desk') => {
  const [published] = await log.publish([record])
  assert.ok(published)
  const at = '2026-01-01T00:00:00.000Z'
  const full = { ...record, ...published, headers: record.headers ?? {}, timestamp: 0 }
  const error = { code: 'NEWSWIRE_EVENT_DATA', message: 'not JSON' }
  await log.publish([toDeadLetter({ record: full, group, attempts: 1, firstFailedAt: at, lastFailedAt: at, error, failures: [] }, null)])
}

const readAll = async (log: Log, topic: string) => {
  const found = []
  for (const { partition } of await log.ends(topic))
    found.push(...(await log.read({ topic, partition, from: 'start', limit: 100 })).records)
  return found
}

test('the overview names a purge that failed, and what to do about it', async t => {
  const { ask, objects } = await open(t)
  const trouble = { code: 'NEWSWIRE_ARCHIVE_PACK', message: 'pack p.gz is damaged; restore it, or delete it' }
  await objects.put(keys.archivePurging('press.a'), Buffer.from(JSON.stringify({ n: 1, at: '2026-01-01T00:00:00.000Z', trouble })))
  const { body } = await ask('/v1/overview')
  assert.equal(body.healthy, false)
  assert.match(body.sentence, /press\.a .* is not done: pack p\.gz is damaged; restore it, or delete it/)
})

test('an article that no trace knows any more is purged all the same, and a slip of the pen makes none', async t => {
  const { send, log, objects } = await open(t)
  await objects.put(keys.current('press.old'), Buffer.from('{}'))
  const purge = (articleId: string) => send('POST', `/v1/articles/${articleId}/purge`, { reason: 'court order' })
  assert.equal((await purge('press.old')).status, 202)
  assert.equal((await purge('press.odl')).status, 404)
  assert.deepEqual(
    (await readAll(log, topics.submissions.name)).map(({ key }) => key),
    ['press.old'],
  )
})

test('while nobody can know whether an article is under way, it is taken back all the same', async t => {
  const { send, log } = await open(t, { isBehind: true })
  const answers = [
    await send('POST', '/v1/articles/press.held/retract', { mode: 'gone', reason: 'court order' }),
    await send('POST', '/v1/articles/press.held/purge', { reason: 'court order' }),
    await send('POST', '/v1/articles/no-id/retract', { mode: 'gone', reason: 'court order' }),
  ]
  assert.deepEqual(
    answers.map(one => one.status),
    [202, 202, 404],
  )
  assert.equal((await readAll(log, topics.submissions.name)).length, 2)
})

test('an operator is warned of a substitute that is not out, in the answer and in the trace', async t => {
  const { send, log, objects } = await open(t)
  await objects.put(keys.current('press.a'), Buffer.from('{"released":null}'))
  const { status, body } = await send('POST', '/v1/articles/press.a/retract', { mode: 'replace', reason: 'r', redirectTo: 'b' })
  assert.deepEqual([status, body.warnings.map((one: { pointer: string }) => one.pointer)], [202, ['/redirectTo']])
  const milestones = await readAll(log, topics.milestones.name)
  assert.ok(milestones.some(({ value }) => Buffer.from(value ?? []).includes('/redirectTo ')))
})

test('an operator is warned of a retraction that changes nothing of what a law asked for', async t => {
  const { send, objects } = await open(t)
  const fact = sampleRetraction({ retraction: { legal: true } })
  await objects.put(keys.current('press.a'), Buffer.from(JSON.stringify({ released: { fact } })))
  const { status, body } = await send('POST', '/v1/articles/press.a/retract', { mode: 'gone', reason: 'r' })
  assert.deepEqual([status, body.warnings.map((one: { pointer: string }) => one.pointer)], [202, ['/legal']])
})

test('an operator’s retraction and republication go the publisher’s way, the first with its place straight to the desk', async t => {
  const { send, log, objects } = await open(t)
  await objects.put(keys.current('press.a'), Buffer.from('{}'))
  const act = async (name: string, body: object, articleId = 'press.a') => {
    const { status, body: answer } = await send('POST', `/v1/articles/${articleId}/${name}`, body)
    return { status, code: answer.code as string | undefined, submissionId: answer.submissionId as string | undefined }
  }
  const taken = await act('retract', { mode: 'gone', reason: 'court order', legal: true })
  assert.equal(taken.status, 202)
  assert.equal((await act('republish', {})).status, 202)
  assert.deepEqual(
    [(await act('retract', { mode: 'gone', reason: 'x' }, 'press.b')).status, (await act('republish', {}, 'press.b')).status],
    [404, 404],
  )
  assert.deepEqual(
    [await act('retract', { mode: 'gone' }), await act('retract', { mode: 'redirect', reason: 'x' })].map(one => one.code),
    ['NEWSWIRE_INVALID', 'NEWSWIRE_INVALID'],
  )
  const records = await readAll(log, topics.submissions.name)
  const said = records.map(
    ({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as { command: string; publisher: string; retraction?: object },
  )
  assert.deepEqual(
    said.map(one => [one.command, one.publisher, one.retraction]),
    [
      ['retract', 'press', { mode: 'gone', reason: 'court order', legal: true }],
      ['republish', 'press', undefined],
    ],
  )
  const [shortcut, ...more] = await readAll(log, topics.prepared.name)
  const prepared = JSON.parse(Buffer.from(shortcut?.value ?? []).toString()) as { submissionId: string; position: number }
  assert.deepEqual([prepared.submissionId, prepared.position, more], [taken.submissionId, records[0]?.position, []])
})

test('with a token set, every address of the API wants it, however the address is written', async t => {
  const { app } = await open(t, { consoleToken: 'sesame' })
  for (const url of ['/v1/overview', '/%761/overview', '/v%31/config', '/v1/dead-letters', '/v1/lag?x=/livez']) {
    const refused = await app.inject({ url })
    assert.equal(refused.statusCode, 401, url)
    assert.match(String(refused.headers['www-authenticate']), /^Bearer/)
    assert.equal((await app.inject({ url, headers: { authorization: 'Bearer sesame2' } })).statusCode, 401, url)
    assert.equal((await app.inject({ url, headers: { authorization: 'Bearer sesame' } })).statusCode, 200, url)
  }
  const pruned = await app.inject({ method: 'PUT', url: '/%761/config?prune=true', headers: JSON_TYPE, payload: JSON.stringify(file) })
  assert.equal(pruned.statusCode, 401)
})

test('without a token it answers under names of this machine alone', async t => {
  const { app } = await open(t)
  for (const host of ['localhost', 'localhost:8082', '127.0.0.1:8082', '[::1]:8082'])
    assert.equal((await app.inject({ url: '/v1/lag', headers: { host } })).statusCode, 200, host)
  for (const host of ['rebound.example', '127.0.0.1.evil.example', 'localhost.evil.example:8082', '10.0.0.1'])
    for (const url of ['/v1/lag', '/%761/lag']) assert.equal((await app.inject({ url, headers: { host } })).statusCode, 403, host)
})

test('a change that is not JSON, as a form of a foreign page would be, is refused', async t => {
  const { send } = await open(t)
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/jsonx' }, {}])
    assert.equal((await send('POST', `/v1/dead-letters/${newId()}/discard`, {}, headers as Record<string, string>)).status, 415)
})

test('a change that a page of another site sends is refused; one of the console’s own page, or of no browser, is taken', async t => {
  const { send } = await open(t)
  const discard = async (headers: Record<string, string>) =>
    (await send('POST', `/v1/dead-letters/${newId()}/discard`, {}, { ...JSON_TYPE, host: 'localhost:8082', ...headers })).status
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'http://localhost:8080' },
    { origin: 'null' },
    { origin: 'http://localhost:8082', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])
    assert.equal(await discard(headers), 403, JSON.stringify(headers))
  for (const headers of [{}, { origin: 'http://localhost:8082' }, { origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' }])
    assert.equal(await discard(headers), 404, JSON.stringify(headers))
})

test('the page brings no script and no style of its own, and its policy allows none', async t => {
  const { app } = await open(t)
  const page = await app.inject({ url: '/', headers: { host: 'localhost' } })
  assert.equal(page.statusCode, 200)
  assert.doesNotMatch(page.body, /<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=/i)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  for (const [, address = ''] of page.body.matchAll(/(?:src|href)="(\/[^"]*)"/g))
    assert.equal((await app.inject({ url: address })).statusCode, 200, address)
  const script = (await app.inject({ url: '/console.js' })).body
  assert.doesNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/)
})

test('a wrong configuration is refused whole, every complaint at once by JSON pointer, and nothing is applied', async t => {
  const { ask, send } = await open(t)
  const wrong = {
    ...file,
    feeds: [
      { id: 'new', title: 'New', match: { categories: ['nowhere'] } },
      { id: 'new', title: 'Twice' },
    ],
  }
  const refused = await send('PUT', '/v1/config', wrong)
  assert.equal(refused.status, 422)
  assert.equal(refused.body.code, 'NEWSWIRE_CONFIG_INVALID')
  const pointers = refused.body.errors.map((one: { pointer: string }) => one.pointer)
  assert.deepEqual(pointers.sort(), ['/feeds/0/match/categories/0', '/feeds/1/id'])
  const unknown = await send('PUT', '/v1/config', { ...file, feds: [], site: { ...site, title: '' } })
  assert.deepEqual(unknown.body.errors.map((one: { pointer: string }) => one.pointer).sort(), ['/feds', '/site/title'])
  assert.equal((await send('PUT', '/v1/config', null)).status, 422)
  const { body } = await ask('/v1/config')
  assert.deepEqual(
    body.feeds.map((one: { id: string }) => one.id),
    ['all'],
  )
})

test('a configuration is applied, takes effect without a restart, and is pruned only when asked', async t => {
  const { ask, send } = await open(t)
  const next = { ...file, feeds: [{ id: 'second', title: 'Second' }] }
  const planned = await send('PUT', '/v1/config?dryRun=true', next)
  assert.ok(planned.body.changes.some((one: { id: string; change: string }) => one.id === 'second' && one.change === 'create'))
  const feeds = async () => (await ask('/v1/config')).body.feeds.map((one: { id: string }) => one.id).sort()
  assert.deepEqual(await feeds(), ['all'])
  const until = async (wanted: string[]) => {
    const deadline = Date.now() + 5_000
    while (JSON.stringify(await feeds()) !== JSON.stringify(wanted)) {
      assert.ok(Date.now() < deadline, `feeds are ${await feeds()}, wanted ${wanted}`)
      await setTimeout(10)
    }
  }
  assert.equal((await send('PUT', '/v1/config', next)).status, 200)
  await until(['all', 'second'])
  assert.equal((await send('PUT', '/v1/config?prune=true', next)).status, 200)
  await until(['second'])
  const renamed = await send('PUT', '/v1/config', { ...next, site: { ...site, id: 'other.example,2026' } })
  assert.equal(renamed.status, 422)
  assert.equal(renamed.body.code, 'NEWSWIRE_CONFIG_SITE_ID')
})

test('a dead letter is shown with its bytes, redriven for its group under its first position, and then no longer open', async t => {
  const { ask, send, log, caughtUp, arrived } = await open(t)
  await bury(log)
  await caughtUp()
  assert.deepEqual(arrived, ['desk'])
  const [letter] = (await ask('/v1/dead-letters')).body
  assert.equal(letter.state, 'open')
  assert.equal(letter.topic, 'prepared')
  assert.equal(letter.code, 'NEWSWIRE_EVENT_DATA')
  assert.equal((await ask('/v1/overview')).body.deadLetters, 1)
  assert.equal((await ask('/v1/overview')).body.healthy, false)
  const shown = (await ask(`/v1/dead-letters/${letter.id}`)).body
  assert.equal(Buffer.from(shown.value, 'base64').toString(), '{"half')
  assert.equal(shown.text, '{"half')

  assert.equal((await send('POST', `/v1/dead-letters/${letter.id}/redrive`, {})).status, 200)
  const again = (await readAll(log, 'prepared')).at(-1)
  assert.equal(Buffer.from(again?.value ?? []).toString(), '{"half')
  assert.equal(again?.headers['newswire-redrive-group'], 'desk')
  assert.equal(again?.headers['newswire-first-position'], String(letter.position))
  assert.equal((await ask('/v1/dead-letters')).body[0].state, 'redriven')
  assert.equal((await ask('/v1/overview')).body.deadLetters, 0)
})

test('an act that is its address alone is not done when more is said with it, like dryRun', async t => {
  const { ask, send, log, objects, caughtUp } = await open(t)
  await bury(log)
  await caughtUp()
  const [{ id }] = (await ask('/v1/dead-letters')).body
  const before = (await objects.list('')).map(({ key }) => key)
  for (const path of [
    '/v1/archive/close',
    '/v1/archive/rotate-key',
    '/v1/feeds/all/rebuild',
    `/v1/dead-letters/${id}/redrive`,
    `/v1/dead-letters/${id}/discard`,
    '/v1/articles/press.a/republish',
  ]) {
    const { status, body } = await send('POST', path, { dryRun: true })
    assert.deepEqual([status, body.errors?.[0]?.pointer], [422, '/dryRun'], path)
  }
  assert.deepEqual(
    (await objects.list('')).map(({ key }) => key),
    before,
  )
  assert.equal((await send('POST', '/v1/archive/close', {})).status, 200)
})

test('a discarded dead letter stays discarded, and discarding it twice is once', async t => {
  const { ask, send, log, caughtUp } = await open(t)
  await bury(log)
  await caughtUp()
  const [{ id }] = (await ask('/v1/dead-letters')).body
  assert.equal((await send('POST', `/v1/dead-letters/${id}/discard`, {})).status, 200)
  assert.equal((await send('POST', `/v1/dead-letters/${id}/discard`, {})).status, 200)
  assert.equal((await send('POST', `/v1/dead-letters/${id}/redrive`, {})).status, 409)
  assert.equal((await readAll(log, 'prepared')).length, 1)
  assert.equal((await send('POST', `/v1/dead-letters/${newId()}/redrive`, {})).status, 404)
  assert.equal((await ask('/v1/dead-letters/..%2f..%2fconfig')).status, 404)
})

test('dead letters are listed to the last, page by page, and those that are open also behind ever so many that are not', async t => {
  const { ask, send, log, caughtUp } = await open(t)
  for (let index = 0; index < 5; index++) await bury(log)
  await caughtUp()
  const ids = (query: string) => ask(`/v1/dead-letters?${query}`).then(({ body }) => (body as { id: string }[]).map(({ id }) => id))
  const all = await ids('')
  assert.equal(all.length, 5)
  assert.deepEqual(await ids('limit=2'), all.slice(0, 2))
  assert.deepEqual(await ids(`limit=2&after=${all[1]}`), all.slice(2, 4))
  assert.deepEqual(await ids(`limit=2&after=${all[3]}`), all.slice(4))
  assert.deepEqual(await ids(`after=${all[4]}`), [])
  for (const id of all.slice(0, 3)) assert.equal((await send('POST', `/v1/dead-letters/${id}/discard`, {})).status, 200)
  assert.deepEqual(await ids('state=open&limit=1'), all.slice(3, 4))
  assert.deepEqual(await ids(`state=open&after=${all[3]}`), all.slice(4))
  assert.equal((await ids('')).length, 5)
  for (const query of [`after=${newId()}`, 'after=../x', 'after=a&after=b'])
    assert.equal((await ask(`/v1/dead-letters?${query}`)).status, 404)
  assert.equal((await ask('/v1/dead-letters?state=closed')).status, 400)
})

test('while log and store are away the overview says so, with what is known without them', async t => {
  const { ask, log, objects, caughtUp } = await open(t)
  await bury(log)
  await caughtUp()
  assert.equal((await ask('/v1/overview')).body.deadLetters, 1)
  let missed = false
  const away = async () => {
    missed = true
    throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'nobody answers')
  }
  const { list } = objects
  const { lag } = log
  Object.assign(objects, { list: () => Promise.reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'nobody answers')) })
  Object.assign(log, { lag: away })
  // What was last read of the log is kept for a second.
  await waitFor('the log to be missed', async () => (await ask('/v1/overview')).body.healthy === false && missed)
  const { status, body } = await ask('/v1/overview')
  assert.equal(status, 200)
  assert.deepEqual([body.healthy, body.deadLetters, body.stages], [false, 1, []])
  assert.match(body.sentence, /^the log does not answer: .*; 1 dead letter is open\.$/)
  Object.assign(objects, { list })
  Object.assign(log, { lag })
})

test('two who redrive at the same moment both hear that it was done', async t => {
  const { ask, send, log, caughtUp } = await open(t)
  await bury(log)
  await caughtUp()
  const [{ id }] = (await ask('/v1/dead-letters')).body
  const both = await Promise.all([1, 2].map(() => send('POST', `/v1/dead-letters/${id}/redrive`, {})))
  assert.deepEqual(
    both.map(one => one.status),
    [200, 200],
  )
})

test('what a stranger wrote into the topic of dead letters is listed and breaks nothing', async t => {
  const { ask, log, caughtUp, deadLetters } = await open(t)
  await bury(log)
  const [good] = await readAll(log, 'dead-letters')
  assert.ok(good)
  const headers = { ...good.headers, 'newswire-dead-id': '../../config/site/main' }
  await log.publish([
    { topic: topics.deadLetters.name, key: 'k', value: Buffer.from([0xff, 0xfe]) },
    { topic: topics.deadLetters.name, key: 'k', value: Buffer.from('x'), headers },
  ])
  await caughtUp()
  const listed = await ask('/v1/dead-letters')
  assert.equal(listed.status, 200)
  assert.equal(listed.body.length, 3)
  assert.equal(await deadLetters.open(), 3)
  for (const { id } of listed.body) assert.equal((await ask(`/v1/dead-letters/${id}`)).status, 200)
})

test('a letter that points to an object of somebody else has nothing of it published', async t => {
  const { ask, send, log, objects, caughtUp } = await open(t)
  await objects.put(keys.current('press.a'), Buffer.from('"what waits for its embargo"'))
  await bury(log)
  const [good] = await readAll(log, 'dead-letters')
  assert.ok(good)
  const headers = { ...good.headers, 'newswire-dead-id': newId(), 'newswire-dead-pointer': keys.current('press.a') }
  await log.publish([{ topic: topics.deadLetters.name, key: 'press.a', value: Buffer.from(''), headers }])
  await caughtUp()
  const { body } = await ask('/v1/dead-letters')
  for (const { id } of body) await send('POST', `/v1/dead-letters/${id}/redrive`, {})
  const texts = (await readAll(log, topics.prepared.name)).map(({ value }) => Buffer.from(value ?? []).toString())
  assert.deepEqual(texts, ['{"half', '{"half'])
  const refused = await send('POST', `/v1/dead-letters/${headers['newswire-dead-id']}/redrive`, {})
  assert.equal(refused.body.code, 'NEWSWIRE_CONSOLE_DEAD_LETTER')
})

test('decisions on letters that the topic no longer keeps do not hide those that are open', async t => {
  const { log, objects, caughtUp, deadLetters } = await open(t)
  await bury(log)
  await caughtUp()
  const old = { n: 1, state: 'discarded', at: '2025-01-01T00:00:00.000Z', times: 1 }
  await objects.put(`dead-letters/status/${newId()}.json`, Buffer.from(JSON.stringify(old)))
  assert.equal(await deadLetters.open(), 1)
})

test('the trace of an article is answered up to what was logged a moment ago', async t => {
  const { ask, log } = await open(t)
  const at = '2026-01-01T00:00:00.000Z'
  const common = { source: '/services/desk', subject: 'press.a', time: at, type: 'milestone.reached' } as const
  const released = { kind: 'released', articleId: 'press.a', at, version: 1, action: 'published', submissionId: 's', title: 'Hi' } as const
  await log.publish([toRecord({ ...common, id: newId(), data: released })])
  const found = await ask('/v1/articles/press.a/trace')
  assert.equal(found.body.versions[0].version, 1)
  assert.deepEqual(
    (await ask('/v1/articles?q=HI')).body.map((one: { articleId: string }) => one.articleId),
    ['press.a'],
  )
  for (const query of ['q=a&q=b', 'state=done&state=failed', 'limit=1&limit=2', 'q=%00', 'q=%25_%5C'])
    assert.equal((await ask(`/v1/articles?${query}`)).status, 200, query)
  assert.deepEqual((await ask('/v1/articles?state=retracted')).body, [])
  assert.equal((await ask('/v1/articles?state=gone')).status, 400)
  assert.equal((await ask('/v1/articles/press.unknown/trace')).status, 404)
  assert.equal((await ask('/v1/articles/%2e%2e%2fx/trace')).status, 404)
  assert.equal((await ask('/v1/articles/press.unknown/versions')).status, 404)
  assert.deepEqual((await ask('/v1/articles/press.a/versions')).body, { articleId: 'press.a', versions: [] })
  for (const version of ['1', '-1', '1e9', 'latest'])
    assert.equal((await ask(`/v1/articles/press.a/versions/${version}`)).status, 404, version)
})

test('a token that is made is shown once, opens what it may at once, and is gone for good when it is revoked', async t => {
  const { ask, send, objects, configuration } = await open(t)
  const made = await send('POST', '/v1/tokens', { publisher: 'press', id: 'cms', scopes: ['publish'] })
  assert.equal(made.status, 201)
  assert.match(made.body.token, /^nw_[\w-]{43}$/)
  const known = () =>
    configuration
      .current()
      .publishers.get('press')
      ?.tokens.find(one => one.id === 'cms')
  await waitFor('the token is known', () => known() !== undefined)
  assert.equal(known()?.sha256, sha256Hex(made.body.token))
  for (const { key } of await objects.list('config'))
    assert.doesNotMatch(Buffer.from((await objects.get(key))?.bytes ?? []).toString(), new RegExp(made.body.token.slice(3)))
  assert.deepEqual((await ask('/v1/tokens')).body, [{ publisher: 'press', id: 'cms', scopes: ['publish'], from: 'issued' }])
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: 'cms' })).body.code, 'NEWSWIRE_TOKEN_TAKEN')

  assert.equal((await send('DELETE', '/v1/tokens/press/cms', {})).status, 204)
  await waitFor('the token is no longer known', () => known() === undefined)
  assert.equal((await send('DELETE', '/v1/tokens/press/cms', {})).status, 204)
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: 'cms' })).status, 409)
})

test('a token of nobody, with a name that cannot be or for a scope that there is not, is refused; one of the file is left to the file', async t => {
  const { send } = await open(t)
  const atOnce = async (method: 'POST' | 'DELETE', url: string, body: object) =>
    (await Promise.all(Array.from({ length: 8 }, () => send(method, url, body)))).map(one => one.status).sort()
  const made = await atOnce('POST', '/v1/tokens', { publisher: 'press', id: 'raced' })
  assert.deepEqual(made, [201, ...Array.from({ length: 7 }, () => 409)], 'one has it, and the name is taken')
  assert.deepEqual(
    await atOnce('DELETE', '/v1/tokens/press/raced', {}),
    Array.from({ length: 8 }, () => 204),
  )
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'nobody', id: 'cms' })).status, 404)
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: '../x' })).status, 422)
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: 'x'.repeat(60) })).status, 422)
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: 'cms', scopes: ['everything'] })).status, 422)
  assert.equal((await send('POST', '/v1/tokens', { publisher: 'press', id: 'cms', sha256: 'a'.repeat(64) })).status, 422)
  assert.equal((await send('DELETE', '/v1/tokens/press/none', {})).status, 404)
  const tokens = [{ id: 'desk', sha256: 'b'.repeat(64), scopes: ['read'] }]
  await send('PUT', '/v1/config', { ...file, publishers: [{ id: 'press', name: 'Press', tokens }] })
  await waitFor('the file is in force', async () => (await send('DELETE', '/v1/tokens/press/desk', {})).status === 409)
})

const builtOf = (counter: number, changes: Partial<FeedBuilt> = {}): NewRecord => {
  const output = (name: string) => ({ key: `feeds/all/${name}`, sha256: 'a'.repeat(64), bytes: counter })
  const data = {
    feedId: 'all',
    counter,
    updatedAt: '2026-03-01T08:00:00.000Z',
    items: 2,
    outputs: { rss: output('rss.xml'), atom: output('atom.xml'), json: output('feed.json'), sitemap: output('news-sitemap.xml') },
    ...changes,
  }
  return toRecord({ type: 'feed.built', id: newId(), source: '/services/feeds', subject: 'all', time: data.updatedAt, data })
}

test('every configured feed is listed, with what it is shown without and what keeps it back, by the newest counter', async t => {
  const { ask, log } = await open(t)
  const never = { counter: null, updatedAt: null, items: null, outputs: null, quarantined: [], fault: null }
  const named = { id: 'all', title: 'All', profile: 'standard', private: false }
  assert.deepEqual((await ask('/v1/feeds')).body, [{ ...named, ...never }])
  const quarantined = [{ articleId: 'press.a', version: 3, code: 'NEWSWIRE_FEEDS_ITEM_RULE', reason: 'breaks title-length of profile msn' }]
  const fault = { code: 'NEWSWIRE_FEEDS_FEED_RULE', reason: 'too large', since: '2026-03-01T08:00:00.000Z' }
  await log.publish([
    builtOf(9, { quarantined, fault }),
    builtOf(7),
    { topic: topics.feeds.name, key: 'all', value: Buffer.from('{'), headers: { ce_id: 'x' } },
  ])
  assert.deepEqual((await ask('/v1/feeds')).body, [
    {
      ...named,
      counter: 9,
      updatedAt: '2026-03-01T08:00:00.000Z',
      items: 2,
      outputs: { rss: 9, atom: 9, json: 9, sitemap: 9 },
      quarantined,
      fault,
    },
  ])
  await log.publish([builtOf(10)])
  const [mended] = (await ask('/v1/feeds')).body
  assert.deepEqual([mended.counter, mended.quarantined, mended.fault], [10, [], null])
})

test('a rebuild of the search index is one wish for all gateways; the newest replaces those before', async t => {
  const { ask, send } = await open(t)
  assert.equal((await ask('/v1/rebuilds')).body.search, null)
  assert.equal((await send('POST', '/v1/rebuilds', { kind: 'search', source: 'nowhere' })).status, 422)
  assert.equal((await send('POST', '/v1/rebuilds', { kind: 'search' })).body.source, 'log')
  const { status, body } = await send('POST', '/v1/rebuilds', { kind: 'search', source: 'archive' })
  assert.equal(status, 202)
  const { search } = (await ask('/v1/rebuilds')).body
  assert.deepEqual([search.id, search.source, search.gateways], [body.id, 'archive', []])
  assert.deepEqual((await ask('/v1/rebuilds/search')).body, { search }, 'the same without looking at every feed')
})

test('a rebuild is kept as a wish for every feed that was named, told once each, and said how far it is', async t => {
  const { ask, send, log, objects } = await open(t)
  assert.equal((await send('POST', '/v1/rebuilds', { kind: 'everything' })).status, 422)
  assert.equal((await send('POST', '/v1/rebuilds', { kind: 'feeds', ids: ['nothing'] })).status, 404)
  assert.equal((await send('POST', '/v1/feeds/nothing/rebuild', {})).status, 404)
  await objects.put('feeds/all/rebuild.json', Buffer.from('{'))
  const first = await send('POST', '/v1/rebuilds', { kind: 'feeds' })
  assert.equal(first.status, 202)
  assert.deepEqual(first.body.feeds, ['all'])
  const second = await send('POST', '/v1/feeds/all/rebuild', {})
  const { rebuilds } = (await ask('/v1/rebuilds')).body
  assert.deepEqual(
    rebuilds.map((one: { id: string; state: string; n: number }) => [one.id, one.state, one.n]),
    [[second.body.id, 'wanted', 2]],
  )
  const told = (await readAll(log, topics.feedChanges.name)).map(record => JSON.parse(Buffer.from(record.value ?? []).toString()))
  assert.deepEqual(
    told.map(one => [one.feedId, one.articleId, one.rebuild]),
    [
      ['all', null, first.body.id],
      ['all', null, second.body.id],
    ],
  )
})
