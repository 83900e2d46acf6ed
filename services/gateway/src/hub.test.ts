/** The hub's side of subscribing over HTTP, the embedded log and the disk, with a callback on loopback. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { FeedConfig } from '@newswire/events/config'
import { isLive, type Subscription, subscription, subscriptionIdOf } from '@newswire/events/subscription'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createSealing, type Sealing } from '@newswire/objects/sealed'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import { type Hub, openHub } from './hub.ts'
import { addHubRoutes } from './hub-routes.ts'

const PUBLIC_URL = 'https://press.example'
const TOPIC = `${PUBLIC_URL}/feeds/all/atom.xml`
const KEY = Buffer.alloc(32, 7)
const SECRET = 'một bí mật'

type Asked = Readonly<{ query: URLSearchParams; path: string }>
type Callback = { url: string; asked: Asked[]; answer: (asked: Asked, response: ServerResponse) => void }

const agree: Callback['answer'] = ({ query }, response) => void response.end(query.get('hub.challenge'))

const startCallback = async (t: TestContext): Promise<Callback> => {
  const callback: Callback = { url: '', asked: [], answer: agree }
  const server = createServer((request, response) => {
    const asked = { path: request.url ?? '', query: new URL(request.url ?? '', 'http://x').searchParams }
    callback.asked.push(asked)
    callback.answer(asked, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  callback.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cb?reader=7`
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return callback
}

const until = async (what: string, condition: () => unknown | Promise<unknown>): Promise<void> => {
  for (const deadline = performance.now() + 60_000; !(await condition()); await pause(5))
    assert.ok(performance.now() < deadline, `${what} did not come`)
}

const openWorld = async (t: TestContext, { canSeal = true } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-hub-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const outbound = createOutbound({ network: () => ({ allow: ['127.0.0.0/8'], allowHttp: true }) })
  const feeds = new Map<string, FeedConfig>([['all', { id: 'all' } as FeedConfig]])
  const listeners = new Set<() => void>()
  const logger = createLogger({ service: 'gateway', level: 'silent' })
  let publicUrl = PUBLIC_URL
  const configuration = {
    current: () => ({ site: { publicUrl }, feeds }) as unknown as ConfigSnapshot,
    onChange: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => undefined,
  }
  const sealing: Sealing = createSealing(objects, KEY)
  let built = 5
  let nowMs: number | null = null
  const now = () => nowMs ?? Date.now()
  const open = (): Promise<Hub> =>
    openHub({
      log,
      objects,
      outbound,
      configuration: configuration as never,
      sealing: canSeal ? sealing : null,
      logger,
      metrics: createMetrics({ processMetrics: false }),
      now,
      settings: { retryScale: 0.001 } as never,
      counterOf: () => built,
    })
  let hub = await open()
  const { app, close } = createHttpServer({ name: 'gateway', logger, host: '127.0.0.1', port: 0 })
  addHubRoutes(app, { hub: { take: (body, client) => hub.take(body, client), stop: async () => undefined }, configuration, proxies: 0 })
  t.after(async () => {
    await close()
    await hub.stop()
    await log.close()
    await outbound.close()
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  const post = async (fields: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/hub',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.topic': TOPIC, ...fields }).toString(),
    })
  const state = async (callback: Pick<Callback, 'url'>, under = PUBLIC_URL): Promise<Subscription | null> => {
    const [topicSha256 = '', callbackSha256 = ''] = subscriptionIdOf(under, 'all', 'atom', callback.url).split('-')
    const found = await objects.get(keys.subscription(topicSha256, callbackSha256))
    return found === null ? null : subscription.parse(JSON.parse(Buffer.from(found.bytes).toString()))
  }
  const settled = (callback: Callback) => until('the end of the errand', async () => (await state(callback))?.errand === null)
  return {
    app,
    objects,
    post,
    state,
    settled,
    sealing,
    feeds,
    moveTo: (url: string) => {
      publicUrl = url
      for (const listener of listeners) listener()
    },
    secrets: async () => (await objects.list(keys.secretPrefix)).map(one => one.key),
    subscribe: async (callback: Callback, more: Record<string, string> = {}) => {
      const answer = await post({ 'hub.callback': callback.url, ...more })
      assert.equal(answer.statusCode, 202, answer.body)
      await settled(callback)
    },
    changed: () => {
      for (const listener of listeners) listener()
    },
    setBuilt: (counter: number) => {
      built = counter
    },
    setNow: (ms: number) => {
      nowMs = ms
    },
    /** Ends the hub as a kill would: nothing is concluded. */
    crash: () => hub.stop(),
    reopen: async () => {
      hub = await open()
    },
  }
}

