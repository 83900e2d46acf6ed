/** The real parts that tests run against, and where they are looked for: the environment, then Docker, then the scripts of infra/dev. */
import { messageOf } from './message.ts'

export type PartName = 'kafka' | 's3'
export const partNames: readonly PartName[] = ['kafka', 's3']

export type Part = Readonly<{
  /** What was used, for the last lines: `Kafka 4.4.0 through testcontainers`. */
  label: string
  /** What tests are given. */
  env: Readonly<Record<string, string>>
  /** How a fault test takes the part away and brings it back on the same port with the data it had; `null` when it is not ours. */
  faults: Readonly<{ stop(): Promise<void>; kill(): Promise<void>; start(): Promise<void> }> | null
  /** Ends what was started and removes its data. */
  end(): Promise<void>
}>

/** The part, or why this way does not lead to one. */
export type Attempt = Part | Readonly<{ missing: string }>
export type Way = (name: PartName) => Promise<Attempt>
export type Found = Readonly<{ part: Part | null; reasons: readonly string[] }>

/** The first way that leads to the part; otherwise why none did. A way that throws has failed, and the next one is tried. */
export const findPart = async (name: PartName, ways: readonly Way[]): Promise<Found> => {
  const reasons: string[] = []
  for (const way of ways) {
    const attempt = await way(name).catch((error: unknown) => ({ missing: messageOf(error) }))
    if (!('missing' in attempt)) return { part: attempt, reasons }
    reasons.push(attempt.missing)
  }
  return { part: null, reasons }
}

const NAMES = { kafka: 'Kafka', s3: 'S3' } as const
const HOW = {
  kafka: 'start Docker, or install Java 17 and Maven, or set KAFKA_BROKERS',
  s3: 'start Docker, or install Go 1.25, or set S3_ENDPOINT with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
} as const

/** One line: what had to be skipped, why, and how to get it. */
export const describeMissing = (name: PartName, reasons: readonly string[]): string =>
  `skipped: tests that need ${NAMES[name]} (${reasons.join('; ')}). To run them ${HOW[name]}.`
