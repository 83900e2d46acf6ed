/**
 * The short way for the two requests that articles are made of: a small put and a get, sent as the SDK was last seen to send one (endpoint, region,
 * credentials, connections, clock), without the fifteen steps that it takes for each. Only plain answers count here. Whatever else happens gives
 * `null`, and the caller asks again through the SDK, which knows retries, redirects, clocks that are wrong and every other trouble: so this is one try
 * more, never one less.
 */
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'
import type { StoredObject } from './objects.ts'
import { type Credentials, createSigner, encodeKey } from './s3-signature.ts'

type Wire = Readonly<{
  /** Where the SDK sends a request just now; until it has been told once every answer is `null`. */
  learn(endpoint: Endpoint | undefined): void
  /** `missing`: there is a bucket and no such object. `null`: ask the SDK. Throws only when the signal aborts. */
  get(key: string, signal?: AbortSignal): Promise<StoredObject | 'missing' | null>
  /** `failed`: the condition of the put does not hold, or a repeat met its own first try. `null`: the outcome is unknown; ask the SDK. */
  put(
    key: string,
    bytes: Uint8Array,
    options: Readonly<{ headers: Readonly<Record<string, string>>; sha256?: string | undefined }>,
  ): Promise<Readonly<{ etag: string }> | 'failed' | null>
}>

/** Larger ones go by the SDK, which first asks whether the server wants them (100-continue). */
const MAX_BYTES = 1_048_576
const EMPTY_SHA256 = hash('sha256', '')
/**
 * The sums that are checked here. Written along is the CRC: the signed SHA-256 holds off what comes in wrong, so the sum only has to tell what is wrong
 * when it is read, and the store takes a fifth of the time for it.
 */
const SUMS: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  'x-amz-checksum-crc32': bytes => toCrc32(bytes),
  'x-amz-checksum-sha256': bytes => hash('sha256', bytes, 'base64'),
}

/** As S3 writes it: four bytes, the highest first, in base64. */
const toCrc32 = (bytes: Uint8Array): string => {
  const sum = Buffer.allocUnsafe(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum.toString('base64')
}

/** How the SDK reaches the bucket. */
type Route = Readonly<{ url: URL; region: string }>

/** What is used of the SDK's endpoint, which it does not export as a type. */
export type Endpoint = Readonly<{
  url: URL
  headers?: Readonly<Record<string, unknown>> | undefined
  properties?:
    | Readonly<{ authSchemes?: ReadonlyArray<Readonly<{ name: string; signingRegion?: string; signingName?: string }>> }>
    | undefined
}>

/** `null` for a bucket that wants more than a plain signature (S3 Express, several regions), or another service's. */
const toRoute = ({ url, headers, properties }: Endpoint): Route | null => {
  const [scheme] = properties?.authSchemes ?? []
  const plain = scheme?.name === 'sigv4' && (scheme.signingName ?? 's3') === 's3' && scheme.signingRegion !== undefined
  return plain && Object.keys(headers ?? {}).length === 0 ? { url, region: scheme.signingRegion ?? '' } : null
}

const readBody = (body: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    body.on('data', chunk => chunks.push(chunk as Buffer))
    body.on('end', () =>
      body.complete ? resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)) : reject(new Error('cut off')),
    )
    body.on('error', reject)
    body.on('close', () => reject(new Error('cut off')))
  })

/** Sums of other kinds are checked by the SDK. */
const isIntact = (headers: Readonly<Record<string, string>>, bytes: Uint8Array): boolean => {
  const sums = Object.keys(headers).filter(name => name.startsWith('x-amz-checksum-') && name !== 'x-amz-checksum-type')
  return sums.every(name => SUMS[name]?.(bytes) === headers[name])
}

/** What is used of the SDK's connection handler and its answers. */
type Answer = Readonly<{ response: Readonly<{ statusCode: number; headers: Record<string, string>; body: IncomingMessage }> }>
export type Send = (request: object, options: { abortSignal?: AbortSignal }) => Promise<Answer>

/** What the SDK lends: its connections, its credentials, and how far its clock is from the store's, ms. */
type Lent = Readonly<{ send: Send; credentials: () => Promise<Credentials>; clockOffsetMs: () => number }>

export const createWire = ({ send, credentials, clockOffsetMs }: Lent, keyPrefix: string): Wire => {
  const sign = createSigner()
  let route: Route | null = null

  const request = async (
    { url, region }: Route,
    key: string,
    sent: Readonly<{ method: 'GET' | 'PUT'; headers: Readonly<Record<string, string>>; payloadSha256: string; body?: Uint8Array }>,
    signal?: AbortSignal,
  ) => {
    const path = `${url.pathname.replace(/\/$/, '')}/${encodeKey(keyPrefix + key)}`
    const { method, payloadSha256, body } = sent
    const nowMs = Date.now() + clockOffsetMs()
    const headers = sign({
      method,
      host: url.host,
      path,
      headers: sent.headers,
      payloadSha256,
      region,
      nowMs,
      credentials: await credentials(),
    })
    const { protocol, hostname, port } = url
    const whole = { protocol, hostname, ...(port === '' ? {} : { port: Number(port) }), method, path, query: {}, headers, body }
    const { response } = await send(whole, signal === undefined ? {} : { abortSignal: signal })
    return { status: response.statusCode, headers: response.headers, bytes: await readBody(response.body) }
  }

  return {
    learn: endpoint => {
      route = endpoint === undefined ? null : toRoute(endpoint)
    },
    get: async (key, signal) => {
      if (route === null) return null
      try {
        const sent = { method: 'GET' as const, headers: { 'x-amz-checksum-mode': 'ENABLED' }, payloadSha256: EMPTY_SHA256 }
        const { status, headers, bytes } = await request(route, key, sent, signal)
        if (status === 404 && bytes.includes('<Code>NoSuchKey</Code>')) return 'missing'
        if (status !== 200 || headers.etag === undefined || !isIntact(headers, bytes)) return null
        return {
          bytes,
          etag: headers.etag,
          lastModified: new Date(headers['last-modified'] ?? 0),
          contentType: headers['content-type'] ?? 'application/octet-stream',
        }
      } catch {
        signal?.throwIfAborted()
        return null // the SDK meets the same trouble, and says what it is
      }
    },
    put: async (key, bytes, { headers, sha256 }) => {
      if (route === null || bytes.byteLength > MAX_BYTES) return null
      try {
        const all = { ...headers, 'content-length': String(bytes.byteLength), 'x-amz-checksum-crc32': toCrc32(bytes) }
        const sent = { method: 'PUT' as const, headers: all, payloadSha256: sha256 ?? hash('sha256', bytes), body: bytes }
        const answer = await request(route, key, sent)
        if (answer.status === 412) return 'failed'
        return answer.status === 200 && answer.headers.etag !== undefined ? { etag: answer.headers.etag } : null
      } catch {
        return null // as above; whether it was written is for the SDK's try to find out
      }
    },
  }
}
