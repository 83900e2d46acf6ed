import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FEED_TOKEN, openGateway } from './sample-gateway.ts'

const of = (headers: Headers) => headers.get('access-control-allow-origin')

test('scripts of other sites may read what is for programs, its refusals too, and neither pages nor private feeds', async t => {
  const { port, build } = await openGateway(t)
  await build('all', ['one'], '2026-03-01T08:00:00.000Z')
  await build('closed', ['one'], '2026-03-01T08:00:00.000Z')
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers })
  for (const [path, status] of [
    ['/feeds/all/rss.xml', 200],
    ['/feeds/all', 200],
    ['/feeds/none/rss.xml', 404],
    ['/feeds/all/pages/2026-03-01.rss.xml', 404],
    ['/articles/press.none/article.json', 404],
    ['/articles/press.none/ninjs.json', 404],
    [`/renditions/${'a'.repeat(64)}/w640-r1.jpg`, 404],
    ['/opml.xml', 200],
    ['/.well-known/newswire-keys.json', 404],
  ] as const) {
    const { status: found, headers } = await get(path)
    assert.equal(found, status, path)
    assert.equal(of(headers), '*', path)
    assert.match(headers.get('access-control-expose-headers') ?? '', /retry-after/, path)
  }
  const basic = { authorization: `Basic ${Buffer.from(`x:${FEED_TOKEN}`).toString('base64')}` }
  for (const [path, headers] of [
    ['/', {}],
    ['/feeds', {}],
    ['/articles/press.none', {}],
    ['/feeds/closed/rss.xml', {}],
    ['/feeds/closed/rss.xml', basic],
    [`/feeds/closed/~${FEED_TOKEN}/rss.xml`, {}],
  ] as const)
    assert.equal(of((await get(path, headers)).headers), null, path)
})

const askLeave = (port: number, path: string) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://reader.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'if-none-match',
    },
  })

test('a script of another site may read that it asked too often, and when to come again, also where it asks for leave first', async t => {
  const { port } = await openGateway(t, { perMinute: 1 })
  const get = () => fetch(`http://127.0.0.1:${port}/opml.xml`)
  await get()
  const { status, headers } = await get()
  assert.equal(status, 429)
  assert.equal(of(headers), '*')
  assert.ok(Number(headers.get('retry-after')) > 0)
  assert.equal((await askLeave(port, '/opml.xml')).status, 204)
})

test('a script of another site that asks with conditions is given leave to, wherever there are tags', async t => {
  const { port } = await openGateway(t)
  for (const path of ['/feeds/all/rss.xml', '/feeds/all/pages/2026-03-01.json', '/articles/press.a/article.json', '/v1/search']) {
    const { status, headers } = await askLeave(port, path)
    assert.equal(status, 204, path)
    assert.equal(of(headers), '*')
    assert.match(headers.get('access-control-allow-headers') ?? '', /if-none-match/)
  }
})
