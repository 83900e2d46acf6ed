/**
 * HTTP by the book, a row a rule, over a real socket: every row is asked of the gateway with its fast path and without, and both must give the
 * same answer. Where a row has several steps, each is a request on one connection.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { openRaw, type RawAnswer, type RawConnection } from './raw-http.ts'
import { makeLive, makePicture } from './sample-facts.ts'
import { sampleFeed } from './sample-feeds.ts'
import { FEED_TOKEN, openGateway } from './sample-gateway.ts'

const UPDATED = '2026-03-01T08:00:00.500Z'
const MODIFIED = 'Sun, 01 Mar 2026 08:00:00 GMT'
const EARLIER = 'Sun, 01 Mar 2026 07:59:59 GMT'
const RSS = '/feeds/all/rss.xml'
const PICTURE = 'a'.repeat(64)
/** An address of each kind that has a tag. */
const TAGGED = {
  feed: RSS,
  sitemap: '/feeds/all/news-sitemap.xml',
  'private feed': `/feeds/closed/~${FEED_TOKEN}/rss.xml`,
  'feed by its type': '/feeds/all',
  'archive page': '/feeds/all/pages/2026-03-01.rss.xml',
  'front page': '/',
  'list of feeds': '/feeds',
  article: '/articles/press.a',
  "article's JSON": '/articles/press.a/article.json',
  stylesheet: '/style.css',
  picture: `/renditions/${PICTURE}/w640-r1.jpg`,
} as const
const texts = ['ba', 'hai', 'một'].map(text => `${text} `.repeat(400))

type Headers = Readonly<Record<string, string>>
type Ask = (headers?: Headers, path?: string, method?: string) => Promise<RawAnswer>
/** `ask`: of an open connection, with `Host`. `plain`: the answer to a request without any condition. */
type Row = readonly [rule: string, check: (ask: Ask, plain: RawAnswer) => Promise<void>]

const is = (answer: RawAnswer, status: number, headers: Readonly<Record<string, string | undefined>> = {}) => {
  assert.equal(answer.status, status)
  for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value, name)
}
const etagOf = (answer: RawAnswer): string => answer.headers['etag'] ?? 'none'
const unchanged = (answer: RawAnswer) => {
  // §8.6: by another length than that of the whole a cache would take what it holds for something else (RFC 9111 §4.3.5).
  is(answer, 304, { 'content-length': undefined })
  assert.equal(answer.body.length, 0)
}

