import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findConsoleOffence, findMisspelt, processEnvironment, readSettings, redactedSettings, settingHelp } from './settings.ts'
import { readTelemetry } from './telemetry.ts'

const complaintsOf = (env: Record<string, string>): string[] => {
  try {
    readSettings(env)
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'NEWSWIRE_SETTINGS')
    return (error as Error).message.split('\n')
  }
  throw new assert.AssertionError({ message: 'the settings were taken' })
}

test('without any setting everything is as the contract says', () => {
  const settings = readSettings({})
  assert.deepEqual(settings, {
    kafkaBrokers: [],
    kafkaSsl: false,
    kafkaSasl: null,
    kafkaTopicPrefix: '',
    s3: null,
    dataDir: './data',
    host: '127.0.0.1',
    gatewayPort: 8080,
    gateway: { fastPath: true, proxies: 0, ratePerMinute: 6_000, maxConnections: 16_384, memoryMb: 256 },
    ingestPort: 8081,
    consolePort: 8082,
    healthPort: 0,
    probeUrl: null,
    logLevel: 'info',
    secretKey: null,
    consoleToken: null,
    fsync: 'full',
    retryScale: 1,
  })
  assert.deepEqual(readSettings({ NEWSWIRE_GATEWAY_PORT: '', KAFKA_BROKERS: '  ' }), settings, 'empty is not set')
})

test('everything that is set is read', () => {
  const settings = readSettings({
    KAFKA_BROKERS: 'a:9092, [::1]:9093,',
    KAFKA_SSL: 'true',
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: 'u',
    KAFKA_SASL_PASSWORD: 'p',
    S3_BUCKET: 'b',
    S3_ENDPOINT: 'http://127.0.0.1:9000',
    AWS_REGION: 'ap-southeast-1',
    NEWSWIRE_CONSOLE_PORT: '0',
    NEWSWIRE_RETRY_SCALE: '0.001',
    NEWSWIRE_FSYNC: 'normal',
  })
  assert.deepEqual(settings.kafkaBrokers, ['a:9092', '[::1]:9093'])
  assert.deepEqual(settings.kafkaSasl, { mechanism: 'scram-sha-512', username: 'u', password: 'p' })
  assert.deepEqual(settings.s3, { endpoint: 'http://127.0.0.1:9000', bucket: 'b', prefix: '', region: 'ap-southeast-1' })
  assert.deepEqual([settings.consolePort, settings.retryScale, settings.fsync, settings.kafkaSsl], [0, 0.001, 'normal', true])
})

test('every bad setting is told in one error, with what it must be and what it was', () => {
  assert.deepEqual(
    complaintsOf({
      NEWSWIRE_GATEWAY_PORT: '80a',
      NEWSWIRE_INGEST_PORT: '65536',
      NEWSWIRE_CONSOLE_PORT: '-1',
      NEWSWIRE_LOG_LEVEL: 'loud',
      NEWSWIRE_FSYNC: 'never',
      NEWSWIRE_RETRY_SCALE: '0',
      KAFKA_SSL: 'yes',
      KAFKA_BROKERS: 'kafka',
      KAFKA_SASL_MECHANISM: 'gssapi',
      S3_ENDPOINT: 'localhost:9000',
    }),
    [
      'KAFKA_SSL must be false or true, got "yes".',
      'KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set with KAFKA_SASL_MECHANISM.',
      'KAFKA_SASL_MECHANISM must be plain or scram-sha-256 or scram-sha-512, got "gssapi".',
      'S3_ENDPOINT must be an http or https address without user, password and query, got "localhost:9000".',
      'S3_BUCKET must name the bucket when S3_ENDPOINT is set.',
      'NEWSWIRE_GATEWAY_PORT must be 0 to 65535, got "80a".',
      'NEWSWIRE_INGEST_PORT must be 0 to 65535, got "65536".',
      'NEWSWIRE_CONSOLE_PORT must be 0 to 65535, got "-1".',
      'NEWSWIRE_LOG_LEVEL must be fatal or error or warn or info or debug or trace or silent, got "loud".',
      'NEWSWIRE_FSYNC must be full or normal, got "never".',
      'NEWSWIRE_RETRY_SCALE must be a number above 0, got "0".',
      'KAFKA_BROKERS must be host:port,…, got "kafka".',
    ],
  )
})

