import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createLogger } from './logger.ts'
import { createSpanExporter } from './span-exporter.ts'
import { readTelemetry, type Span, toExport } from './telemetry.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = (changes: Partial<Span> = {}): Span => ({
  traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
  spanId: '53995c3f42cd8ad8',
  name: 'process prepared',
  endMs: 1_767_225_600_000,
  durationMs: 12.5,
  attributes: { 'newswire.attempt': 1, 'newswire.outcome': 'done' },
  ...changes,
})

test('nothing is sent unless an address is named, and it can be switched off', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' }
  assert.equal(readTelemetry({}, 'desk', assert.fail), null)
  assert.equal(readTelemetry({ ...endpoint, OTEL_SDK_DISABLED: 'true' }, 'desk', assert.fail), null)
  assert.equal(readTelemetry({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, 'desk', assert.fail), null)
  assert.equal(readTelemetry(endpoint, 'desk', assert.fail)?.url, 'http://127.0.0.1:4318/v1/traces')
  assert.equal(readTelemetry({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/x' }, 'desk', assert.fail)?.url, 'http://t/x')
})

test('name, resource and headers come from where OpenTelemetry says', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, a=b=c',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment=newsroom',
  }
  assert.deepEqual(readTelemetry(env, 'desk', assert.fail)?.headers, { authorization: 'Bearer x', a: 'b=c' })
  assert.deepEqual(readTelemetry(env, 'desk', assert.fail)?.resource, { 'service.name': 'other', 'deployment.environment': 'newsroom' })
  assert.equal(readTelemetry({ ...env, OTEL_SERVICE_NAME: 'mine' }, 'desk', assert.fail)?.resource['service.name'], 'mine')
  assert.equal(readTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' }, 'desk', assert.fail)?.resource['service.name'], 'desk')
})

test('what cannot be kept to is told, with the name of the setting and no secret, and stops nothing', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  const read = (env: Record<string, string>) => {
    const told: string[] = []
    return { telemetry: readTelemetry(env, 'desk', reason => told.push(reason)), told: told.join() }
  }
  for (const [env, reason] of [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4317' }, /OTEL_EXPORTER_OTLP_ENDPOINT must be/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:hunter2@127.0.0.1:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT must be/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /PROTOCOL must be http\/json/],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' }, /OTEL_TRACES_EXPORTER may be/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2%0A' + 'x' }, /OTEL_EXPORTER_OTLP_HEADERS has/],
  ] as const) {
    const { telemetry, told } = read(env)
    assert.equal(telemetry, null, told)
    assert.match(told, reason)
    assert.doesNotMatch(told, /hunter2/)
  }
  const { telemetry, told } = read({ ...endpoint, OTEL_TRACES_EXPORTER: 'console,otlp', OTEL_BSP_SCHEDULE_DELAY: '-1' })
  assert.equal(telemetry?.delayMs, 5_000)
  assert.match(told, /console.*OTEL_BSP_SCHEDULE_DELAY must be/)
})

test('a span says in which trace it is, from when to when, and why it failed', () => {
  const [one, two] = JSON.parse(toExport({ 'service.name': 'desk' }, [span(), span({ failure: 'NEWSWIRE_X' })])).resourceSpans[0]
    .scopeSpans[0].spans
  assert.deepEqual(one, {
    traceId: TRACE,
    spanId: '53995c3f42cd8ad8',
    parentSpanId: '00f067aa0ba902b7',
    name: 'process prepared',
    kind: 5,
    startTimeUnixNano: '1767225599987500000',
    endTimeUnixNano: '1767225600000000000',
    attributes: [
      { key: 'newswire.attempt', value: { intValue: '1' } },
      { key: 'newswire.outcome', value: { stringValue: 'done' } },
    ],
    status: {},
  })
  assert.deepEqual(two.status, { code: 2, message: 'NEWSWIRE_X' })
})

test('a span that the trace begins with has nothing above it', () => {
  const root = span({ spanId: '00f067aa0ba902b7', kind: 'server' })
  const [one] = JSON.parse(toExport({ 'service.name': 'ingest' }, [root])).resourceSpans[0].scopeSpans[0].spans
  assert.deepEqual([one.traceId, one.spanId, one.kind, 'parentSpanId' in one], [TRACE, '00f067aa0ba902b7', 2, false])
})

const receiver = async (t: TestContext, status: number) => {
  const got: { url: string | undefined; headers: IncomingHttpHeaders; names: string[] }[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part))
    request.on('end', () => {
      const { spans } = JSON.parse(Buffer.concat(parts).toString()).resourceSpans[0].scopeSpans[0]
      got.push({ url: request.url, headers: request.headers, names: spans.map((one: { name: string }) => one.name) })
      response.writeHead(status).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const telemetry = readTelemetry(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_BSP_MAX_QUEUE_SIZE: '3',
    },
    'desk',
    assert.fail,
  )
  assert.ok(telemetry !== null)
  return { got, spans: createSpanExporter(telemetry, createLogger({ service: 'test', level: 'silent' })) }
}

test('what waits is sent before the end, in batches; what nobody wants recorded, and what there is no room for, is not', async t => {
  const { got, spans } = await receiver(t, 200)
  spans.add(span({ name: 'unsampled', traceparent: `00-${TRACE}-00f067aa0ba902b7-00` }))
  spans.add(span({ name: 'without', traceparent: undefined }))
  spans.add(span({ name: 'a' }))
  await spans.close()
  spans.add(span({ name: 'late' }))
  await spans.close()
  assert.deepEqual(
    got.map(one => [one.url, one.headers['content-type'], one.headers['x-key'], one.names]),
    [['/v1/traces', 'application/json', 'k', ['a']]],
  )
})

test('a full batch goes at once, and a receiver that refuses costs its spans alone', async t => {
  const { got, spans } = await receiver(t, 503)
  for (const name of ['a', 'b', 'c']) spans.add(span({ name }))
  await spans.close()
  assert.deepEqual(got[0]?.names, ['a', 'b'])
  spans.add(span())
  await spans.close()
})
