/**
 * Connections that go nowhere forbidden. The guard is in the connector: a literal address never reaches a resolver, so a resolver alone
 * would let 15 of 22 spellings of loopback through; the address that was really connected to is looked at once more, so a name that
 * changes its mind between look-up and connection gains nothing.
 */
import type { LookupAddress, LookupOptions } from 'node:dns'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { NetworkConfig } from '@newswire/events/config'
import { buildConnector } from 'undici'
import { findAddressOffence, SSH_PORTS, toHost, toPort, WEB_PORTS } from './addresses.ts'
import type { Lookup } from './outbound.ts'

const CONNECT_TIMEOUT_MS = 5_000

/** Our own rules forbid it; nothing was sent. */
export class Refused extends Error {
  readonly code = 'NEWSWIRE_OUTBOUND_REFUSED'
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** What connections are held against. `ports`: those that public hosts may have. */
type Rules = Readonly<{ network: () => NetworkConfig; ports: ReadonlySet<number> }>

/** Resolves a name and refuses it when any of its addresses may not be reached: one inward answer is enough to be suspicious. */
const guardLookup =
  (lookup: Lookup, port: number, { network, ports }: Rules) =>
  (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      for (const { address } of addresses) {
        const offence = findAddressOffence(address, port, network(), ports)
        if (offence !== null) return callback(new Refused(`the name resolves inward: ${offence}`), [])
      }
      const [first] = addresses
      if (options.all || first === undefined) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/**
 * A client that gives up says so with RST: after FIN a busy receiver still processes what it got (measured). Its end keeps the error:
 * of a socket that ends without one undici takes a body without a length for whole, and what it then asserts about a request that was given up ends the process.
 * TLS ends the connection under it by itself; were that one taken from it first, in the middle of what it reads, Node would crash.
 */
const resetOnError = (socket: Socket, tcp: Socket): Socket => {
  const end = socket.destroy.bind(socket)
  const endTcp = tcp.destroy.bind(tcp)
  let failure: Error | undefined
  const reset = () => {
    tcp.destroy = () => endTcp(socket === tcp ? failure : undefined)
    return tcp.resetAndDestroy() // which comes back through destroy(), without an error
  }
  socket.destroy = error => {
    if (error === undefined || failure !== undefined || tcp.destroyed) return end(error)
    failure = error
    if (socket === tcp) return reset()
    tcp.destroy = reset
    return end(error)
  }
  return socket
}

type Dialled = (error: Error | null, tcp: Socket | null) => void

/** A TCP connection that is held against the rules as text, by name and as it came to be; `callback` is called once. */
const dial = ({ host, port }: Readonly<{ host: string; port: number }>, rules: Rules, lookup: Lookup, callback: Dialled): void => {
  const { network, ports } = rules
  const literal = isIP(host) === 0 ? null : findAddressOffence(host, port, network(), ports)
  if (literal !== null) {
    callback(new Refused(literal), null)
    return
  }
  const tcp = connectTcp({ host, port, lookup: guardLookup(lookup, port, rules) as never, noDelay: true, keepAlive: true })
  const timer = setTimeout(() => {
    tcp.destroy(Object.assign(new Error('connect timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' }))
  }, CONNECT_TIMEOUT_MS)
  const onError = (error: Error) => {
    clearTimeout(timer)
    callback(error, null)
  }
  tcp.once('error', onError)
  tcp.once('connect', () => {
    clearTimeout(timer)
    tcp.off('error', onError)
    // Whoever uses the connection reports what happens from here on; without a listener Node would end the process.
    tcp.on('error', () => undefined)
    const offence = findAddressOffence(tcp.remoteAddress ?? '', port, network(), ports)
    if (offence === null) return callback(null, tcp)
    tcp.destroy()
    callback(new Refused(offence), null)
  })
}

/** TCP first, guarded; TLS, when asked for, on top of that very connection. HTTP/1.1 only: one request, one socket to reset. */
export const guardConnections = (network: () => NetworkConfig, lookup: Lookup): buildConnector.connector => {
  const secure = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false })
  return (options, callback) =>
    dial({ host: toHost(options.hostname), port: toPort(options) }, { network, ports: WEB_PORTS }, lookup, (failure, tcp) => {
      if (tcp === null) return callback(failure ?? new Error('no connection'), null)
      if (options.protocol !== 'https:') return callback(null, resetOnError(tcp, tcp))
      return secure({ ...options, httpSocket: tcp }, (...[error, socket]) =>
        error ? callback(error, null) : callback(null, resetOnError(socket as Socket, tcp) as never),
      )
    })
}

/** A guarded connection for SSH. Rejects with `Refused` when our own rules forbid it, else with the system's error. */
export const connectForSsh = (host: string, port: number, network: () => NetworkConfig, lookup: Lookup): Promise<Socket> =>
  new Promise((resolve, reject) =>
    dial({ host: toHost(host), port }, { network, ports: SSH_PORTS }, lookup, (error, tcp) =>
      tcp === null ? reject(error) : resolve(tcp),
    ),
  )
