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
import { readLean } from './lean-socket.ts'
import { addressOf, COST_UNCHANGED, type Limits, policyHeader } from './limits.ts'
import { NOBODY, type Readers } from './readers.ts'

type FastPathNeeds = Readonly<{
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
  /** Of the last request. */
  sender: Sender | null
  isBusy: boolean
  /** When it came or was last answered, ms since 1970, and how long it may be silent after that. */
  quietSince: number
  patienceMs: number
}

const SILENCE_MS = 30_000
const KEEP_ALIVE_MS = 65_000
/** How often it is looked who has been silent for too long: a timer for each connection would be set anew with every chunk and every answer. */
const LOOK_MS = 1_000
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

  const forwardedIn = ({ plain }: Asked) => (limits.proxies === 0 ? undefined : plain.headers['x-forwarded-for'])

  /** Who sends this head from this peer: asked for in the order of what it costs, as hashing a name takes as long as all else that is done for an answer. */
  const identify = ({ address, sender }: Connection, asked: Asked): Sender => {
    if (asked.sender?.peer === address) return asked.sender
    const { 'user-agent': userAgent } = asked.plain.headers
    const forwarded = forwardedIn(asked)
    // Most connections are one reader, whatever it asks for.
    if (sender !== null && sender.userAgent === userAgent && sender.forwarded === forwarded) return sender
    const from = addressOf(address, forwarded, limits.proxies)
    const reader = readers.identify(from, userAgent ?? '')
    return { peer: address, userAgent, forwarded, reader, clientKey: toClientKey(from) }
  }

  const recognize = (connection: Connection, asked: Asked): void => {
    const sender = identify(connection, asked)
    asked.sender = sender
    if (sender !== connection.sender) {
      if (sender.clientKey !== connection.sender?.clientKey) connection.client = null
      connection.sender = sender
    }
    if (limiter !== null && (connection.client === null || limiter.isForgotten(connection.client)))
      connection.client = limiter.client(sender.clientKey)
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

  /** Not read until it is idle again. Node's own timer sees whether what waits to be sent moves. */
  const becomeBusy = (connection: Connection) => {
    connection.isBusy = true
    connection.socket.pause()
    connection.socket.setTimeout(keepAliveMs)
  }
  const becomeIdle = (connection: Connection) => {
    connection.isBusy = false
    connection.quietSince = Date.now()
    connection.socket.setTimeout(0)
  }

  const write = (connection: Connection, asked: Asked, state: FeedState, { frame, outcome, absence }: Answer, now: number): void => {
    const { socket, client } = connection
    connection.quietSince = now
    connection.patienceMs = keepAliveMs
    let standing = NO_LIMITS
    if (limiter !== null && client !== null) {
      limiter.charge(client, now, outcome === 'unchanged' ? COST_UNCHANGED : 1)
      standing = { remaining: limiter.remaining(client, now), resetSeconds: limiter.resetSeconds(client, now) }
    }
    asked.tally ??= readers.tally(state.feedId, state.output)
    asked.tally({ outcome, bytes: frame.bodyBytes, reader: connection.sender?.reader ?? NOBODY, now })
    if (absence) readers.absent(state.feedId, absenceOf(asked.plain.headers, state, feeds, now) ?? 0, now)
    const isFlushed = frame.write(socket, now, standing, connection.onFlushed)
    // The next request is not read before this answer has left: a reader that does not read keeps one answer waiting, not many.
    if (!isFlushed) becomeBusy(connection)
  }

  /** The bytes have to be read or compressed first: this connection waits, unread, and is answered here or there. */
  const answerLater = async (connection: Connection, asked: Asked, chunk: Buffer): Promise<void> => {
    becomeBusy(connection)
    try {
      const state = await feeds.get(asked.plain.feedId, asked.plain.output)
      if (state !== null) await state.variant(pickCoding(state, asked.plain.headers['accept-encoding']))
      // The feed may have been made private, or retired, while we waited.
      const snapshot = configuration.current()
      const answer = state === null || !isOpen(asked, snapshot) ? null : answerOf(asked, state, snapshot)
      becomeIdle(connection)
      if (!connections.has(connection)) return
      if (state === null || answer === null || isClosing) return handOver(connection, chunk)
      write(connection, asked, state, answer, Date.now())
      if (!connection.isBusy) connection.socket.resume()
    } catch {
      // The other way says what is wrong, and to whom.
      becomeIdle(connection)
      if (connections.has(connection)) handOver(connection, chunk)
    }
  }

  /** What may be answered here, or `null`. */
  const admit = (connection: Connection, head: string, now: number): { asked: Asked; snapshot: ConfigSnapshot } | null => {
    const asked = isClosing ? null : headOf(head)
    if (asked === null) return null
    const snapshot = configuration.current()
    if (!isOpen(asked, snapshot)) return null
    recognize(connection, asked)
    const { client } = connection
    return limiter === null || client === null || limiter.mayAsk(client, now) ? { asked, snapshot } : null
  }

  const onBytes = (connection: Connection, bytes: Buffer, length: number): void => {
    const now = Date.now()
    const admitted = admit(connection, bytes.toString('latin1', 0, length), now)
    if (admitted === null) {
      handOver(connection, Buffer.from(bytes.subarray(0, length)))
      return
    }
    const { asked, snapshot } = admitted
    const state = asked.peek()
    const answer = state === null ? null : answerOf(asked, state, snapshot)
    if (state === null || answer === null) void answerLater(connection, asked, Buffer.from(bytes.subarray(0, length)))
    else write(connection, asked, state, answer, now)
  }

  /** Stops listening to a socket: it is closed, or somebody else's from now on. */
  const release = (connection: Connection) => {
    connections.delete(connection)
    connection.letGo()
  }

  const take = (from: Socket, handOverTo: (socket: Socket) => void): void => {
    const { socket, stop } = readLean(from, (bytes, length) => onBytes(connection, bytes, length))
    // The other side has said all it will say; what it asked for is answered, and then the socket goes.
    const onEnd = () => socket.end()
    const onTimeout = () => socket.destroy()
    // Whatever it is, 'close' follows: there is nobody to tell.
    const onError = () => undefined
    const onClose = () => release(connection)
    const connection: Connection = {
      socket,
      handOver: () => handOverTo(socket),
      onFlushed: () => {
        becomeIdle(connection)
        if (isClosing) socket.destroySoon()
        else socket.resume()
      },
      letGo: () => {
        stop()
        socket.off('end', onEnd).off('timeout', onTimeout).off('error', onError).off('close', onClose)
      },
      address: socket.remoteAddress ?? '',
      client: null,
      sender: null,
      isBusy: false,
      quietSince: Date.now(),
      patienceMs: silenceMs,
    }
    connections.add(connection)
    socket.on('end', onEnd).on('timeout', onTimeout).on('error', onError).on('close', onClose)
  }

  const look = () => {
    const now = Date.now()
    for (const { isBusy, quietSince, patienceMs, socket } of connections) if (!isBusy && now - quietSince > patienceMs) socket.destroy()
  }
  const looking = setInterval(look, Math.min(LOOK_MS, silenceMs, keepAliveMs)).unref()

  return {
    take,
    close: () => {
      isClosing = true
      clearInterval(looking)
      // Not `end()`: who never closes its own side would keep us.
      for (const connection of connections) if (!connection.isBusy) connection.socket.destroySoon()
    },
    cut: () => {
      for (const { socket } of connections) socket.destroy()
    },
  }
}
