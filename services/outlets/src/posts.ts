/**
 * Signed posts, by a thread of their own while there are many: what decides and remembers deliveries has a processor to itself then, and signatures, bytes and
 * sockets have another. With few of them a thread would be memory and latency for nothing; with very many that wait, memory is what is short.
 */
import type { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { NetworkConfig } from '@newswire/events/config'
import { messageOf } from '@newswire/events/errors'
import type { OutboundFailure, OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import {
  type Answered,
  type FromPoster,
  MOST_IN_MESSAGE,
  monotonicMs,
  type Posted,
  type PosterData,
  type ToPoster,
} from './posts-messages.ts'
import { type Post, toSignedPost } from './signing.ts'

type Needs = Readonly<{
  /** Sends from this thread. */
  request: (request: OutboundRequest) => Promise<OutboundResult>
  /** The rules for addresses; a change is in force with the next post. */
  network: () => NetworkConfig
  /** From the call to the last byte of the answer, ms. */
  timeoutMs: number
  /** Once it is aborted, what is under way is given up: its socket is reset. */
  hurry: AbortSignal
  /** Whether memory is what is short (asked at each look): a thread takes 30 MB. */
  isMuchLeft: () => boolean
  /** The thread ended by itself. Of what it had in hand nobody knows whether it was taken; another one begins when there are many again. */
  onCrash: (reason: string) => void
}>

type Options = Readonly<{
  /** Posts between two looks (default 1,500): with fewer the event loop has time to send as well as to decide. */
  many?: number
  /** Default 1,000 ms. */
  lookEveryMs?: number
  /** The thread ends when there were not many for so long (default 30,000 ms). */
  idleMs?: number
  /** The thread (default: `posts-thread.ts`). */
  file?: URL
}>

export type Posts = Readonly<{
  /** Never throws for what the other side does. The answer's body, and the headers of one that took it, may be missing. */
  post(post: Post): Promise<OutboundResult>
  /** Waits for what is under way; nothing may be posted after it. Twice is once. */
  close(): Promise<void>
}>

/** Each key goes to the thread once: to hand one over costs more than to sign with it. */
const createKeyNumbers = () => {
  const numbers = new WeakMap<KeyObject, number>()
  let last = 0
  let fresh: [number, KeyObject][] = []
  let gone: number[] = []
  const collected = new FinalizationRegistry<number>(number => gone.push(number))
  return {
    of: (key: KeyObject): number => {
      const known = numbers.get(key)
      if (known !== undefined) return known
      last += 1
      numbers.set(key, last)
      collected.register(key, last)
      fresh.push([last, key])
      return last
    },
    /** What the thread has not heard of yet. */
    news: () => {
      const news = { fresh, gone }
      fresh = []
      gone = []
      return news
    },
  }
}

/** One copy of a body for all who get it, which both threads read. */
const createSharedBytes = () => {
  const known = new WeakMap<Uint8Array, Uint8Array>()
  return (body: Uint8Array): Uint8Array => {
    const found = known.get(body)
    if (found !== undefined) return found
    const shared = new Uint8Array(new SharedArrayBuffer(body.byteLength))
    shared.set(body)
    known.set(body, shared)
    return shared
  }
}

const LOST: OutboundFailure = {
  ok: false,
  kind: 'ambiguous',
  code: 'NEWSWIRE_OUTBOUND_NO_ANSWER',
  message: 'the thread that sent it ended',
}
const UNREAD = new Uint8Array()

type Thread = Readonly<{
  /** It has loaded what it needs, so nothing has to wait for it. */
  isReady(): boolean
  post: Posts['post']
  /** Ends once what it has in hand is answered. */
  end(): Promise<void>
}>

type Waiting = Readonly<{ resolve: (result: OutboundResult) => void; reject: (error: Error) => void }>
type Batch = Readonly<{ atMs: number; posts: Posted[]; bodies: Uint8Array[] }>

const startThread = (file: URL, { network, timeoutMs, hurry }: Needs, onExit: (reason: string) => void): Thread => {
  let rules = network()
  const worker = new Worker(file, { workerData: { network: rules, timeoutMs } satisfies PosterData })
  const waiting = new Map<number, Waiting>()
  const keys = createKeyNumbers()
  const shared = createSharedBytes()
  let lastNumber = 0
  let batch: Batch | null = null
  let isReady = false
  let reason = 'it ended'

  const tell = (message: ToPoster) => worker.postMessage(message)
  const flush = () => {
    if (batch === null) return
    const { atMs, posts, bodies } = batch
    batch = null
    const now = network()
    tell({ kind: 'posts', atMs, posts: JSON.stringify(posts), bodies, ...keys.news(), ...(now === rules ? {} : { network: now }) })
    rules = now
  }
  const begin = (): Batch => {
    setImmediate(flush)
    return { atMs: monotonicMs(), posts: [], bodies: [] }
  }
  const giveUp = () => {
    flush()
    tell({ kind: 'hurry' })
  }
  hurry.addEventListener('abort', giveUp, { once: true })

  worker.on('message', (answers: FromPoster) => {
    isReady = true
    for (const [number, result] of JSON.parse(answers) as Answered[]) {
      const one = waiting.get(number)
      waiting.delete(number)
      if (result.ok === 'thrown') one?.reject(new Error(result.message))
      else one?.resolve(result.ok ? { ok: true, response: { ...result, body: UNREAD } } : result)
    }
  })
  worker.on('error', error => {
    reason = messageOf(error)
  })
  const exited = new Promise<void>(resolve => {
    worker.on('exit', () => {
      hurry.removeEventListener('abort', giveUp)
      onExit(reason)
      for (const one of waiting.values()) one.resolve(LOST)
      resolve()
    })
  })

  return {
    isReady: () => isReady,
    post: ({ keys: signing, body, ...rest }) =>
      new Promise((resolve, reject) => {
        lastNumber += 1
        waiting.set(lastNumber, { resolve, reject })
        batch ??= begin()
        const { posts, bodies } = batch
        const both = shared(body)
        const known = bodies.lastIndexOf(both)
        posts.push({ ...rest, number: lastNumber, body: known === -1 ? bodies.push(both) - 1 : known, keys: signing.map(keys.of) })
        if (posts.length >= MOST_IN_MESSAGE) flush()
      }),
    end: () => {
      flush()
      tell({ kind: 'end' })
      return exited
    },
  }
}

export const createPosts = (needs: Needs, options: Options = {}): Posts => {
  const { many = 1_500, lookEveryMs = 1_000, idleMs = 30_000, file = new URL('./posts-thread.ts', import.meta.url) } = options
  let thread: Thread | null = null
  const ending = new Set<Promise<void>>()
  let count = 0
  let fewForMs = 0

  const start = (): Thread => {
    const started = startThread(file, needs, reason => {
      if (thread !== started) return
      thread = null
      needs.onCrash(reason)
    })
    return started
  }
  const end = () => {
    const ended = thread?.end()
    thread = null
    if (ended === undefined) return
    ending.add(ended)
    void ended.then(() => ending.delete(ended))
  }
  const look = () => {
    fewForMs = count >= many && !needs.isMuchLeft() ? 0 : fewForMs + lookEveryMs
    count = 0
    if (fewForMs === 0) thread ??= start()
    else if (fewForMs >= idleMs) end()
  }
  const looking = setInterval(look, lookEveryMs)
  looking.unref()

  return {
    post: async post => {
      count += 1
      return thread?.isReady() && !needs.hurry.aborted ? thread.post(post) : needs.request(toSignedPost(post))
    },
    close: async () => {
      clearInterval(looking)
      end()
      await Promise.all(ending)
    },
  }
}
