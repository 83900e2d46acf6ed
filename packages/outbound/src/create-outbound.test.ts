import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer, setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import type { NetworkConfig } from '@newswire/events/config'
import { guardConnections } from './connector.ts'
import { createOutbound } from './create-outbound.ts'
import type { Lookup, OutboundRequest } from './outbound.ts'
import { sampleTls } from './sample-tls.ts'

const loopback: NetworkConfig = { allow: ['127.0.0.0/8'], allowHttp: true }
/** Lets names on any port pass the first check, and nothing on this machine the second. */
const elsewhere: NetworkConfig = { allow: ['198.51.100.0/24'], allowHttp: true }

const listen = async (t: TestContext, server: Server): Promise<number> => {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const serve = async (t: TestContext, listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(t, createServer(listener) as unknown as Server)}`

/** A server that does with each connection what it is told. */
const serveRaw = (t: TestContext, onConnection: (socket: Socket) => void): Promise<number> =>
  listen(
    t,
    createTcpServer(socket => {
      socket.on('error', () => undefined)
      onConnection(socket)
    }),
  )

const open = (t: TestContext, network: NetworkConfig | (() => NetworkConfig) = loopback, lookup?: Lookup) => {
  const outbound = createOutbound({ network: typeof network === 'function' ? network : () => network, ...(lookup ? { lookup } : {}) })
  t.after(() => outbound.close())
  return outbound
}

const resolveTo =
  (...addresses: string[]): Lookup =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

const get = (url: string, rest: Partial<OutboundRequest> = {}): OutboundRequest => ({ method: 'GET', url, ...rest })

test('an answer comes back whole, as bytes, with its headers in lower case', async t => {
  const packed = gzipSync('hello')
  const url = await serve(t, (request, response) => {
    response.setHeader('X-Seen', `${request.method} ${request.url} ${request.headers['user-agent']}`)
    response.setHeader('content-encoding', 'gzip')
    response.end(packed)
  })
  const result = await open(t).request(get(`${url}/a%20b?c=d`))
  assert.ok(result.ok)
  assert.equal(result.response.status, 200)
  assert.equal(result.response.headers['x-seen'], 'GET /a%20b?c=d Newswire/0.1')
  assert.deepEqual(Buffer.from(result.response.body), packed, 'nothing is unpacked: a bomb stays packed')
})

test('a body is sent byte for byte, and an error status is an answer', async t => {
  const url = await serve(t, async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    response.statusCode = 418
    response.end(Buffer.concat(parts))
  })
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256)
  const result = await open(t).request({ method: 'POST', url, body: bytes.subarray(10, 900) })
  assert.ok(result.ok)
  assert.equal(result.response.status, 418)
  assert.deepEqual(new Uint8Array(result.response.body), bytes.slice(10, 900))
})

test('no spelling of this machine is ever connected to', async t => {
  let connections = 0
  const port = await serveRaw(t, socket => {
    connections++
    socket.destroy()
  })
  const outbound = open(t, elsewhere)
  const spellings = [
    ...[
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '127.0.0.1.',
      '127.255.255.254',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
    ],
    ...['0', '0.0.0.0', '１２７.０.０.１', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
    ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', 'localhost', 'localhost.', 'LOCALHOST'],
  ]
  for (const spelling of spellings) {
    const result = await outbound.request(get(`http://${spelling}:${port}/`, { timeoutMs: 5_000 }))
    assert.ok(!result.ok)
    const isNameUnknown = result.kind === 'connect' && spelling === 'localhost.'
    assert.ok(result.kind === 'refused' || isNameUnknown, `${spelling}: ${result.kind} ${result.message}`)
  }
  assert.equal(connections, 0)
})