test('a subscription is in force once its callback has repeated the challenge', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  await world.subscribe(callback, { 'hub.secret': SECRET, 'hub.lease_seconds': '7200' })
  const [asked, ...more] = callback.asked
  assert.deepEqual(more, [])
  assert.deepEqual(
    [...(asked?.query.keys() ?? [])],
    ['reader', 'hub.mode', 'hub.topic', 'hub.challenge', 'hub.lease_seconds'],
    'its own parameters come first',
  )
  assert.equal(asked?.query.get('hub.mode'), 'subscribe')
  assert.equal(asked?.query.get('hub.topic'), TOPIC)
  assert.equal(asked?.query.get('hub.lease_seconds'), '7200')
  assert.ok((asked?.query.get('hub.challenge')?.length ?? 0) >= 43)
  const one = await world.state(callback)
  assert.ok(one?.lease && isLive(one, Date.parse(one.lease.verifiedAt)))
  assert.equal(one.lease.since, 5)
  assert.equal(Date.parse(one.lease.until) - Date.parse(one.lease.verifiedAt), 7_200)
  assert.equal(Buffer.from((await world.sealing.get(one.lease.secretId ?? '')) ?? []).toString(), SECRET)
  for (const { key } of await world.objects.list(''))
    assert.equal(Buffer.from((await world.objects.get(key))?.bytes ?? []).includes(SECRET), false, `${key} holds the secret`)
})

test('the answer comes before the callback is asked, and is the same whatever it does', async t => {
  const world = await openWorld(t)
  const answers = new Set<string>()
  for (const answer of [
    agree,
    (_, response) => void response.writeHead(404).end(),
    (_, response) => void response.writeHead(302, { location: '/' }).end(),
    (_, response) => response.destroy(),
    () => undefined,
  ] satisfies Callback['answer'][]) {
    const callback = await startCallback(t)
    callback.answer = answer
    const { statusCode, body, headers } = await world.post({ 'hub.callback': callback.url })
    assert.equal(callback.asked.length, 0)
    answers.add(`${statusCode} ${headers['content-type']} ${body}`)
  }
  assert.equal(answers.size, 1)
  assert.match([...answers][0] ?? '', /^202 text\/plain/)
})

const REFUSING: readonly (readonly [string, Callback['answer'], number])[] = [
  ['says 404', (_, response) => void response.writeHead(404).end(), 1],
  ['repeats another challenge', (_, response) => void response.end('x'.repeat(43)), 1],
  ['adds something to the challenge', ({ query }, response) => void response.end(`${query.get('hub.challenge')}\n`), 1],
  [
    'redirects',
    ({ query }, response) =>
      void response.writeHead(302, { location: `/?c=${query.get('hub.challenge')}` }).end(query.get('hub.challenge')),
    1,
  ],
  ['answers without end', (_, response) => void response.end(Buffer.alloc(5_000_000)), 1],
  ['says 500 each time', (_, response) => void response.writeHead(500).end(), 3],
  ['hangs up each time', (_, response) => response.destroy(), 3],
]
for (const [what, answer, times] of REFUSING)
  test(`nothing is in force when the callback ${what}; it is asked ${times === 1 ? 'once' : 'three times, each with a new challenge'}`, async t => {
    const [world, callback] = [await openWorld(t), await startCallback(t)]
    callback.answer = answer
    await world.subscribe(callback, { 'hub.secret': SECRET })
    assert.equal((await world.state(callback))?.lease, null)
    assert.equal(callback.asked.length, times)
    assert.equal(new Set(callback.asked.map(one => one.query.get('hub.challenge'))).size, times)
    await until('the secret to be forgotten', async () => (await world.secrets()).length === 0)
  })

