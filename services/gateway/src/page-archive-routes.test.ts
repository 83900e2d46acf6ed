import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'
import { createHttpServer } from '@newswire/http/server'
import { createDiskObjects } from '@newswire/objects/disk'
import { createLogger } from '@newswire/runtime/logger'
import { addPageArchiveRoutes } from './page-archive-routes.ts'
import { createReaders } from './readers.ts'
import { categories, site } from './sample-facts.ts'

const feed = { id: 'all', title: 'Tất cả', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' } as const
const closed = { ...feed, id: 'closed', access: { tokens: [{ id: 'one', sha256: sha256Hex('secret') }] } }

const open = async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-gateway-'))
  const objects = await createDiskObjects({ root: dataDir, fsync: 'normal' })
  const { app, close } = createHttpServer({
    name: 'gateway',
    logger: createLogger({ service: 'gateway', level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
  })
  const current = () => ({
    site,
    network: { allow: [], allowHttp: false },
    publishers: new Map(),
    categories,
    feeds: new Map([feed, closed].map(one => [one.id, one])),
    outlets: new Map(),
  })
  const readers = createReaders()
  addPageArchiveRoutes(app, { objects, configuration: { current }, readers, proxies: 0, now: Date.now })
  t.after(async () => {
    await close()
    await objects.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const put = (file: string, text: string, feedId = 'all') => objects.put(`feeds/${feedId}/pages/${file}`, Buffer.from(text))
  const ask = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => app.inject({ method, url, headers })
  return { put, ask, objects, readers }
}

const PAGE = '/feeds/all/pages/2026-03-01.atom.xml'
const atom = (more = '') => `<feed><updated>2026-03-01T08:00:00.000Z</updated>${more}${'<entry/>'.repeat(100)}</feed>`

test('a page has its type and a tag, and no date, because what leaves a page moves none; unchanged it is a 304, and it is ready in gzip', async t => {
  const { put, ask } = await open(t)
  await put('2026-03-01.atom.xml', atom())
  const whole = await ask(`${PAGE}?n=50`)
  assert.equal(whole.statusCode, 200)
  assert.equal(whole.body, atom())
  assert.equal(whole.headers['content-type'], 'application/atom+xml; charset=utf-8')
  assert.equal(whole.headers['last-modified'], undefined)
  assert.equal((await ask(PAGE, { 'if-none-match': String(whole.headers.etag) })).statusCode, 304)
  assert.equal((await ask(PAGE, { 'if-modified-since': new Date().toUTCString() })).statusCode, 200)
  const zipped = await ask(PAGE, { 'accept-encoding': 'gzip' })
  assert.equal(gunzipSync(zipped.rawPayload).toString(), atom())
  assert.notEqual(zipped.headers.etag, whole.headers.etag)
})

test('a page that another follows may be kept for an hour, the newest for a minute', async t => {
  const { put, ask } = await open(t)
  await put('2026-03-01.atom.xml', atom())
  assert.match(String((await ask(PAGE)).headers['cache-control']), /max-age=60/)
  await put('2026-03-01.atom.xml', atom('<link rel="next-archive" href="x"/>'))
  assert.match(String((await ask(PAGE)).headers['cache-control']), /max-age=3600/)
})

test('what was taken back on a page is gone with the next answer', async t => {
  const { put, ask } = await open(t)
  await put('2026-03-01.atom.xml', atom('taken back soon'))
  const before = await ask(PAGE)
  await put('2026-03-01.atom.xml', atom())
  const after = await ask(PAGE, { 'if-none-match': String(before.headers.etag) })
  assert.equal(after.statusCode, 200)
  assert.doesNotMatch(after.body, /taken back soon/)
})

test('a page that ended is 410, and what is none, or of no feed in force, is 404', async t => {
  const { put, ask } = await open(t)
  await put('2026-03-01.atom.xml', '')
  await put('2026-03-01.atom.xml', atom(), 'retired')
  assert.equal((await ask(PAGE)).statusCode, 410)
  for (const url of [
    '/feeds/all/pages/2026-03-02.atom.xml',
    '/feeds/all/pages/2026-03-01-1.atom.xml',
    '/feeds/all/pages/..%2Fwindow.json',
    '/feeds/all/pages/2026-13-45.atom.xml',
    '/feeds/retired/pages/2026-03-01.atom.xml',
  ])
    assert.equal((await ask(url)).statusCode, 404, url)
})

test('pages of a private feed are for who has a token of it, and no cache keeps them', async t => {
  const { put, ask } = await open(t)
  await put('2026-03-01.atom.xml', atom(), 'closed')
  const url = '/feeds/closed/pages/2026-03-01.atom.xml'
  const refused = await ask(url)
  assert.equal(refused.statusCode, 401)
  assert.match(
    refused.json().detail,
    /\/feeds\/\{feed\}\/~\{token\}\/pages\//,
    'who followed a link reads what it lacks: no feed has a token in its bytes',
  )
  const basic = await ask(url, { authorization: `Basic ${Buffer.from('any:secret').toString('base64')}` })
  assert.equal(basic.statusCode, 200)
  assert.match(String(basic.headers['cache-control']), /private/)
  assert.equal((await ask('/feeds/closed/~secret/pages/2026-03-01.atom.xml')).statusCode, 200)
  assert.equal((await ask('/feeds/closed/~wrong/pages/2026-03-01.atom.xml')).statusCode, 401)
})

test('who reads pages is counted apart from who polls the feed, and says nothing of how long pollers stay away', async t => {
  const { put, ask, readers } = await open(t)
  await put('2026-03-01.atom.xml', atom())
  const { headers } = await ask(PAGE)
  await ask(PAGE, { 'if-none-match': String(headers.etag) })
  await ask(PAGE, {}, 'HEAD')
  await ask('/feeds/all/pages/2026-03-02.atom.xml')
  const [use, ...others] = readers.uses()
  assert.deepEqual([use?.feedId, use?.output, use?.bytes, others.length], ['all', 'page', atom().length, 0])
  assert.deepEqual(use?.polls, { full: 2, unchanged: 1, delta: 0, part: 0, refused: 0 })
  assert.equal(readers.distinct('all', 0), 0)
  assert.equal(readers.seen('all')?.slowestMs, 0)
})
