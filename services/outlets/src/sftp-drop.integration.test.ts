/** Drops onto OpenSSH's server. Skipped, visibly, where there is none. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import { latestDocument } from './drop.ts'
import { startWorld, until, type World } from './partner.ts'
import { type Sshd, sshdMissing, startSshd } from './sample-sshd.ts'
import { killFact, liveFact } from './samples.ts'

const skip = sshdMissing
const SHA = 'c'.repeat(64)
const KEY = `renditions/${SHA}/w1280-r1.jpg`
/** Larger than what goes out in one piece. */
const PICTURE = Buffer.alloc(1_500_000, 'JPEG')
const image = {
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: 'Cây cầu',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: SHA,
  renditions: [{ preset: 'w1280', key: KEY, type: 'image/jpeg', width: 1280, height: 720, bytes: PICTURE.length }],
}
const at = () => new Date().toISOString()
const live = (version: number, articleId = 'press.a') =>
  liveFact({ articleId, version, releasedAt: at(), article: { title: 'Cầu Ánh Sáng đã thông xe', images: [image] } })
const kill = (version: number, articleId = 'press.a') => killFact({ articleId, version, releasedAt: at() })

const outletAt = (sshd: Sshd, deliver: object = {}, fields: object = {}) =>
  outletConfig.parse({
    id: 'ftp',
    deliver: {
      kind: 'sftp',
      host: '127.0.0.1',
      port: sshd.port,
      hostKey: sshd.fingerprint,
      path: 'in/',
      userEnv: 'FTP_USER',
      privateKeyFile: sshd.privateKeyFile,
      ...deliver,
    },
    ...fields,
  })
const startDrop = async (t: TestContext, sshd: Sshd, deliver: object = {}, fields: object = {}) => {
  const outlet = outletAt(sshd, deliver, fields)
  const world = await startWorld(t, [outlet], { secrets: { FTP_USER: sshd.user } })
  await world.objects.put(KEY, PICTURE)
  return { world, outlet }
}
const told = async (world: World, text: string) =>
  (await world.milestones()).some(one => one.kind === 'sink' && `${one.sink.id} v${one.version} ${one.state}` === text)
const isTold = (world: World, text: string) => until(text, () => told(world, text))
const reasonOf = async (world: World) => {
  await isTold(world, 'ftp v1 retrying')
  const found = (await world.milestones()).find(one => one.kind === 'sink' && one.state === 'retrying')
  return (found?.kind === 'sink' && found.lastError) || ''
}
const read = (sshd: Sshd, path: string) => readFileSync(join(sshd.folder, path))
const latestOf = (sshd: Sshd, articleId = 'press.a') => latestDocument.parse(JSON.parse(read(sshd, `${articleId}/latest.json`).toString()))
const filesOf = (sshd: Sshd) =>
  readdirSync(sshd.folder, { recursive: true, withFileTypes: true })
    .filter(one => one.isFile())
    .map(one => join(one.parentPath, one.name).slice(sshd.folder.length + 1))
    .sort()

const assertWhole = (sshd: Sshd, articleId = 'press.a') => {
  if (!existsSync(join(sshd.folder, articleId, 'latest.json'))) return
  const { file, sha256, pictures } = latestOf(sshd, articleId)
  assert.equal(
    createHash('sha256')
      .update(read(sshd, `${articleId}/${file}`))
      .digest('hex'),
    sha256,
  )
  for (const one of pictures) assert.deepEqual(read(sshd, `${articleId}/${one.file}`), PICTURE)
}

test('an article is dropped whole with its picture, and taken back, over one connection', { skip }, async t => {
  const sshd = await startSshd(t)
  const { world } = await startDrop(t, sshd)
  await world.release(live(1))
  await isTold(world, 'ftp v1 done')
  assertWhole(sshd)
  assert.equal(JSON.parse(read(sshd, 'press.a/v0001.json').toString()).data.article.title, 'Cầu Ánh Sáng đã thông xe')
  await world.release(kill(2))
  await isTold(world, 'ftp v2 done')
  const { type, version, retraction } = latestOf(sshd)
  assert.deepEqual([type, version, retraction?.mode], ['article.retracted', 2, 'gone'])
  assert.deepEqual(filesOf(sshd), [
    'press.a/latest.json',
    `press.a/pictures/${SHA}-w1280-r1.jpg`,
    'press.a/v0001.json',
    'press.a/v0002.json',
  ])
})

