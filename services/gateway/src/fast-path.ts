/**
 * Plain requests for public feeds, answered before any HTTP parser: nine of ten requests of a feed server are the same few hundred bytes, and so
 * are the answers. Whatever is not plain (`plain-request.ts`) is put back into the socket, and the connection is the HTTP server's for good; so is a
 * client that has used up its allowance, a private feed, and a feed that is not there. Statistics and limits are those of the other way.
 *
 * The answers are those of `feed-answer.ts`, byte for byte in body and field for field in head; a test holds the two against each other.
 */
import type { Socket } from 'node:net'
import type { Client } from '@newswire/http/rate'
import { toClientKey } from '@newswire/http/rate'
import type { ConnectionFront } from '@newswire/http/server'
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import { type Answer, type Asked, createFastAnswers, type Sender } from './fast-answers.ts'
import { pickCoding } from './feed-answer.ts'
import type { FeedCache } from './feed-cache.ts'
import { absenceOf } from './feed-routes.ts'
import type { FeedState } from './feed-state.ts'
import type { Standing } from './frame.ts'
import { addressOf, COST_UNCHANGED, type Limits, policyHeader } from './limits.ts'
import type { Readers } from './readers.ts'

export type FastPathNeeds = Readonly<{
  feeds: FeedCache
  configuration: Pick<Configuration, 'current'>
  readers: Readers
  limits: Limits
  /** Silence on a connection before its first request, and between two, ms (defaults 30 000 and 65 000, as the HTTP server's own). */
  silenceMs?: number
  keepAliveMs?: number
}>

type Connection = {
  readonly socket: Socket
  readonly handOver: () => void
  /** The last answer has left. */
  readonly onFlushed: () => void
  /** Takes our listeners off the socket. */
  readonly letGo: () => void
  readonly address: string
  client: Client | null
  /** Of the last request: most connections are one reader. */
  userAgent: string | undefined
  forwarded: string | undefined
  clientKey: string
  reader: number
  isBusy: boolean
  isServed: boolean
}

const SILENCE_MS = 30_000
const KEEP_ALIVE_MS = 65_000
const NO_LIMITS: Standing = { remaining: 0, resetSeconds: 0 }

