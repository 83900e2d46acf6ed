/** Against a server that does as it is told: full disks, missing extensions, silence. OpenSSH's own is in `sftp-drop.integration.test.ts`. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { createOutbound } from '@newswire/outbound/create-outbound'
import ssh2, { type Connection, type SFTPWrapper } from 'ssh2'
import type { DeliveryNeeds } from './delivery.ts'
import type { OutletBy } from './parcel.ts'
import { until } from './partner.ts'
import { contextOf, killFact, liveFact } from './samples.ts'
import { createSftpDrop } from './sftp-drop.ts'
import { fingerprintOf } from './ssh.ts'

const { OK, EOF, NO_SUCH_FILE, FAILURE } = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, FAILURE: 4 }

type Server = {
  port: number
  fingerprint: string
  files: Map<string, Buffer>
  /** Of requests in the order in which they came. */
  asked: string[]
  /** What becomes of a request: a status, or no answer at all. */
  fault: (request: string, path: string) => number | 'silence' | null
  connections: number
}

/** Files in memory; it has no extensions, so no rename that replaces. */
const serve = (server: Server, sftp: SFTPWrapper) => {
  const handles: { path: string; listed: boolean }[] = []
  const handleOf = (path: string) => {
    const handle = Buffer.alloc(4)
    handle.writeUInt32BE(handles.push({ path, listed: false }) - 1)
    return handle
  }
  const at = (handle: Buffer) => handles[handle.readUInt32BE()] ?? { path: '', listed: true }
  const folders = () =>
    new Set([...server.files.keys()].flatMap(path => path.split('/').map((_, end, parts) => parts.slice(0, end).join('/'))))
  const made = new Set<string>()
  const isThere = (path: string) => server.files.has(path) || made.has(path) || folders().has(path)
  const on = (request: string, act: (id: number, ...rest: never[]) => void) =>
    sftp.on(
      request as never,
      ((id: number, ...rest: never[]) => {
        const [first] = rest as unknown[]
        const path = typeof first === 'string' ? first : at(first as unknown as Buffer).path
        server.asked.push(`${request} ${path}`)
        const fault = server.fault(request, path)
        if (fault === 'silence') return
        if (fault !== null) return sftp.status(id, fault)
        act(id, ...rest)
      }) as never,
    )
  const status = (id: number, isOk: boolean, otherwise = NO_SUCH_FILE) => sftp.status(id, isOk ? OK : otherwise)
  on('OPEN', (id, path: string, flags: number) => {
    const isWrite = (flags & 2) !== 0
    if (isWrite) server.files.set(path, Buffer.alloc(0))
    if (isWrite || server.files.has(path)) sftp.handle(id, handleOf(path))
    else sftp.status(id, NO_SUCH_FILE)
  })
  on('WRITE', (id, handle: Buffer, offset: number, data: Buffer) => {
    const { path } = at(handle)
    const before = server.files.get(path) ?? Buffer.alloc(0)
    const after = Buffer.alloc(Math.max(before.length, offset + data.length))
    before.copy(after)
    data.copy(after, offset)
    server.files.set(path, after)
    sftp.status(id, OK)
  })
  on('READ', (id, handle: Buffer, offset: number, length: number) => {
    const bytes = server.files.get(at(handle).path)?.subarray(offset, offset + length)
    if (bytes?.length) sftp.data(id, bytes)
    else sftp.status(id, EOF)
  })
  on('CLOSE', id => sftp.status(id, OK))
  on('LSTAT', (id, path: string) =>
    isThere(path) ? sftp.attrs(id, { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 }) : sftp.status(id, NO_SUCH_FILE),
  )
  on('OPENDIR', (id, path: string) => sftp.handle(id, handleOf(path)))
  on('READDIR', (id, handle: Buffer) => {
    const open = at(handle)
    if (open.listed) return sftp.status(id, EOF)
    open.listed = true
    const names = [...server.files.keys()].filter(path => path.startsWith(`${open.path}/`)).map(path => path.slice(open.path.length + 1))
    sftp.name(
      id,
      names.map(filename => ({ filename, longname: filename, attrs: {} as never })),
    )
  })
  on('MKDIR', (id, path: string) => {
    const isNew = !isThere(path)
    made.add(path)
    status(id, isNew, FAILURE)
  })
  on('REMOVE', (id, path: string) => status(id, server.files.delete(path)))
  on('RENAME', (id, from: string, to: string) => {
    const bytes = server.files.get(from)
    if (bytes === undefined || server.files.has(to)) return sftp.status(id, FAILURE)
    server.files.delete(from)
    server.files.set(to, bytes)
    sftp.status(id, OK)
  })
}

/** Now and then ssh2 makes a key that it cannot read itself. */
const makeKeys = () => {
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync('ed25519')
    const [one, other] = [ssh2.utils.parseKey(keys.public), ssh2.utils.parseKey(keys.private)]
    if (!(one instanceof Error || other instanceof Error)) return { keys, publicKey: one.getPublicSSH() }
  }
}

const startServer = async (t: TestContext): Promise<Server> => {
  const { keys, publicKey } = makeKeys()
  const server: Server = {
    port: 0,
    fingerprint: fingerprintOf(publicKey),
    files: new Map(),
    asked: [],
    fault: () => null,
    connections: 0,
  }
  const clients = new Set<Connection>()
  const listening = new ssh2.Server({ hostKeys: [keys.private] }, client => {
    server.connections += 1
    clients.add(client)
    client.on('error', () => undefined)
    client.on('authentication', context => context.accept())
    client.on('ready', () => client.on('session', accept => accept().on('sftp', acceptSftp => serve(server, acceptSftp()))))
  })
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const client of clients) client.end()
    listening.close()
  })
  return Object.assign(server, { port: (listening.address() as AddressInfo).port })
}

