import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { type Asked, askDoors, type Door, isRunning, lookAtClocks, lookAtServices, skewOf, toDoors } from './services.ts'

const NOW = Date.parse('2026-03-01T08:00:00.400Z')
const at = (secondsAway: number) => new Date(NOW + secondsAway * 1000).toUTCString()
const reading = (secondsAway: number, of = 'gateway') => ({ of, date: at(secondsAway), askedAtMs: NOW, answeredAtMs: NOW + 200 })

const serve = async (t: TestContext, status: number, body: string): Promise<Door> => {
  const server = createServer((_request, response) => response.writeHead(status).end(body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { name: 'gateway', url: `http://127.0.0.1:${port}`, setting: 'NEWSWIRE_GATEWAY_PORT', port }
}
const silent = (name: Door['name']): Asked => ({
  door: { name, url: 'http://127.0.0.1:0', setting: `NEWSWIRE_${name.toUpperCase()}_PORT`, port: 0 },
  answer: null,
  reason: 'ECONNREFUSED',
})

test('a clock counts as wrong only by what no answer in between explains', () => {
  assert.equal(skewOf(reading(0)), 0)
  assert.equal(skewOf({ date: at(0), askedAtMs: NOW, answeredAtMs: NOW + 60_000 }), 0)
  assert.ok(skewOf(reading(30)) > 29_000 && skewOf(reading(-30)) < -28_000)
})

test('the clock that is furthest away is named, and minutes are a failure because signatures are refused', () => {
  const states = (...readings: Parameters<typeof lookAtClocks>[0][number][]) => lookAtClocks(readings, null, NOW).map(one => one.state)
  assert.deepEqual([states(reading(1)), states(reading(-40)), states(reading(400))], [['ok'], ['warning'], ['failed']])
  assert.match(lookAtClocks([reading(1), reading(-90, 'the store')], null, NOW)[0]?.detail ?? '', /the store is \d+ s behind/)
  assert.equal(lookAtClocks([], null, NOW)[0]?.state, 'ok')
  assert.match(lookAtClocks([reading(0)], NOW + 120_000, NOW)[0]?.detail ?? '', /set back/)
  assert.equal(lookAtClocks([{ ...reading(0), date: 'yesterday' }], null, NOW)[0]?.state, 'ok')
})

test('what answers and is no Newswire is told from a service that is not ready, and neither passes for one that runs', async t => {
  const doors = [await serve(t, 200, '<html>'), await serve(t, 503, '{"ready":false,"detail":{"logAway":true}}')]
  const asked = await askDoors(doors, Date.now)
  const [stranger, unready] = await lookAtServices(asked, '127.0.0.1')
  assert.match(stranger?.detail ?? '', /is no Newswire \(HTTP 200\)/)
  assert.match(unready?.detail ?? '', /not ready .*logAway/)
  assert.deepEqual([stranger?.state, unready?.state], ['failed', 'failed'])
  assert.equal(isRunning(asked.slice(0, 1)), false)
  assert.equal(isRunning(asked), true)
})

test('a service that is silent beside others that answer has failed; where all are, nothing runs', async t => {
  const [answering] = await askDoors([await serve(t, 200, '{"ready":true}')], Date.now)
  assert.ok(answering)
  const beside = await lookAtServices([answering, silent('ingest')], '127.0.0.1')
  assert.deepEqual(
    beside.map(one => one.state),
    ['ok', 'failed'],
  )
  const [none, ...ports] = await lookAtServices([silent('gateway'), silent('ingest')], '127.0.0.1')
  assert.deepEqual([none?.check, none?.state, ports], ['services', 'warning', []])
})

test('a port that something silent has is named before a start finds out', async t => {
  const { port } = await serve(t, 200, '')
  const asked = { ...silent('console'), door: { ...silent('console').door, port } }
  const findings = await lookAtServices([asked], '127.0.0.1')
  assert.match(findings[1]?.detail ?? '', new RegExp(`port ${port} on 127\\.0\\.0\\.1 cannot be had \\(EADDRINUSE\\)`))
})

test('where a service is says the environment first, then what the system left, then the settings', () => {
  const settings = readSettings({ NEWSWIRE_HOST: '::', NEWSWIRE_CONSOLE_PORT: '9002' })
  const left = { ingest: 'http://left:1', console: 'http://left:2', gateway: 'http://left:3', publisher: 'p', token: 't' }
  const urls = (...given: Parameters<typeof toDoors>) => toDoors(...given).map(one => one.url)
  assert.deepEqual(urls({}, settings, null), ['http://127.0.0.1:8080', 'http://127.0.0.1:8081', 'http://127.0.0.1:9002'])
  assert.deepEqual(urls({ NEWSWIRE_INGEST_URL: 'http://set' }, settings, left), ['http://left:3', 'http://set', 'http://left:2'])
})
