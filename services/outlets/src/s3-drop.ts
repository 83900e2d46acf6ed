/** Drops into a bucket of the partner's: `If-None-Match` and `If-Match` are what keeps an older writer from winning. */
import type { DeliverBy } from '@newswire/events/deliver'
import { createBucketSigner } from '@newswire/objects/s3-request'
import type { OutboundResult } from '@newswire/outbound/outbound'
import { classify, failed, MAX_ANSWER_BYTES, retryAfterMs } from './answers.ts'
import type { Delivery, DeliveryNeeds } from './delivery.ts'
import { DropFault, type DropFile, type DropStore, putDrop, putTest } from './drop.ts'
import { toDrop } from './drop-parcel.ts'
import type { Outcome } from './machine.ts'

type Credentials = Readonly<{ accessKeyId: string; secretAccessKey: string }>
type Answer = Extract<OutboundResult, { ok: true }>['response']

/** Wrong keys, rights, region, bucket, or a store that knows no conditions: somebody must look at the configuration. */
const ALARMS = new Set([301, 307, 400, 401, 403, 404, 405, 501])

/** Of S3's error codes those that help; whatever else a store says is not told on. */
const CODES: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AuthorizationHeaderMalformed',
  'EntityTooLarge',
  'InternalError',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'NoSuchBucket',
  'NoSuchKey',
  'NotImplemented',
  'PermanentRedirect',
  'QuotaExceeded',
  'RequestTimeTooSkewed',
  'ServiceUnavailable',
  'SignatureDoesNotMatch',
  'SlowDown',
])

const codeOf = ({ body }: Answer): string => {
  const code = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(Buffer.from(body).toString('utf8'))?.[1] ?? ''
  return CODES.has(code) ? code : ''
}
const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300
/** A missing bucket answers 404 too, and is no missing object. */
const isMissing = (answer: Answer): boolean => answer.status === 404 && codeOf(answer) !== 'NoSuchBucket'
/** 409: another conditional write of the same key was under way. */
const isLost = ({ status }: Answer): boolean => status === 412 || status === 409

const toFault = (answer: Answer, nowMs: number): DropFault => {
  const { status, headers } = answer
  const code = codeOf(answer)
  const reason = `its store answered ${status}${code === '' ? '' : ` (${code})`}`
  if (status === 413 || code === 'EntityTooLarge') return new DropFault({ kind: 'refused', reason })
  return new DropFault(
    failed(reason, {
      alarm: ALARMS.has(status),
      ambiguous: status === 502 || status === 504,
      retryAfterMs: retryAfterMs(headers['retry-after'], nowMs),
    }),
  )
}

type BucketNeeds = Pick<DeliveryNeeds, 'request' | 'now'> &
  Readonly<{ credentials: Credentials; sign: ReturnType<typeof createBucketSigner> }>

const openBucket = (deliver: DeliverBy<'s3'>, { request, now, credentials, sign }: BucketNeeds): DropStore => {
  const ask = async (asked: Parameters<typeof sign>[1], maxBytes = MAX_ANSWER_BYTES): Promise<Answer> => {
    const result = await request({ ...sign(deliver, asked, credentials, now()), maxBytes, overflow: 'cut' })
    if (!result.ok) throw new DropFault(classify(result, now()))
    return result.response
  }
  const put = async (key: string, { bytes, contentType }: DropFile, condition: Readonly<Record<string, string>>): Promise<boolean> => {
    const headers = { 'content-type': contentType, 'content-length': String(bytes.byteLength), ...condition }
    const answer = await ask({ method: 'PUT', key, headers, body: bytes })
    if (isOk(answer)) return true
    if (isLost(answer) || ('if-match' in condition && isMissing(answer))) return false
    throw toFault(answer, now())
  }
  return {
    read: async (key, maxBytes) => {
      const answer = await ask({ method: 'GET', key }, maxBytes)
      if (isOk(answer)) return { bytes: answer.body, tag: answer.headers['etag'] ?? '' }
      if (isMissing(answer)) return null
      throw toFault(answer, now())
    },
    has: async key => {
      const answer = await ask({ method: 'HEAD', key })
      if (isOk(answer)) return true
      if (answer.status === 404) return false
      throw toFault(answer, now())
    },
    create: (key, file) => put(key, file, { 'if-none-match': '*' }),
    replace: (key, file, tag) => put(key, file, { 'if-match': tag }),
  }
}

export const createS3Drop = ({ request, secret, objects, context, now }: DeliveryNeeds): Delivery<'s3'> => {
  const sign = createBucketSigner()
  const open = (deliver: DeliverBy<'s3'>): DropStore | Outcome => {
    const [accessKeyId = '', secretAccessKey = ''] = [secret(deliver.accessKeyIdEnv), secret(deliver.secretAccessKeyEnv)]
    const missing = accessKeyId === '' ? deliver.accessKeyIdEnv : secretAccessKey === '' ? deliver.secretAccessKeyEnv : null
    if (missing !== null) return failed(`the environment variable ${missing} with its credentials is not set`, { alarm: true })
    return openBucket(deliver, { request, now, sign, credentials: { accessKeyId, secretAccessKey } })
  }
  return {
    deliver: async (parcel, mayStill) => {
      const { deliver } = parcel.outlet
      const bucket = open(deliver)
      return 'kind' in bucket ? bucket : putDrop(bucket, toDrop(parcel, deliver, { objects, context: context() }), mayStill)
    },
    test: async ({ id, deliver }, requestId) => {
      const bucket = open(deliver)
      const timestamp = new Date(now()).toISOString()
      return 'kind' in bucket ? bucket : putTest(bucket, deliver.prefix, { outlet: id, request: requestId, timestamp })
    },
  }
}
