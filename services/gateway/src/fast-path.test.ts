import assert from 'node:assert/strict'
import { maxHeaderSize } from 'node:http'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parsePlainRequest } from './plain-request.ts'
import { openRaw } from './raw-http.ts'
import { openGateway } from './sample-gateway.ts'

const UPDATED = '2026-03-01T08:00:00.500Z'
const PLAIN = 'GET /feeds/all/rss.xml HTTP/1.1\r\nHost: news.example\r\nUser-Agent: Reader/1\r\n\r\n'
const texts = ['ba', 'hai', 'một'].map(text => `${text} `.repeat(400))

test('only a whole, plain head is read; all else is for the parser', () => {
  assert.deepEqual(parsePlainRequest(PLAIN), { feedId: 'all', output: 'rss', headers: { 'user-agent': 'Reader/1' } })
  const withField = (field: string) => PLAIN.replace('User-Agent: Reader/1', field)
  for (const field of [
    'Accept: */*',
    'If-None-Match: "a", "b"',
    'Sec-Fetch-Mode: cors',
    'connection: Keep-Alive',
    'Cache-Control: max-age=0',
  ])
    assert.ok(parsePlainRequest(withField(field)), field)
  const others = [
    PLAIN.slice(0, -1),
    `${PLAIN}GET`,
    PLAIN + PLAIN,
    `\r\n${PLAIN}`,
    PLAIN.replace('GET', 'HEAD'),
    PLAIN.replace('HTTP/1.1', 'HTTP/1.0'),
    PLAIN.replace('rss.xml', 'rss.xml?null'),
    PLAIN.replace('/feeds/all', '/feeds/../all'),
    PLAIN.replace('/feeds/all', 'http://news.example/feeds/all'),
    PLAIN.replaceAll('\r\n', '\n'),
    PLAIN.replace('Host: news.example\r\n', ''),
    withField('Host: evil.example'),
    withField('Host: '),
    ...[
      'Content-Length: 0',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding:\x0bchunked',
      'X: a\r\n folded',
      ' X: a',
      'X\0: a',
      'User-Agent: caf\xe9',
      'Range: bytes=0-1',
      'If-Match: "a"',
      'If-Unmodified-Since: x',
      'If-Range: "a"',
      'Authorization: Basic x',
      'Expect: 100-continue',
      'Upgrade: h2c',
      'Connection: close',
      'Connection: keep-alive, upgrade',
      'TE: trailers',
      'Content-Encoding: gzip',
      'Some-New-Field: x',
      'If-None-Match: "a"\r\nIf-None-Match: "b"',
      'A-IM: feed\r\nIf-None-Match: "a"',
    ].map(withField),
  ]
  for (const head of others) assert.equal(parsePlainRequest(head), null, JSON.stringify(head))
})

test('whatever bytes come, what is read as plain has exactly one line break pair at its end, one host and no body', () => {
  const piece = fc.constantFrom(
    '\r\n',
    '\n',
    ' ',
    ':',
    'Host: a',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    'X',
    '\0',
    '\t',
    'abc',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const head = `GET /feeds/all/rss.xml HTTP/1.1\r\n${pieces.join('')}\r\n\r\n`
      if (parsePlainRequest(head) === null) return
      assert.equal(head.indexOf('\r\n\r\n'), head.length - 4)
      assert.equal(head.match(/^host:/gim)?.length, 1)
      assert.doesNotMatch(head, /content-length|transfer-encoding/i)
      assert.doesNotMatch(head, /[^\r]\n|\0/)
    }),
    { numRuns: 2_000 },
  )
})