test('the guard of the connection stands on its own, without the check of the address before it', async t => {
  let connections = 0
  const port = await serveRaw(t, () => connections++)
  const connect = guardConnections(
    () => elsewhere,
    () => assert.fail('a literal reaches no resolver'),
  )
  for (const hostname of ['127.0.0.1', '[::1]', '::ffff:7f00:1']) {
    const error = await new Promise<Error | null>(resolve =>
      connect({ hostname, port: String(port), protocol: 'http:' }, (...[failure]) => resolve(failure)),
    )
    assert.equal((error as { code?: string } | null)?.code, 'NEWSWIRE_OUTBOUND_REFUSED', hostname)
  }
  assert.equal(connections, 0)
})

test('a name is refused when any of its addresses leads inward', async t => {
  let connections = 0
  const port = await serveRaw(t, () => connections++)
  const outbound = open(t, loopback, resolveTo('127.0.0.1', '10.0.0.1'))
  const result = await outbound.request(get(`http://partner.example:${port}/`))
  assert.ok(!result.ok)
  assert.equal(result.kind, 'refused')
  assert.match(result.message, /resolves inward.*private/)
  assert.equal(connections, 0)
})

test('a name that leads to a public address may use the usual ports only', async t => {
  const result = await open(t, elsewhere, resolveTo('93.184.216.34')).request(get('http://partner.example:9000/'))
  assert.ok(!result.ok)
  assert.match(result.message, /port 9000/)
})

test('what was really connected to is looked at once more, under the rules as they are then', async t => {
  let isAllowed = true
  const outbound = open(
    t,
    () => (isAllowed ? loopback : elsewhere),
    (name, options, callback) =>
      resolveTo('127.0.0.1')(name, options, (error, addresses) => {
        callback(error, addresses)
        isAllowed = false
      }),
  )
  let bytes = 0
  const port = await serveRaw(t, socket => socket.on('data', chunk => (bytes += chunk.byteLength)))
  const result = await outbound.request(get(`http://partner.example:${port}/`))
  assert.ok(!result.ok)
  assert.equal(result.kind, 'refused')
  assert.equal(bytes, 0)
})

test('networks are allowed and closed again while it runs', async t => {
  let network = loopback
  const url = await serve(t, (_request, response) => response.end('x'))
  const outbound = open(t, () => network)
  assert.equal((await outbound.request(get(url))).ok, true)
  network = elsewhere
  assert.equal((await outbound.request(get(url))).ok, false)
  assert.notEqual(outbound.findUrlOffence(url), null)
})

test('a redirect is an answer, unless following was asked for', async t => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/end') return response.end('here')
    response.writeHead(302, { location: request.url === '/loop' ? '/loop' : '/end' })
    return response.end()
  })
  const outbound = open(t)
  const plain = await outbound.request(get(`${url}/start`))
  assert.ok(plain.ok)
  assert.equal(plain.response.status, 302)
  const followed = await outbound.request(get(`${url}/start`, { redirects: 3 }))
  assert.ok(followed.ok)
  assert.equal(Buffer.from(followed.response.body).toString(), 'here')
  const loop = await outbound.request(get(`${url}/loop`, { redirects: 3 }))
  assert.ok(loop.ok && loop.response.status === 302, 'after as many hops the redirect is the answer')
  const posted = await outbound.request({ method: 'POST', url: `${url}/start`, redirects: 3 })
  assert.ok(posted.ok && posted.response.status === 302, 'a POST is never sent on')
})

test('each hop of a redirect is checked like the first address, and loses credentials that were meant for another host', async t => {
  let inside = 0
  const seen: (string | undefined)[] = []
  const target = await serve(t, (request, response) => {
    seen.push(request.headers.authorization, request.headers['x-kept'] as string)
    response.end()
  })
  const port = await serveRaw(t, () => inside++)
  const locations: Record<string, string> = {
    '/private': `http://[::1]:${port}/`,
    '/name': `http://localhost.example:${port}/`,
    '/scheme': 'file:///etc/passwd',
    '/user': `http://user:pass@127.0.0.1:${port}/`,
    '/nonsense': 'http://[nonsense',
    '/other': target,
  }
  const url = await serve(t, (request, response) => response.writeHead(307, { location: locations[request.url ?? ''] ?? '/' }).end())
  const outbound = open(t, loopback, resolveTo('10.0.0.1'))
  for (const path of ['/private', '/name', '/scheme', '/user', '/nonsense']) {
    const result = await outbound.request(get(url + path, { redirects: 2 }))
    assert.ok(!result.ok && result.kind === 'refused', path)
  }
  assert.equal(inside, 0)
  const headers = { Authorization: 'Bearer x', 'x-kept': 'y' }
  assert.ok((await outbound.request(get(`${url}/other`, { redirects: 1, headers }))).ok)
  assert.deepEqual(seen, [undefined, 'y'])
})

