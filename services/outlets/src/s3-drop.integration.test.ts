/** Drops into a real S3 server: S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. Skipped, visibly, without. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type OutletConfig, outletConfig } from '@newswire/events/config'
import type { Milestone } from '@newswire/events/milestone'
import type { Objects } from '@newswire/objects/objects'
import { createS3Objects } from '@newswire/objects/s3'
import { latestDocument } from './drop.ts'
import { startWorld, until, type World } from './partner.ts'
import { killFact, liveFact } from './samples.ts'

const endpoint = process.env['S3_ENDPOINT'] ?? ''
const bucket = process.env['S3_BUCKET'] ?? ''
const skip = endpoint === '' || bucket === '' ? 'S3_ENDPOINT and S3_BUCKET name no server' : false
const secrets = { DROP_KEY: process.env['AWS_ACCESS_KEY_ID'] ?? '', DROP_SECRET: process.env['AWS_SECRET_ACCESS_KEY'] ?? '' }

const SHA = 'b'.repeat(64)
const KEY = `renditions/${SHA}/w1280-r1.jpg`
const image = {
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: 'Cây cầu',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: SHA,
  renditions: [{ preset: 'w1280', key: KEY, type: 'image/jpeg', width: 1280, height: 720, bytes: 5 }],
}
const at = () => new Date().toISOString()
const live = (version: number, articleId = 'press.a') =>
  liveFact({ articleId, version, releasedAt: at(), article: { title: 'Cầu Ánh Sáng đã thông xe', images: [image] } })
const kill = (version: number, articleId = 'press.a') => killFact({ articleId, version, releasedAt: at() })
const sinks = (milestones: readonly Milestone[]) =>
  milestones.flatMap(one => (one.kind === 'sink' ? [`${one.sink.id} v${one.version} ${one.state}`] : []))

type Dropped = Readonly<{
  world: World
  drop: Objects
  outlet: OutletConfig
  read(path: string): Promise<string>
  isDone(what: string): Promise<void>
}>

/** A world with one outlet that is a folder of the bucket; all of it is gone afterwards. */
const startDrop = async (t: TestContext, deliver: object = {}, fields: object = {}, below = ''): Promise<Dropped> => {
  const prefix = `drops/${randomUUID()}/${below}`
  const drop = await createS3Objects({
    bucket,
    endpoint,
    prefix,
    credentials: { accessKeyId: secrets.DROP_KEY, secretAccessKey: secrets.DROP_SECRET },
  })
  const outlet = outletConfig.parse({
    id: 'drop',
    deliver: { kind: 's3', endpoint, bucket, prefix, accessKeyIdEnv: 'DROP_KEY', secretAccessKeyEnv: 'DROP_SECRET', ...deliver },
    ...fields,
  })
  const world = await startWorld(t, [outlet], { secrets })
  t.after(async () => {
    for (const { key } of await drop.list('')) await drop.delete(key)
    await drop.close()
  })
  await world.objects.put(KEY, Buffer.from('JPEG!'))
  return {
    world,
    drop,
    outlet,
    read: async path => Buffer.from((await drop.get(path))?.bytes ?? []).toString(),
    isDone: what => until(what, async () => sinks(await world.milestones()).includes(what)),
  }
}
const latestOf = async ({ read }: Dropped, articleId = 'press.a') =>
  latestDocument.parse(JSON.parse(await read(`${articleId}/latest.json`)))

test('an article is dropped with its picture, corrected, and taken back', { skip }, async t => {
  const dropped = await startDrop(t)
  const { world, drop, read, isDone } = dropped
  await world.release(live(1))
  await isDone('drop v1 done')
  assert.equal(JSON.parse(await read('press.a/v0001.json')).data.article.title, 'Cầu Ánh Sáng đã thông xe')
  const first = await latestOf(dropped)
  assert.deepEqual(
    first.pictures.map(one => one.file),
    [`pictures/${SHA}-w1280-r1.jpg`],
  )
  assert.equal(await read(`press.a/${first.pictures[0]?.file}`), 'JPEG!')
  assert.equal((await drop.head(`press.a/${first.pictures[0]?.file}`))?.contentType, 'image/jpeg')
  await world.release(kill(2))
  await isDone('drop v2 done')
  const second = await latestOf(dropped)
  assert.deepEqual([second.version, second.type, second.retraction?.mode], [2, 'article.retracted', 'gone'])
  assert.equal(JSON.parse(await read('press.a/v0002.json')).type, 'article.retracted')
  assert.deepEqual(
    (await drop.list('')).map(one => one.key),
    ['press.a/latest.json', `press.a/pictures/${SHA}-w1280-r1.jpg`, 'press.a/v0001.json', 'press.a/v0002.json'],
  )
})

test('a prefix may have what a key may have', { skip }, async t => {
  const dropped = await startDrop(t, {}, {}, "tin mới/(a) b+c&d=1'~!*/")
  await dropped.world.release(live(1))
  await dropped.isDone('drop v1 done')
  assert.equal((await latestOf(dropped)).version, 1)
})

test('a replay of everything writes nothing again', { skip }, async t => {
  const dropped = await startDrop(t)
  const { world, drop, isDone } = dropped
  await world.release(live(1))
  await isDone('drop v1 done')
  const before = await drop.list('')
  await world.restart({ replay: true })
  await world.release(live(1, 'press.b'))
  await until('another article', async () => (await drop.head('press.b/latest.json')) !== null)
  const after = (await drop.list('')).filter(one => one.key.startsWith('press.a/'))
  assert.deepEqual(after, before)
})

