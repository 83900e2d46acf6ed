/** The parts that the caller already has and names in the environment. They are used and never stopped. */
import { createBucket } from './bucket.ts'
import type { Attempt, PartName } from './parts.ts'

const SILENT = async () => undefined

const givenKafka = (): Attempt => {
  const brokers = process.env['KAFKA_BROKERS']
  if (!brokers) return { missing: 'KAFKA_BROKERS is not set' }
  return {
    label: `Kafka of KAFKA_BROKERS (${brokers})`,
    env: { KAFKA_BROKERS: brokers, NEWSWIRE_TEST_KAFKA_GIVEN: '1' },
    faults: null,
    end: SILENT,
  }
}

const givenS3 = async (): Promise<Attempt> => {
  const { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env
  if (!endpoint) return { missing: 'S3_ENDPOINT is not set' }
  if (!accessKeyId || !secretAccessKey) return { missing: 'S3_ENDPOINT is set, but AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not' }
  const region = process.env['AWS_REGION'] ?? 'us-east-1'
  const bucket = await createBucket({ endpoint, accessKeyId, secretAccessKey, region })
  const env = {
    S3_ENDPOINT: endpoint,
    S3_BUCKET: bucket.name,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    NEWSWIRE_TEST_S3_GIVEN: '1',
  }
  return { label: `S3 of S3_ENDPOINT (${endpoint})`, env, faults: null, end: bucket.remove }
}

export const fromEnvironment = async (name: PartName): Promise<Attempt> => (name === 'kafka' ? givenKafka() : await givenS3())
