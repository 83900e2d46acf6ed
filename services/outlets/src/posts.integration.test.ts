import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { OutboundResult } from '@newswire/outbound/outbound'
import { classify } from './answers.ts'
import { createPosts } from './posts.ts'
import { type Post, toKey } from './signing.ts'

const SECRET = 'một bí mật'
const LOOPBACK = { allow: ['127.0.0.0/8'], allowHttp: true }
type Got = Readonly<{ headers: IncomingHttpHeaders; body: string; socket: Socket }>

const openReceiver = async (t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), socket: request.socket })
      answer(request, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

/** By default any number is many. */
const openPosts = (t: TestContext, options: Parameters<typeof createPosts>[1] = {}) => {
  const hurry = new AbortController()
  const world = { network: LOOPBACK, byUs: 0, isMuchLeft: false, crashes: [] as string[] }
  const outbound = createOutbound({ network: () => world.network })
  const posts = createPosts(
    {
      request: request => {
        world.byUs += 1
        return outbound.request(request)
      },
      network: () => world.network,
      timeoutMs: 10_000,
      hurry: hurry.signal,
      isMuchLeft: () => world.isMuchLeft,
      onCrash: reason => world.crashes.push(reason),
    },
    { many: 0, lookEveryMs: 10, ...options },
  )
  t.after(async () => {
    hurry.abort()
    await posts.close()
    await outbound.close()
  })
  /** Until the thread posts what is posted. */
  const byThread = async (post: Post): Promise<void> => {
    for (let before = -1; before !== world.byUs; ) {
      before = world.byUs
      await posts.post(post)
    }
  }
  return { posts, world, hurry, byThread }
}

const key = toKey(SECRET)
const postTo = (url: string, fields: Partial<Post> = {}): Post => ({
  url,
  id: 'id-1',
  nowMs: 1_800_000_000_000,
  keys: [key],
  contentType: 'application/json',
  body: Buffer.from('{"tiêu đề":"Cầu mở lại"}'),
  more: { 'x-newswire-article': 'press.a' },
  ...fields,
})
const statusOf = (result: OutboundResult) => (result.ok ? result.response.status : result.kind)

test('the thread sends what would have been sent without it, however many at once, and each answer comes to its own post', async t => {
  const { got, url } = await openReceiver(t, ({ headers }, response) => {
    const status = Number(headers['x-status'] ?? 204)
    response.writeHead(status, { 'retry-after': '7' }).end('a body that nobody reads')
  })
  const { posts, world, byThread } = openPosts(t)
  await byThread(postTo(url))
  const [byUs, byThem] = [got[0], got.at(-1)]
  assert.deepEqual({ ...byThem?.headers }, { ...byUs?.headers })
  assert.equal(byThem?.body, byUs?.body)
  const signed = createHmac('sha256', SECRET).update(`id-1.1800000000.${byUs?.body}`).digest('base64')
  assert.equal(byThem?.headers['webhook-signature'], `v1,${signed}`)

  const before = { got: got.length, byUs: world.byUs }
  const another = toKey('another')
  const statuses = Array.from({ length: 100 }, (_, n) => 400 + n)
  const results = await Promise.all(
    statuses.map(status =>
      posts.post(
        postTo(url, { id: `id-${status}`, body: Buffer.from(String(status)), keys: [another, key], more: { 'x-status': String(status) } }),
      ),
    ),
  )
  assert.deepEqual(results.map(statusOf), statuses)
  assert.ok(results.every(result => result.ok && result.response.headers['retry-after'] === '7'))
  assert.equal(world.byUs, before.byUs)
  for (const { headers, body } of got.slice(before.got)) {
    assert.equal(headers['webhook-id'], `id-${body}`)
    const of = (secret: string) => createHmac('sha256', secret).update(`id-${body}.1800000000.${body}`).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${of('another')} v1,${of(SECRET)}`)
  }
})

test('few posts need no thread, and it ends when there are few, or memory is short', async t => {
  const { url } = await openReceiver(t, (_, response) => void response.writeHead(204).end())
  const none = openPosts(t, { many: 1_000 })
  for (let n = 0; n < 50; n++) await none.posts.post(postTo(url))
  assert.equal(none.world.byUs, 50)
  const some = openPosts(t, { idleMs: 50 })
  await some.byThread(postTo(url))
  some.world.isMuchLeft = true
  const { byUs } = some.world
  // Nothing but its end makes this thread send again.
  for (const deadline = performance.now() + 10_000; some.world.byUs === byUs; ) {
    assert.ok(performance.now() < deadline, 'the thread did not end')
    await new Promise(resolve => setTimeout(resolve, 200))
    assert.equal(statusOf(await some.posts.post(postTo(url))), 204)
  }
})

test('a change of the rules for addresses is in force with the next post', async t => {
  const { got, url } = await openReceiver(t, (_, response) => void response.writeHead(204).end())
  const { posts, world, byThread } = openPosts(t)
  await byThread(postTo(url))
  const before = got.length
  world.network = { allow: [], allowHttp: true }
  assert.equal(statusOf(await posts.post(postTo(url))), 'refused')
  assert.equal(got.length, before)
  world.network = { ...LOOPBACK }
  assert.equal(statusOf(await posts.post(postTo(url))), 204)
})

test('a post that cannot be signed fails alone', async t => {
  const { url } = await openReceiver(t, (_, response) => void response.writeHead(204).end())
  const { posts, byThread } = openPosts(t)
  await byThread(postTo(url))
  const { publicKey } = generateKeyPairSync('ed25519')
  const notSecret: KeyObject = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
  const [bad, good] = await Promise.allSettled([posts.post(postTo(url, { keys: [notSecret] })), posts.post(postTo(url))])
  assert.equal(bad.status, 'rejected')
  assert.equal(good.status === 'fulfilled' && statusOf(good.value), 204)
})

test('a hurry gives up what is under way, whose outcome nobody knows then', async t => {
  const asked = Promise.withResolvers<void>()
  const { got, url } = await openReceiver(t, ({ headers }, response) => {
    if (headers['x-hang'] === undefined) response.writeHead(204).end()
    else asked.resolve()
  })
  const { posts, hurry, byThread } = openPosts(t)
  await byThread(postTo(url))
  const hanging = posts.post(postTo(url, { more: { 'x-hang': '1' } }))
  await asked.promise
  hurry.abort()
  assert.equal(statusOf(await hanging), 'ambiguous')
  const socket = got.at(-1)?.socket
  if (socket?.destroyed === false) await once(socket, 'close')
})

test('what lay too long is not sent: the process may own nothing of it any more', async t => {
  const { got, url } = await openReceiver(t, (_, response) => void response.writeHead(204).end())
  const { posts, byThread } = openPosts(t)
  await byThread(postTo(url))
  const before = got.length
  const late = posts.post(postTo(url))
  // As if it had been stopped right here, longer than such a post is good for.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100)
  assert.equal(classify(await late, 0).kind, 'own', 'no fault of who was to get it')
  assert.equal(got.length, before)
  assert.equal(statusOf(await posts.post(postTo(url))), 204)
})

test('of what a thread that ended had in hand nobody knows the outcome, and whoever comes next does not need it', async t => {
  const { url } = await openReceiver(t, (_, response) => void response.writeHead(204).end())
  const { posts, world } = openPosts(t, { file: new URL('./sample-lost-thread.ts', import.meta.url) })
  let lost: OutboundResult
  do lost = await posts.post(postTo(url))
  while (lost.ok)
  assert.equal(lost.kind, 'ambiguous')
  assert.match(world.crashes[0] ?? '', /out of memory/)
  assert.equal(statusOf(await posts.post(postTo(url))), 204)
})
