/**
 * The connections of one log, so that they send at once and really end. kafkajs closes its half of one and waits for the other half, and a connection on which a
 * request waits it does not close at all: behind something that accepts and never answers each try to connect would leave some open for ever.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { ISocketFactory } from 'kafkajs'

type KafkaSockets = Readonly<{
  factory: ISocketFactory
  /** Ends what is open and makes no more: who still tries is told that the log is closed. Twice is once. */
  end(): void
}>

/** For the other side to close its half, ms. */
const CLOSES_WITHIN_MS = 5_000

const plain = (): ISocketFactory => {
  const make = createRequire(import.meta.url)('kafkajs/src/network/socketFactory') as () => ISocketFactory
  return make()
}

/** `make`: how a connection is made (default plain TCP or TLS, as kafkajs does it). */
export const createKafkaSockets = (make: ISocketFactory = plain()): KafkaSockets => {
  const open = new Set<Socket>()
  let isEnded = false
  return {
    factory: asked => {
      if (isEnded) throw new Error('the log is closed')
      const socket = make(asked)
      // kafkajs leaves Nagle's algorithm on: the last piece of a request that is longer than one packet, and a commit behind a fetch that waits at the broker,
      // would wait for an acknowledgement that the other side may hold back for 40 ms.
      socket.setNoDelay(true)
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSES_WITHIN_MS).unref())
      return socket
    },
    end: () => {
      isEnded = true
      for (const socket of open) socket.destroy(new Error('the log is closed'))
    },
  }
}
