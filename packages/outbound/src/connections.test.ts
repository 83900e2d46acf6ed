import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createOutbound } from './create-outbound.ts'
import type { Outbound } from './outbound.ts'

const open = (t: TestContext): Outbound => {
  const outbound = createOutbound({ network: () => ({ allow: ['127.0.0.0/8'], allowHttp: true }) })
  t.after(() => outbound.close())
  return outbound
}

/** A server that counts its connections: `live` are those that are open. */
const serve = async (t: TestContext, listener: RequestListener) => {
  const live = new Set<Socket>()
  const server = createServer(listener)
  server.keepAliveTimeout = 60_000
  const counted = { made: 0, live, url: '', server }
  server.on('connection', socket => {
    counted.made += 1
    live.add(socket)
    socket.on('close', () => live.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  counted.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return counted
}

const until = async (condition: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 30_000; !condition(); ) {
    assert.ok(performance.now() < deadline, 'it did not come')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

test('requests one after the other share a connection, those at once have one each', async t => {
  const host = await serve(t, (_request, response) => response.end('x'))
  const outbound = open(t)
  const ask = () => outbound.request({ method: 'POST', url: host.url, body: new Uint8Array(9_000) })
  for (let n = 0; n < 20; n++) assert.ok((await ask()).ok)
  assert.equal(host.made, 1)
  const results = await Promise.all(Array.from({ length: 5 }, ask))
  assert.ok(results.every(one => one.ok))
  assert.equal(host.made, 5)
  for (let n = 0; n < 20; n++) assert.ok((await ask()).ok)
  assert.equal(host.made, 5, 'what is kept is used')
})

test('an answer that ends its connection is followed by a request on another one, also at once', async t => {
  const host = await serve(t, (_request, response) => response.writeHead(200, { connection: 'close' }).end('x'))
  const outbound = open(t)
  for (let n = 0; n < 20; n++) assert.ok((await outbound.request({ method: 'POST', url: host.url, body: new Uint8Array(9_000) })).ok)
  assert.equal(host.made, 20)
  await until(() => host.live.size === 0)
})

test('a connection that the other side closes while it is kept is not used again', async t => {
  const host = await serve(t, (_request, response) => response.end('x'))
  const outbound = open(t)
  await Promise.all(Array.from({ length: 3 }, () => outbound.request({ method: 'GET', url: host.url })))
  assert.equal(host.made, 3)
  host.server.closeIdleConnections()
  await until(() => host.live.size === 0)
  // Until this side has heard of it one may still be tried, and nobody can say then what became of the request.
  const kinds: string[] = []
  while (!kinds.includes('ok') && kinds.length < 4) {
    const result = await outbound.request({ method: 'GET', url: host.url })
    kinds.push(result.ok ? 'ok' : result.kind)
  }
  assert.equal(kinds.at(-1), 'ok')
  assert.ok(kinds.slice(0, -1).every(kind => kind === 'ambiguous'))
  assert.equal(host.made, 4)
})

test('what was given up takes its connection with it, and nothing that comes after hears of its answer', async t => {
  let answer: () => void = () => undefined
  const host = await serve(t, (request, response) => {
    if (request.url === '/late') answer = () => response.end('late')
    else response.end('own')
  })
  const outbound = open(t)
  const ending = new AbortController()
  const late = outbound.request({ method: 'GET', url: `${host.url}/late`, signal: ending.signal })
  await until(() => host.made === 1)
  ending.abort()
  assert.equal((await late).ok, false)
  answer()
  const next = await outbound.request({ method: 'GET', url: `${host.url}/next` })
  assert.ok(next.ok && Buffer.from(next.response.body).toString() === 'own')
  assert.equal(host.made, 2)
})

test('closing waits for what is in hand and begins nothing more', async t => {
  let answer: (() => void) | undefined
  const host = await serve(t, (_request, response) => {
    answer = () => response.end('x')
  })
  const outbound = open(t)
  const inHand = outbound.request({ method: 'GET', url: host.url })
  await until(() => answer !== undefined)
  let isClosed = false
  const closed = outbound.close().then(() => {
    isClosed = true
  })
  const refused = await outbound.request({ method: 'GET', url: host.url })
  assert.ok(!refused.ok && refused.kind === 'connect')
  assert.equal(isClosed, false)
  answer?.()
  assert.ok((await inHand).ok)
  await closed
  await outbound.close()
  await until(() => host.live.size === 0)
})