test('an answer that drips for ever ends at the deadline, whatever it sent, and the receiver sees a reset', async t => {
  const resets: unknown[] = []
  let dripping: NodeJS.Timeout | undefined
  t.after(() => clearInterval(dripping))
  let gone: () => void = () => undefined
  const over = new Promise<void>(resolve => {
    gone = resolve
  })
  const port = await serveRaw(t, socket => {
    socket.on('error', error => resets.push((error as NodeJS.ErrnoException).code))
    socket.on('close', () => gone())
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n')
      dripping = setInterval(() => socket.write('x'), 20)
    })
  })
  const started = performance.now()
  const result = await open(t).request(get(`http://127.0.0.1:${port}/`, { timeoutMs: 2_000 }))
  assert.ok(performance.now() - started < 30_000)
  assert.ok(!result.ok)
  assert.equal(result.kind, 'ambiguous')
  assert.equal(result.code, 'NEWSWIRE_OUTBOUND_TIMEOUT')
  await over
  assert.deepEqual(resets, ['ECONNRESET'], 'not a FIN, behind which a busy receiver would still work on the request')
})

test('an answer without a length that never ends is given up like any other, by a reset', async t => {
  const wereReset: Promise<boolean>[] = []
  const port = await serveRaw(t, socket => {
    wereReset.push(new Promise(resolve => socket.on('close', resolve)))
    socket.once('data', () => socket.write(`HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n${'x'.repeat(1_000)}`))
  })
  const outbound = open(t)
  const url = `http://127.0.0.1:${port}/`
  const late = await outbound.request(get(url, { timeoutMs: 500 }))
  assert.ok(!late.ok && late.code === 'NEWSWIRE_OUTBOUND_TIMEOUT')
  const long = await outbound.request(get(url, { maxBytes: 100 }))
  assert.ok(!long.ok && long.kind === 'too-large')
  const cut = await outbound.request(get(url, { maxBytes: 100, overflow: 'cut' }))
  assert.ok(cut.ok && cut.response.body.byteLength === 100)
  assert.deepEqual(await Promise.all(wereReset), [true, true, true])
})

test('over TLS, too, what is given up is reset; in the middle of the handshake it ends without a word', async t => {
  setDefaultCACertificates([sampleTls.cert])
  const resets: unknown[] = []
  const secure = createTlsServer(sampleTls, socket => {
    socket.on('error', error => resets.push((error as NodeJS.ErrnoException).code))
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nx'))
  })
  const come: Readonly<{ greet: () => void; gone: Promise<unknown> }>[] = []
  const port = await serveRaw(t, socket => {
    come.push({ greet: () => secure.emit('connection', socket), gone: new Promise(resolve => socket.on('close', resolve)) })
  })
  const outbound = open(t)
  const url = `https://127.0.0.1:${port}/`
  const next = async () => {
    const deadline = performance.now() + 5_000
    while (come.length === 0 && performance.now() < deadline) await new Promise(resolve => setImmediate(resolve))
    const one = come.pop()
    assert.ok(one, 'it connects')
    return one
  }
  const early = await outbound.request(get(url, { timeoutMs: 300 }))
  assert.ok(!early.ok && early.kind === 'connect', 'nothing was sent')
  const first = await next()
  first.greet()
  await first.gone
  const giving = new AbortController()
  const given = outbound.request(get(url, { signal: giving.signal }))
  const second = await next()
  giving.abort()
  assert.ok(!(await given).ok)
  second.greet()
  await second.gone
  const asking = outbound.request(get(url, { timeoutMs: 500 }))
  const third = await next()
  third.greet()
  const late = await asking
  assert.ok(!late.ok && late.kind === 'ambiguous')
  await third.gone
  assert.deepEqual(resets, ['ECONNRESET'])
})