test('ten articles at once share a connection, and a repeat writes nothing', { skip }, async t => {
  const sshd = await startSshd(t)
  const proxy = await startProxy(t, sshd)
  const { world } = await startDrop(t, sshd, { port: proxy.port, pictures: 'none' }, { concurrency: 8 })
  const ids = Array.from({ length: 10 }, (_, n) => `press.n${n}`)
  for (const id of ids) await world.release(live(1, id))
  await until('all', () => ids.every(id => existsSync(join(sshd.folder, `${id}/latest.json`))))
  assert.equal(proxy.connections(), 1)
  await until('the end', async () => (await world.pending('ftp')).length === 0)
  const times = () => execFileSync('find', [sshd.folder, '-type', 'f', '-printf', '%p %T@\n']).toString().split('\n').sort()
  const before = times()
  await world.restart({ replay: true })
  await world.release(live(1, 'press.after'))
  await until('another article', () => existsSync(join(sshd.folder, 'press.after/latest.json')))
  assert.deepEqual(
    times().filter(line => !line.includes('press.after')),
    before,
  )
})

test('a host that shows another key than the pinned one is sent nothing, and the alarm says which key it showed', { skip }, async t => {
  const [sshd, other] = [await startSshd(t), await startSshd(t)]
  for (const hostKey of [other.fingerprint, other.hostKey]) {
    const { world } = await startDrop(t, sshd, { hostKey })
    await world.release(live(1))
    assert.ok((await reasonOf(world)).includes(`its host key is ${sshd.fingerprint}`))
  }
  assert.deepEqual(filesOf(sshd), [])
  for (const hostKey of [[other.fingerprint, sshd.hostKey], sshd.rsaHostKey]) {
    const { world } = await startDrop(t, sshd, { hostKey })
    await world.release(live(1))
    await isTold(world, 'ftp v1 done')
  }
})

test('a login that is refused, a key that is none, a folder that is not there and one that is read only are alarms in our own words', {
  skip,
}, async t => {
  const [sshd, other, readOnly] = [await startSshd(t), await startSshd(t), await startSshd(t, { options: '-R' })]
  for (const [where, deliver, reason] of [
    [sshd, { privateKeyFile: other.privateKeyFile }, /does not let our user in/],
    [sshd, { privateKeyFile: `${sshd.privateKeyFile}.pub` }, /holds no key|does not let our user in/],
    [sshd, { privateKeyFile: '/nowhere/key' }, /privateKeyFile/],
    [sshd, { path: 'elsewhere/' }, /folder of its configuration is not there/],
    [sshd, { userEnv: 'NOT_SET' }, /NOT_SET/],
    [readOnly, {}, /may not write there/],
    [sshd, { port: 9 }, /no connection could be made/],
  ] as const) {
    const { world } = await startDrop(t, where, deliver)
    await world.release(live(1))
    assert.match(await reasonOf(world), reason)
    assert.deepEqual(filesOf(where), [])
  }
})

test('a server that is killed is connected to again, and gets what it has missed', { skip }, async t => {
  const sshd = await startSshd(t)
  const { world } = await startDrop(t, sshd)
  await world.release(live(1))
  await isTold(world, 'ftp v1 done')
  await sshd.kill()
  await world.release(live(2))
  await world.release(live(1, 'press.b'))
  await until('pending', async () => (await world.pending('ftp')).length > 0 || existsSync(join(sshd.folder, 'press.b/latest.json')))
  await sshd.start()
  await isTold(world, 'ftp v2 done')
  assert.equal(latestOf(sshd).version, 2)
  await until('the other', () => existsSync(join(sshd.folder, 'press.b/latest.json')), 20_000)
})

