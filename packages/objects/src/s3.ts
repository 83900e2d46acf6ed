/** The object store in an S3 bucket. The only importer of the AWS SDK, and that when the first store is made: a run on the disk never loads it. */
import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PutObjectCommandInput, S3ClientConfig } from '@aws-sdk/client-s3'
import { contentTypeOf } from './content-type.ts'
import { checkKey } from './keys.ts'
import type { ListedObject, Objects, PutOptions, PutResult, StoredObject } from './objects.ts'
import { createWire, type Endpoint, type Send } from './s3-wire.ts'
import { settle } from './settle.ts'
import { unavailable } from './unavailable.ts'

type S3Options = Readonly<{
  bucket: string
  /** Default: AWS's own. With one, addresses are path-style. */
  endpoint?: string
  /** Default `us-east-1`. */
  region?: string
  /** Put before every key, ended with a slash where it is not. Default none. */
  prefix?: string
  /** Default: the provider chain of the SDK (environment, profile, role). */
  credentials?: Readonly<{ accessKeyId: string; secretAccessKey: string }>
}>

/** S3 lists at most this many keys per request. */
const MAX_PAGE = 1000
/** Tries of a put that meets another one in flight (409): about 3 s in all. */
const MAX_CONFLICTS = 10

/** The SDK has no time limit of its own, and without `throwOnRequestTimeout` only warns and hangs on. Milliseconds. */
const clientConfig = ({ endpoint, region = 'us-east-1', credentials }: S3Options): S3ClientConfig => ({
  region,
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(credentials === undefined ? {} : { credentials }),
  forcePathStyle: endpoint !== undefined,
  maxAttempts: 4,
  retryMode: 'standard',
  requestChecksumCalculation: 'WHEN_SUPPORTED',
  responseChecksumValidation: 'WHEN_SUPPORTED',
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 15_000,
    throwOnRequestTimeout: true,
    socketTimeout: 15_000,
    httpAgent: { maxSockets: 64, keepAlive: true },
    httpsAgent: { maxSockets: 64, keepAlive: true },
  },
})

const statusOf = (error: unknown) => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
/** A missing bucket answers 404 too, and is no missing object. */
const isMissing = (error: unknown) => statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket'

