import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { pino } from 'pino'
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'

type Given = Partial<HttpServerOptions> & { routes?: (app: HttpServer) => void }

const start = async (t: TestContext, { routes, ...options }: Given = {}) => {
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: line => lines.push(line) })
  const server = createHttpServer({ name: 'test', logger, host: '127.0.0.1', port: 0, ...options })
  routes?.(server.app)
  const url = await server.listen()
  t.after(() => server.close())
  return { server, url, lines, port: Number(new URL(url).port) }
}

const problemOf = async (answer: Response): Promise<Record<string, unknown>> => {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const body = (await answer.json()) as Record<string, unknown>
  assert.equal(body['status'], answer.status)
  assert.match(String(body['code']), /^NEWSWIRE_/)
  assert.match(String(body['correlationId']), /^[0-9a-f-]{36}$/)
  return body
}

/** Everything a raw connection answers until the other side closes it. */
const exchange = async (port: number, bytes: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  socket.write(bytes)
  return text(socket)
}

test('what is thrown in a handler becomes a problem document', async t => {
  const { url, lines } = await start(t, {
    routes: app => {
      app.get('/reject', async () => {
        throw new RejectError('NEWSWIRE_X', 'no')
      })
      app.get('/away', async () => {
        throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'kafka-1:9092')
      })
      app.get('/bug', async () => {
        throw new TypeError('secret detail')
      })
    },
  })
  assert.equal((await problemOf(await fetch(`${url}/reject`)))['code'], 'NEWSWIRE_X')
  const away = await fetch(`${url}/away`)
  assert.equal(away.headers.get('retry-after'), '1')
  assert.equal((await problemOf(away))['status'], 503)
  const bug = await problemOf(await fetch(`${url}/bug`))
  assert.equal(bug['status'], 500)
  assert.ok(!JSON.stringify(bug).includes('secret detail'))
  const logged = lines.find(line => line.includes('request.failed'))
  assert.ok(logged?.includes(String(bug['correlationId'])) && logged.includes('secret detail'))
})

test('an address that is not there is 404, a method it does not answer is 405 with the ones it does', async t => {
  const { url } = await start(t, {
    routes: app => {
      app.get('/v1/articles/:id', async () => ({}))
      app.put('/v1/articles/:id', async () => ({}))
      app.post('/v1/articles::validate', async () => ({}))
      app.get('/files/*', async () => ({}))
    },
  })
  for (const path of ['/nowhere', '/v1/articles', '/v1/articles/a/b', '/v1'])
    assert.equal((await problemOf(await fetch(url + path)))['status'], 404, path)
  const allowOf = async (method: string, path: string) => {
    const answer = await fetch(url + path, { method })
    assert.equal((await problemOf(answer))['status'], 405, path)
    return answer.headers.get('allow')
  }
  assert.equal(await allowOf('POST', '/v1/articles/a.b?x=/1'), 'GET, HEAD, PUT')
  assert.equal(await allowOf('DELETE', '/v1/articles/a%2Fb'), 'GET, HEAD, PUT')
  assert.equal(await allowOf('GET', '/v1/articles:validate'), 'POST')
  assert.equal(await allowOf('POST', '/files/a/b/c'), 'GET, HEAD')
  assert.equal(await allowOf('QUERY', '/v1/articles/a'), 'GET, HEAD, PUT')
  for (const [body, type] of [
    ['<a/>', 'application/xml'],
    ['x'.repeat(2_000_000), 'application/json'],
    ['--b--', 'multipart/form-data; boundary=b'],
  ] as const) {
    const answer = (path: string) => fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } })
    assert.equal((await problemOf(await answer('/v1/articles/a')))['status'], 405, type)
    assert.equal((await problemOf(await answer('/nowhere')))['status'], 404, type)
  }
})

test('§8.6 of RFC 9110: a HEAD says the length a GET would have, and none where there is nothing to have', async t => {
  const { url } = await start(t, {
    routes: app => {
      app.get('/whole', async () => ({ a: 1 }))
      app.get('/empty', async (_request, reply) => reply.status(200).send())
      app.get('/unchanged', async (_request, reply) => reply.status(304).send())
      app.get('/nothing', async (_request, reply) => reply.status(204).send())
    },
  })
  const lengths = ['whole', 'empty', 'unchanged', 'nothing'].map(async path => {
    const { headers } = await fetch(`${url}/${path}`, { method: 'HEAD' })
    return headers.get('content-length')
  })
  assert.deepEqual(await Promise.all(lengths), ['7', '0', null, null])
})