test('a newer latest.json stays, and is enough', { skip }, async t => {
  const dropped = await startDrop(t)
  const { world, drop, isDone } = dropped
  await world.release(live(1))
  await isDone('drop v1 done')
  const newer = { ...(await latestOf(dropped)), version: 9 }
  await drop.put('press.a/latest.json', Buffer.from(JSON.stringify(newer)))
  await world.release(live(2))
  await isDone('drop v2 done')
  assert.equal((await latestOf(dropped)).version, 9)
})

test('a retired drop gets nothing new, and still its retraction', { skip }, async t => {
  const dropped = await startDrop(t)
  const { world, drop, outlet, isDone } = dropped
  await world.release(live(1))
  await isDone('drop v1 done')
  world.outlets.set('drop', { ...outlet, retired: true })
  world.changed()
  await world.release(live(1, 'press.b'))
  await world.release(kill(2))
  await isDone('drop v2 done')
  assert.equal((await latestOf(dropped)).type, 'article.retracted')
  assert.equal(await drop.head('press.b/latest.json'), null)
})

test('a changed filter keeps updates coming, or withdraws with onLeave', { skip }, async t => {
  for (const [onLeave, expected] of [
    ['keep', 'article.updated'],
    ['withdraw', 'article.retracted'],
  ] as const) {
    const dropped = await startDrop(t, {}, { onLeave, match: { categories: ['city'] } })
    const { world, outlet, isDone } = dropped
    await world.release(live(1))
    await isDone('drop v1 done')
    world.outlets.set('drop', { ...outlet, match: { categories: ['sport'] } })
    world.changed()
    await world.release(live(2))
    await isDone('drop v2 done')
    assert.equal((await latestOf(dropped)).type, expected)
  }
})

test('wrong keys, a missing bucket and a store that is away are tried again, in our own words, and nothing of the keys is told', {
  skip,
}, async t => {
  for (const [deliver, reason] of [
    [{ secretAccessKeyEnv: 'DROP_KEY' }, /its store answered 403/],
    [{ bucket: 'no-such-bucket-here' }, /its store answered 404 \(NoSuchBucket\)/],
    [{ endpoint: 'http://127.0.0.1:9' }, /no connection could be made/],
    [{ accessKeyIdEnv: 'NOT_SET' }, /NOT_SET/],
  ] as const) {
    const { world, drop } = await startDrop(t, deliver)
    await world.release(live(1))
    await until('an attempt', async () => sinks(await world.milestones()).includes('drop v1 retrying'))
    const told = (await world.milestones()).find(one => one.kind === 'sink' && one.state === 'retrying')
    assert.ok(told?.kind === 'sink')
    assert.match(told.lastError ?? '', reason)
    assert.ok(!JSON.stringify(told).includes(secrets.DROP_SECRET))
    assert.deepEqual(await drop.list(''), [])
  }
})

/** In front of the store: does as it is told with the n-th write, passes everything else on. */
const startProxy = async (
  t: TestContext,
  fault: (write: number, request: IncomingMessage, response: ServerResponse, pass: () => Promise<void>) => unknown,
) => {
  let writes = 0
  const pass = async (request: IncomingMessage, response: ServerResponse, body: Buffer) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !['connection', 'host', 'content-length'].includes(name)),
    )
    const { method = 'GET' } = request
    // The signature is of the proxy's own host, so the store is asked under that name.
    const answer = await forward(request.url ?? '/', method, { ...headers, host: request.headers.host ?? '' }, body)
    if (!response.destroyed) response.writeHead(answer.status, answer.headers).end(answer.body)
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const go = () => pass(request, response, Buffer.concat(chunks))
      if (request.method !== 'PUT') return void go()
      fault(writes++, request, response, go)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const forward = (path: string, method: string, headers: Record<string, unknown>, body: Buffer) =>
  import('node:http').then(
    ({ request }) =>
      new Promise<{ status: number; headers: Record<string, string>; body: Buffer }>((resolve, reject) => {
        const { hostname, port } = new URL(endpoint)
        const sent = request({ hostname, port, path, method, headers: { ...headers, 'content-length': body.length } as never }, answer => {
          const chunks: Buffer[] = []
          answer.on('data', chunk => chunks.push(chunk as Buffer))
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string>, body: Buffer.concat(chunks) }),
          )
        })
        sent.on('error', reject)
        sent.end(body)
      }),
  )

test('500, SlowDown, a reset before and a lost answer after the write, at every write: nothing is half, and the drop ends whole', {
  skip,
}, async t => {
  const faults = {
    500: (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(500).end(),
    'slow down': (_request: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(503, { 'retry-after': '0' }).end('<Error><Code>SlowDown</Code></Error>'),
    reset: (request: IncomingMessage) => void request.socket.resetAndDestroy(),
    'lost answer': (request: IncomingMessage, response: ServerResponse, pass: () => Promise<void>) => {
      response.destroy = () => response
      Object.defineProperty(response, 'destroyed', { value: true })
      void pass().then(() => request.socket.resetAndDestroy())
    },
  }
  for (const [name, fault] of Object.entries(faults))
    for (let at = 0; at < 3; at++) {
      const proxied = await startProxy(t, (write, request, response, pass) => (write === at ? fault(request, response, pass) : void pass()))
      const dropped = await startDrop(t, { endpoint: proxied })
      await dropped.world.release(live(1))
      await dropped.isDone('drop v1 done')
      const { version, file, sha256 } = await latestOf(dropped)
      assert.deepEqual([version, file], [1, 'v0001.json'], `${name} at write ${at}`)
      const { createHash } = await import('node:crypto')
      assert.equal(
        createHash('sha256')
          .update(await dropped.read(`press.a/${file}`))
          .digest('hex'),
        sha256,
      )
    }
})
