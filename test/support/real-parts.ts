/**
 * The broker and the store that the runner gives to tests (infra/test/run.ts): where they are, or why a test is skipped.
 *
 *   const parts = readRealParts()
 *   test('…', { skip: parts.kafka.skip }, async () => { const { brokers } = parts.kafka.use() … })
 */
import assert from 'node:assert/strict'

type KafkaPart = Readonly<{ brokers: readonly string[] }>
type S3Part = Readonly<{ endpoint: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string }>

type Optional<T> = Readonly<{
  /** For the options of a test: `false`, or why it cannot run here. */
  skip: string | false
  /** The part. Throws when it is not there. */
  use(): T
}>

export type RealParts = Readonly<{
  kafka: Optional<KafkaPart>
  s3: Optional<S3Part>
  both: Optional<Readonly<{ kafka: KafkaPart; s3: S3Part }>>
  /** The broker, when it is ours to stop: for fault tests, which run alone (`*.fault.integration.test.ts`, `*.fault.e2e.test.ts`). */
  kafkaFaults: Optional<KafkaPart>
  s3Faults: Optional<S3Part>
  /** Takes a part away or brings it back; resolves when that has happened. Starting what runs is done at once. Bring it back in `t.after`. */
  control(part: 'kafka' | 's3', verb: 'stop' | 'kill' | 'start'): Promise<void>
  /** The environment for a process of ours to run on both parts; only those that are there. */
  env(): Record<string, string>
}>

const optional = <T>(value: T | null, reason: string): Optional<T> => ({
  skip: value === null ? reason : false,
  use: () => {
    assert.ok(value !== null, reason)
    return value
  },
})

const readKafka = (env: NodeJS.ProcessEnv): KafkaPart | null => {
  const brokers = (env['KAFKA_BROKERS'] ?? '').split(',').filter(one => one !== '')
  return brokers.length === 0 ? null : { brokers }
}

const readS3 = (env: NodeJS.ProcessEnv): S3Part | null => {
  const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) return null
  return { endpoint, bucket, accessKeyId, secretAccessKey, region: env['AWS_REGION'] ?? 'us-east-1' }
}

const NO_KAFKA = 'no Kafka here (npm test says how to get it)'
const NO_S3 = 'no S3 here (npm test says how to get it)'

/** A restart of a broker that was killed takes a few seconds; the runner gives up after 60 s by itself. */
const CONTROL_MS = 120_000

export const readRealParts = (env: NodeJS.ProcessEnv = process.env): RealParts => {
  const kafka = readKafka(env)
  const s3 = readS3(env)
  const controlUrl = env['NEWSWIRE_TEST_CONTROL'] || null
  const notOurs = 'nobody here may stop it: run the test through npm test'
  return {
    kafka: optional(kafka, NO_KAFKA),
    s3: optional(s3, NO_S3),
    both: optional(kafka && s3 ? { kafka, s3 } : null, kafka ? NO_S3 : NO_KAFKA),
    kafkaFaults: optional(controlUrl && !env['NEWSWIRE_TEST_KAFKA_GIVEN'] ? kafka : null, kafka ? notOurs : NO_KAFKA),
    s3Faults: optional(controlUrl && !env['NEWSWIRE_TEST_S3_GIVEN'] ? s3 : null, s3 ? notOurs : NO_S3),
    control: async (part, verb) => {
      assert.ok(controlUrl !== null, notOurs)
      const response = await fetch(`${controlUrl}/${part}/${verb}`, { method: 'POST', signal: AbortSignal.timeout(CONTROL_MS) })
      assert.equal(response.status, 204, `${verb} ${part}: ${await response.text()}`)
    },
    env: () => ({
      ...(kafka ? { KAFKA_BROKERS: kafka.brokers.join(',') } : {}),
      ...(s3
        ? {
            S3_ENDPOINT: s3.endpoint,
            S3_BUCKET: s3.bucket,
            AWS_ACCESS_KEY_ID: s3.accessKeyId,
            AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
            AWS_REGION: s3.region,
          }
        : {}),
    }),
  }
}
