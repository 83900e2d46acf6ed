/**
 * A partner's webhook receiver on loopback that does what the test says: takes deliveries, is down, hangs, answers errors. It checks
 * signatures by the Standard Webhooks rules with code of its own, records every request in order, and keeps what a careful receiver
 * would hold: versions not above the one it has are ignored.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type AnsweringMode, answerBy, type PartnerMode } from './partner-modes.ts'

export type Received = Readonly<{
  /** ms since 1970. */
  at: number
  id: string
  article: string
  version: number
  action: string
  sequence: number
  headers: IncomingMessage['headers']
  body: string
  /** The body as JSON; `null` when it is none. */
  json: Record<string, unknown> | null
  /** `null` when the signature is right, else what is wrong. */
  signatureOffence: string | null
  /** What was answered, also if the answer was lost on its way; `null` when there was none and it was not taken. */
  answered: number | null
}>

type Held = Readonly<{
  version: number
  action: string
  article: Record<string, unknown>
  retraction: Record<string, unknown> | null
}>

export type Partner = Readonly<{
  url: string
  /** `whsec_…`, as partners get it. */
  secret: string
  /** Every request, oldest first. */
  requests: readonly Received[]
  /** From the next request on; a change away from `hang` lets go of those that hang. */
  setMode(mode: PartnerMode): Promise<void>
  /** Answers this article's requests differently from the mode; `null` ends that. */
  setModeFor(articleId: string, mode: AnsweringMode | null): void
  /** What a careful receiver holds of an article now. */
  held(articleId: string): Held | undefined
  heldIds(): string[]
  /** The versions of an article that were taken (2xx), in the order they came, repeats included. */
  taken(articleId: string): number[]
  /** What no partner may ever see (architecture §7): bad signatures, one id with two bodies, an older version taken after a newer one. */
  findOffences(): string[]
  close(): Promise<void>
}>

const TOLERANCE_S = 300

/** Standard Webhooks 1.0: `v1,<base64 of HMAC-SHA256 of "id.timestamp.body">`, one of several separated by blanks. */
const findSignatureOffence = (secret: string, headers: IncomingMessage['headers'], body: Buffer, nowMs: number): string | null => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return 'a webhook header is missing'
  if (!/^\d{10}$/.test(timestamp)) return `webhook-timestamp is not seconds: ${timestamp}`
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_S) return `webhook-timestamp is more than ${TOLERANCE_S} s away`
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const matches = signatures.split(' ').some(one => {
    const given = one.startsWith('v1,') ? Buffer.from(one.slice(3), 'base64') : Buffer.alloc(0)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  return matches ? null : 'no signature matches'
}

const parseJson = (text: string): Record<string, unknown> | null => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    // Recorded as null; tests look at it.
    return null
  }
}

const listen = async (server: Server, port: number): Promise<number> =>
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

const toReceived = (request: IncomingMessage, body: Buffer, secret: string, answered: number | null): Received => {
  const { headers } = request
  const header = (name: string) => String(headers[name] ?? '')
  const text = body.toString('utf8')
  const at = Date.now()
  return {
    at,
    id: header('webhook-id'),
    article: header('x-newswire-article'),
    version: Number(header('x-newswire-version')),
    action: header('x-newswire-action'),
    sequence: Number(header('x-newswire-sequence')),
    headers,
    body: text,
    json: parseJson(text),
    signatureOffence: findSignatureOffence(secret, headers, body, at),
    answered,
  }
}

const wasTaken = (one: Received): boolean => one.answered !== null && one.answered >= 200 && one.answered < 300

const toHeld = (one: Received): Held => {
  const data = (one.json?.['data'] ?? {}) as { article?: Record<string, unknown>; retraction?: Record<string, unknown> }
  return { version: one.version, action: one.action, article: data.article ?? {}, retraction: data.retraction ?? null }
}

/** The rules of architecture §7 that one receiver can see; each offence as a sentence. */
const findPartnerOffences = (requests: readonly Received[]): string[] => {
  const offences: string[] = []
  const bodies = new Map<string, string>()
  const newest = new Map<string, number>()
  for (const [at, one] of requests.entries()) {
    if (one.signatureOffence !== null) offences.push(`request ${at} (${one.article} v${one.version}): ${one.signatureOffence}`)
    const before = bodies.get(one.id)
    if (before !== undefined && before !== one.body) offences.push(`request ${at}: webhook-id ${one.id} came before with another body`)
    bodies.set(one.id, one.body)
    if (!wasTaken(one)) continue
    const highest = newest.get(one.article) ?? 0
    if (one.version < highest) offences.push(`request ${at}: ${one.article} v${one.version} was delivered after v${highest}`)
    newest.set(one.article, Math.max(highest, one.version))
  }
  return offences
}

/** `port` when the partner must come back where it was; otherwise a free one. */
export const startPartner = async (options: Readonly<{ secret?: string; port?: number }> = {}): Promise<Partner> => {
  const secret = options.secret ?? `whsec_${randomBytes(32).toString('base64')}`
  const requests: Received[] = []
  const exceptions = new Map<string, AnsweringMode>()
  const hanging = new Set<ServerResponse>()
  let mode: PartnerMode = 'ok'
  let came = 0

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request)
    const now = exceptions.get(String(request.headers['x-newswire-article'] ?? '')) ?? mode
    came += 1
    await answerBy(now, {
      response,
      count: came - 1,
      record: answered => requests.push(toReceived(request, body, secret, answered)),
      keep: () => hanging.add(response.once('close', () => hanging.delete(response))),
    })
  }
  const create = () =>
    createServer((request, response) => {
      // A sender that goes away in the middle has delivered nothing, so there is nothing to record.
      answer(request, response).catch(() => response.destroy())
    })
  let server: Server | null = create()
  const port = await listen(server, options.port ?? 0)

  const goDown = async () => {
    const current = server
    server = null
    if (current === null) return
    current.closeAllConnections()
    await new Promise(resolve => current.close(resolve))
  }
  const letGo = () => {
    for (const response of hanging) response.destroy()
  }
  const held = (articleId: string): Held | undefined =>
    requests
      .filter(one => one.article === articleId && wasTaken(one))
      .reduce<Held | undefined>((best, one) => (best && best.version >= one.version ? best : toHeld(one)), undefined)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    secret,
    requests,
    setMode: async next => {
      mode = next
      if (next !== 'hang') letGo()
      if (next === 'down') return await goDown()
      if (server !== null) return
      server = create()
      await listen(server, port)
    },
    setModeFor: (articleId, next) => {
      if (next === null) exceptions.delete(articleId)
      else exceptions.set(articleId, next)
      if (next !== 'hang') letGo()
    },
    held,
    heldIds: () => [...new Set(requests.filter(wasTaken).map(one => one.article))].sort(),
    taken: articleId => requests.filter(one => one.article === articleId && wasTaken(one)).map(one => one.version),
    findOffences: () => findPartnerOffences(requests),
    close: goDown,
  }
}