test('a renewal takes the place of what was in force, with its secret, and only once it is verified', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  await world.subscribe(callback, { 'hub.secret': 'the first' })
  const first = await world.state(callback)
  callback.answer = (_, response) => void response.writeHead(404).end()
  await world.subscribe(callback, { 'hub.secret': 'the second' })
  assert.deepEqual((await world.state(callback))?.lease, first?.lease, 'a failed one changes nothing')
  callback.answer = agree
  await world.subscribe(callback, { 'hub.secret': 'the third' })
  const third = (await world.state(callback))?.lease
  assert.equal(Buffer.from((await world.sealing.get(third?.secretId ?? '')) ?? []).toString(), 'the third')
  await until('the others to be forgotten', async () => (await world.secrets()).length === 1)
})

test('an unsubscription is verified like a subscription, and without consent nothing ends', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  await world.subscribe(callback)
  callback.answer = (_, response) => void response.writeHead(404).end()
  await world.subscribe(callback, { 'hub.mode': 'unsubscribe' })
  assert.ok((await world.state(callback))?.lease)
  callback.answer = agree
  await world.subscribe(callback, { 'hub.mode': 'unsubscribe' })
  assert.equal((await world.state(callback))?.lease, null)
  assert.equal(callback.asked.at(-1)?.query.get('hub.mode'), 'unsubscribe')
  assert.equal(callback.asked.at(-1)?.query.has('hub.lease_seconds'), false)
})

test('what was accepted is verified by the next process when this one dies before it is', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  callback.answer = () => undefined
  assert.equal((await world.post({ 'hub.callback': callback.url })).statusCode, 202)
  await until('the question', () => callback.asked.length === 1)
  await world.crash()
  assert.ok((await world.state(callback))?.errand)
  callback.answer = agree
  await world.reopen()
  await world.settled(callback)
  assert.ok((await world.state(callback))?.lease)
})

test('when a newer request comes while an older one is being verified, the newer one counts', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  const held: ServerResponse[] = []
  callback.answer = (_, response) => void held.push(response)
  await world.post({ 'hub.callback': callback.url, 'hub.secret': 'old', 'hub.lease_seconds': '4000' })
  await until('the first question', () => callback.asked.length === 1)
  callback.answer = agree
  await world.subscribe(callback, { 'hub.secret': 'new', 'hub.lease_seconds': '5000' })
  held[0]?.end(callback.asked[0]?.query.get('hub.challenge'))
  await until('the old secret to be forgotten', async () => (await world.secrets()).length === 1)
  const lease = (await world.state(callback))?.lease
  assert.equal(lease?.seconds, 5_000)
  assert.equal(Buffer.from((await world.sealing.get(lease?.secretId ?? '')) ?? []).toString(), 'new')
})

test('subscribers of a feed that is taken away, or made private, are told so and are none any more', async t => {
  for (const end of ['removed', 'private'] as const) {
    const [world, callback] = [await openWorld(t), await startCallback(t)]
    await world.subscribe(callback)
    if (end === 'removed') world.feeds.delete('all')
    else world.feeds.set('all', { id: 'all', access: { tokens: [] } } as never)
    world.changed()
    await until('the denial', () => callback.asked.some(one => one.query.get('hub.mode') === 'denied'))
    const denied = callback.asked.at(-1)?.query
    assert.equal(denied?.get('hub.topic'), TOPIC)
    assert.ok(denied?.get('hub.reason'))
    assert.equal(denied?.has('hub.challenge'), false)
    await until('the end', async () => {
      const one = await world.state(callback)
      return one?.lease === null && one.errand === null
    })
    assert.equal((await world.post({ 'hub.callback': callback.url })).statusCode, 404)
  }
})

test('what is over is swept from the store, and can be subscribed to again', async t => {
  const [world, callback] = [await openWorld(t), await startCallback(t)]
  await world.subscribe(callback, { 'hub.secret': SECRET })
  world.setNow(Date.now() + 2_000_000)
  await until('the sweep', async () => (await world.state(callback)) === null)
  await until('the secret to be forgotten', async () => (await world.secrets()).length === 0)
  await world.subscribe(callback)
  assert.ok((await world.state(callback))?.lease)
})

