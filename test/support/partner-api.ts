/** A partner's programs at its own addresses (contract §6, §9), with its token. */
import { createHmac } from 'node:crypto'
import type { Received } from './partner.ts'
import { waitFor } from './wait-for.ts'

type Listed = Readonly<{
  sequence: number
  articleId: string
  version: number
  action: string
  state: string
  replayed: boolean
  lastError: string | null
}>
type Answer = Readonly<{ status: number; body: Record<string, unknown> }>

type PartnerApi = Readonly<{
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  /** All that came since a sequence, over as many pages as it takes. */
  since(after: number, limit?: number): Promise<Listed[]>
  /** Waits until what was asked for under this id has come to its end. */
  ended(id: string): Promise<Record<string, unknown>>
}>

export const createPartnerApi = (gateway: string, outlet: string, token: string): PartnerApi => {
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(new URL(`/partners/${outlet}${path}`, gateway), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const get: PartnerApi['get'] = path => ask('GET', path)
  return {
    get,
    post: (path, body = {}) => ask('POST', path, body),
    since: async (after, limit = 100) => {
      const found: Listed[] = []
      for (let from = after; ; ) {
        const { body } = await get(`/deliveries?after=${from}&limit=${limit}`)
        found.push(...(body['deliveries'] as Listed[]))
        if (body['more'] !== true) return found
        from = Number(body['next'])
      }
    },
    ended: id =>
      waitFor(`the end of request ${id}`, async () => {
        const { body } = await get('')
        const requests = body['requests'] as Record<string, unknown>[]
        const found = requests.find(one => one['id'] === id)
        return (found !== undefined && (found['state'] === 'done' || found['state'] === 'failed') && found) || Promise.reject(body)
      }),
  }
}

/** Whether one of a request's signatures was made with a secret, by the text of Standard Webhooks alone. */
export const isSignedWith = (secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>): boolean => {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(signed).digest('base64')
  return String(headers['webhook-signature']).split(' ').includes(`v1,${mac}`)
}