test('a receiver that takes the request and says nothing is ambiguous: it may have worked on it', async t => {
  const port = await serveRaw(t, () => undefined)
  const silent = await open(t).request({
    method: 'POST',
    url: `http://127.0.0.1:${port}/`,
    body: new Uint8Array(10),
    timeoutMs: 2_000,
  })
  assert.ok(!silent.ok && silent.kind === 'ambiguous')
  const hangingUp = await serveRaw(t, socket => socket.once('data', () => socket.destroy()))
  const cut = await open(t).request(get(`http://127.0.0.1:${hangingUp}/`))
  assert.ok(!cut.ok && cut.kind === 'ambiguous' && cut.code === 'NEWSWIRE_OUTBOUND_NO_ANSWER')
  const short = await serveRaw(t, socket => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')))
  const cutShort = await open(t).request(get(`http://127.0.0.1:${short}/`))
  assert.ok(!cutShort.ok && cutShort.kind === 'ambiguous', 'half a body is no answer')
})

test('where no connection came about, surely nothing was sent', async t => {
  const closing = createTcpServer()
  const port = await listen(t, closing)
  await new Promise(resolve => closing.close(resolve))
  const refused = await open(t).request(get(`http://127.0.0.1:${port}/`))
  assert.ok(!refused.ok && refused.kind === 'connect' && refused.code === 'NEWSWIRE_OUTBOUND_CONNECT')
  const lookup: Lookup = (_name, _options, callback) => callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  const unknown = await open(t, loopback, lookup).request(get('http://nobody.example/'))
  assert.ok(!unknown.ok && unknown.kind === 'connect')
  assert.match(unknown.message, /ENOTFOUND/)
  const plain = await serveRaw(t, socket => socket.end('this is no TLS'))
  const tls = await open(t).request(get(`https://127.0.0.1:${plain}/`))
  assert.ok(!tls.ok && tls.kind === 'connect', 'a failed handshake is no connection')
  assert.match(tls.cause ?? '', /^ERR_SSL_/, 'an operator is told that it is TLS')
  let answerLookup: () => void = () => undefined
  const slow: Lookup = (_name, _options, callback) => {
    answerLookup = () => callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  }
  const late = await open(t, loopback, slow).request(get('http://slow.example/', { timeoutMs: 100 }))
  answerLookup()
  assert.ok(!late.ok && late.kind === 'connect' && late.code === 'NEWSWIRE_OUTBOUND_TIMEOUT')
})

test('an endless answer is read up to the cap, then the connection is gone', async t => {
  let closed = 0
  const url = await serve(t, (request, response) => {
    request.socket.on('close', () => closed++)
    const pump = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', pump)
    }
    pump()
  })
  const outbound = open(t)
  const failed = await outbound.request(get(url, { maxBytes: 100_000 }))
  assert.ok(!failed.ok && failed.kind === 'too-large')
  const cut = await outbound.request(get(url, { maxBytes: 100_000, overflow: 'cut' }))
  assert.ok(cut.ok)
  assert.equal(cut.response.body.byteLength, 100_000)
  const deadline = performance.now() + 5_000
  while (closed < 2 && performance.now() < deadline) await new Promise(resolve => setImmediate(resolve))
  assert.equal(closed, 2)
})

test('an answer that says it is longer than the cap is not waited for; one without a body may say what it likes', async t => {
  const url = await serve(t, (request, response) => {
    response.writeHead(request.url === '/unchanged' ? 304 : 200, { 'content-length': 1_000_000 })
    if (request.method === 'HEAD' || request.url === '/unchanged') response.end()
    else response.write('x')
  })
  const outbound = open(t)
  const longer = await outbound.request(get(url, { timeoutMs: 60_000 }))
  assert.ok(!longer.ok && longer.kind === 'too-large')
  const told = await outbound.request({ method: 'HEAD', url })
  assert.ok(told.ok && told.response.status === 200)
  const unchanged = await outbound.request(get(`${url}/unchanged`))
  assert.ok(unchanged.ok && unchanged.response.status === 304)
})