test('§9.6 of RFC 9112: who sends more behind a request that is its last one is answered all before, and then it is over', async t => {
  const { port } = await start(t, { routes: app => app.get('/', async () => 'read') })
  const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const answers = await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${last}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200'])
})

test('the bytes of a JSON body are given to the handler as they came', async t => {
  const { url } = await start(t, {
    routes: app => {
      app.post('/echo', async request => ({ hex: Buffer.from(request.rawBody ?? []).toString('hex'), none: request.rawBody === undefined }))
    },
  })
  const post = async (body: string | undefined, type?: string) =>
    (
      await fetch(`${url}/echo`, {
        method: 'POST',
        ...(body === undefined ? {} : { body }),
        ...(type ? { headers: { 'content-type': type } } : {}),
      })
    ).json()
  assert.deepEqual(await post('{"a":1, "a":2', 'application/json'), { hex: Buffer.from('{"a":1, "a":2').toString('hex'), none: false })
  assert.deepEqual(await post('{}', 'application/json; charset=utf-8'), { hex: '7b7d', none: false })
  assert.deepEqual(await post(undefined), { hex: '', none: true })
})

test('a body that is too large, of another type, in other letters or packed is refused', async t => {
  const { url } = await start(t, { bodyLimit: 100, routes: app => app.post('/', async () => ({})) })
  const post = (body: string, headers: Record<string, string>) => fetch(url, { method: 'POST', body, headers })
  assert.equal((await problemOf(await post('x'.repeat(101), { 'content-type': 'application/json' })))['status'], 413)
  for (const type of ['text/plain', '']) {
    const other = await problemOf(await post('x', { 'content-type': type }))
    assert.deepEqual([other['status'], other['detail']], [415, 'expected Content-Type: application/json'])
  }
  assert.equal((await problemOf(await post('{}', { 'content-type': 'application/json; charset=iso-8859-1' })))['status'], 415)
  assert.equal((await post('{}', { 'content-type': 'application/json; Charset="UTF-8"' })).status, 200)
  const form = new FormData()
  form.set('a', '1')
  assert.equal((await problemOf(await fetch(url, { method: 'POST', body: form })))['code'], 'NEWSWIRE_MEDIA_TYPE')
  const packed = await problemOf(await post('x', { 'content-type': 'application/json', 'content-encoding': 'gzip' }))
  assert.equal(packed['code'], 'NEWSWIRE_CONTENT_ENCODING')
  const chunked = await exchange(
    Number(new URL(url).port),
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nc8\r\n${'x'.repeat(200)}\r\n0\r\n\r\n`,
  )
  assert.match(chunked, /^HTTP\/1\.1 413 /)
})

test('a path that cannot be decoded or is too long is a problem, too', async t => {
  const { url } = await start(t, { routes: app => app.get('/a/:id', async () => ({})) })
  const unreadable = await problemOf(await fetch(`${url}/a/%ff`))
  assert.deepEqual([unreadable['status'], /percent-encoding/.test(String(unreadable['detail']))], [400, true])
  const long = await problemOf(await fetch(`${url}/a/${'x'.repeat(300)}`))
  assert.deepEqual([long['status'], String(long['detail']).includes('xxx')], [414, false])
})

test('what is no HTTP, has two Host headers or overlong headers is refused with a problem', async t => {
  const { port } = await start(t)
  assert.match(await exchange(port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 .*application\/problem\+json.*NEWSWIRE_REQUEST/s)
  assert.match(await exchange(port, 'put /livez HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 400 .*capital letters/s)
  assert.match(
    await exchange(port, 'GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 400 .*NEWSWIRE_REQUEST/s,
  )
  assert.match(
    await exchange(port, `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 .*NEWSWIRE_REQUEST/s,
  )
  const typed = await exchange(port, 'GET /search?q=đường HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(typed, /^HTTP\/1\.1 400 .*percent-encoding/s)
  assert.match(
    await exchange(port, 'POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
  )
})

test('HTTP/1.0 needs no Host header and may not have two, HTTP/1.1 needs one', async t => {
  const { port } = await start(t)
  assert.match(await exchange(port, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 .*"live":true/s)
  assert.match(await exchange(port, 'GET /livez HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'), /^HTTP\/1\.1 400 /)
  assert.match(await exchange(port, 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test('a client that sends its head or its body too slowly loses its connection', async t => {
  const { port } = await start(t, {
    timeouts: { requestMs: 300, headersMs: 200, silenceMs: 400 },
    routes: app => app.post('/', async () => ({})),
  })
  const started = performance.now()
  assert.match(await exchange(port, 'GET /livez HTTP/1.1\r\nHost: a\r\n'), /^HTTP\/1\.1 408 |^$/)
  assert.match(
    await exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'),
    /^HTTP\/1\.1 408 |^$/,
  )
  assert.match(await exchange(port, ''), /^HTTP\/1\.1 408 |^$/)
  assert.ok(performance.now() - started < 5_000)
})

test('readiness and metrics are served as they are now, metrics only where asked for', async t => {
  let ready = false
  const metrics = { text: async () => '# HELP x\n' }
  const { url } = await start(t, { readiness: () => ({ ready, detail: { cache: ready } }), metrics })
  assert.equal((await fetch(`${url}/livez`)).status, 200)
  assert.equal((await fetch(`${url}/readyz`)).status, 503)
  ready = true
  const answer = await fetch(`${url}/readyz`)
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { ready: true, detail: { cache: true } })
  assert.equal(await (await fetch(`${url}/metrics`)).text(), '# HELP x\n')
  const hidden = await start(t)
  assert.equal((await fetch(`${hidden.url}/metrics`)).status, 404)
})

test('closing closes idle connections at once and lets a request in hand finish', async t => {
  let finish: () => void = () => undefined
  const working = new Promise<void>(resolve => {
    finish = resolve
  })
  let began: () => void = () => undefined
  const begun = new Promise<void>(resolve => {
    began = resolve
  })
  const { server, url } = await start(t, {
    routes: app => {
      app.get('/slow', async () => {
        began()
        await working
        return { done: true }
      })
    },
  })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const get = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) =>
      httpRequest(url + path, { agent }, resolve)
        .on('error', reject)
        .end(),
    )
  const first = await get('/livez')
  const idle: Socket = first.socket
  const idleClosed = once(idle, 'close')
  await text(first)
  const other = new Agent({ keepAlive: true })
  t.after(() => other.destroy())
  const slow = new Promise<IncomingMessage>((resolve, reject) =>
    httpRequest(`${url}/slow`, { agent: other }, resolve).on('error', reject).end(),
  )
  await begun
  const started = performance.now()
  let closed = false
  const closing = server.close().then(() => {
    closed = true
  })
  await idleClosed
  assert.equal(closed, false, 'it waits for the request in hand')
  finish()
  assert.deepEqual(JSON.parse(await text(await slow)), { done: true })
  await closing
  assert.ok(performance.now() - started < 5_000, 'a kept connection holds nothing up')
  await server.close()
  await assert.rejects(fetch(`${url}/livez`))
})

test('closing does not wait for ever for a request that does not end', async t => {
  const { server, url } = await start(t, {
    routes: app => {
      app.get('/never', (_request, reply) => {
        reply.hijack()
        reply.raw.write('HTTP/1.1 200 OK\r\n\r\n')
      })
    },
  })
  const never = fetch(`${url}/never`).then(answer => answer.text())
  const failed = assert.rejects(never)
  await new Promise<void>(resolve => server.app.server.getConnections(() => resolve()))
  await fetch(`${url}/livez`).then(answer => answer.text())
  await server.close({ drainMs: 50 })
  await failed
})

test('a port that is taken is said when listening', async t => {
  const { port } = await start(t)
  const second = createHttpServer({ name: 'second', logger: pino({ level: 'silent' }), host: '127.0.0.1', port })
  t.after(() => second.close())
  await assert.rejects(second.listen(), /port \d+ on 127\.0\.0\.1 is taken/)
})

test('a form carries a file that is larger than a JSON body may be, up to the limit it is read with', async t => {
  const { url } = await start(t, {
    bodyLimit: 100,
    routes: app => {
      app.post('/', { config: { takesForm: true } }, async request => {
        const file = await request.file({ limits: { fileSize: 5_000 } })
        return { bytes: (await file?.toBuffer())?.byteLength ?? null }
      })
    },
  })
  const form = (...sizes: number[]) => {
    const body = new FormData()
    for (const size of sizes) body.append('file', new Blob([new Uint8Array(size)]), 'a.jpg')
    return body
  }
  const post = (body: FormData) => fetch(url, { method: 'POST', body })
  assert.deepEqual(await (await post(form(4_000))).json(), { bytes: 4_000 })
  assert.equal((await problemOf(await post(form(6_000))))['status'], 413)
  assert.deepEqual(await (await post(form())).json(), { bytes: null })
})