const startDrop = async (t: TestContext, server: Server, timeoutMs = 2_000, allow = ['127.0.0.0/8']) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-sftp-'))
  const privateKeyFile = join(folder, 'key')
  await writeFile(privateKeyFile, makeKeys().keys.private)
  const outbound = createOutbound({ network: () => ({ allow, allowHttp: true }) })
  const needs = {
    connect: outbound.connect,
    timeoutMs,
    secret: () => 'user',
    objects: { get: async () => null },
    context: () => contextOf({ id: 'news.example,2026', publicUrl: 'https://news.example' }),
    now: Date.now,
  } as unknown as DeliveryNeeds
  const drop = createSftpDrop(needs)
  t.after(async () => {
    await drop.close?.()
    await outbound.close()
    await rm(folder, { recursive: true, force: true })
  })
  const outlet = outletConfig.parse({
    id: 'ftp',
    deliver: { kind: 'sftp', host: '127.0.0.1', port: server.port, hostKey: server.fingerprint, path: 'in', userEnv: 'U', privateKeyFile },
  }) as OutletBy<'sftp'>
  server.files.set('in/their-own', Buffer.from('x'))
  return {
    put: (fact: Fact) =>
      drop.deliver({ outlet, fact, due: fact.state === 'live' ? 'content' : 'retraction', sequence: 1, settling: false }, () => true),
    test: () => drop.test?.(outlet, 'r1'),
    close: async () => drop.close?.(),
  }
}
const live = (version: number) => liveFact({ articleId: 'press.a', version })
const kill = (version: number) => killFact({ articleId: 'press.a', version })
const json = (bytes: Buffer | undefined) => JSON.parse((bytes ?? '').toString())
const partsIn = ({ files }: Server) => [...files.keys()].filter(path => path.endsWith('.part'))

test('where nothing can be renamed over, latest.json is removed and put again, and is right', async t => {
  const server = await startServer(t)
  const { put } = await startDrop(t, server)
  for (const fact of [live(1), live(2), kill(3)]) assert.deepEqual(await put(fact), { kind: 'accepted' })
  assert.equal(json(server.files.get('in/press.a/latest.json')).type, 'article.retracted')
  assert.deepEqual([...server.files.keys()].sort(), [
    'in/press.a/latest.json',
    'in/press.a/v0001.json',
    'in/press.a/v0002.json',
    'in/press.a/v0003.json',
    'in/their-own',
  ])
  assert.deepEqual(await put(live(2)), { kind: 'accepted' })
  assert.equal(json(server.files.get('in/press.a/latest.json')).version, 3, 'and never goes back')
})

test('a host that our own rules forbid is not even connected to', async t => {
  const server = await startServer(t)
  const { put } = await startDrop(t, server, 2_000, [])
  const outcome = await put(live(1))
  assert.ok(outcome.kind === 'failed' && outcome.alarm && !outcome.ambiguous)
  assert.match(outcome.reason, /our own rules forbid/)
  assert.equal(server.connections, 0)
})

test('a connection that is let go of in the middle of an upload ends the attempt at once, and nothing is half', async t => {
  const server = await startServer(t)
  const drop = await startDrop(t, server, 30_000)
  server.fault = request => (request === 'WRITE' ? 'silence' : null)
  const attempt = drop.put(live(1))
  await until('the upload', () => server.asked.some(one => one.startsWith('WRITE')))
  await drop.close()
  const outcome = await attempt
  assert.ok(outcome.kind === 'failed' && outcome.ambiguous)
  assert.ok(![...server.files.keys()].some(path => path.endsWith('.json')))
})

test('a full disk is tried again and told in our own words; nothing unfinished is left', async t => {
  const server = await startServer(t)
  const { put } = await startDrop(t, server)
  let writes = 0
  for (const failing of [0, 1]) {
    writes = 0
    server.fault = request => (request === 'WRITE' && writes++ === failing ? FAILURE : null)
    const outcome = await put(live(1))
    assert.ok(outcome.kind === 'failed' && !outcome.alarm && !outcome.connect)
    assert.match(outcome.reason, /disk or a quota may be full/)
    assert.deepEqual(partsIn(server), [])
    assert.ok(!server.files.has('in/press.a/latest.json'))
  }
  server.fault = () => null
  assert.deepEqual(await put(live(1)), { kind: 'accepted' })
  assert.equal(server.connections, 1, 'a refused request is no reason to connect again')
})

test('a server that falls silent loses the connection within the deadline, and the next attempt has its own', async t => {
  const server = await startServer(t)
  const { put } = await startDrop(t, server, 3_000)
  server.fault = (request, path) => (request === 'RENAME' && path.includes('.part') ? 'silence' : null)
  const outcome = await put(live(1))
  assert.ok(outcome.kind === 'failed' && outcome.ambiguous)
  assert.match(outcome.reason, /no answer came within 3000 ms/)
  server.fault = () => null
  assert.deepEqual(await put(live(1)), { kind: 'accepted' })
  assert.equal(server.connections, 2)
  assert.deepEqual(partsIn(server), [], 'what the first left behind is gone')
})

test('a test puts a file that says nothing, twice as well as once', async t => {
  const server = await startServer(t)
  const drop = await startDrop(t, server)
  for (let n = 0; n < 2; n++) assert.deepEqual(await drop.test(), { kind: 'accepted' })
  const { timestamp: _, ...said } = json(server.files.get('in/newswire-test.json'))
  assert.deepEqual(said, { type: 'newswire.test', outlet: 'ftp', request: 'r1' })
})
