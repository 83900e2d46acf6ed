/** The configuration over the API: one object of it, conditions, and that nobody's change is lost. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newswireConfig } from '@newswire/events/config'
import { emptyOutletState, planRotation } from '@newswire/events/outlet'
import { picturesConfig } from '@newswire/events/picture-config'
import { createHttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { applyConfiguration, issueToken } from '@newswire/runtime/apply-config'
import { createLogger } from '@newswire/runtime/logger'
import { addConfigRoutes } from './config-routes.ts'

const site = { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' }
const webhook = (url: string) => ({ kind: 'webhook', url, secretEnv: 'PARTNER_SECRET' })
const file = {
  site,
  publishers: [{ id: 'press', name: 'Press', tokens: [{ id: 'cms', sha256: 'a'.repeat(64), scopes: ['publish'] }] }],
  categories: [{ id: 'local', name: 'Local' }],
  feeds: [
    { id: 'all', title: 'All' },
    { id: 'local', title: 'Local', match: { categories: ['local'] } },
  ],
  outlets: [{ id: 'partner', deliver: webhook('https://partner.example/hook') }],
}

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-config-routes-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const noted: string[] = []
  const publish: Publish = async events => {
    noted.push(...events.map(one => one.subject))
    return []
  }
  const apply = (value: unknown, options: { prune?: boolean } = {}) =>
    applyConfiguration({ objects, publish, config: newswireConfig.parse(value), now: Date.now, ...options })
  await apply(file)
  noted.length = 0
  const logger = createLogger({ service: 'console', level: 'silent' })
  const { app, close } = createHttpServer({ name: 'console', logger, host: '127.0.0.1', port: 0 })
  addConfigRoutes(app, { objects, publish, now: Date.now, secret: () => undefined })
  t.after(async () => {
    await close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ url: `/v1/config${path}`, headers })
    const { etag, 'x-newswire-default': isDefault } = answer.headers
    return { status: answer.statusCode, body: answer.body === '' ? null : answer.json(), etag: String(etag), isDefault }
  }
  const put = async (path: string, value: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method: 'PUT',
      url: `/v1/config${path}`,
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(value),
    })
    return { status: answer.statusCode, body: answer.json(), etag: String(answer.headers.etag) }
  }
  return { objects, publish, apply, get, put, noted }
}

test('one object is read with a tag, changed under it, and announced, and what it does not say gets its default', async t => {
  const { get, put, noted } = await open(t)
  const before = await get('/feeds/all')
  assert.equal(before.status, 200)
  assert.equal(before.body.limit, 50)
  assert.equal((await get('/feeds/all', { 'if-none-match': before.etag })).status, 304)
  const changed = await put('/feeds/all', { title: 'Everything', limit: 20 }, { 'if-match': before.etag })
  assert.equal(changed.status, 200)
  assert.deepEqual([changed.body.change.change, changed.body.change.detail], ['update', 'title: "All" → "Everything", limit: 50 → 20'])
  assert.deepEqual(noted, ['feeds/all'])
  const after = await get('/feeds/all')
  assert.deepEqual([after.etag, after.body.title, after.body.id], [changed.etag, 'Everything', 'all'])
  assert.notEqual(after.etag, before.etag)
  const same = await put('/feeds/all', after.body, { 'if-match': after.etag })
  assert.deepEqual([same.status, same.body.change.change, same.etag, noted.length], [200, 'unchanged', after.etag, 1])
  assert.equal((await get('/site/main')).body.id, site.id)
  assert.equal((await put('/network/main', { allow: ['10.0.0.0/8'] })).status, 200)
  assert.deepEqual((await get('')).body.network, { allow: ['10.0.0.0/8'], allowHttp: false })
})

test('a condition that does not hold is 412 and changes nothing', async t => {
  const { get, put, noted } = await open(t)
  const { etag } = await get('/feeds/all')
  assert.equal((await put('/feeds/all', { title: 'A' }, { 'if-match': etag })).status, 200)
  const late = await put('/feeds/all', { title: 'B' }, { 'if-match': etag })
  assert.deepEqual([late.status, late.body.code], [412, 'NEWSWIRE_CONFIG_CHANGED'])
  assert.equal(late.etag, (await get('/feeds/all')).etag, 'it says what is in force now')
  assert.equal((await put('/feeds/all', { title: 'B' }, { 'if-match': `W/${late.etag}` })).status, 412, 'compared strongly')
  assert.equal((await put('/feeds/all', { title: 'B' }, { 'if-none-match': '*' })).status, 412)
  assert.equal((await put('/feeds/new', { title: 'New' }, { 'if-match': '*' })).status, 412)
  assert.equal((await get('/feeds/new')).status, 404)
  assert.equal((await get('/feeds/all')).body.title, 'A')
  assert.equal(noted.length, 1)
  assert.equal((await put('/feeds/new', { title: 'New' }, { 'if-none-match': '*' })).status, 201)
})

test('what was retired is not there, and comes back under a new tag', async t => {
  const { apply, get, put } = await open(t)
  const { etag } = await get('/feeds/local')
  await apply({ ...file, feeds: [file.feeds[0]] }, { prune: true })
  assert.equal((await get('/feeds/local')).status, 404)
  assert.equal((await put('/feeds/local', { title: 'Local' }, { 'if-match': etag })).status, 412)
  assert.equal((await put('/feeds/local', { title: 'Local' }, { 'if-none-match': '*' })).status, 200)
  assert.notEqual((await get('/feeds/local')).etag, etag)
})

test('what nobody has set is answered as it is in force, said to be the default, and can be changed under its tag', async t => {
  const { get, put, apply } = await open(t)
  const before = await get('/pictures/main')
  assert.deepEqual([before.status, before.isDefault, before.body], [200, 'true', picturesConfig.parse({})])
  assert.equal((await get('/pictures/main', { 'if-none-match': before.etag })).status, 304)
  assert.equal((await get('')).body.pictures, undefined)
  const other = await put('/pictures/main', { keepUnusedDays: 60 }, { 'if-match': '"0-other"' })
  assert.deepEqual([other.status, other.etag], [412, before.etag])
  assert.equal((await put('/pictures/main', { keepUnusedDays: 60 }, { 'if-none-match': '*' })).status, 201)
  assert.equal((await put('/pictures/main', { keepUnusedDays: 90 }, { 'if-match': before.etag })).status, 412)
  const after = await get('/pictures/main')
  assert.deepEqual([after.body.keepUnusedDays, after.isDefault], [60, undefined])
  await apply(file, { prune: true })
  const again = await get('/pictures/main')
  assert.deepEqual([again.isDefault, again.body], ['true', before.body])
  const changed = { ...again.body, keepUnusedDays: 45 }
  assert.equal((await put('/pictures/main', changed, { 'if-match': again.etag })).status, 200)
  assert.deepEqual((await get('/pictures/main')).body, changed)
})

test('of those who change one object under the same tag exactly one is taken', async t => {
  const { get, put } = await open(t)
  const { etag } = await get('/feeds/all')
  const answers = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(title => put('/feeds/all', { title }, { 'if-match': etag })))
  assert.deepEqual(answers.map(one => one.status).sort(), [200, 412, 412, 412, 412, 412])
  const winner = answers.find(one => one.status === 200)
  assert.equal((await get('/feeds/all')).etag, winner?.etag)
})

test('an apply and changes of objects at the same time lose nothing that was taken', async t => {
  const { get, put } = await open(t)
  const whole = { ...file, feeds: [...file.feeds, { id: 'third', title: 'Third' }], outlets: [] }
  const ids = ['x', 'y', 'z']
  const [applied, ...made] = await Promise.all([put('', whole), ...ids.map(id => put(`/feeds/${id}`, { title: id }))])
  assert.equal(applied?.status, 200)
  assert.deepEqual(
    made.map(one => one.status),
    [201, 201, 201],
  )
  const { body } = await get('')
  assert.deepEqual(
    body.feeds.map((one: { id: string }) => one.id),
    ['all', 'local', 'third', 'x', 'y', 'z'],
  )
  assert.equal(body.outlets.length, 1, 'only prune retires')
})

test('an object is checked within the whole, every complaint at once, by pointers into the object', async t => {
  const { get, put } = await open(t)
  const wrong = await put('/feeds/all', { title: '', limit: 0, colour: 'red', match: { categories: ['local', 'nowhere'] } })
  assert.deepEqual([wrong.status, wrong.body.code], [422, 'NEWSWIRE_CONFIG_INVALID'])
  assert.deepEqual(wrong.body.errors.map((one: { pointer: string }) => one.pointer).sort(), [
    '/colour',
    '/limit',
    '/match/categories/1',
    '/title',
  ])
  const other = await put('/feeds/all', { id: 'others', title: 'All' })
  assert.deepEqual(
    other.body.errors.map((one: { pointer: string }) => one.pointer),
    ['/id'],
  )
  const taken = await put('/publishers/second', {
    name: 'Second',
    tokens: [{ id: 'cms', sha256: 'A'.repeat(64), scopes: ['publish'] }],
  })
  assert.equal(taken.status, 422, 'a token of another publisher')
  const closed = await put('/outlets/partner', { deliver: webhook('http://10.0.0.1/hook') })
  assert.deepEqual(
    closed.body.errors.map((one: { pointer: string }) => one.pointer),
    ['/deliver/url'],
  )
  assert.equal((await put('/feeds/all', null)).status, 422)
  assert.equal((await put('/feeds/all', [])).status, 422)
  assert.equal((await get('/feeds/all')).body.title, 'All')
})

test('what a change would leave wrong elsewhere is named, and refused', async t => {
  const { get, put } = await open(t)
  assert.equal((await put('/network/main', { allow: ['10.0.0.0/8'], allowHttp: true })).status, 200)
  assert.equal((await put('/outlets/inside', { deliver: webhook('http://10.0.0.1/hook') })).status, 201)
  const refused = await put('/network/main', { allow: [] })
  assert.equal(refused.status, 422)
  const [first] = refused.body.errors
  assert.equal(first.pointer, '')
  assert.match(first.detail, /^outlets\/inside would be wrong: deliver\.url: /)
  assert.deepEqual((await get('/network/main')).body.allow, ['10.0.0.0/8'])
})

test('the identity of the site changes only by force, and a plan changes nothing', async t => {
  const { get, put, noted } = await open(t)
  const refused = await put('/site/main', { ...site, id: 'other.example,2026' })
  assert.deepEqual([refused.status, refused.body.code], [422, 'NEWSWIRE_CONFIG_SITE_ID'])
  const planned = await put('/feeds/new?dryRun=true', { title: 'New' })
  assert.deepEqual([planned.status, planned.body.change.change], [200, 'create'])
  assert.equal((await get('/feeds/new')).status, 404)
  assert.deepEqual(noted, [])
  assert.equal((await put('/site/main?force=true', { ...site, id: 'other.example,2026' })).status, 200)
})

test('the whole that is read is one that changes nothing when it is applied: without what is retired and tokens that the system made', async t => {
  const { objects, publish, apply, get, put } = await open(t)
  await issueToken({ objects, publish, now: Date.now }, { publisher: 'press', id: 'made', sha256: 'b'.repeat(64), scopes: ['publish'] })
  await apply({ ...file, categories: [], feeds: [file.feeds[0]], outlets: [] }, { prune: true })
  const { body } = await get('')
  assert.deepEqual([body.categories, body.outlets, body.feeds.length], [[], [], 1])
  assert.equal(JSON.stringify(body).includes('b'.repeat(64)), false, 'no hash of a token that no file names')
  const { changes } = (await put('?prune=true', body)).body
  assert.deepEqual(
    changes.filter((one: { change: string }) => one.change !== 'unchanged'),
    [],
  )
})

test('only kinds and ids that there can be are answered, and a missing secret is warned of', async t => {
  const { get, put } = await open(t)
  for (const path of ['/tokens/press-made', '/feeds/..%2f..', '/feeds/Grü', '/site/other', '/constructor/main', '/feeds/none'])
    assert.equal((await get(path)).status, 404, path)
  assert.equal((await put('/tokens/press-made', {})).status, 404)
  const { status, body } = await put('/outlets/second', { deliver: webhook('https://second.example/') })
  assert.equal(status, 201)
  assert.match(body.warnings[0], /PARTNER_SECRET/)
})

test('a secret that a rotation made is not missed by whoever changes its outlet', async t => {
  const { put, objects } = await open(t)
  const signing = planRotation(null, { secretEnv: 'PARTNER_SECRET', id: 'outlet-partner-1', nowMs: Date.now(), overlapMs: 86_400_000 })
  await objects.put(keys.outletState('partner'), Buffer.from(JSON.stringify({ ...emptyOutletState, signing })))
  const { status, body } = await put('/outlets/partner', { deliver: webhook('https://other.example/hook') }, { 'if-match': '*' })
  assert.deepEqual([status, body.warnings], [200, undefined])
})

test('a parameter that cannot be understood is refused, and nothing is applied', async t => {
  const { get, put, noted } = await open(t)
  const next = { ...file, feeds: [{ id: 'all', title: 'Everything' }] }
  for (const query of ['dryRun=1', 'dryRun=yes', 'dryRun', 'prune=TRUE', 'force=', 'dryRun=true&dryRun=false', 'dryrun=true']) {
    const refused = await put(`?${query}`, next)
    assert.deepEqual([refused.status, refused.body.code], [400, 'NEWSWIRE_CONFIG_QUERY'], query)
  }
  assert.equal((await put('/feeds/all?dryRun=1', { title: 'Everything' })).status, 400)
  assert.equal((await put('/feeds/all?prune=true', { title: 'Everything' })).status, 400, 'one object retires nothing')
  assert.deepEqual([(await get('/feeds/all')).body.title, noted.length], ['All', 0])
  assert.equal((await put('?dryRun=false&prune=false&force=false', next)).status, 200)
  assert.equal((await get('/feeds/all')).body.title, 'Everything')
})

test('the whole is applied only as its condition says, and its tag tells every change', async t => {
  const { apply, get, put, noted } = await open(t)
  const { etag } = await get('')
  assert.equal((await get('')).etag, etag)
  assert.equal((await get('', { 'if-none-match': etag })).status, 304)
  assert.equal((await get('', { 'if-match': '"other"' })).status, 412)
  const next = { ...file, feeds: [{ id: 'all', title: 'Everything' }] }
  assert.equal((await put('?dryRun=true', next, { 'if-match': etag })).status, 200)
  assert.equal((await put('/feeds/local', { title: 'Near', match: { categories: ['local'] } })).status, 200)
  for (const headers of [{ 'if-match': etag }, { 'if-match': 'W/"x"' }, { 'if-none-match': '*' }]) {
    const refused = await put('', next, headers)
    assert.deepEqual([refused.status, refused.body.code], [412, 'NEWSWIRE_CONFIG_CHANGED'])
    assert.equal(refused.etag, (await get('')).etag, 'it says what is in force now')
  }
  assert.deepEqual([(await get('/feeds/all')).body.title, noted.length], ['All', 1])
  await apply(file)
  const back = await get('')
  assert.notEqual(back.etag, etag, 'what came back is no state of before')
  assert.equal((await put('', next, { 'if-match': back.etag })).status, 200)
  assert.equal((await get('/feeds/all')).body.title, 'Everything')
})

test('of those who apply the whole under one tag exactly one is taken', async t => {
  const { get, put } = await open(t)
  const { etag } = await get('')
  const titles = ['a', 'b', 'c', 'd']
  const answers = await Promise.all(titles.map(title => put('', { ...file, feeds: [{ id: 'all', title }] }, { 'if-match': etag })))
  const taken = answers.filter(one => one.status === 200)
  assert.equal(taken.length, 1)
  assert.ok(answers.every(one => [200, 409, 412].includes(one.status)))
  assert.equal((await get('/feeds/all')).body.title, titles[answers.findIndex(one => one.status === 200)])
})
