/**
 * Streams of events to clients. Nobody has a buffer of his own beyond what a stream holds: each reads from the ring as fast as it takes what it is
 * sent, and whoever falls behind what the ring keeps is cut, to come back with its last id.
 */
import { Readable } from 'node:stream'
import type { EventRing } from './event-ring.ts'
import { type Places, parseEventId, placeOf, toEventId, toEventText } from './live-events.ts'

/** What a stream takes ahead of its client, bytes. */
const AHEAD_BYTES = 64 * 1024
/** Silence that proxies and our own server take for a dead connection is twice as long. */
const HEARTBEAT_MS = 10_000
/** After how long a client comes back, ms. */
const RETRY_MS = 2_000
const MOST_CLIENTS = 64

type EventStreams = Readonly<{
  /** What is to be sent from now on, or since `lastEventId`; `null` when there are as many as there may be. */
  open(lastEventId: string | undefined): Readable | null
  /** There is more in the ring. */
  moved(): void
  clients(): number
  /** Ends them all: they come back to whoever answers then. Nothing is opened any more. */
  stop(): void
}>

type Client = Readonly<{ stream: Readable; pump: () => void; beat: () => void; end: () => void }>

type Options = Readonly<{ ring: EventRing; mostClients?: number; heartbeatMs?: number; aheadBytes?: number }>

const GAP = JSON.stringify({ detail: 'what came in between is kept no longer; read anew what you show' })

/** Where a client goes on: behind what it had when all since is kept, else at the end, told that there is a gap. */
const whereFrom = (ring: EventRing, lastEventId: string | undefined): Readonly<{ places: Places; number: number; isGap: boolean }> => {
  const asked = lastEventId === undefined ? undefined : parseEventId(lastEventId)
  if (asked != null && ring.reaches(asked)) return { places: asked, number: ring.first(), isGap: false }
  return { places: ring.last(), number: ring.next(), isGap: asked !== undefined }
}

const createClient = ({ ring, aheadBytes = AHEAD_BYTES }: Options, lastEventId: string | undefined): Client => {
  const { places, isGap, ...from } = whereFrom(ring, lastEventId)
  let { number } = from
  let wants = false
  const write = (text: string) => {
    wants = stream.push(text)
  }
  const pump = () => {
    // Also of one that takes nothing now: it must not come back to what was never sent.
    while (ring.at(number) !== undefined) {
      const kept = ring.at(number)
      if (kept === null || kept === undefined) return void stream.destroy()
      if (!wants) return
      number += 1
      const { event, data } = kept
      if ((places.get(placeOf(event)) ?? -1) >= event.position) continue
      places.set(placeOf(event), event.position)
      write(toEventText(event.name, data, toEventId(places)))
    }
  }
  const stream = new Readable({
    highWaterMark: aheadBytes,
    read: () => {
      wants = true
      pump()
    },
  })
  write(`retry: ${RETRY_MS}\n\n`)
  // An id from the start, so that who is cut before the first event misses none.
  if (isGap) write(toEventText('gap', GAP, toEventId(places)))
  else write(toEventText('open', '{}', toEventId(places)))
  return {
    stream,
    pump,
    beat: () => {
      if (wants) write(': \n\n')
    },
    end: () => {
      if (wants) stream.push(null)
      else stream.destroy()
    },
  }
}

export const createEventStreams = (options: Options): EventStreams => {
  const { mostClients = MOST_CLIENTS, heartbeatMs = HEARTBEAT_MS } = options
  const clients = new Set<Client>()
  let isStopped = false
  const timer = setInterval(() => {
    for (const client of clients) client.beat()
  }, heartbeatMs).unref()
  return {
    open: lastEventId => {
      if (isStopped || clients.size >= mostClients) return null
      const client = createClient(options, lastEventId)
      clients.add(client)
      client.stream.once('close', () => clients.delete(client))
      return client.stream
    },
    moved: () => {
      if (isStopped) return
      for (const client of clients) client.pump()
    },
    clients: () => clients.size,
    stop: () => {
      isStopped = true
      clearInterval(timer)
      for (const client of clients) client.end()
    },
  }
}