test('an answer of exactly the cap is whole', async t => {
  const url = await serve(t, (_request, response) => response.end(Buffer.alloc(500)))
  const result = await open(t).request(get(url, { maxBytes: 500 }))
  assert.ok(result.ok && result.response.body.byteLength === 500)
})

test('a header that HTTP cannot carry is refused before anything is sent', async t => {
  let requests = 0
  const url = await serve(t, (_request, response) => {
    requests++
    response.end()
  })
  const outbound = open(t)
  const bad = ['é', 'Tổng', 'a\r\nx: y', 'a\nb', 'a\0', '\u2028', 'a\tb', ' a', 'a ']
  for (const value of bad) {
    const result = await outbound.request(get(url, { headers: { 'x-title': value } }))
    assert.ok(!result.ok && result.code === 'NEWSWIRE_OUTBOUND_HEADER', JSON.stringify(value))
  }
  for (const name of ['x y', 'x:', '', 'é']) {
    const result = await outbound.request(get(url, { headers: { [name]: 'v' } }))
    assert.ok(!result.ok && result.code === 'NEWSWIRE_OUTBOUND_HEADER', JSON.stringify(name))
  }
  assert.equal(requests, 0)
  assert.ok((await outbound.request(get(url, { headers: { 'x-title': 'v1,abc= def', 'x-empty': '' } }))).ok)
})

test('whoever gives up gets an answer at once, before and during the request', async t => {
  const port = await serveRaw(t, socket => socket.once('data', () => controller.abort()))
  const controller = new AbortController()
  const outbound = open(t)
  const during = await outbound.request(get(`http://127.0.0.1:${port}/`, { signal: controller.signal }))
  assert.ok(!during.ok && during.kind === 'ambiguous')
  const before = await outbound.request(get(`http://127.0.0.1:${port}/`, { signal: controller.signal }))
  assert.ok(!before.ok && before.kind === 'connect')
})

test('a connection for SSH is held against the same rules, with ports of its own', async t => {
  const port = await serveRaw(t, socket => socket.end('SSH-2.0-x'))
  const found = await open(t).connect('127.0.0.1', port)
  assert.ok(found.ok)
  const [said] = (await once(found.socket, 'data')) as [Buffer]
  assert.equal(said.toString(), 'SSH-2.0-x')
  found.socket.destroy()
  const kindOf = async (one: Promise<{ ok: boolean; kind?: string }>) => (await one).kind
  for (const host of ['127.0.0.1', '[::1]', '::ffff:127.0.0.1', '2130706433', '169.254.169.254'])
    assert.equal(await kindOf(open(t, { allow: [], allowHttp: false }).connect(host, 22)), 'refused', host)
  const named = open(t, { allow: [], allowHttp: false }, resolveTo('198.51.100.7', '10.0.0.1'))
  assert.equal(await kindOf(named.connect('files.example', 22)), 'refused')
  assert.equal(await kindOf(open(t, elsewhere, resolveTo('93.184.216.34')).connect('files.example', 443)), 'refused')
  assert.equal(await kindOf(open(t).connect('127.0.0.1', 9)), 'connect')
})

test('requests that hang at a host keep no other one waiting that goes there', async t => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/ok') response.end('here')
  })
  const outbound = open(t)
  const ending = new AbortController()
  const hanging = Array.from({ length: 300 }, () => outbound.request(get(`${url}/hang`, { signal: ending.signal })))
  const result = await outbound.request(get(`${url}/ok`))
  assert.ok(result.ok && Buffer.from(result.response.body).toString() === 'here')
  ending.abort()
  await Promise.all(hanging)
})