test('plain and other requests on one connection are answered in their order, however they are cut and joined', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  const other = 'GET /feeds/all/atom.xml?x HTTP/1.1\r\nHost: news.example\r\n\r\n'
  const posted = 'POST /feeds/all/rss.xml HTTP/1.1\r\nHost: news.example\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}'
  // More than is read at once.
  const long = `POST /feeds/all/rss.xml HTTP/1.1\r\nHost: news.example\r\nContent-Length: 100002\r\nContent-Type: application/json\r\n\r\n"${'x'.repeat(100_000)}"`
  const table: readonly (readonly [parts: readonly string[], statuses: readonly (number | string)[]])[] = [
    [
      [PLAIN, PLAIN],
      ['rss', 'rss'],
    ],
    [[PLAIN + PLAIN + PLAIN], ['rss', 'rss', 'rss']],
    [
      [PLAIN, other, PLAIN],
      ['rss', 'atom', 'rss'],
    ],
    [[PLAIN + other + PLAIN], ['rss', 'atom', 'rss']],
    [[PLAIN.slice(0, 20), PLAIN.slice(20)], ['rss']],
    [
      [PLAIN, PLAIN.slice(0, -2), `\r\n${PLAIN}`],
      ['rss', 'rss', 'rss'],
    ],
    [
      [PLAIN, posted + PLAIN],
      ['rss', '405', 'rss'],
    ],
    [
      [PLAIN, long + PLAIN, PLAIN],
      ['rss', '405', 'rss', 'rss'],
    ],
    [
      [long.slice(0, 150), long.slice(150) + PLAIN],
      ['405', 'rss'],
    ],
  ]
  for (const [parts, expected] of table) {
    const connection = openRaw(port)
    const got: string[] = []
    for (const part of parts) {
      connection.send(part)
      await setImmediate()
    }
    for (const _ of expected) {
      const { status, headers } = await connection.read()
      got.push(status === 200 ? (/(rss|atom)/.exec(headers['content-type'] ?? '')?.[1] ?? '') : String(status))
    }
    assert.deepEqual(got, expected, JSON.stringify(parts))
    connection.end()
  }
})

test('what is no HTTP is refused and its connection closed, also after a plain request', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  const bad = [
    'GET /feeds/all/rss.xml HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /feeds/all/rss.xml HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'GET /feeds/all/rss.xml HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET /feeds/all/rss.xml HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n',
    'GET /feeds/all/rss.xml HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ]
  for (const request of bad)
    for (const before of ['', PLAIN]) {
      const connection = openRaw(port)
      connection.send(before)
      if (before !== '') assert.equal((await connection.read()).status, 200)
      connection.send(request)
      assert.equal((await connection.read()).status, 400, JSON.stringify(request))
      connection.end()
    }
})

test('a head that is longer than any may be is refused as such, also after a plain request', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  for (const before of ['', PLAIN]) {
    const connection = openRaw(port)
    connection.send(before)
    if (before !== '') assert.equal((await connection.read()).status, 200)
    connection.send(PLAIN.replace('\r\n\r\n', `\r\nX-Long: ${'x'.repeat(maxHeaderSize)}\r\n\r\n`))
    assert.equal((await connection.read()).status, 431)
    connection.end()
  }
})

test('a reader that has said all it will say is still answered, and then the connection ends', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  connection.send(PLAIN)
  connection.socket.end()
  assert.equal((await connection.read()).status, 200)
  await connection.closed
})

test('readers that are slow to read get their own answer whole, while others are answered from the same memory', async t => {
  const { port, build } = await openGateway(t, { perMinute: 1_000_000 })
  // Words that do not compress to nothing, so that the gzip is large: more than the kernel takes at once.
  let seed = 1
  const word = () => {
    seed = Math.imul(seed ^ (seed >>> 13), 0x5bd1e995) + 0x1b873593
    return (seed >>> 0).toString(36)
  }
  const large = Array.from({ length: 40 }, () => Array.from({ length: 30_000 }, word).join(' '))
  await build('all', large, UPDATED)
  const asking = PLAIN.replace('\r\n\r\n', '\r\nAccept-Encoding: gzip\r\n\r\n')
  const slow = Array.from({ length: 6 }, () => openRaw(port))
  for (const { socket } of slow) socket.pause()
  for (const connection of slow) for (let index = 0; index < 3; index++) connection.send(asking)
  const quick = openRaw(port)
  quick.send(asking)
  const whole = await quick.read()
  for (const connection of slow) {
    connection.socket.resume()
    for (let index = 0; index < 3; index++) {
      const answer = await connection.read()
      assert.equal(answer.status, 200)
      assert.ok(answer.body.equals(whole.body))
      assert.match(answer.headers['date'] ?? '', / GMT$/)
    }
    connection.end()
  }
  assert.ok(gunzipSync(whole.body).length > 5_000_000)
  quick.end()
})

test('a new build is what the next plain request gets, on a connection that has been answered before', async t => {
  const { port, build } = await openGateway(t)
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  connection.send(PLAIN)
  const first = await connection.read()
  for (let round = 0; round < 5; round++) {
    await build('all', [`vòng ${round}`, ...texts], `2026-03-01T09:00:0${round}.000Z`)
    connection.send(PLAIN)
    const next = await connection.read()
    assert.match(next.body.toString(), new RegExp(`vòng ${round}`))
    assert.notEqual(next.headers['etag'], first.headers['etag'])
    connection.send(PLAIN.replace('\r\n\r\n', `\r\nIf-None-Match: ${first.headers['etag']}\r\n\r\n`))
    assert.equal((await connection.read()).status, 200)
  }
  connection.end()
})

