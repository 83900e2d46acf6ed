import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createKafkaLog, type KafkaLogOptions } from './kafka.ts'

/** A port that nobody listens on: one that was free a moment ago. */
const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

test('brokers that cannot be reached are named as what is wrong, within seconds', async () => {
  const port = await freePort()
  await assert.rejects(createKafkaLog({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }), {
    code: 'NEWSWIRE_LOG_UNAVAILABLE',
    message: /connecting to the brokers failed: .*are the brokers up and reachable\?/,
  })
})

test('an epoch that would make unsafe positions is refused before anything is connected', async () => {
  await assert.rejects(createKafkaLog({ brokers: ['127.0.0.1:1'], clientId: 'test', epoch: 512 }), /0 to 511/)
})

/** Who listens and does with each request what `answer` says: bytes after the correlation id, or nothing at all. */
const listen = async (t: TestContext, answer: (apiKey: number) => Buffer | null) => {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => undefined)
    socket.on('data', request => {
      const body = answer(request.readInt16BE(4))
      if (body === null) return
      const head = Buffer.alloc(8)
      head.writeInt32BE(body.length + 4, 0)
      request.copy(head, 4, 8, 12)
      socket.write(Buffer.concat([head, body]))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const int16 = (...numbers: readonly number[]) => Buffer.concat(numbers.map(one => Buffer.from([(one >> 8) & 255, one & 255])))
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)])
const HANDSHAKE = 17
const VERSIONS = 18
const AUTHENTICATE = 36

test('of brokers that accept and never answer no connection is left when they are given up', async t => {
  const { address } = await listen(t, () => null)
  const made: Socket[] = []
  const socketFactory: KafkaLogOptions['socketFactory'] = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect)
    made.push(socket)
    return socket
  }
  await assert.rejects(createKafkaLog({ brokers: [address], clientId: 'test', socketFactory }), { code: 'NEWSWIRE_LOG_UNAVAILABLE' })
  assert.ok(made.length > 0)
  for (const deadline = performance.now() + 10_000; !made.every(one => one.destroyed); await wait(10))
    assert.ok(performance.now() < deadline, `of ${made.length} some are open still`)
})

test('credentials that the brokers refuse are told as such, and not as brokers that are away', async t => {
  const { address } = await listen(t, apiKey => {
    if (apiKey === VERSIONS)
      return Buffer.concat([int16(0, 0, 3), ...[HANDSHAKE, VERSIONS, AUTHENTICATE].map(key => int16(key, 0, 1)), int16(0, 0)])
    if (apiKey === HANDSHAKE) return Buffer.concat([int16(0, 0, 1), text('PLAIN')])
    if (apiKey === AUTHENTICATE)
      return Buffer.concat([int16(58), text('Authentication failed: Invalid username or password'), Buffer.alloc(12)])
    return null
  })
  const sasl = { mechanism: 'plain', username: 'desk', password: 'geheim' } as const
  await assert.rejects(createKafkaLog({ brokers: [address], clientId: 'test', sasl }), error => {
    assert.equal((error as { code?: unknown }).code, 'NEWSWIRE_LOG_REFUSED')
    assert.match(String(error), /Invalid username or password.*KAFKA_SASL/)
    assert.doesNotMatch(String(error), /geheim/)
    return true
  })
})
