import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { sha256Hex } from '@newswire/events/ids'
import { clientFile, createClient } from './client.ts'
import { answering } from './sample-front-door.ts'

/** A console that takes one token and no other. */
const consoleWith = async (t: TestContext, token: string): Promise<string> => {
  const server = createServer((request, response) => {
    const status = request.headers.authorization === `Bearer ${token}` ? 200 : 401
    response.writeHead(status, { 'content-type': 'application/json' }).end(`{"took":"${request.headers.authorization ?? 'none'}"}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the console is told the token that `up` left for it; another address is not, and the refusal says what to set', async t => {
  const dataDir = await mkdtemp(join(tmpdir(), 'newswire-client-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const [own, other] = [await consoleWith(t, 'left'), await consoleWith(t, 'set')]
  await writeFile(
    clientFile(dataDir),
    JSON.stringify({ ingest: own, console: own, gateway: own, publisher: 'press', token: 'local', consoleToken: 'left' }),
  )
  const ask = async (environment: Record<string, string>) =>
    (await createClient({ environment, settings: { dataDir } })).console('GET', '/v1/overview')
  assert.deepEqual(await ask({}), { took: 'Bearer left' })
  await assert.rejects(ask({ NEWSWIRE_CONSOLE_URL: other }), /NEWSWIRE_CONSOLE_TOKEN/)
  assert.deepEqual(await ask({ NEWSWIRE_CONSOLE_URL: other, NEWSWIRE_CONSOLE_TOKEN: 'set' }), { took: 'Bearer set' })
})

test('an address that is none is wrong use, which names the settings', async () => {
  const { console: ask } = await createClient({
    environment: { NEWSWIRE_CONSOLE_URL: 'foo' },
    settings: { dataDir: join(tmpdir(), 'newswire-none') },
  })
  await assert.rejects(ask('GET', '/v1/overview'), /NEWSWIRE_INGEST_URL and NEWSWIRE_CONSOLE_URL must be addresses/)
})

test('a token decides whose articles are spoken of, whatever publisher `up` left one for', async t => {
  const dataDir = await mkdtemp(join(tmpdir(), 'newswire-client-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const known = (token: string) => `/v1/tokens?sha256=${sha256Hex(token)}`
  const door = await answering(t, ({ path }) => ({
    body: path === known('second') ? [{ publisher: 'vanhoa', id: 'cli', scopes: [], from: 'issued' }] : [],
  }))
  await writeFile(
    clientFile(dataDir),
    JSON.stringify({ ingest: door.url, console: door.url, gateway: door.url, publisher: 'songhau', token: 'local' }),
  )
  const whose = async (environment: Record<string, string>) => (await createClient({ environment, settings: { dataDir } })).whose()
  assert.deepEqual([await whose({}), await whose({ NEWSWIRE_TOKEN: 'local' })], ['songhau', 'songhau'])
  assert.deepEqual(door.asked, [], 'nobody is asked what is known')
  assert.equal(await whose({ NEWSWIRE_TOKEN: 'second' }), 'vanhoa')
  assert.equal(await whose({ NEWSWIRE_TOKEN: 'unheard' }), null)
})

test('what a copy of a folder speaks to is told to be of another folder, once there is an answer', async t => {
  const base = await mkdtemp(join(tmpdir(), 'newswire-client-'))
  t.after(() => rm(base, { recursive: true }))
  const [live, copy, link] = ['live', 'copy', 'link'].map(name => join(base, name)) as [string, string, string]
  const door = await answering(t, () => ({ body: {} }))
  const gone = 'http://127.0.0.1:1'
  await mkdir(live)
  const folder = await realpath(live)
  const leave = (to: string, left: object) =>
    writeFile(
      clientFile(to),
      JSON.stringify({ ingest: door.url, console: door.url, gateway: gone, publisher: 'press', token: 'local', ...left }),
    )
  await leave(live, { folder })
  await cp(live, copy, { recursive: true })
  await symlink(live, link)
  const toldFrom = async (dataDir: string, environment: Record<string, string> = {}) => {
    const said: string[] = []
    const client = await createClient({ environment, settings: { dataDir }, say: line => void said.push(stripVTControlCharacters(line)) })
    for (const ask of [client.ingest, client.console]) await ask('GET', '/').catch(() => undefined)
    return said
  }
  const [told, ...more] = await toldFrom(copy)
  assert.ok(told?.startsWith(`! what answers at ${door.url} runs on ${folder}, not on ${copy}. `), told)
  assert.ok(told?.includes(`--data ${folder}`) && told.includes(`\`newswire up --data ${copy}\``), told)
  assert.deepEqual(more, [])
  assert.deepEqual([await toldFrom(live), await toldFrom(link)], [[], []])
  assert.deepEqual(await toldFrom(copy, { NEWSWIRE_INGEST_URL: `${door.url}/`, NEWSWIRE_CONSOLE_URL: `${door.url}/` }), [], 'named by hand')
  await leave(copy, { folder, ingest: gone, console: gone })
  assert.deepEqual(await toldFrom(copy), [], 'nothing runs')
  await leave(copy, {})
  assert.deepEqual(await toldFrom(copy), [], 'left before folders were')
})
