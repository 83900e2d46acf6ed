import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { readSettings, SettingsError } from '@newswire/runtime/settings'
import { checkPorts, freePort } from './check-ports.ts'

const takePort = async (t: TestContext) => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return String((server.address() as AddressInfo).port)
}
const settingsOf = (gateway: string, ingest: string) =>
  readSettings({ NEWSWIRE_GATEWAY_PORT: gateway, NEWSWIRE_INGEST_PORT: ingest, NEWSWIRE_CONSOLE_PORT: '0' })

test('every port that is taken is named with its option, its setting and what npm start takes', async t => {
  const [gateway, ingest] = [await takePort(t), await takePort(t)]
  const settings = settingsOf(gateway, ingest)
  await assert.rejects(
    checkPorts(settings, ['gateway', 'ingest', 'console'], { flags: true }),
    (error: { code?: string; message?: string }) => {
      assert.equal(error.code, 'NEWSWIRE_PORT_TAKEN')
      for (const words of [
        `port ${gateway}`,
        `port ${ingest}`,
        '--gateway-port N or NEWSWIRE_GATEWAY_PORT',
        'npm start -- --gateway-port 0 --ingest-port 0',
      ])
        assert.ok(error.message?.includes(words), `${words} in ${error.message}`)
      return true
    },
  )
  await assert.rejects(checkPorts(settings, ['ingest', 'desk'], { flags: false }), (error: { message?: string }) => {
    assert.doesNotMatch(String(error.message), /gateway|--ingest-port|npm/)
    return true
  })
})

test('of two that are given one port both are named, and nobody else is blamed; services without a port need none', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const free = String((server.address() as AddressInfo).port)
  await new Promise(resolve => server.close(resolve))
  await assert.rejects(checkPorts(settingsOf(free, free), ['gateway', 'ingest'], { flags: true }), {
    code: 'NEWSWIRE_PORT_TAKEN',
    message: `Nothing was started: gateway and ingest were both given port ${free}; give ingest another with --ingest-port N or NEWSWIRE_INGEST_PORT. 0 picks a free one. With npm: \`npm start -- --ingest-port 0\`.`,
  })
  const taken = await takePort(t)
  await assert.rejects(
    checkPorts(settingsOf(taken, taken), ['gateway', 'ingest'], { flags: false }),
    /is taken.*both given port.*stop what has it/,
  )
  await checkPorts(settingsOf(await takePort(t), '0'), ['desk', 'outlets', 'ingest'], { flags: true })
})

test('an address that is none of this machine is told as such: no other port would do', async () => {
  // RFC 5737: of no machine.
  const settings = { ...settingsOf('0', '0'), host: '192.0.2.1' }
  const isTold = (error: unknown) => error instanceof SettingsError && /192\.0\.2\.1 is no address .*NEWSWIRE_HOST/.test(error.message)
  await assert.rejects(checkPorts(settings, ['gateway', 'ingest'], { flags: false }), isTold)
  await assert.rejects(freePort(settings.host), isTold)
  assert.ok((await freePort('127.0.0.1')) > 0)
})
