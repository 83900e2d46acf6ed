/** Settings by environment (contract §2): names, defaults and ranges in one place, the only reader of `process.env`. */
import { isIP } from 'node:net'
import { findClosest } from '@newswire/events/closest-field'
import { parseSealingKey } from '@newswire/objects/sealed'
import { logLevels, withoutSecrets } from './logger.ts'

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export type Settings = Readonly<{
  /** Empty: the embedded log. */
  kafkaBrokers: readonly string[]
  kafkaSsl: boolean
  kafkaSasl: Readonly<{ mechanism: (typeof MECHANISMS)[number]; username: string; password: string }> | null
  kafkaTopicPrefix: string
  /** `null`: the local disk. */
  s3: Readonly<{ endpoint: string | null; bucket: string; prefix: string; region: string }> | null
  /** Folder of the embedded log, the disk store and all local projections. */
  dataDir: string
  host: string
  gatewayPort: number
  /** How the public is served. */
  gateway: Readonly<{
    /** Answers plain requests for feeds before the HTTP parser sees them. */
    fastPath: boolean
    /** Trusted proxies before the gateway, whose `X-Forwarded-For` is believed. */
    proxies: number
    /** Whole answers to one client a minute; an unchanged one costs a tenth. 0: no limit. */
    ratePerMinute: number
    maxConnections: number
    /** MiB of feeds and their compressions kept in memory. */
    memoryMb: number
  }>
  ingestPort: number
  consolePort: number
  /** `/livez`, `/readyz` and `/metrics` of `newswire run`; 0 picks a free port. */
  healthPort: number
  /** Where the console looks whether what was taken back is gone; `null`: the gateway of its own process, else the public address. */
  probeUrl: string | null
  logLevel: (typeof logLevels)[number]
  /** Seals secrets that the system is given; `null`: `newswire up` on a local disk makes one of its own, elsewhere nothing can be sealed. */
  secretKey: string | null
  consoleToken: string | null
  fsync: 'full' | 'normal'
  /** Multiplies every retry delay and lease; below 1 only in tests. */
  retryScale: number
}>

export type Environment = Readonly<Record<string, string | undefined>>

