/** `newswire import` of an address: documents one behind the other, each article once, and from where it stopped. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { readSettings } from '@newswire/runtime/settings'
import { importArticles } from '../import.ts'
import { type Answer, type Asked, answering } from '../sample-front-door.ts'
import type { Terminal } from '../terminal.ts'
import { journalNameOf } from './open-feed.ts'

type Page = Readonly<{ status?: number; headers?: Readonly<Record<string, string>>; body?: string | Uint8Array }>

/** A site whose pages are told by path; what it was asked for. */
const openSite = async (t: TestContext, page: (path: string, times: number) => Page) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const { status = 200, headers = {}, body = '' } = page(path, asked.filter(one => one === path).length)
    response.writeHead(status, { 'content-type': 'application/atom+xml', ...headers }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const entry = (id: string, title = `Title ${id}`) =>
  `<entry><id>urn:test:${id}</id><title>${title}</title><updated>2026-01-02T00:00:00Z</updated><content type="html">&lt;p&gt;${id}&lt;/p&gt;</content></entry>`
const atom = (entries: string, older?: string) =>
  `<feed xmlns="http://www.w3.org/2005/Atom">${older === undefined ? '' : `<link rel="prev-archive" href="${older}"/>`}${entries}</feed>`

const ALLOWED = { allow: ['127.0.0.0/8'], allowHttp: true }

const setUp = async (t: TestContext, answer: (asked: Asked) => Answer | undefined = () => undefined, network: object | null = ALLOWED) => {
  const folder = mkdtempSync(join(tmpdir(), 'import-feed-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const config = { site: { id: 'here.example,2026' }, network, categories: [{ id: 'thoi-su', name: 'Thời sự' }] }
  const console: Record<string, unknown> = {
    '/v1/config': config,
    [`/v1/tokens?sha256=${sha256Hex('t')}`]: [{ publisher: 'desk', id: 'cms', scopes: ['publish'], from: 'file' }],
  }
  const door = await answering(t, asked => (Object.hasOwn(console, asked.path) ? { body: console[asked.path] } : answer(asked)))
  const said: string[] = []
  const printed: string[] = []
  const terminal: Terminal = {
    settings: readSettings({ NEWSWIRE_DATA: join(folder, 'data') }),
    environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't', ...(network === null ? {} : { NEWSWIRE_CONSOLE_URL: door.url }) },
    json: true,
    print: line => printed.push(line),
    say: line => said.push(line),
  }
  const journal = join(folder, 'journal')
  const run = async (url: string, more: { category?: string[] } = {}) => {
    const ok = await importArticles(terminal, url, { deliver: false, journal, ...more })
    return {
      ok,
      ...(JSON.parse(printed.at(-1) ?? '{}') as {
        sent: number
        skipped: number
        refused: { where: string; reason: string }[]
        passedOver: object
      }),
    }
  }
  const puts = () =>
    door.requests.filter(one => one.method === 'PUT').map(one => JSON.parse(one.body) as { title: string; categories: string[] })
  return { run, puts, said, door }
}

test('an article whose letters are in other characters than the feed is read as is refused with where, and the others are taken', async t => {
  const { url } = await openSite(t, () => ({ body: Buffer.from(atom(entry('a') + entry('b', 'B\u00e9n')), 'latin1') }))
  const { run, puts } = await setUp(t)
  const { ok, sent, refused } = await run(url)
  assert.deepEqual([ok, sent], [false, 1])
  assert.deepEqual(
    puts().map(one => one.title),
    ['Title a'],
  )
  assert.match(refused[0]?.where ?? '', /item 2 \(urn:test:b\)$/)
  assert.match(refused[0]?.reason ?? '', /^its letters would come damaged: the feed is read as utf-8/)
})

test('a feed and what is archived behind it is taken once each, the newest of two, and again it is passed over', async t => {
  const site = await openSite(t, path => {
    if (path === '/feed') return { body: atom(entry('a', 'New a') + entry('b'), '/old-2') }
    if (path === '/old-2') return { body: atom(entry('a', 'Old a') + entry('c'), '/old-1') }
    return {
      body: atom(
        `${entry('d')}<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="urn:test:e" when="2026-01-01T00:00:00Z"/>`,
        '/feed',
      ),
    }
  })
  const { run, puts } = await setUp(t)
  const first = await run(`${site.url}/feed`, { category: ['thoi-su'] })
  assert.deepEqual([first.ok, first.sent, first.refused, first.passedOver], [true, 4, [], { 'taken back': 1 }])
  assert.deepEqual(
    puts()
      .map(one => one.title)
      .sort(),
    ['New a', 'Title b', 'Title c', 'Title d'],
  )
  assert.ok(puts().every(one => one.categories.join() === 'thoi-su'))
  assert.deepEqual(site.asked, ['/feed', '/old-2', '/old-1'], 'a ring of documents is left where it closes')
  const second = await run(`${site.url}/feed`, { category: ['thoi-su'] })
  assert.deepEqual([second.sent, second.skipped, puts().length], [0, 4, 4])
})

test('the pages of a private feed are read by the token that the feed was read by, and nobody is told it', async t => {
  const site = await openSite(t, path => {
    if (path === '/feeds/a/~s3cr3t/atom.xml') return { body: atom(entry('a'), `${site.url}/feeds/a/pages/2026-01-02.atom.xml?n=50`) }
    if (path === '/feeds/a/~s3cr3t/pages/2026-01-02.atom.xml?n=50') return { body: atom(entry('b'), '/feeds/b/pages/2026-01-01.atom.xml') }
    return path.includes('s3cr3t') ? { body: atom('') } : { status: 401 }
  })
  const { run, said } = await setUp(t)
  await assert.rejects(
    run(`${site.url}/feeds/a/~s3cr3t/atom.xml`),
    /\/feeds\/b\/pages\/2026-01-01\.atom\.xml cannot be read: it answered 401/,
  )
  assert.deepEqual(site.asked.length, 3, 'another feed is not given the token')
  assert.ok(said.length > 0 && !said.join().includes('s3cr3t'), said.join())
  assert.doesNotMatch(journalNameOf(`${site.url}/feeds/a/~s3cr3t/atom.xml`), /s3cr3t/)
})

test('of this very site only what the publisher of the token wrote comes home under its own id', async t => {
  const own = (id: string) =>
    entry('x', id)
      .replace('urn:test:x', `tag:here.example,2026:${id}`)
      .replace('<title>', '<nw:version xmlns:nw="urn:x-newswire:feed:1">1</nw:version><title>')
  const site = await openSite(t, () => ({ body: atom(`${own('desk.story-1')}${own('a.story-1')}`) }))
  const { run, door } = await setUp(t)
  assert.equal((await run(`${site.url}/feed`)).sent, 2)
  assert.deepEqual(
    door.requests
      .filter(one => one.method === 'PUT')
      .map(one => one.path.split('?')[0])
      .sort(),
    ['/v1/articles/a.story-1', '/v1/articles/story-1'],
  )
})

test('what ingest refuses, and what is no article, is named with its place, and costs nobody else', async t => {
  const site = await openSite(t, () => ({ body: atom(`${entry('good')}<entry><id>urn:test:empty</id></entry>${entry('bad')}`) }))
  const { run } = await setUp(t, ({ method, body }) =>
    method === 'PUT' && body.includes('Title bad')
      ? { status: 422, body: { title: 'No', code: 'NEWSWIRE_INVALID', detail: 'bad' } }
      : undefined,
  )
  const { ok, sent, refused } = await run(`${site.url}/feed`)
  assert.deepEqual([ok, sent], [false, 1])
  assert.deepEqual(
    refused.map(one => one.where.replace(site.url, '')),
    ['/feed item 2 (urn:test:empty)', '/feed item 3 (urn:test:bad)'],
  )
})

test('an archive that breaks off says where; what was taken until then is not taken again', async t => {
  let isBroken = true
  const site = await openSite(t, path => {
    if (path === '/feed') return { body: atom(entry('a'), '/old') }
    return isBroken ? { status: 404 } : { body: atom(entry('b')) }
  })
  const { run, puts, said } = await setUp(t)
  await assert.rejects(run(`${site.url}/feed`), /\/old cannot be read: it answered 404/)
  assert.match(said.at(-1) ?? '', /stopped after 1 articles; run it again/)
  isBroken = false
  const again = await run(`${site.url}/feed`)
  assert.deepEqual([again.sent, again.skipped, puts().length], [1, 1, 2])
})

test('an archive that never ends and brings nothing new is left', async t => {
  const site = await openSite(t, path => ({ body: atom(entry('a'), `/feed?n=${Number(/\d+$/.exec(path)?.[0] ?? 0) + 1}`) }))
  const { run } = await setUp(t)
  await assert.rejects(run(`${site.url}/feed`), /20 documents in a row brought nothing new/)
  assert.ok(site.asked.length < 30)
})

test('a server that is busy is asked again, and one that is wrong is not', async t => {
  const site = await openSite(t, (_path, times) =>
    times < 3 ? { status: 503, headers: { 'retry-after': '0' } } : { body: atom(entry('a')) },
  )
  const { run } = await setUp(t)
  assert.equal((await run(`${site.url}/feed`)).sent, 1)
  assert.equal(site.asked.length, 3)
})

test('only what the configuration allows is reached: neither the address itself nor what a feed or a redirect leads to', async t => {
  const site = await openSite(t, path => {
    if (path === '/moved') return { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' } }
    return { body: atom(entry('a'), 'http://10.0.0.1/older') }
  })
  const { run } = await setUp(t)
  await assert.rejects(run(`${site.url}/moved`), /may not be reached/)
  await assert.rejects(run(`${site.url}/feed`), /http:\/\/10\.0\.0\.1\/older cannot be read: .*private/)
  const strict = await setUp(t, undefined, { allow: [], allowHttp: false })
  await assert.rejects(strict.run(`${site.url}/feed`), /network\.allowHttp in the configuration/)
})

test('without a console only public https is reached, and it says what that means', async t => {
  const site = await openSite(t, () => ({ body: atom(entry('a')) }))
  const { run, said } = await setUp(t, undefined, null)
  await assert.rejects(run(`${site.url}/feed`), /plain http is not allowed/)
  assert.match(said[0] ?? '', /the configuration is not known .*becomes tags/)
  assert.deepEqual(site.asked, [])
})

test('what may be a secret of an address is told nowhere', async t => {
  const empty = '<entry><id>urn:test:empty</id></entry>'
  const site = await openSite(t, path => {
    if (path === '/feed?token=s3cr3t') return { body: atom(empty, '/old?token=s3cr3t') }
    return path === '/all?token=s3cr3t' ? { body: atom(empty) } : { status: 404 }
  })
  const { run, said } = await setUp(t)
  await assert.rejects(run(`${site.url.replace('//', '//u:s3cr3t@')}/feed?token=s3cr3t`), (error: Error) => {
    assert.match(error.message, /\/feed cannot be read: .*a name or password in an address/)
    assert.doesNotMatch(error.message, /s3cr3t/)
    return true
  })
  await assert.rejects(run(`${site.url}/feed?token=s3cr3t`), /\/old cannot be read: it answered 404/)
  const { refused } = await run(`${site.url}/all?token=s3cr3t`)
  assert.deepEqual(
    refused.map(one => one.where.replace(site.url, '')),
    ['/all item 1 (urn:test:empty)'],
  )
  assert.doesNotMatch(said.join(' '), /s3cr3t/)
})

test('a category that is given must be configured, and is for feeds', async t => {
  const site = await openSite(t, () => ({ body: atom(entry('a')) }))
  const { run } = await setUp(t)
  await assert.rejects(run(`${site.url}/feed`, { category: ['the-thao'] }), /not in the configuration: the-thao; there are thoi-su/)
  await assert.rejects(run('stories.json', { category: ['thoi-su'] }), /--category is for feeds/)
})

test('the journal of a feed is a file of this folder that says which feed it is', () => {
  assert.match(journalNameOf('https://news.example/feeds/all/atom.xml'), /^news\.example-feeds-all-atom\.xml-[0-9a-f]{8}\.import\.journal$/)
  const [one, other] = ['1', '2'].map(token => journalNameOf(`https://u:s3cr3t@news.example/feed?token=s3cr3t${token}`))
  assert.ok(one !== other && !one?.includes('s3cr3t'), one)
  assert.ok(!/[/\\]/.test(journalNameOf('https://news.example/../../etc')))
})
