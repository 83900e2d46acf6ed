/** Settings by environment (contract §2): names, defaults and ranges in one place, the only reader of `process.env`. */

export type Settings = Readonly<{
  /** Empty: the embedded log. */
  kafkaBrokers: readonly string[]
  kafkaSsl: boolean
  kafkaSasl: Readonly<{ mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }> | null
  kafkaTopicPrefix: string
  /** `null`: the local disk. */
  s3: Readonly<{ endpoint: string | null; bucket: string; prefix: string; region: string }> | null
  /** Folder of the embedded log, the disk store and all local projections. */
  dataDir: string
  host: string
  gatewayPort: number
  ingestPort: number
  consolePort: number
  /** `/livez`, `/readyz` and `/metrics` of `newswire run`; 0 picks a free port. */
  healthPort: number
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  secretKey: string | null
  consoleToken: string | null
  fsync: 'full' | 'normal'
  /** Multiplies every retry delay and lease; below 1 only in tests. */
  retryScale: number
}>
