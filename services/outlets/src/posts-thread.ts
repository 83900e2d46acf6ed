/** The thread that signs and posts. Started by `posts.ts`. */
import type { KeyObject } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { OutboundFailure, OutboundResult } from '@newswire/outbound/outbound'
import { LATE_CODE } from './answers.ts'
import {
  type Answered,
  type FromPoster,
  MOST_IN_MESSAGE,
  monotonicMs,
  type Posted,
  type PosterData,
  type ToPoster,
} from './posts-messages.ts'
import { toSignedPost } from './signing.ts'

/**
 * What lay longer before it was looked at, ms, is not sent: the process stood still meanwhile and may own nothing of it any more. The heartbeat by which it was
 * let go may be fifteen seconds old, and the outlet is nobody else's for forty-five.
 */
const MOST_LATE_MS = 2_000
const LATE: OutboundFailure = { ok: false, kind: 'connect', code: LATE_CODE, message: 'it lay too long to be sent' }
const NO_HEADERS = {}

const port = parentPort
if (port === null) throw new Error('posts-thread.ts is a thread of posts.ts')
const { timeoutMs, network: first } = workerData as PosterData
let network = first
const outbound = createOutbound({ network: () => network })
const hurry = new AbortController()
const keys = new Map<number, KeyObject>()
let answers: Answered[] = []

const tell = () => {
  port.postMessage(JSON.stringify(answers) satisfies FromPoster)
  answers = []
}
const tellRest = () => {
  if (answers.length > 0) tell()
}

const toAnswered = (result: OutboundResult): Answered[1] => {
  if (!result.ok) return result
  const { status } = result.response
  return { ok: true, status, headers: status < 300 ? NO_HEADERS : result.response.headers }
}

const answer = (number: number, result: Answered[1]) => {
  if (answers.length === 0) setImmediate(tellRest)
  answers.push([number, result])
  if (answers.length >= MOST_IN_MESSAGE) tell()
}

const keyOf = (number: number): KeyObject => {
  const key = keys.get(number)
  if (key === undefined) throw new Error(`nobody said which key has the number ${number}`)
  return key
}

/** What one of them cannot be is no end of the others. */
const send = async ({ number, keys: numbers, ...post }: Posted, body: Uint8Array | undefined, leftMs: number): Promise<void> => {
  try {
    if (body === undefined) throw new Error('it came without its body')
    const request = toSignedPost({ ...post, body, keys: numbers.map(keyOf) })
    answer(number, toAnswered(await outbound.request({ ...request, timeoutMs: leftMs, signal: hurry.signal })))
  } catch (error) {
    answer(number, { ok: 'thrown', message: messageOf(error) })
  }
}

const onPosts = ({ posts, bodies, atMs, fresh, gone, network: changed }: Extract<ToPoster, { kind: 'posts' }>) => {
  network = changed ?? network
  for (const [number, key] of fresh) keys.set(number, key)
  const lateMs = monotonicMs() - atMs
  for (const one of JSON.parse(posts) as Posted[])
    if (lateMs > MOST_LATE_MS) answer(one.number, LATE)
    else void send(one, bodies[one.body], timeoutMs - lateMs)
  for (const number of gone) keys.delete(number)
}

const end = async () => {
  await outbound.close()
  tellRest()
  port.close()
}

port.on('message', (message: ToPoster) => {
  if (message.kind === 'posts') onPosts(message)
  else if (message.kind === 'hurry') hurry.abort()
  else void end()
})
tell()