/** Opens a bucket; sends nothing yet. `probeObjects` tells whether the bucket is there and keeps its promises. */
export const createS3Objects = async (options: S3Options): Promise<Objects> => {
  const { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } = await import(
    '@aws-sdk/client-s3'
  )
  const client = new S3Client(clientConfig(options))
  const Bucket = options.bucket
  const prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix.replace(/\/+$/, '')}/`

  const { config } = client
  const lent = {
    send: config.requestHandler.handle.bind(config.requestHandler) as unknown as Send,
    credentials: config.credentials,
    clockOffsetMs: () => config.systemClockOffset,
  }
  const wire = createWire(lent, prefix)
  client.middlewareStack.add(
    (next, context) => args => {
      wire.learn((context as { endpointV2?: Endpoint }).endpointV2)
      return next(args)
    },
    { step: 'finalizeRequest', name: 'newswireLearnsRoute' },
  )

  const get: Objects['get'] = async (key, { signal } = {}) => {
    checkKey(key)
    const quick = await wire.get(key, signal)
    if (quick !== null) return quick === 'missing' ? null : quick
    try {
      const found = await client.send(
        new GetObjectCommand({ Bucket, Key: prefix + key }),
        signal === undefined ? {} : { abortSignal: signal },
      )
      const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array()
      return { bytes, ...describe(found), contentType: found.ContentType ?? 'application/octet-stream' }
    } catch (error) {
      signal?.throwIfAborted()
      if (isMissing(error)) return null
      throw unavailable(`the reading of ${key}`, error)
    }
  }

  /**
   * A conditional put that was not plainly accepted: looks what is there now. Our own bytes mean that an earlier attempt came through and
   * only its answer was lost. `null`: nothing there forbids the put.
   */
  const look = async (key: string, bytes: Uint8Array, wanted: PutOptions): Promise<PutResult | null> => {
    const there = await get(key)
    if (there !== null && sameBytes(there, bytes)) return { ok: true, etag: there.etag }
    if (there === null) return wanted.ifMatch === undefined ? null : { ok: false, reason: 'stale' }
    const verdict = settle({ wanted, etag: '', found: there.etag })
    return verdict === 'exists' || verdict === 'stale' ? { ok: false, reason: verdict } : null
  }

  const put: Objects['put'] = async (key, bytes, wanted = {}) => {
    checkKey(key)
    const conditional = wanted.ifMatch !== undefined || wanted.ifNoneMatch !== undefined
    const quick = await wire.put(key, bytes, { headers: toHeaders(key, wanted), sha256: wanted.sha256 })
    if (quick !== null && quick !== 'failed') return { ok: true, etag: quick.etag }
    const lost = quick === 'failed' ? await look(key, bytes, wanted) : null
    if (lost !== null) return lost
    const command = new PutObjectCommand({ Bucket, Key: prefix + key, ...toInput(key, bytes, wanted) })
    for (let conflicts = 0; ; ) {
      try {
        const { ETag = '' } = await client.send(command)
        return { ok: true, etag: ETag }
      } catch (error) {
        if (isMissing(error) && wanted.ifMatch !== undefined) return { ok: false, reason: 'stale' }
        const status = statusOf(error)
        // 409 and 412 are answers. Anything else may be one too: a server that refuses a large body early may just cut the connection.
        const result = conditional && status !== 409 ? await look(key, bytes, wanted) : null
        if (result !== null) return result
        conflicts += 1
        if ((status !== 409 && status !== 412) || conflicts >= MAX_CONFLICTS) throw unavailable(`the writing of ${key}`, error)
        await sleep(Math.random() * Math.min(10 * 2 ** conflicts, 500))
      }
    }
  }

  const page = async (start: string, limit: number, startAfter: string | undefined, token: string | undefined) => {
    try {
      return await client.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: prefix + start,
          MaxKeys: Math.min(limit, MAX_PAGE),
          ...(startAfter === undefined || startAfter === '' ? {} : { StartAfter: prefix + startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      )
    } catch (error) {
      throw unavailable(`the listing of ${start}`, error)
    }
  }

  return {
    kind: 's3',
    get,
    put,
    head: async key => {
      checkKey(key)
      try {
        const found = await client.send(new HeadObjectCommand({ Bucket, Key: prefix + key }))
        return { size: found.ContentLength ?? 0, ...describe(found), contentType: found.ContentType ?? 'application/octet-stream' }
      } catch (error) {
        if (isMissing(error)) return null
        throw unavailable(`the look at ${key}`, error)
      }
    },
    delete: async key => {
      checkKey(key)
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: prefix + key }))
      } catch (error) {
        if (!isMissing(error)) throw unavailable(`the deletion of ${key}`, error)
      }
    },
    list: async (start, { startAfter, limit = MAX_PAGE } = {}) => {
      const found: ListedObject[] = []
      let token: string | undefined
      while (found.length < limit) {
        const { Contents = [], NextContinuationToken } = await page(start, limit - found.length, startAfter, token)
        for (const { Key = '', Size = 0, ...rest } of Contents) found.push({ key: Key.slice(prefix.length), size: Size, ...describe(rest) })
        token = NextContinuationToken // a page may be empty and yet not the last
        if (token === undefined) break
      }
      return found
    },
    close: async () => client.destroy(),
  }
}

const describe = ({ ETag = '', LastModified = new Date(0) }: { ETag?: string | undefined; LastModified?: Date | undefined }) => ({
  etag: ETag,
  lastModified: LastModified,
})

const toHeaders = (key: string, wanted: PutOptions): Record<string, string> => ({
  'content-type': wanted.contentType ?? contentTypeOf(key),
  ...(wanted.cacheControl === undefined ? {} : { 'cache-control': wanted.cacheControl }),
  ...(wanted.ifNoneMatch === undefined ? {} : { 'if-none-match': wanted.ifNoneMatch }),
  ...(wanted.ifMatch === undefined ? {} : { 'if-match': wanted.ifMatch }),
})

/** Our own SHA-256 besides the SDK's checksums: the server refuses what the network changed. */
const toInput = (key: string, bytes: Uint8Array, wanted: PutOptions): Omit<PutObjectCommandInput, 'Bucket' | 'Key'> => ({
  Body: bytes,
  ContentType: wanted.contentType ?? contentTypeOf(key),
  ChecksumSHA256: hash('sha256', bytes, 'base64'),
  ...(wanted.cacheControl === undefined ? {} : { CacheControl: wanted.cacheControl }),
  ...(wanted.ifNoneMatch === undefined ? {} : { IfNoneMatch: wanted.ifNoneMatch }),
  ...(wanted.ifMatch === undefined ? {} : { IfMatch: wanted.ifMatch }),
})

const sameBytes = (there: StoredObject, bytes: Uint8Array) => Buffer.compare(there.bytes, bytes) === 0
