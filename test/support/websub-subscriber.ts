/**
 * A WebSub subscriber written to the W3C Recommendation (23 January 2018) and nothing else: it shares no code with the hub. It discovers,
 * subscribes, agrees only to what it asked for, checks signatures over the bytes it got, and records everything.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { parseXml } from './feed-reader.ts'

/** What it does with a distribution: `hang` never answers. */
type SubscriberMode = 'ok' | 'hang' | Readonly<{ status: number; retryAfter?: number }>

type Question = Readonly<{ at: number; path: string; query: URLSearchParams; agreed: boolean }>
type Distribution = Readonly<{
  at: number
  path: string
  contentType: string
  headers: IncomingMessage['headers']
  body: Buffer
  /** `null` when it is signed as agreed, or nothing was agreed; else what is wrong. */
  offence: string | null
  answered: number | null
}>

type Links = Readonly<{ hub: string | null; self: string | null }>

export type Asking = Readonly<{
  hub: string
  topic: string
  secret?: string
  leaseSeconds?: number
  /** Sent besides, which a hub ignores (§5.1). */
  more?: Readonly<Record<string, string>>
}>

export type Subscriber = Readonly<{
  /** Capability URL with a parameter of its own (§8: unguessable). */
  callback: string
  questions: readonly Question[]
  distributions: readonly Distribution[]
  /** Reasons of denials, as they came. */
  denials: readonly string[]
  subscribe(asking: Asking): Promise<Readonly<{ status: number; text: string }>>
  unsubscribe(asking: Pick<Asking, 'hub' | 'topic'>): Promise<Readonly<{ status: number; text: string }>>
  /** Whether it agreed to a subscription of the topic and not to its end. */
  isSubscribed(topic: string): boolean
  setMode(mode: SubscriberMode): void
  /** `false`: it answers questions with 404, `'silent'`: not at all. */
  setAgreeing(agreeing: boolean | 'silent'): void
  close(): Promise<void>
}>

/** §4: HTTP `Link` headers first (RFC 8288); of several hubs the first. */
export const discoverByHeader = (link: string | string[] | null): Links => {
  const find = (rel: string) => {
    for (const [, address, parameters = ''] of String(link ?? '').matchAll(/<([^>]*)>([^<]*)/g))
      if (new RegExp(`\\brel="?(?:[^"]* )?${rel}(?: |"|,|;|$)`).test(parameters.trim())) return address ?? null
    return null
  }
  return { hub: find('hub'), self: find('self') }
}

/** §4: then the links of the document itself. */
export const discoverByBody = (contentType: string, text: string): Links => {
  if (contentType.includes('json')) {
    const { hubs = [], feed_url: self = null } = JSON.parse(text) as { hubs?: { type: string; url: string }[]; feed_url?: string | null }
    return { hub: hubs.find(one => one.type === 'WebSub')?.url ?? null, self }
  }
  const root = parseXml(text)
  const channel = root.name === 'rss' ? root.children.find(one => one.name === 'channel') : root
  const links = (channel?.children ?? []).filter(one => one.name === 'link' && one.uri === 'http://www.w3.org/2005/Atom')
  const find = (rel: string) => links.find(one => one.attributes['rel'] === rel)?.attributes['href'] ?? null
  return { hub: find('hub'), self: find('self') }
}

/** §7.1: `method=signature`, any of the four methods; of the bytes as they came. */
const findOffence = (header: string | undefined, secret: string | undefined, body: Buffer): string | null => {
  if (secret === undefined) return header === undefined ? null : 'signed, though no secret was given'
  const [, method = '', signature = ''] = /^(sha1|sha256|sha384|sha512)=([0-9a-fA-F]+)$/.exec(header ?? '') ?? []
  if (method === '') return `X-Hub-Signature is ${JSON.stringify(header)}`
  const expected = createHmac(method, secret).update(body).digest()
  const got = Buffer.from(signature, 'hex')
  return got.length === expected.length && timingSafeEqual(got, expected) ? null : 'the signature is of something else'
}