/** Each setting with what it may be and what it is when it is not set: what `newswire run --help` prints. */
export const settingHelp: ReadonlyArray<{ name: string; help: string }> = [
  { name: 'KAFKA_BROKERS', help: 'host:port,… of a Kafka 4.x; without it the embedded log' },
  { name: 'KAFKA_SSL', help: 'true or false (default false)' },
  { name: 'KAFKA_SASL_MECHANISM', help: 'plain, scram-sha-256 or scram-sha-512; with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD' },
  { name: 'KAFKA_TOPIC_PREFIX', help: 'before every topic and group name (default none)' },
  { name: 'S3_BUCKET', help: 'bucket of an S3 store; without it the local disk' },
  { name: 'S3_ENDPOINT', help: "address of the store when it is not Amazon's" },
  { name: 'S3_PREFIX', help: 'before every key (default none)' },
  { name: 'AWS_REGION', help: "and the SDK's other AWS_* settings (default us-east-1)" },
  { name: 'NEWSWIRE_DATA', help: 'folder of the embedded log, the disk store and local views (default ./data)' },
  { name: 'NEWSWIRE_HOST', help: 'address to listen on (default 127.0.0.1)' },
  { name: 'NEWSWIRE_GATEWAY_PORT', help: '0 to 65535, 0 picks a free one (default 8080)' },
  {
    name: 'NEWSWIRE_GATEWAY_PROXIES',
    help: 'how many trusted proxies stand before the gateway; that many entries of X-Forwarded-For are believed (default 0)',
  },
  {
    name: 'NEWSWIRE_GATEWAY_RATE',
    help: 'whole answers to one client (an IPv4 address, an IPv6 /64) a minute, and so many at once; an unchanged one costs a tenth; 0 for no limit (default 6000)',
  },
  { name: 'NEWSWIRE_GATEWAY_CONNECTIONS', help: 'at once, 1 to 1000000; those above are closed (default 16384)' },
  { name: 'NEWSWIRE_GATEWAY_MEMORY_MB', help: 'MiB of feeds kept in memory with their compressions, 16 to 65536 (default 256)' },
  { name: 'NEWSWIRE_GATEWAY_FAST_PATH', help: 'on or off: plain requests for feeds are answered without an HTTP parser (default on)' },
  { name: 'NEWSWIRE_INGEST_PORT', help: '0 to 65535 (default 8081)' },
  { name: 'NEWSWIRE_CONSOLE_PORT', help: '0 to 65535 (default 8082)' },
  { name: 'NEWSWIRE_HEALTH_PORT', help: '0 to 65535: /livez, /readyz and /metrics of `newswire run` (default 0)' },
  {
    name: 'NEWSWIRE_PROBE_URL',
    help: 'where the console looks whether retracted articles are gone (default: the gateway of its own process, else site.publicUrl)',
  },
  { name: 'NEWSWIRE_LOG_LEVEL', help: 'fatal, error, warn, info, debug, trace or silent (default info)' },
  {
    name: 'NEWSWIRE_SECRET_KEY',
    help: 'seals the secrets of WebSub subscribers and made signing secrets of outlets: 32 bytes in base64 or hex (`openssl rand -base64 32`), the same for every process; `up` on a local disk makes its own',
  },
  { name: 'NEWSWIRE_CONSOLE_TOKEN', help: 'needed by the console when it listens beyond this machine' },
  { name: 'NEWSWIRE_FSYNC', help: 'full (202 survives a power cut) or normal (survives a kill) (default full)' },
  { name: 'NEWSWIRE_RETRY_SCALE', help: 'multiplies every retry delay and lease, above 0 (default 1)' },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    help: 'where spans go as OTLP over HTTP in JSON, like http://127.0.0.1:4318, or with its path as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: one for each call of a handler, in the trace of its first record (default: nowhere)',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    help: 'key=value,… sent with them; like _PROTOCOL and _TIMEOUT also as OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    help: 'http/json or http/protobuf, which a receiver takes at one address; with grpc no spans are sent (default http/json)',
  },
  { name: 'OTEL_EXPORTER_OTLP_TIMEOUT', help: 'milliseconds (default 10000)' },
  { name: 'OTEL_TRACES_EXPORTER', help: 'otlp or none (default otlp)' },
  { name: 'OTEL_SDK_DISABLED', help: 'true: no spans' },
  { name: 'OTEL_SERVICE_NAME', help: 'in OTEL_RESOURCE_ATTRIBUTES too (default: the name of the process in its log lines)' },
  { name: 'OTEL_RESOURCE_ATTRIBUTES', help: 'key=value,… of every span' },
  {
    name: 'OTEL_BSP_SCHEDULE_DELAY',
    help: 'milliseconds that a span waits for others (default 5000); OTEL_BSP_MAX_EXPORT_BATCH_SIZE of them go at once (default 512), and above OTEL_BSP_MAX_QUEUE_SIZE they are dropped (default 2048)',
  },
]

type Reader = Readonly<{ env: Environment; complaints: string[] }>