export const createFastPath = (needs: FastPathNeeds): ConnectionFront => {
  const { feeds, configuration, readers, limits, silenceMs = SILENCE_MS, keepAliveMs = KEEP_ALIVE_MS } = needs
  const { limiter } = limits
  const { headOf, isOpen, answerOf } = createFastAnswers(
    feeds,
    limiter === null ? null : { name: limiter.policy.name, header: policyHeader(limiter) },
  )
  const connections = new Set<Connection>()
  let isClosing = false

  /** Who sent this head from this peer: the head says the rest. Hashing a name takes as long as all else that is done for an answer. */
  const identify = (connection: Connection, asked: Asked): Sender => {
    if (asked.sender?.peer === connection.address) return asked.sender
    const { headers } = asked.plain
    const address = addressOf(connection.address, headers['x-forwarded-for'], limits.proxies)
    asked.sender = {
      peer: connection.address,
      reader: readers.identify(address, headers['user-agent'] ?? ''),
      clientKey: toClientKey(address),
    }
    return asked.sender
  }

  /** Most connections are one reader, so what was found stays until the head says otherwise. */
  const recognize = (connection: Connection, asked: Asked) => {
    const { headers } = asked.plain
    const forwarded = limits.proxies === 0 ? undefined : headers['x-forwarded-for']
    const userAgent = headers['user-agent']
    if (connection.reader === -1 || userAgent !== connection.userAgent || forwarded !== connection.forwarded) {
      const { reader, clientKey } = identify(connection, asked)
      if (clientKey !== connection.clientKey) connection.client = null
      connection.reader = reader
      connection.clientKey = clientKey
      connection.userAgent = userAgent
      connection.forwarded = forwarded
    }
    if (limiter !== null && (connection.client === null || limiter.isForgotten(connection.client)))
      connection.client = limiter.client(connection.clientKey)
  }

  const handOver = (connection: Connection, chunk: Buffer) => {
    release(connection)
    const { socket } = connection
    socket.setTimeout(0)
    if (socket.destroyed) return
    socket.unshift(chunk)
    connection.handOver()
    socket.resume()
  }

  const write = (connection: Connection, asked: Asked, state: FeedState, { frame, outcome, absence }: Answer): void => {
    const { socket, client } = connection
    const now = Date.now()
    let standing = NO_LIMITS
    if (limiter !== null && client !== null) {
      limiter.charge(client, now, outcome === 'unchanged' ? COST_UNCHANGED : 1)
      standing = { remaining: limiter.remaining(client, now), resetSeconds: limiter.resetSeconds(client, now) }
    }
    asked.tally ??= readers.tally(state.feedId, state.output)
    asked.tally({ outcome, bytes: frame.bodyBytes, reader: connection.reader, now })
    if (absence) readers.absent(state.feedId, absenceOf(asked.plain.headers, state, feeds, now) ?? 0, now)
    const isFlushed = frame.write(socket, now, standing, connection.onFlushed)
    // The next request is not read before this answer has left: a reader that does not read keeps one answer waiting, not many.
    if (!isFlushed) {
      connection.isBusy = true
      socket.pause()
    }
  }

  /** The bytes have to be read or compressed first: this connection waits, unread, and is answered here or there. */
  const answerLater = async (connection: Connection, asked: Asked, chunk: Buffer): Promise<void> => {
    connection.isBusy = true
    connection.socket.pause()
    try {
      const state = await feeds.get(asked.plain.feedId, asked.plain.output)
      if (state !== null) await state.variant(pickCoding(state, asked.plain.headers['accept-encoding']))
      // The feed may have been made private, or retired, while we waited.
      const snapshot = configuration.current()
      const answer = state === null || !isOpen(asked, snapshot) ? null : answerOf(asked, state, snapshot)
      connection.isBusy = false
      if (!connections.has(connection)) return
      if (state === null || answer === null || isClosing) return handOver(connection, chunk)
      write(connection, asked, state, answer)
      if (!connection.isBusy) connection.socket.resume()
    } catch {
      // The other way says what is wrong, and to whom.
      connection.isBusy = false
      if (connections.has(connection)) handOver(connection, chunk)
    }
  }

  /** Who may be answered here, or `null`. */
  const admit = (connection: Connection, chunk: Buffer): { asked: Asked; snapshot: ConfigSnapshot } | null => {
    const asked = isClosing ? null : headOf(chunk.toString('latin1'))
    if (asked === null) return null
    const snapshot = configuration.current()
    if (!isOpen(asked, snapshot)) return null
    recognize(connection, asked)
    const { client } = connection
    return limiter === null || client === null || limiter.mayAsk(client, Date.now()) ? { asked, snapshot } : null
  }

  const onData = (connection: Connection, chunk: Buffer): void => {
    const admitted = admit(connection, chunk)
    if (admitted === null) {
      handOver(connection, chunk)
      return
    }
    const { asked, snapshot } = admitted
    if (!connection.isServed) {
      connection.isServed = true
      connection.socket.setTimeout(keepAliveMs)
    }
    const state = asked.peek()
    const answer = state === null ? null : answerOf(asked, state, snapshot)
    if (state === null || answer === null) void answerLater(connection, asked, chunk)
    else write(connection, asked, state, answer)
  }

  /** Stops listening to a socket: it is closed, or somebody else's from now on. */
  const release = (connection: Connection) => {
    connections.delete(connection)
    connection.letGo()
  }

  const take = (socket: Socket, handOverTo: () => void): void => {
    const onChunk = (chunk: Buffer) => onData(connection, chunk)
    // The other side has said all it will say; what it asked for is answered, and then the socket goes.
    const onEnd = () => socket.end()
    const onTimeout = () => socket.destroy()
    // Whatever it is, 'close' follows: there is nobody to tell.
    const onError = () => undefined
    const onClose = () => release(connection)
    const connection: Connection = {
      socket,
      handOver: handOverTo,
      onFlushed: () => {
        connection.isBusy = false
        if (isClosing) socket.destroySoon()
        else socket.resume()
      },
      letGo: () => {
        socket.off('data', onChunk).off('end', onEnd).off('timeout', onTimeout).off('error', onError).off('close', onClose)
      },
      address: socket.remoteAddress ?? '',
      client: null,
      userAgent: undefined,
      forwarded: undefined,
      clientKey: '',
      reader: -1,
      isBusy: false,
      isServed: false,
    }
    connections.add(connection)
    socket.on('data', onChunk).on('end', onEnd).on('timeout', onTimeout).on('error', onError).on('close', onClose)
    socket.setTimeout(silenceMs)
  }

  return {
    take,
    close: () => {
      isClosing = true
      // Not `end()`: who never closes its own side would keep us.
      for (const connection of connections) if (!connection.isBusy) connection.socket.destroySoon()
    },
    cut: () => {
      for (const { socket } of connections) socket.destroy()
    },
  }
}