test('closing ends connections that wait for a request, whichever way they were answered', async t => {
  const { port, build, server } = await openGateway(t)
  await build('all', texts, UPDATED)
  const connections = ['', PLAIN, PLAIN.replace('rss.xml', 'rss.xml?null')].map(request => ({ request, connection: openRaw(port) }))
  for (const { request, connection } of connections) {
    connection.send(request)
    if (request !== '') assert.equal((await connection.read()).status, 200)
  }
  await server.close()
  await Promise.all(connections.map(({ connection }) => connection.closed))
})

test('who connects and says nothing is closed', async t => {
  const { port } = await openGateway(t, { silenceMs: 20, keepAliveMs: 600_000 })
  await openRaw(port).closed
})

test('who was answered and asks no more is closed', async t => {
  const { port, build } = await openGateway(t, { silenceMs: 600_000, keepAliveMs: 20 })
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  connection.send(PLAIN)
  assert.equal((await connection.read()).status, 200)
  await connection.closed
})

test('a tag from before a feed was compressed better is still unchanged, and a made-up one names nothing', async t => {
  const { port, build, feeds } = await openGateway(t)
  await build('all', texts, UPDATED)
  const asking = PLAIN.replace('\r\n\r\n', '\r\nAccept-Encoding: gzip\r\n\r\n')
  const connection = openRaw(port)
  connection.send(asking)
  const soon = await connection.read()
  const state = feeds.peek('all', 'rss')
  await state?.refine()
  connection.send(asking)
  const quiet = await connection.read()
  assert.notEqual(quiet.headers['etag'], soon.headers['etag'])
  const askWith = async (tag: string | undefined) => {
    connection.send(asking.replace('\r\n\r\n', `\r\nIf-None-Match: ${tag}\r\n\r\n`))
    return connection.read()
  }
  for (const tag of [soon.headers['etag'], quiet.headers['etag']]) {
    const answer = await askWith(tag)
    assert.equal(answer.status, 304)
    assert.equal(answer.headers['etag'], tag)
  }
  assert.equal((await askWith(`"${state?.content}-made.up"`)).status, 200)
  connection.end()
})

test('a feed that becomes private while an answer is waited for is nobody’s from then on', async t => {
  const { port, build, feeds, reconfigure } = await openGateway(t)
  await build('all', texts, UPDATED)
  const connection = openRaw(port)
  // What is read for the first time is waited for, and the change comes meanwhile.
  const { get } = feeds
  Object.assign(feeds, {
    get: async (...asked: Parameters<typeof get>) => {
      const state = await get(...asked)
      reconfigure('all', { access: { tokens: [{ id: 'partner', sha256: 'a'.repeat(64) }] } })
      return state
    },
  })
  for (let round = 0; round < 3; round++) {
    const waiting = round === 0 ? connection : openRaw(port)
    waiting.send(PLAIN)
    assert.equal((await waiting.read()).status, 401)
    waiting.end()
    await build('all', [`vòng ${round}`, ...texts], `2026-03-01T09:00:0${round}.000Z`)
  }
})

test('what a head was answered with is not kept once the feed has another state', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { port, build, feeds } = await openGateway(t)
  const held: WeakRef<object>[] = []
  let tag = '"none"'
  for (let round = 0; round < 5; round++) {
    await build('all', [`vòng ${round}`, ...texts], `2026-03-01T09:00:0${round}.000Z`)
    const connection = openRaw(port)
    connection.send(PLAIN.replace('\r\n\r\n', `\r\nIf-None-Match: ${tag}\r\n\r\n`))
    tag = String((await connection.read()).headers['etag'])
    connection.end()
    held.push(new WeakRef(feeds.peek('all', 'rss') ?? {}))
  }
  const deadline = Date.now() + 60_000
  for (let isHeld = true; isHeld; ) {
    assert.ok(Date.now() < deadline, 'states of the past are still held')
    // Looking holds them for the rest of a turn, so it comes after collecting.
    await setImmediate()
    collect()
    isHeld = held.slice(0, -2).some(one => one.deref() !== undefined)
  }
})