/** A variable that is empty is not set. */
export const setIn = (env: Environment, name: string): string | null => env[name]?.trim() || null
const text = ({ env }: Reader, name: string): string | null => setIn(env, name)
const complain = <T>({ complaints }: Reader, name: string, expected: string, found: string, fallback: T): T => {
  complaints.push(`${name} must be ${expected}, got ${JSON.stringify(found)}.`)
  return fallback
}
const port = (reader: Reader, name: string, fallback: number): number => {
  const value = text(reader, name)
  if (value === null) return fallback
  const number = Number(value)
  return /^\d+$/.test(value) && number <= 65_535 ? number : complain(reader, name, '0 to 65535', value, fallback)
}
const whole = (reader: Reader, name: string, { least, most, fallback }: { least: number; most: number; fallback: number }): number => {
  const value = text(reader, name)
  if (value === null) return fallback
  const number = Number(value)
  return /^\d{1,9}$/.test(value) && number >= least && number <= most
    ? number
    : complain(reader, name, `a whole number from ${least} to ${most}`, value, fallback)
}
const choice = <T extends string>(reader: Reader, name: string, choices: readonly T[], fallback: T): T => {
  const value = text(reader, name)
  if (value === null) return fallback
  return choices.find(one => one === value) ?? complain(reader, name, choices.join(' or '), value, fallback)
}
const scale = (reader: Reader): number => {
  const value = text(reader, 'NEWSWIRE_RETRY_SCALE')
  if (value === null) return 1
  const number = Number(value)
  return Number.isFinite(number) && number > 0 ? number : complain(reader, 'NEWSWIRE_RETRY_SCALE', 'a number above 0', value, 1)
}

const sealingKey = (reader: Reader): string | null => {
  const value = text(reader, 'NEWSWIRE_SECRET_KEY')
  if (value === null || parseSealingKey(value) !== null) return value
  // A key that is nearly right is a secret too.
  reader.complaints.push('NEWSWIRE_SECRET_KEY must be 32 bytes in base64 or hex; `openssl rand -base64 32` makes one.')
  return null
}

const readSasl = (reader: Reader): Settings['kafkaSasl'] => {
  if (text(reader, 'KAFKA_SASL_MECHANISM') === null) return null
  const username = text(reader, 'KAFKA_SASL_USERNAME')
  const password = text(reader, 'KAFKA_SASL_PASSWORD')
  if (username === null || password === null)
    reader.complaints.push('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set with KAFKA_SASL_MECHANISM.')
  return { mechanism: choice(reader, 'KAFKA_SASL_MECHANISM', MECHANISMS, 'plain'), username: username ?? '', password: password ?? '' }
}

/** Credentials have settings of their own (`AWS_*`): what is part of an address ends in logs. */
const isPlainAddress = (value: string): boolean => {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, search } = new URL(value)
  return /^https?:$/.test(protocol) && username + password + search === ''
}

const address = (reader: Reader, name: string): string | null => {
  const value = text(reader, name)
  if (value === null || isPlainAddress(value)) return value
  return complain(reader, name, 'an http or https address without user, password and query', withoutSecrets(value), value)
}

const readS3 = (reader: Reader): Settings['s3'] => {
  const bucket = text(reader, 'S3_BUCKET')
  const endpoint = address(reader, 'S3_ENDPOINT')
  if (bucket === null) {
    if (endpoint !== null) reader.complaints.push('S3_BUCKET must name the bucket when S3_ENDPOINT is set.')
    return null
  }
  return { endpoint, bucket, prefix: text(reader, 'S3_PREFIX') ?? '', region: text(reader, 'AWS_REGION') ?? 'us-east-1' }
}