/** Between us and the server. `cutAfter`: once so many bytes more have gone to the server the connection is reset, once; it begins with a new one. */
const startProxy = async (t: TestContext, sshd: Sshd) => {
  let connections = 0
  let left = Number.POSITIVE_INFINITY
  const sockets = new Set<Socket>()
  const reset = () => {
    left = Number.POSITIVE_INFINITY
    for (const one of sockets) one.resetAndDestroy()
    sockets.clear()
  }
  const server = createServer(socket => {
    connections += 1
    const behind = connect(sshd.port, '127.0.0.1')
    for (const one of [socket, behind]) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        socket.destroy()
        behind.destroy()
      })
    }
    behind.pipe(socket)
    socket.on('data', (chunk: Buffer) => {
      behind.write(chunk.subarray(0, Math.max(0, left)))
      left -= chunk.length
      if (left < 0) reset()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    reset()
  })
  return {
    port: (server.address() as { port: number }).port,
    connections: () => connections,
    cutAfter: (bytes: number) => {
      reset()
      left = bytes
    },
  }
}

test('connections cut anywhere, in greeting, login and upload, leave nothing half, and the drop ends whole without leftovers', {
  skip,
}, async t => {
  const sshd = await startSshd(t)
  const proxy = await startProxy(t, sshd)
  const { world } = await startDrop(t, sshd, { port: proxy.port })
  // The greeting ends at about 3 kB; the picture has 1.5 MB, and what comes after it some kB more.
  const cuts = [10, 1_500, 3_000, 4_000, 5_000, 200_000, 1_000_000, 1_507_000, 1_510_000, 1_512_000, 1_514_000, 1_516_000]
  const ids = cuts.map((_, index) => `press.c${index}`)
  const watch = setInterval(() => {
    for (const id of ids) assertWhole(sshd, id)
  }, 2)
  t.after(() => clearInterval(watch))
  for (const [index, id] of ids.entries()) {
    const before = proxy.connections()
    proxy.cutAfter(cuts[index] ?? 0)
    await world.release(live(1, id))
    await until(`the end of ${id}`, () => existsSync(join(sshd.folder, id, 'latest.json')))
    await until('the end', async () => (await world.pending('ftp')).length === 0)
    assert.ok(proxy.connections() > before, 'it was a new connection')
    proxy.cutAfter(Number.POSITIVE_INFINITY)
  }
  clearInterval(watch) // before the folder goes
  const expected = ids.flatMap(id => ['latest.json', `pictures/${SHA}-w1280-r1.jpg`, 'v0001.json'].map(file => `${id}/${file}`))
  assert.deepEqual(filesOf(sshd), expected.sort())
  const cutOff = (await world.milestones()).filter(one => one.kind === 'sink' && one.state === 'retrying')
  assert.ok(cutOff.length >= cuts.length - 3, `${cutOff.length} attempts were cut off`)
})

test('a newer latest.json on the server stays', { skip }, async t => {
  const sshd = await startSshd(t)
  const { world } = await startDrop(t, sshd)
  await world.release(live(1))
  await isTold(world, 'ftp v1 done')
  writeFileSync(join(sshd.folder, 'press.a/latest.json'), JSON.stringify({ ...latestOf(sshd), version: 9 }))
  await world.release(live(2))
  await isTold(world, 'ftp v2 done')
  assert.equal(latestOf(sshd).version, 9)
})

test('a retired outlet gets its retraction, and nothing new', { skip }, async t => {
  const sshd = await startSshd(t)
  const { world, outlet } = await startDrop(t, sshd)
  await world.release(live(1))
  await isTold(world, 'ftp v1 done')
  world.outlets.set('ftp', { ...outlet, retired: true })
  world.changed()
  await world.release(live(1, 'press.b'))
  await world.release(kill(2))
  await isTold(world, 'ftp v2 done')
  assert.equal(latestOf(sshd).type, 'article.retracted')
  assert.ok(!existsSync(join(sshd.folder, 'press.b')))
})