/** `host`: where it listens; every address of 127.0.0.0/8 is another host to the hub. */
export const startSubscriber = async ({ host = '127.0.0.1', port = 0 } = {}): Promise<Subscriber> => {
  const questions: Question[] = []
  const distributions: Distribution[] = []
  const denials: string[] = []
  /** What it asked for and has no answer to yet, by mode and topic; and what it agreed to. */
  const asked = new Map<string, string | undefined>()
  const subscribed = new Map<string, string | undefined>()
  let mode: SubscriberMode = 'ok'
  let agreeing: boolean | 'silent' = true
  const path = `/callback/${randomBytes(12).toString('hex')}?reader=7&hub.mode=mine`

  const onQuestion = (query: URLSearchParams, response: ServerResponse, url: string) => {
    const kind = query.getAll('hub.mode').at(-1) ?? ''
    const topic = query.get('hub.topic') ?? ''
    if (kind === 'denied') {
      subscribed.delete(topic)
      denials.push(query.get('hub.reason') ?? '')
      questions.push({ at: Date.now(), path: url, query, agreed: true })
      return void response.writeHead(200).end()
    }
    const agreed = agreeing === true && asked.has(`${kind} ${topic}`)
    questions.push({ at: Date.now(), path: url, query, agreed })
    if (agreeing === 'silent') return
    if (!agreed) return void response.writeHead(404).end()
    if (kind === 'subscribe') subscribed.set(topic, asked.get(`${kind} ${topic}`))
    else subscribed.delete(topic)
    response.writeHead(200, { 'content-type': 'text/plain' }).end(query.get('hub.challenge'))
  }

  const onDistribution = (request: IncomingMessage, body: Buffer, response: ServerResponse) => {
    const self = discoverByHeader(request.headers['link'] ?? null).self ?? ''
    const offence = subscribed.has(self)
      ? findOffence(request.headers['x-hub-signature'] as string | undefined, subscribed.get(self), body)
      : `nothing was subscribed to with the topic ${self}`
    const answered = mode === 'hang' ? null : mode === 'ok' ? 204 : mode.status
    const { 'content-type': contentType = '' } = request.headers
    distributions.push({ at: Date.now(), path: request.url ?? '', contentType, headers: request.headers, body, offence, answered })
    if (answered === null) return
    const retryAfter = typeof mode === 'object' && mode.retryAfter !== undefined ? { 'retry-after': String(mode.retryAfter) } : {}
    response.writeHead(answered, retryAfter).end()
  }

  const server = createServer((request, response) => {
    const url = request.url ?? ''
    if (request.method === 'GET') return onQuestion(new URL(url, 'http://x').searchParams, response, url)
    buffer(request).then(
      body => onDistribution(request, body, response),
      () => response.destroy(),
    )
  })
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  const callback = `http://${host}:${(server.address() as AddressInfo).port}${path}`

  const post = async (hub: string, fields: Record<string, string>) => {
    const response = await fetch(hub, { method: 'POST', body: new URLSearchParams(fields), signal: AbortSignal.timeout(60_000) })
    return { status: response.status, text: await response.text() }
  }
  return {
    callback,
    questions,
    distributions,
    denials,
    subscribe: ({ hub, topic, secret, leaseSeconds, more }) => {
      asked.set(`subscribe ${topic}`, secret)
      return post(hub, {
        'hub.callback': callback,
        'hub.mode': 'subscribe',
        'hub.topic': topic,
        ...(secret === undefined ? {} : { 'hub.secret': secret }),
        ...(leaseSeconds === undefined ? {} : { 'hub.lease_seconds': String(leaseSeconds) }),
        ...more,
      })
    },
    unsubscribe: ({ hub, topic }) => {
      asked.set(`unsubscribe ${topic}`, undefined)
      return post(hub, { 'hub.callback': callback, 'hub.mode': 'unsubscribe', 'hub.topic': topic })
    },
    isSubscribed: topic => subscribed.has(topic),
    setMode: next => {
      mode = next
    },
    setAgreeing: next => {
      agreeing = next
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