/** `host:port`, or `[IPv6]:port`. */
const BROKER = /^(?:[^\s:@/[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'NEWSWIRE_SETTINGS'
}

/** Throws one `SettingsError` that lists every bad setting. */
export const readSettings = (env: Environment): Settings => {
  const reader: Reader = { env, complaints: [] }
  const settings: Settings = {
    kafkaBrokers: (text(reader, 'KAFKA_BROKERS') ?? '')
      .split(',')
      .map(one => one.trim())
      .filter(one => one !== ''),
    kafkaSsl: choice(reader, 'KAFKA_SSL', ['false', 'true'], 'false') === 'true',
    kafkaSasl: readSasl(reader),
    kafkaTopicPrefix: text(reader, 'KAFKA_TOPIC_PREFIX') ?? '',
    s3: readS3(reader),
    dataDir: text(reader, 'NEWSWIRE_DATA') ?? './data',
    host: text(reader, 'NEWSWIRE_HOST') ?? '127.0.0.1',
    gatewayPort: port(reader, 'NEWSWIRE_GATEWAY_PORT', 8080),
    gateway: {
      fastPath: choice(reader, 'NEWSWIRE_GATEWAY_FAST_PATH', ['on', 'off'], 'on') === 'on',
      proxies: whole(reader, 'NEWSWIRE_GATEWAY_PROXIES', { least: 0, most: 9, fallback: 0 }),
      ratePerMinute: whole(reader, 'NEWSWIRE_GATEWAY_RATE', { least: 0, most: 100_000_000, fallback: 6_000 }),
      maxConnections: whole(reader, 'NEWSWIRE_GATEWAY_CONNECTIONS', { least: 1, most: 1_000_000, fallback: 16_384 }),
      memoryMb: whole(reader, 'NEWSWIRE_GATEWAY_MEMORY_MB', { least: 16, most: 65_536, fallback: 256 }),
    },
    ingestPort: port(reader, 'NEWSWIRE_INGEST_PORT', 8081),
    consolePort: port(reader, 'NEWSWIRE_CONSOLE_PORT', 8082),
    healthPort: port(reader, 'NEWSWIRE_HEALTH_PORT', 0),
    probeUrl: address(reader, 'NEWSWIRE_PROBE_URL')?.replace(/\/+$/, '') ?? null,
    logLevel: choice(reader, 'NEWSWIRE_LOG_LEVEL', logLevels, 'info'),
    secretKey: sealingKey(reader),
    consoleToken: text(reader, 'NEWSWIRE_CONSOLE_TOKEN'),
    fsync: choice(reader, 'NEWSWIRE_FSYNC', ['full', 'normal'], 'full'),
    retryScale: scale(reader),
  }
  for (const broker of settings.kafkaBrokers)
    if (!BROKER.test(broker)) reader.complaints.push(`KAFKA_BROKERS must be host:port,…, got ${JSON.stringify(broker)}.`)
  if (reader.complaints.length > 0) throw new SettingsError(reader.complaints.join('\n'))
  return settings
}

const OWN = 'NEWSWIRE_'
/** Read elsewhere: by commands that speak to a running system. */
const COMMANDS_READ = ['INGEST_URL', 'CONSOLE_URL', 'TOKEN']

/**
 * Variables that are nearly one of ours, with the one that was probably meant: a misspelt setting is as good as none. Others that begin like ours may
 * be secrets that the configuration names.
 */
export const findMisspelt = (env: Environment): ReadonlyArray<Readonly<{ found: string; meant: string }>> => {
  const known = [...settingHelp.flatMap(({ name }) => (name.startsWith(OWN) ? [name.slice(OWN.length)] : [])), ...COMMANDS_READ]
  return Object.keys(env).flatMap(found => {
    const name = found.slice(OWN.length)
    if (!found.startsWith(OWN) || known.includes(name) || /^TEST(_|$)/.test(name)) return []
    const meant = findClosest(name, known)
    return meant === null ? [] : [{ found, meant: `${OWN}${meant}` }]
  })
}

/** The console changes and takes back articles: beyond this machine it wants a token. `null` when the settings are fine for it. */
export const findConsoleOffence = ({ host, consoleToken }: Settings): string | null =>
  isLoopback(host) || consoleToken !== null
    ? null
    : `NEWSWIRE_CONSOLE_TOKEN must be set when the console listens on ${host}, which is not this machine alone.`

/** The settings in force, for the log: secrets only as whether they are set. */
export const redactedSettings = ({ secretKey, consoleToken, kafkaSasl, ...rest }: Settings) => ({
  ...rest,
  kafkaSasl:
    kafkaSasl === null
      ? null
      : { mechanism: kafkaSasl.mechanism, username: kafkaSasl.username, passwordConfigured: kafkaSasl.password !== '' },
  secretKeyConfigured: secretKey !== null,
  consoleTokenConfigured: consoleToken !== null,
})

/** The process's own environment, for the composition root alone. */
export const processEnvironment = (): Environment => process.env
