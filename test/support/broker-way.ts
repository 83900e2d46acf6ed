/**
 * The one way from a process to the broker, which a test can cut: whoever goes it is told of no other, because in what the broker says of itself (`Metadata`,
 * `FindCoordinator`) its address is this one.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { findFreePort } from '../../infra/test/ports.ts'

type BrokerWay = Readonly<{
  /** For `KAFKA_BROKERS`. Nobody listens there before it was opened. */
  address: string
  open(): Promise<void>
  /** `refuse`: what is open breaks, and nobody listens; `silence`: nothing comes through any more, and nobody is told. Until it is opened again. */
  cut(how?: 'refuse' | 'silence'): Promise<void>
}>

/** An address as the protocol has it in its older encodings: length, host, port. */
const encoded = (host: string, port: number): Buffer => {
  const bytes = Buffer.alloc(2 + host.length + 4)
  bytes.writeInt16BE(host.length)
  bytes.write(host, 2)
  bytes.writeInt32BE(port, 2 + host.length)
  return bytes
}

/** Whole answers of the broker, with its address in them made this one, whose length is the same. */
const renamed = (from: readonly Buffer[], port: number) => {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk: Buffer): Buffer => {
    rest = Buffer.concat([rest, chunk])
    let end = 0
    while (rest.length >= end + 4 && rest.length >= end + 4 + rest.readInt32BE(end)) end += 4 + rest.readInt32BE(end)
    const whole = rest.subarray(0, end)
    rest = rest.subarray(end)
    for (const address of from)
      for (let at = whole.indexOf(address); at !== -1; at = whole.indexOf(address, at + 1))
        whole.writeInt32BE(port, at + address.length - 4)
    return whole
  }
}

export const createBrokerWay = async (t: TestContext, broker: string): Promise<BrokerWay> => {
  const [host = '', brokerPort = ''] = broker.split(':')
  const port = await findFreePort()
  const from = [...new Set([host, '127.0.0.1', 'localhost'])].map(name => encoded(name, Number(brokerPort)))
  const sockets = new Set<Socket>()
  let server: Server | null = null
  let isSilent = false

  const join = (client: Socket) => {
    const there = connect(Number(brokerPort), host)
    const rename = renamed(from, port)
    for (const [one, other] of [
      [client, there],
      [there, client],
    ] as const) {
      sockets.add(one)
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
    }
    client.on('data', bytes => isSilent || there.write(bytes))
    there.on('data', bytes => isSilent || client.write(rename(bytes)))
  }
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    const closing = server
    server = null
    if (closing !== null) await new Promise(resolve => closing.close(resolve))
  }
  t.after(close)
  return {
    address: `127.0.0.1:${port}`,
    open: async () => {
      await close()
      isSilent = false
      const opening = createServer(join)
      server = opening
      await new Promise<void>(resolve => opening.listen(port, '127.0.0.1', resolve))
    },
    cut: async (how = 'refuse') => {
      if (how === 'silence') isSilent = true
      else await close()
    },
  }
}
