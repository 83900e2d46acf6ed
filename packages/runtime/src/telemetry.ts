/**
 * Where spans go, by the environment variables that OpenTelemetry defines (contract §2), and what a span is on the wire (OTLP 1, JSON encoding). A platform
 * may set them for every program that it runs, so what cannot be kept to is told and stops nothing, as the specification has it.
 */
import { hasNoPassword } from '@newswire/events/deliver'
import { type Environment, setIn } from './settings.ts'

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
  /** W3C Trace Context of what caused it; where that names this very span, the trace begins with it. */
  traceparent: string | undefined
  spanId: string
  name: string
  /** Default: `consumer`. */
  kind?: keyof typeof KINDS
  endMs: number
  durationMs: number
  attributes: Readonly<Record<string, string | number>>
  /** Why it failed; absent when it did not. */
  failure?: string
}>

type Warn = (reason: string) => void

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

const atLeastOne = (env: Environment, name: string, fallback: number, warn: Warn): number => {
  const value = setIn(env, name)
  if (value === null) return fallback
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  warn(`${name} must be a whole number above 0, got ${JSON.stringify(value)}; ${fallback} is in force`)
  return fallback
}

const addressOf = (env: Environment, warn: Warn): string | null => {
  const whole = setIn(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  const base = setIn(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  const name = whole === null ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
  const url = whole ?? (base === null ? null : `${base.replace(/\/+$/, '')}/v1/traces`)
  if (url === null || (/^https?:$/.test(URL.parse(url)?.protocol ?? '') && hasNoPassword(url))) return url
  warn(`${name} must be an http or https address without a password, which goes into OTEL_EXPORTER_OTLP_HEADERS; no spans are sent`)
  return null
}

const headersOf = (env: Environment, warn: Warn): Record<string, string> | null => {
  const headers = { ...pairs(setIn(env, 'OTEL_EXPORTER_OTLP_HEADERS')), ...pairs(setIn(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS')) }
  try {
    new Headers(headers)
    return headers
  } catch {
    // What is thrown has the value in it.
    warn('OTEL_EXPORTER_OTLP_HEADERS has a name or a value that no header can have; no spans are sent')
    return null
  }
}

const isWanted = (env: Environment, warn: Warn): boolean => {
  const exporters = (setIn(env, 'OTEL_TRACES_EXPORTER') ?? 'otlp').split(',').map(one => one.trim())
  const protocol = setIn(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? setIn(env, 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/json'
  const others = exporters.filter(one => one !== 'otlp' && one !== 'none')
  if (others.length > 0)
    warn(`OTEL_TRACES_EXPORTER may be otlp or none, got ${JSON.stringify(others.join())} too, which nothing is sent to`)
  if (!exporters.includes('otlp')) return false
  if (protocol.startsWith('http/')) return true
  warn(
    `OTEL_EXPORTER_OTLP_PROTOCOL must be http/json, got ${JSON.stringify(protocol)}; no spans are sent. A collector takes that on port 4318`,
  )
  return false
}

/** `null`: no receiver is named, it is switched off, or it cannot be sent to, of which `warn` is told. Secrets are in no warning. */
export const readTelemetry = (env: Environment, service: string, warn: Warn): Telemetry | null => {
  if (setIn(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null
  const url = addressOf(env, warn)
  const headers = url === null || !isWanted(env, warn) ? null : headersOf(env, warn)
  if (url === null || headers === null) return null
  const resource = pairs(setIn(env, 'OTEL_RESOURCE_ATTRIBUTES'))
  const timeoutMs = atLeastOne(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, warn)
  return {
    url,
    headers,
    timeoutMs: atLeastOne(env, 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', timeoutMs, warn),
    delayMs: atLeastOne(env, 'OTEL_BSP_SCHEDULE_DELAY', 5_000, warn),
    maxQueue: atLeastOne(env, 'OTEL_BSP_MAX_QUEUE_SIZE', 2_048, warn),
    maxBatch: atLeastOne(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, warn),
    resource: { ...resource, 'service.name': setIn(env, 'OTEL_SERVICE_NAME') ?? resource['service.name'] ?? service },
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/
/** Whether whoever began the trace wants it recorded (the sampler `parentbased_always_on`). */
export const isSampled = (traceparent: string | undefined): boolean =>
  (Number.parseInt(TRACEPARENT.exec(traceparent ?? '')?.[3] ?? '0', 16) & 1) === 1

/** OTLP's numbers. */
const KINDS = { server: 2, consumer: 5 } as const
const ERROR = 2
const nanos = (ms: number): string => `${BigInt(Math.round(ms * 1000)) * 1000n}`
const toAttributes = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: `${value}` } : { stringValue: value },
  }))

const toWire = ({ traceparent, spanId, name, kind = 'consumer', endMs, durationMs, attributes, failure }: Span) => {
  const [, traceId, parentSpanId] = TRACEPARENT.exec(traceparent ?? '') ?? []
  return {
    traceId,
    spanId,
    ...(parentSpanId === spanId ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
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