test('an address of the store with a password in it is refused without repeating it', () => {
  const [complaint = ''] = complaintsOf({ S3_BUCKET: 'b', S3_ENDPOINT: 'https://key:hunter2@s3.example' })
  assert.match(complaint, /^S3_ENDPOINT must be/)
  assert.ok(!complaint.includes('hunter2'))
})

test('the console beyond this machine wants a token', () => {
  const console = (host: string, token?: string) =>
    findConsoleOffence(readSettings({ NEWSWIRE_HOST: host, ...(token ? { NEWSWIRE_CONSOLE_TOKEN: token } : {}) }))
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.equal(console(host), null, host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example', 'newswire.example'])
    assert.match(console(host) ?? '', /^NEWSWIRE_CONSOLE_TOKEN must be set/, host)
  assert.equal(console('0.0.0.0', 'x'), null)
})

test('the settings for the log say of a secret only whether it is set', () => {
  const canary = 'CANARY5ecret'
  const key = Buffer.alloc(32, canary).toString('base64')
  const shown = redactedSettings(
    readSettings({
      NEWSWIRE_SECRET_KEY: key,
      NEWSWIRE_CONSOLE_TOKEN: canary,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: canary,
    }),
  )
  for (const secret of [canary, key]) assert.ok(!JSON.stringify(shown).includes(secret))
  assert.deepEqual([shown.secretKeyConfigured, shown.consoleTokenConfigured, shown.kafkaSasl?.passwordConfigured], [true, true, true])
  const none = redactedSettings(readSettings({}))
  assert.deepEqual([none.secretKeyConfigured, none.consoleTokenConfigured, none.kafkaSasl], [false, false, null])
})

test('a sealing key is 32 bytes, and one that is not is refused without being repeated', () => {
  const key = Buffer.alloc(32, 7).toString('base64')
  assert.equal(readSettings({ NEWSWIRE_SECRET_KEY: key }).secretKey, key)
  const [complaint = '', ...more] = complaintsOf({ NEWSWIRE_SECRET_KEY: key.slice(4) })
  assert.deepEqual(more, [])
  assert.match(complaint, /^NEWSWIRE_SECRET_KEY must be 32 bytes/)
  assert.ok(!complaint.includes(key.slice(4)))
})

test('every setting that is read is explained, and none that is not', () => {
  const read = new Set<string>()
  const env = new Proxy<Record<string, string>>(
    {
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
      S3_BUCKET: 'b',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x',
    },
    {
      get: (target, name) => {
        read.add(String(name))
        return target[String(name)]
      },
    },
  )
  readSettings(env)
  readTelemetry(env, 'desk', () => undefined)
  const help = settingHelp.map(one => `${one.name} ${one.help}`).join(' ')
  for (const name of read) assert.ok(help.includes(name), `${name} is not explained`)
  for (const { name } of settingHelp) assert.ok(read.has(name), `${name} is explained, but not read`)
})

test("the process's environment is the process's environment", () => {
  assert.equal(processEnvironment()['PATH'], process.env['PATH'])
})

test('a variable that is nearly a setting is told with the one that was meant; one that is a secret of the configuration is not', () => {
  const env = { NEWSWIRE_FSYNCC: 'full', NEWSWIRE_FSYNC: 'full', NEWSWIRE_TOKEN: 't', NEWSWIRE_GATEWAY_PROT: '1', newswire_fsync: 'full' }
  assert.deepEqual(findMisspelt({ ...env, NEWSWIRE_DEMO_PARTNER_SECRET: 's', NEWSWIRE_GHOST_SECRET: 's', NEWSWIRE_TEST: '1' }), [
    { found: 'NEWSWIRE_FSYNCC', meant: 'NEWSWIRE_FSYNC' },
    { found: 'NEWSWIRE_GATEWAY_PROT', meant: 'NEWSWIRE_GATEWAY_PORT' },
  ])
})