const ROWS: readonly Row[] = [
  [
    'RFC 9110 §8.8: a feed has a strong tag and a date, the type it is, and its length',
    async (_ask, plain) => {
      is(plain, 200, { 'content-type': 'application/rss+xml; charset=utf-8', 'last-modified': MODIFIED, 'accept-ranges': 'bytes' })
      assert.match(etagOf(plain), /^"[A-Za-z0-9.-]+"$/)
      assert.equal(Number(plain.headers['content-length']), plain.body.length)
      assert.ok(Math.abs(Date.parse(plain.headers['date'] ?? '') - Date.now()) < 10_000)
    },
  ],
  ['§13.1.2: If-None-Match with the tag', async (ask, plain) => unchanged(await ask({ 'If-None-Match': etagOf(plain) }))],
  ['§13.1.2: If-None-Match compares weakly', async (ask, plain) => unchanged(await ask({ 'If-None-Match': `W/${etagOf(plain)}` }))],
  ['§13.1.2: If-None-Match is a list', async (ask, plain) => unchanged(await ask({ 'If-None-Match': `"a, b", "c" ,${etagOf(plain)}` }))],
  ['§13.1.2: If-None-Match: *', async ask => unchanged(await ask({ 'If-None-Match': '*' }))],
  ['§13.1.2: another tag', async ask => is(await ask({ 'If-None-Match': '"other"' }), 200)],
  ['§8.8.3: a tag without quotes is none', async (ask, plain) => is(await ask({ 'If-None-Match': etagOf(plain).slice(1, -1) }), 200)],
  ['§13.1.3: If-Modified-Since of the same second', async ask => unchanged(await ask({ 'If-Modified-Since': MODIFIED }))],
  [
    '§13.1.3: If-Modified-Since of a later date',
    async ask => unchanged(await ask({ 'If-Modified-Since': 'Mon, 02 Mar 2026 08:00:00 GMT' })),
  ],
  ['§13.1.3: If-Modified-Since of an earlier date', async ask => is(await ask({ 'If-Modified-Since': EARLIER }), 200)],
  [
    '§5.6.7: If-Modified-Since in the form of RFC 850',
    async ask => unchanged(await ask({ 'If-Modified-Since': 'Sunday, 01-Mar-26 08:00:00 GMT' })),
  ],
  [
    '§5.6.7: If-Modified-Since in the form of asctime',
    async ask => unchanged(await ask({ 'If-Modified-Since': 'Sun Mar  1 08:00:00 2026' })),
  ],
  ['§13.1.3: If-Modified-Since that is no date', async ask => is(await ask({ 'If-Modified-Since': '2026-03-01' }), 200)],
  [
    '§13.2.2: If-None-Match goes before If-Modified-Since',
    async ask => is(await ask({ 'If-None-Match': '"other"', 'If-Modified-Since': MODIFIED }), 200),
  ],
  ['§13.1.1: If-Match that fails', async ask => is(await ask({ 'If-Match': '"other"' }), 412)],
  ['§13.1.1: If-Match compares strongly', async (ask, plain) => is(await ask({ 'If-Match': `W/${etagOf(plain)}` }), 412)],
  ...Object.entries(TAGGED).map(
    ([kind, path]): Row => [
      `§13.1.1, RFC 9111 §5.2.2.5: no cache keeps that a condition on this failed: ${kind}`,
      async ask => {
        const tag = etagOf(await ask({ Accept: '*/*' }, path))
        assert.notEqual(tag, 'none')
        is(await ask({ Accept: '*/*', 'If-Match': '"other"' }, path), 412, { 'cache-control': 'no-store', 'content-length': '0' })
        is(await ask({ Accept: '*/*', 'If-Match': tag }, path), 200)
      },
    ],
  ),
  ['§13.1.1: If-Match that holds', async (ask, plain) => is(await ask({ 'If-Match': etagOf(plain) }), 200)],
  [
    '§13.1.1: If-Match is about the very bytes that would be sent, so a part of another coding is never added to what a client has',
    async (ask, plain) => {
      const resume = { 'If-Match': etagOf(plain), Range: 'bytes=0-9' }
      is(await ask({ ...resume, 'Accept-Encoding': 'gzip' }), 412)
      is(await ask(resume), 206)
    },
  ],
  [
    '§14.2: a range is of a GET; HEAD tells of the whole',
    async (ask, plain) =>
      is(await ask({ Range: 'bytes=0-9', 'A-IM': 'feed' }, RSS, 'HEAD'), 200, { 'content-length': String(plain.body.length) }),
  ],
  [
    '§15.4.5: a tag that we could have given, and never gave, is unchanged and not said back',
    async (ask, plain) => {
      const madeUp = `"${etagOf(plain).slice(1, -1)}-gz.zzzz"`
      is(await ask({ 'If-None-Match': madeUp }), 304, { etag: etagOf(plain) })
      is(await ask({ 'If-None-Match': `${madeUp}, ${etagOf(plain)}` }), 304, { etag: etagOf(plain) })
    },
  ],
  [
    '§8.8.3: a made-up tag that begins like ours names nothing',
    async (ask, plain) => is(await ask({ 'If-None-Match': `"${etagOf(plain).slice(1, -1)}-evil.zzz"` }), 200),
  ],
  ['§13.1.4: If-Unmodified-Since that fails', async ask => is(await ask({ 'If-Unmodified-Since': EARLIER }), 412)],
  ['§13.1.4: If-Unmodified-Since that holds', async ask => is(await ask({ 'If-Unmodified-Since': MODIFIED }), 200)],
  [
    '§15.4.5: a 304 has the fields that the 200 would have had, and no more about its body',
    async (ask, plain) => {
      const answer = await ask({ 'If-None-Match': etagOf(plain) })
      for (const name of ['etag', 'last-modified', 'cache-control', 'vary', 'link', 'access-control-allow-origin'])
        assert.equal(answer.headers[name], plain.headers[name], name)
      for (const name of ['content-length', 'content-type', 'content-encoding']) assert.equal(answer.headers[name], undefined, name)
    },
  ],
  [
    '§12.5.3: each coding is what it says, with a tag of its own',
    async (ask, plain) => {
      const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }
      const tags = new Set([etagOf(plain)])
      for (const [coding, decode] of Object.entries(decoders)) {
        const answer = await ask({ 'Accept-Encoding': coding })
        is(answer, 200, { 'content-encoding': coding, vary: 'accept-encoding' })
        assert.ok(decode(answer.body).equals(plain.body))
        tags.add(etagOf(answer))
      }
      assert.equal(tags.size, 4)
    },
  ],
  [
    '§12.5.3: a coding of weight 0 is not sent, nor one that is liked less than the plain bytes',
    async ask => {
      for (const header of ['gzip;q=0', 'identity', 'gzip;q=0.1, identity', '*;q=0', 'deflate'])
        assert.equal((await ask({ 'Accept-Encoding': header })).headers['content-encoding'], undefined, header)
      is(await ask({ 'Accept-Encoding': 'gzip;q=0.5, br;q=0' }), 200, { 'content-encoding': 'gzip' })
    },
  ],
  [
    '§8.8.3.3: the tag of any coding of what is current means unchanged, and the 304 says the tag that was named',
    async (ask, plain) => {
      const zipped = await ask({ 'Accept-Encoding': 'gzip' })
      const answer = await ask({ 'If-None-Match': etagOf(zipped) })
      is(answer, 304, { etag: etagOf(zipped) })
      is(await ask({ 'If-None-Match': etagOf(plain), 'Accept-Encoding': 'gzip' }), 304, { etag: etagOf(plain) })
    },
  ],
  [
    '§9.3.2: HEAD is answered as GET, without a body',
    async (ask, plain) => {
      const answer = await ask({}, RSS, 'HEAD')
      is(answer, 200, { etag: etagOf(plain), 'content-length': String(plain.body.length) })
      assert.equal(answer.body.length, 0)
      unchanged(await ask({ 'If-None-Match': etagOf(plain) }, RSS, 'HEAD'))
    },
  ],
  [
    '§14: one range is a 206 of just those bytes',
    async (ask, plain) => {
      const size = plain.body.length
      const table = [
        ['bytes=0-9', 0, 9],
        ['bytes=10-', 10, size - 1],
        ['bytes=-10', size - 10, size - 1],
        ['bytes=5-99999999', 5, size - 1],
      ] as const
      for (const [range, first, last] of table) {
        const answer = await ask({ Range: range })
        is(answer, 206, { 'content-range': `bytes ${first}-${last}/${size}`, etag: etagOf(plain) })
        assert.ok(answer.body.equals(plain.body.subarray(first, last + 1)), range)
      }
    },
  ],
  [
    '§14.2: a range of the coded bytes, when a coding was asked for',
    async ask => {
      const whole = await ask({ 'Accept-Encoding': 'gzip' })
      const part = await ask({ 'Accept-Encoding': 'gzip', Range: 'bytes=2-5' })
      is(part, 206, { 'content-encoding': 'gzip', etag: etagOf(whole) })
      assert.ok(part.body.equals(whole.body.subarray(2, 6)))
    },
  ],
  [
    '§14.2: several ranges, another unit, or nonsense: the whole',
    async ask => {
      for (const range of ['bytes=0-1,5-6', 'items=0-1', 'bytes=x', 'bytes=9-3']) is(await ask({ Range: range }), 200)
    },
  ],
  [
    '§15.5.17: a range behind the end is a 416 that says how long it is',
    async (ask, plain) =>
      is(await ask({ Range: `bytes=${plain.body.length}-` }), 416, {
        'content-range': `bytes */${plain.body.length}`,
        'cache-control': 'no-store',
      }),
  ],
  [
    '§13.1.5: If-Range wants the very bytes, else the whole is sent',
    async (ask, plain) => {
      is(await ask({ Range: 'bytes=0-1', 'If-Range': etagOf(plain) }), 206)
      is(await ask({ Range: 'bytes=0-1', 'If-Range': MODIFIED }), 206)
      for (const held of ['"other"', `W/${etagOf(plain)}`, EARLIER]) is(await ask({ Range: 'bytes=0-1', 'If-Range': held }), 200)
      is(await ask({ Range: 'bytes=0-1', 'If-None-Match': etagOf(plain) }), 304)
    },
  ],
  [
    '§12.5.1: without a file name Accept decides, and says so',
    async ask => {
      const table = [
        ['application/atom+xml', 'application/atom+xml; charset=utf-8', '/feeds/all/atom.xml'],
        ['application/feed+json, */*;q=0.1', 'application/feed+json; charset=utf-8', '/feeds/all/feed.json'],
        ['*/*', 'application/rss+xml; charset=utf-8', RSS],
      ] as const
      for (const [accept, type, location] of table)
        is(await ask({ Accept: accept }, '/feeds/all'), 200, {
          'content-type': type,
          'content-location': location,
          vary: 'accept, accept-encoding',
        })
      is(await ask({ Accept: 'text/html' }, '/feeds/all'), 303, { vary: 'accept' })
      is(await ask({ Accept: 'image/png' }, '/feeds/all'), 406)
    },
  ],
  ['a query that some readers add changes nothing', async (ask, plain) => is(await ask({}, `${RSS}?null`), 200, { etag: etagOf(plain) })],
  [
    '§15.5.6: another method is 405, and says which there are',
    async ask => is(await ask({ 'Content-Length': '0' }, RSS, 'DELETE'), 405, { allow: 'GET, HEAD, OPTIONS' }),
  ],
  [
    '§15.5.5: a feed or file that is not there is 404',
    async ask => {
      for (const path of ['/feeds/none/rss.xml', '/feeds/all/window.json', '/feeds/all/readers.json', '/feeds/all/rss.xml/x'])
        is(await ask({}, path), 404, { 'content-type': 'application/problem+json' })
    },
  ],
  [
    'Fetch: other sites may read a feed, and ask with conditions',
    async (ask, plain) => {
      assert.equal(plain.headers['access-control-allow-origin'], '*')
      const leave = await ask({ Origin: 'https://reader.example', 'Access-Control-Request-Method': 'GET' }, RSS, 'OPTIONS')
      is(leave, 204, { 'access-control-allow-origin': '*' })
      assert.match(leave.headers['access-control-allow-headers'] ?? '', /if-none-match/)
    },
  ],
  [
    'RFC 5861: how long it may be kept, and used while we are away',
    async (_ask, plain) =>
      assert.match(plain.headers['cache-control'] ?? '', /^public, max-age=\d+, stale-while-revalidate=\d+, stale-if-error=\d+$/),
  ],
  [
    'WebSub §4: every representation names the hub and its own address',
    async ask => {
      for (const file of ['rss.xml', 'atom.xml', 'feed.json'])
        is(await ask({}, `/feeds/all/${file}`), 200, {
          link: `<https://news.example/hub>; rel="hub", <https://news.example/feeds/all/${file}>; rel="self"`,
        })
    },
  ],
  [
    'what is sent can neither be sniffed, framed nor run',
    async (ask, plain) => {
      for (const answer of [
        plain,
        await ask({ 'If-None-Match': etagOf(plain) }),
        await ask({}, '/feeds/none/rss.xml'),
        await ask({}, '/feeds'),
      ]) {
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
        assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'.*frame-ancestors 'none'/)
        assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
        assert.ok(answer.headers['referrer-policy'])
      }
    },
  ],
  [
    'RFC 3229: a delta only to who asks for one, and only against a state that is known',
    async (ask, plain) => {
      is(await ask({ 'A-IM': 'feed', 'If-None-Match': '"other"' }), 200)
      is(await ask({ 'A-IM': 'feed' }), 200, { etag: etagOf(plain) })
      unchanged(await ask({ 'A-IM': 'feed', 'If-None-Match': etagOf(plain) }))
    },
  ],
  [
    'a private feed is 401 without its token, open with it as Basic password or in the path, and never for shared caches or other sites',
    async ask => {
      const path = '/feeds/closed/rss.xml'
      const basic = (token: string) => ({ Authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}` })
      for (const answer of [
        await ask({}, path),
        await ask(basic('wrong'), path),
        await ask({}, '/feeds/closed/~wrong/rss.xml'),
        await ask({}, '/feeds/closed'),
      ]) {
        is(answer, 401, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
        assert.match(answer.headers['www-authenticate'] ?? '', /^Basic realm=/)
      }
      for (const answer of [await ask(basic(FEED_TOKEN), path), await ask({}, `/feeds/closed/~${FEED_TOKEN}/rss.xml`)]) {
        is(answer, 200, { 'referrer-policy': 'no-referrer', link: '<https://news.example/feeds/closed/rss.xml>; rel="self"' })
        assert.match(answer.headers['cache-control'] ?? '', /^private/)
        assert.equal(answer.headers['access-control-allow-origin'], undefined)
      }
      is(await ask({ ...basic(FEED_TOKEN), 'If-None-Match': '*' }, path), 304)
      // The list of feeds, where a browser is sent for any other, does not have it.
      const browser = { ...basic(FEED_TOKEN), Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
      is(await ask(browser, '/feeds/closed'), 200, { 'content-location': path })
    },
  ],
]

/** What differs between two answers that are the same: the time, and what is said of the connection. */
const OF_THE_MOMENT = ['date', 'connection', 'keep-alive', 'ratelimit']
const comparable = ({ status, headers, body }: RawAnswer) => ({
  status,
  headers: Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OF_THE_MOMENT.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ),
  body: headers['content-type'] === 'application/problem+json' ? '' : body.toString('base64'),
})

const askOver =
  (connection: RawConnection, told: RawAnswer[]): Ask =>
  async (headers = {}, path = RSS, method = 'GET') => {
    const lines = Object.entries({ Host: 'news.example', 'User-Agent': 'Reader/1', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    connection.send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    const answer = await connection.read({ bodiless: method === 'HEAD' })
    told.push(answer)
    return answer
  }

test('the gateway speaks HTTP by the book, and the same whether its fast path is on or off', async t => {
  const gateways = await Promise.all([openGateway(t, { perMinute: 100_000 }), openGateway(t, { perMinute: 100_000, fastPath: false })])
  for (const { build, release, objects } of gateways) {
    await build('all', texts, UPDATED)
    await build('closed', texts, UPDATED)
    await release(makeLive({ article: { images: [makePicture(PICTURE)] } }))
    await objects.put(TAGGED.picture.slice(1), Buffer.from('jpeg'), { contentType: 'image/jpeg' })
    await objects.put(TAGGED['archive page'].slice(1), Buffer.from(sampleFeed('rss', texts)))
  }
  for (const [rule, check] of ROWS)
    await t.test(rule, async () => {
      const both: RawAnswer[][] = []
      for (const { port } of gateways) {
        const connection = openRaw(port)
        const told: RawAnswer[] = []
        const ask = askOver(connection, told)
        await check(ask, await ask())
        // Once more, now that everything is ready.
        await check(ask, await ask())
        both.push(told.slice(told.length / 2))
        connection.end()
      }
      assert.deepEqual(both[0]?.map(comparable), both[1]?.map(comparable))
    })
})

test('behind a path, what a reader is told of other addresses has that path', async t => {
  const { port, build } = await openGateway(t, { publicUrl: 'https://news.example/wire' })
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  const ask = askOver(connection, [])
  is(await ask({ Accept: 'text/html' }, '/feeds/all'), 303, { location: '/wire/feeds#all' })
  is(await ask({ Accept: 'application/atom+xml' }, '/feeds/all'), 200, { 'content-location': '/wire/feeds/all/atom.xml' })
  connection.end()
})

test('RFC 3229: a reader gets what is new since its tag as a 226, and the tag of the whole', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  const ask = askOver(connection, [])
  const held: string[] = []
  for (const coding of ['identity', 'gzip', 'br', 'zstd']) held.push(etagOf(await ask({ 'Accept-Encoding': coding })))
  const newer = ['bốn '.repeat(400), ...texts]
  await build('all', newer, '2026-03-01T09:00:00.000Z')
  const whole = await ask()
  for (const tag of held) {
    const delta = await ask({ 'A-IM': 'feed', 'If-None-Match': tag })
    is(delta, 226, { im: 'feed', etag: etagOf(whole), 'cache-control': 'no-store, im', vary: 'a-im, if-none-match, accept-encoding' })
    const text = delta.body.toString()
    assert.match(text, /bốn/)
    assert.doesNotMatch(text, /hai|một/)
    assert.match(text, /<\/rss>\n$/)
    const zipped = await ask({ 'A-IM': 'feed', 'If-None-Match': tag, 'Accept-Encoding': 'gzip' })
    assert.equal(gunzipSync(zipped.body).toString(), text)
    is(await ask({ 'If-None-Match': tag }), 200, { etag: etagOf(whole) })
  }
  is(await ask({ 'A-IM': 'feed', 'If-None-Match': etagOf(whole) }), 304)
  connection.end()
})

test('a client that asks too much is told to wait, and when; others are not, and what is unchanged costs little', async t => {
  for (const fastPath of [true, false]) {
    const { port, build } = await openGateway(t, { fastPath, perMinute: 20, proxies: 1 })
    await build('all', texts, UPDATED)
    const connection = openRaw(port)
    const ask = askOver(connection, [])
    const from = (address: string, more: Headers = {}) => ask({ 'X-Forwarded-For': `198.51.100.9, ${address}`, ...more })
    const first = await from('203.0.113.7')
    is(first, 200, { 'ratelimit-policy': '"gateway";q=20;w=60' })
    assert.match(first.headers['ratelimit'] ?? '', /^"gateway";r=19;t=\d+$/)
    for (let index = 0; index < 50; index++) is(await from('203.0.113.7', { 'If-None-Match': etagOf(first) }), 304)
    let answer = first
    for (let index = 0; index < 20 && answer.status === 200; index++) answer = await from('203.0.113.7')
    is(answer, 429, { 'content-type': 'application/problem+json' })
    assert.ok(Number(answer.headers['retry-after']) >= 1)
    assert.match(answer.headers['ratelimit'] ?? '', /r=0;/)
    is(await from('203.0.113.8'), 200)
    is(await from('2001:db8::1'), 200)
    is(await ask({}, '/livez'), 200)
    connection.end()
  }
})

test('a path that cannot be decoded costs a client what any other does', async t => {
  const { port } = await openGateway(t, { perMinute: 5 })
  const connection = openRaw(port)
  const ask = askOver(connection, [])
  const statuses: number[] = []
  for (let index = 0; index < 7; index++) statuses.push((await ask({}, `/articles/%ff${index}`)).status)
  assert.deepEqual(statuses, [400, 400, 400, 400, 400, 429, 429])
  is(await ask({}, '/feeds/all/rss.xml'), 429)
  connection.end()
})

test('guessing tokens is stopped sooner than reading, and no token is ever logged', async t => {
  const { port, build, lines } = await openGateway(t, { perMinute: 20 })
  await build('closed', texts, UPDATED)
  const connection = openRaw(port)
  const ask = askOver(connection, [])
  const statuses: number[] = []
  for (let index = 0; index < 8; index++) statuses.push((await ask({}, `/feeds/closed/~nw_guess${index}/rss.xml`)).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 429, 429, 429, 429])
  assert.doesNotMatch(lines.join(''), /nw_guess/)
  connection.end()
})

test('polls are counted by what they were answered with, on either way', async t => {
  for (const fastPath of [true, false]) {
    const { port, build, readers } = await openGateway(t, { fastPath })
    await build('all', texts, UPDATED)
    const connection = openRaw(port)
    const ask = askOver(connection, [])
    const first = await ask()
    await ask({ 'If-None-Match': etagOf(first) })
    await ask({ 'If-None-Match': etagOf(first), 'User-Agent': 'Reader/2' })
    const [use] = readers.uses()
    assert.deepEqual(use?.polls, { full: 1, unchanged: 2, delta: 0, part: 0, refused: 0 })
    assert.equal(use?.bytes, first.body.length)
    assert.equal(readers.distinct('all', 0), 2)
    connection.end()
  }
})
