/** Where spans go, by the environment variables that OpenTelemetry defines (contract §2), and what a span is on the wire (OTLP 1, JSON encoding). */
import { type Environment, SettingsError } from './settings.ts'

export type Telemetry = Readonly<{
  /** Of the receiver, with its path. */
  url: string
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  /** How long a span waits for others. */
  delayMs: number
  maxQueue: number
  maxBatch: number
  resource: Readonly<Record<string, string>>
}>

export type Span = Readonly<{
  /** W3C Trace Context of what caused it. */
  traceparent: string | undefined
  spanId: string
  name: string
  endMs: number
  durationMs: number
  attributes: Readonly<Record<string, string | number>>
  /** Why it failed; absent when it did not. */
  failure?: string
}>

const nonEmpty = (env: Environment, name: string): string | null => env[name]?.trim() || null

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** `key=value,…`, percent-encoded as in W3C Baggage. */
const pairs = (value: string | null): Record<string, string> =>
  Object.fromEntries(
    (value ?? '').split(',').flatMap(pair => {
      const at = pair.indexOf('=')
      return at < 1 ? [] : [[decoded(pair.slice(0, at).trim()), decoded(pair.slice(at + 1).trim())]]
    }),
  )

const atLeastOne = (env: Environment, name: string, fallback: number): number => {
  const value = nonEmpty(env, name)
  if (value === null) return fallback
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  throw new SettingsError(`${name} must be a whole number above 0, got ${JSON.stringify(value)}.`)
}

const addressOf = (env: Environment): string | null => {
  const whole = nonEmpty(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  const base = nonEmpty(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  const name = whole === null ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
  const url = whole ?? (base === null ? null : `${base.replace(/\/+$/, '')}/v1/traces`)
  if (url !== null && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new SettingsError(`${name} must be an http or https address.`)
  return url
}

/** `null`: no receiver is named, or it is switched off. Throws `SettingsError`. */
export const readTelemetry = (env: Environment, service: string): Telemetry | null => {
  const exporter = nonEmpty(env, 'OTEL_TRACES_EXPORTER') ?? 'otlp'
  const protocol = nonEmpty(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? nonEmpty(env, 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/json'
  const url = addressOf(env)
  if (url === null || exporter === 'none' || nonEmpty(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null
  if (exporter !== 'otlp') throw new SettingsError(`OTEL_TRACES_EXPORTER must be otlp or none, got ${JSON.stringify(exporter)}.`)
  if (!protocol.startsWith('http/'))
    throw new SettingsError(
      `OTEL_EXPORTER_OTLP_PROTOCOL must be http/json, got ${JSON.stringify(protocol)}; a collector takes that on port 4318.`,
    )
  return {
    url,
    headers: { ...pairs(nonEmpty(env, 'OTEL_EXPORTER_OTLP_HEADERS')), ...pairs(nonEmpty(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS')) },
    timeoutMs: atLeastOne(env, 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', atLeastOne(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', 10_000)),
    delayMs: atLeastOne(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000),
    maxQueue: atLeastOne(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2_048),
    maxBatch: atLeastOne(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512),
    resource: {
      ...pairs(nonEmpty(env, 'OTEL_RESOURCE_ATTRIBUTES')),
      'service.name': nonEmpty(env, 'OTEL_SERVICE_NAME') ?? pairs(nonEmpty(env, 'OTEL_RESOURCE_ATTRIBUTES'))['service.name'] ?? service,
    },
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/
/** Whether whoever began the trace wants it recorded (the sampler `parentbased_always_on`). */
export const isSampled = (traceparent: string | undefined): boolean =>
  (Number.parseInt(TRACEPARENT.exec(traceparent ?? '')?.[3] ?? '0', 16) & 1) === 1

const CONSUMER = 5
const ERROR = 2
const nanos = (ms: number): string => `${BigInt(Math.round(ms * 1000)) * 1000n}`
const toAttributes = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: `${value}` } : { stringValue: value },
  }))

const toWire = ({ traceparent, spanId, name, endMs, durationMs, attributes, failure }: Span) => {
  const [, traceId, parentSpanId] = TRACEPARENT.exec(traceparent ?? '') ?? []
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: CONSUMER,
    startTimeUnixNano: nanos(endMs - durationMs),
    endTimeUnixNano: nanos(endMs),
    attributes: toAttributes(attributes),
    status: failure === undefined ? {} : { code: ERROR, message: failure },
  }
}

/** The body of one request. Pure. */
export const toExport = (resource: Telemetry['resource'], spans: readonly Span[]): string =>
  JSON.stringify({
    resourceSpans: [
      { resource: { attributes: toAttributes(resource) }, scopeSpans: [{ scope: { name: 'newswire' }, spans: spans.map(toWire) }] },
    ],
  })
