/**
 * AWS Signature Version 4 of one S3 request whose body is at hand: pure. The SDK signs every request just so, at ten times the cost; what it does
 * for streams, queries and sessions is left to it.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'

export type Credentials = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined }>

export type ToSign = Readonly<{
  method: 'GET' | 'HEAD' | 'PUT'
  host: string
  /** Encoded as it is sent (`encodeKey`). */
  path: string
  /** Lower-case names; all are signed. */
  headers: Readonly<Record<string, string>>
  payloadSha256: string
  region: string
  nowMs: number
  credentials: Credentials
}>

/** Each segment as RFC 3986 has it: S3 signs a path as it is sent, encoded once. */
export const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** A key is good for a day, a region and a secret: made once, and kept as an object, which is seven times quicker to sign with than bytes are. Bounded, as credentials of a role change by the hour. */
const createSigningKeys = () => {
  const keys = new Map<string, KeyObject>()
  return (secret: string, scope: string): KeyObject => {
    const name = `${scope}\n${secret}`
    const known = keys.get(name)
    if (known) return known
    const key = createSecretKey(scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`) as Buffer)
    if (keys.size >= 8) keys.clear()
    keys.set(name, key)
    return key
  }
}

/** Gives the headers to send with the request, `authorization` and what it needs among them. */
export const createSigner = () => {
  const keyOf = createSigningKeys()
  return ({ method, host, path, headers, payloadSha256, region, nowMs, credentials }: ToSign): Record<string, string> => {
    const at = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const scope = `${at.slice(0, 8)}/${region}/s3/aws4_request`
    const signed: Record<string, string> = { ...headers, host, 'x-amz-content-sha256': payloadSha256, 'x-amz-date': at }
    if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken
    const names = Object.keys(signed).sort()
    const lines = names.map(name => `${name}:${signed[name]?.trim().replaceAll(/ +/g, ' ')}\n`).join('')
    const list = names.join(';')
    const request = hash('sha256', `${method}\n${path}\n\n${lines}\n${list}\n${payloadSha256}`)
    const signature = createHmac('sha256', keyOf(credentials.secretAccessKey, scope))
      .update(`AWS4-HMAC-SHA256\n${at}\n${scope}\n${request}`)
      .digest('hex')
    signed.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`
    return signed
  }
}
