/**
 * Signed requests to a bucket of somebody else's, for whoever sends them through the guarded client: one request, one answer, no retries and no
 * chain of credentials. Our own store is `s3.ts`. Pure.
 */
import { hash } from 'node:crypto'
import { type Credentials, createSigner, encodeKey } from './s3-signature.ts'

type ForeignBucket = Readonly<{
  /** Default: AWS's own of the region. With one, addresses are path-style. */
  endpoint?: string | undefined
  region: string
  bucket: string
}>

type BucketRequest = Readonly<{
  method: 'GET' | 'HEAD' | 'PUT'
  key: string
  /** Lower-case names, visible ASCII. */
  headers?: Readonly<Record<string, string>>
  body?: Uint8Array
}>

type SignedRequest = Readonly<{
  method: BucketRequest['method']
  url: string
  headers: Readonly<Record<string, string>>
  body?: Uint8Array
}>

/** Where the bucket is, without a slash at the end. A name with dots fits no wildcard certificate, so it goes into the path. */
const bucketUrl = ({ endpoint, region, bucket }: ForeignBucket): string => {
  const path = encodeURIComponent(bucket)
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${path}`
  return bucket.includes('.') ? `https://s3.${region}.amazonaws.com/${path}` : `https://${path}.s3.${region}.amazonaws.com`
}

/** Keeps signing keys, which are good for a day each. The server checks the body against its signed SHA-256. */
export const createBucketSigner = () => {
  const sign = createSigner()
  return (bucket: ForeignBucket, request: BucketRequest, credentials: Credentials, nowMs: number): SignedRequest => {
    const { method, key, headers = {}, body } = request
    const url = new URL(`${bucketUrl(bucket)}/${encodeKey(key)}`)
    const { host: _, ...signed } = sign({
      method,
      host: url.host,
      path: url.pathname,
      headers,
      payloadSha256: hash('sha256', body ?? ''),
      region: bucket.region,
      nowMs,
      credentials,
    })
    return { method, url: url.href, headers: signed, ...(body === undefined ? {} : { body }) }
  }
}
