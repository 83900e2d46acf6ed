import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { doctor } from './doctor.ts'

/** A door that answers everything alike, and what it was asked. */
const openDoor = async (t: TestContext, body: string) => {
  const asked: Pick<IncomingMessage, 'url' | 'headers'>[] = []
  const server = createServer(({ url, headers }, response) => {
    asked.push({ url, headers })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test('what has the port of the console and is no Newswire is never told the token', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-doctor-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ours = await openDoor(t, '{"ready":true}')
  const stranger = await openDoor(t, '<html>')
  const lookWith = async (consoleUrl: string) => {
    const environment = { NEWSWIRE_INGEST_URL: ours.url, NEWSWIRE_CONSOLE_URL: consoleUrl, NEWSWIRE_CONSOLE_TOKEN: 's3cr3t' }
    const settings = readSettings({ NEWSWIRE_DATA: join(folder, 'data'), NEWSWIRE_PROBE_URL: ours.url })
    const printed: string[] = []
    await doctor({
      environment,
      readSettings: () => settings,
      version: '1',
      json: true,
      now: Date.now,
      print: line => void printed.push(line),
    })
    assert.equal(printed.length, 1)
  }
  await lookWith(stranger.url)
  assert.deepEqual(
    stranger.asked.map(one => [one.url, one.headers.authorization]),
    [['/readyz', undefined]],
  )
  await lookWith(ours.url)
  assert.ok(ours.asked.some(one => one.url === '/v1/overview' && one.headers.authorization === 'Bearer s3cr3t'))
})
