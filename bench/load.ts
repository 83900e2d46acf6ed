/** Open-loop load and an outside poller: articles are sent when they are due, whatever came of the ones before, and are visible when a reader sees them. */
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Sent = Readonly<{ id: string; dueAt: number; status: number; answeredAt: number }>

const words =
  'bến đò chợ sớm trạm xe buýt vườn ươm lớp đêm quầy sách cầu treo mùa nước nổi người lái đò kể chuyện cũ hội làng đèn lồng giấy'.split(' ')
/** About 4 KiB of Vietnamese text, different for every article. */
export const articleOf = (index: number, feeds: number): string => {
  const sentence = (seed: number) => Array.from({ length: 14 }, (_, at) => words[(seed * 7 + at * 11 + index) % words.length]).join(' ')
  const paragraphs = Array.from({ length: 38 }, (_, at) => `${sentence(at + 1)}.`)
  return JSON.stringify({
    title: `Tin số ${index} ${sentence(index)}`,
    language: 'vi',
    categories: [`c${index % feeds}`],
    body: { text: paragraphs.join('\n\n') },
  })
}

type Answer = { status: number; body: Buffer; headers: Record<string, unknown> }
const NO_ANSWER: Answer = { status: 0, body: Buffer.alloc(0), headers: {} }

/** One request; `status` 0 when it got no answer. */
export const send = (agent: Agent, method: string, url: string, headers: Record<string, string>, body?: string): Promise<Answer> =>
  new Promise(resolve => {
    const outgoing = request(
      url,
      { method, agent, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) } },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk as Buffer))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), headers: response.headers }))
        response.on('error', () => resolve(NO_ANSWER))
      },
    )
    outgoing.on('error', () => resolve(NO_ANSWER))
    outgoing.end(body)
  })

/** Sends `rate` articles a second for `seconds`, over at most `clients` connections. */
export const sendOpenLoop = async (options: {
  ingest: string
  token: string
  rate: number
  seconds: number
  clients: number
  feeds: number
  prefix: string
}): Promise<Sent[]> => {
  const { ingest, token, rate, seconds, clients, feeds, prefix } = options
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const total = Math.round(rate * seconds)
  const began = performance.now()
  const running: Promise<Sent>[] = []
  for (let index = 0; index < total; index++) {
    const dueAt = began + (index / rate) * 1000
    const wait = dueAt - performance.now()
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
    const id = `${prefix}${index}`
    running.push(
      send(
        agent,
        'PUT',
        `${ingest}/v1/articles/${id}`,
        { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        articleOf(index, feeds),
      ).then(({ status }) => ({ id, dueAt, status, answeredAt: performance.now() })),
    )
  }
  const sent = await Promise.all(running)
  agent.destroy()
  return sent
}

const FILES = { rss: 'rss.xml', atom: 'atom.xml', json: 'feed.json' } as const
export type Format = keyof typeof FILES
type Poller = Readonly<{
  seen: Readonly<Record<Format, Map<string, number>>>
  stop(): Promise<void>
  polls(): number
  bytes(): number
}>

const IDENTITY = Buffer.from('tag:bench.example,2026:bench.')
const LONGEST_ID = 20

/** The articles that a file names, by the identities of their items: found in the bytes, because a text of them would cost more than serving them. */
const idsIn = (file: Buffer, prefix: string): Set<string> => {
  const found = new Set<string>()
  for (let at = file.indexOf(IDENTITY); at !== -1; at = file.indexOf(IDENTITY, at)) {
    at += IDENTITY.length
    const id = /^[a-z]\d+/.exec(file.toString('latin1', at, at + LONGEST_ID))?.[0]
    if (id?.startsWith(prefix)) found.add(id)
  }
  return found
}

/** Polls every feed in every format in turn, with its ETag, and notes when an article is first seen. */
export const startPoller = (options: {
  gateway: string
  feeds: readonly string[]
  formats: readonly Format[]
  prefix: string
  everyMs: number
}): Poller => {
  const { gateway, feeds, formats, prefix, everyMs } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const seen = { rss: new Map<string, number>(), atom: new Map<string, number>(), json: new Map<string, number>() }
  const tags = new Map<string, string>()
  let going = true
  let polls = 0
  let bytes = 0
  const poll = async (feed: string, format: Format) => {
    const url = `${gateway}/feeds/${feed}/${FILES[format]}`
    const tag = tags.get(url)
    const answer = await send(agent, 'GET', url, tag === undefined ? {} : { 'if-none-match': tag })
    polls++
    bytes += answer.body.length
    if (answer.status !== 200) return
    tags.set(url, String(answer.headers.etag))
    const at = performance.now()
    for (const id of idsIn(answer.body, prefix)) if (!seen[format].has(id)) seen[format].set(id, at)
  }
  const all = feeds.flatMap(feed => formats.map(format => ({ feed, format })))
  const loop = async () => {
    while (going) {
      const began = performance.now()
      for (const { feed, format } of all) {
        if (!going) return
        await poll(feed, format)
      }
      await new Promise(resolve => setTimeout(resolve, Math.max(0, everyMs - (performance.now() - began))))
    }
  }
  const running = loop()
  return {
    seen,
    polls: () => polls,
    bytes: () => bytes,
    stop: async () => {
      going = false
      await running
      agent.destroy()
    },
  }
}

/** A partner that takes everything and counts. */
export const startPartner = async (): Promise<{ url: string; received: Map<string, number>; stop(): void }> => {
  const received = new Map<string, number>()
  const server = createServer((incoming, response) => {
    incoming.resume()
    incoming.on('end', () => {
      const id = String(incoming.headers['x-newswire-article'] ?? '')
      if (!received.has(id)) received.set(id, performance.now())
      response.writeHead(200).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