test('what cannot be taken is refused in plain text with the status that fits', async t => {
  const world = await openWorld(t, { canSeal: false })
  const send = async (payload: string, type: string | undefined) => {
    const headers = type === undefined ? {} : { 'content-type': type }
    const answer = await world.app.inject({ method: 'POST', url: '/hub', headers, payload })
    assert.match(String(answer.headers['content-type']), /^text\/plain/)
    return answer
  }
  const ask = async (payload: string, type = 'application/x-www-form-urlencoded') => (await send(payload, type)).statusCode
  const callback = 'hub.callback=http%3A%2F%2F127.0.0.1%3A9%2F'
  const topic = `hub.topic=${encodeURIComponent(TOPIC)}`
  assert.equal(await ask('hub.mode=subscribe'), 400)
  assert.equal(await ask(`hub.mode=subscribe&${callback}&hub.topic=https%3A%2F%2Fother.example%2F`), 404)
  assert.equal(await ask(`hub.mode=subscribe&${topic}&hub.callback=http%3A%2F%2F10.0.0.1%2F`), 422)
  assert.equal(await ask(`hub.mode=subscribe&${topic}&${callback}&hub.secret=x`), 503)
  assert.equal(await ask(`hub.mode=publish&hub.url=x`), 202)
  for (const type of ['application/json', 'application/json; charset=latin1', 'text/plain', 'multipart/form-data; boundary=x', undefined]) {
    const { statusCode, body } = await send('hub.mode=subscribe', type)
    assert.equal(statusCode, 415, type)
    assert.match(body, /^expected application\/x-www-form-urlencoded/, type)
  }
  assert.equal(await ask(`hub.mode=subscribe&x=${'y'.repeat(9_000)}`), 413)
  assert.equal((await world.app.inject({ method: 'GET', url: '/hub' })).statusCode, 200)
})

test('a client that asks without pause is told to wait, and so is one that names the same host over and over', async t => {
  const world = await openWorld(t)
  world.setNow(Date.now())
  const statuses: number[] = []
  for (let n = 0; n < 31; n++) statuses.push((await world.post({ 'hub.callback': `http://127.0.0.1:9/${n}` })).statusCode)
  assert.deepEqual([statuses.filter(one => one === 202).length, statuses.at(-1)], [30, 429])
  for (let n = 0; n < 40; n++) statuses.push((await world.post({ 'hub.callback': `http://127.0.0.${n + 2}:9/` })).statusCode)
  assert.equal(statuses.filter(one => one === 202).length, 60)
})

test('when the public address changes, subscriptions stay and may be renewed, until their callback has one under the new address', async t => {
  const world = await openWorld(t)
  const callback = await startCallback(t)
  await world.post({ 'hub.callback': callback.url, 'hub.secret': SECRET })
  await world.settled(callback)
  const first = (await world.state(callback))?.lease
  world.moveTo('https://new.example')
  assert.equal(
    (await world.post({ 'hub.callback': callback.url, 'hub.secret': SECRET })).statusCode,
    202,
    'renewed under the address it knows',
  )
  await until('the renewal', async () => (await world.state(callback))?.lease?.verifiedAt !== first?.verifiedAt)
  const stranger = await startCallback(t)
  assert.equal(
    (await world.post({ 'hub.callback': stranger.url })).statusCode,
    404,
    'nobody else may subscribe to what is no address any more',
  )
  const moved = { 'hub.callback': callback.url, 'hub.topic': TOPIC.replace(PUBLIC_URL, 'https://new.example') }
  assert.equal((await world.post(moved)).statusCode, 202)
  await until('the move', async () => (await world.state(callback))?.lease === null)
  const now = await world.state(callback, 'https://new.example')
  assert.ok(now !== null && isLive(now, Date.now()))
  await until('the end of the secret of the one before', async () => (await world.secrets()).length === 0)
  assert.equal((await world.post({ 'hub.callback': callback.url })).statusCode, 404)
})
