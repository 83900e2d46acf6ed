/** The sample partner site: verifies each webhook, keeps the newest version of every article, and shows what it has. What a partner would build. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { escapeMarkup } from '@newswire/events/text'

export type Received = {
  id: string
  version: number
  title: string | null
  html: string
  status: 'live' | 'retracted'
  at: string
  picture: string | null
}
/** Makes what is held durable; answered 200 only after it. */
type Keep = (held: readonly Received[]) => Promise<void>
export type PartnerSite = Readonly<{ url: string; close(): Promise<void> }>

const MAX_BODY_BYTES = 4_000_000
const TOLERANCE_S = 300
const HOST = '127.0.0.1'

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength
    if (bytes > MAX_BODY_BYTES) throw new Error('too large')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, any of the listed signatures. */
const isGenuine = (headers: IncomingMessage['headers'], body: Buffer, secret: string, nowMs: number): boolean => {
  const id = String(headers['webhook-id'] ?? '')
  const timestamp = String(headers['webhook-timestamp'] ?? '')
  if (!/^\d{10}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_S) return false
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  return String(headers['webhook-signature'] ?? '')
    .split(' ')
    .map(one => Buffer.from(one.replace(/^v1,/, ''), 'base64'))
    .some(found => found.byteLength === expected.byteLength && timingSafeEqual(found, expected))
}

type Payload = {
  type: string
  timestamp: string
  data: {
    article: {
      id: string
      version: number
      title?: string
      body?: { html: string }
      images?: { renditions: { url: string; width: number }[] }[]
    }
  }
}

const toReceived = ({ type, timestamp, data: { article } }: Payload): Received => ({
  id: article.id,
  version: article.version,
  title: article.title ?? null,
  html: article.body?.html ?? '',
  status: type === 'article.retracted' ? 'retracted' : 'live',
  at: timestamp,
  picture: article.images?.[0]?.renditions.find(one => one.width <= 640)?.url ?? null,
})

/** The one rule for receivers: what is not above the version held is ignored, but for a retraction of that very version. */
const isNews = (one: Received, held: Received | undefined): boolean =>
  held === undefined || one.version > held.version || (one.version === held.version && one.status === 'retracted' && held.status === 'live')

const page = (articles: readonly Received[]): string => `<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="5"><title>Partner site</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}img{max-width:100%;height:auto;border-radius:6px}article{border-bottom:1px solid #8886;padding:1rem 0}small{opacity:.75}</style></head>
<body><h1>Partner site</h1><p>Everything below came as signed webhooks.</p>
${articles
  .map(
    one =>
      `<article><h2>${escapeMarkup(one.status === 'retracted' ? 'Retracted' : (one.title ?? one.id))}</h2><small>${escapeMarkup(one.id)} · version ${one.version} · ${escapeMarkup(one.at)}</small>${one.picture ? `<p><img alt="" src="${escapeMarkup(one.picture)}"></p>` : ''}${one.status === 'live' ? one.html : ''}</article>`,
  )
  .join('\n')}
${articles.length === 0 ? '<p>Nothing yet.</p>' : ''}</body></html>`

const POLICY = "default-src 'none'; img-src http: https:; style-src 'unsafe-inline'"

const handler = (held: Map<string, Received>, secret: string, keep: Keep) => async (request: IncomingMessage, response: ServerResponse) => {
  const send = (status: number, type: string, body: string) =>
    response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY }).end(body)
  if (request.method === 'POST' && request.url === '/hook') {
    const body = await readBody(request)
    if (!isGenuine(request.headers, body, secret, Date.now())) return send(401, 'text/plain', 'the signature is not right\n')
    const payload = JSON.parse(body.toString('utf8')) as { data?: Partial<Payload['data']> }
    // A test (`newswire.test`) has no article: it has arrived, and that is all.
    if (payload.data?.article === undefined) return send(200, 'text/plain', 'ok\n')
    const received = toReceived(payload as Payload)
    if (isNews(received, held.get(received.id))) {
      held.set(received.id, received)
      await keep([...held.values()])
    }
    return send(200, 'text/plain', 'ok\n')
  }
  const newestFirst = [...held.values()].sort((a, b) => b.at.localeCompare(a.at))
  if (request.method === 'GET' && request.url === '/articles.json') return send(200, 'application/json', JSON.stringify(newestFirst))
  if (request.method === 'GET' && request.url === '/') return send(200, 'text/html', page(newestFirst))
  return send(404, 'text/plain', 'not found\n')
}

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

type PartnerSiteOptions = Readonly<{ port: number; secret: string; remembered: readonly Received[]; keep: Keep }>

/** On this machine alone. Starts on `port`, or on a free one when that is taken. */
export const startPartnerSite = async ({ port, secret, remembered, keep }: PartnerSiteOptions): Promise<PartnerSite> => {
  const held = new Map(remembered.map(one => [one.id, one]))
  const handle = handler(held, secret, keep)
  const server = createServer((request, response) => {
    handle(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(400).end()
    })
  })
  const taken = await listen(server, HOST, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return listen(server, HOST, 0)
    throw error
  })
  return {
    url: `http://${HOST}:${taken}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
