/** The command as a shell starts it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { answering as frontDoor } from './sample-front-door.ts'

const BIN = fileURLToPath(new URL('./bin.ts', import.meta.url))

const run = async (args: readonly string[], env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH ?? '', NEWSWIRE_DATA: join(tmpdir(), 'newswire-nothing-here'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const read = async (stream: NodeJS.ReadableStream) => {
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  }
  const [stdout, stderr, code] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    new Promise<number | null>(resolve => child.once('close', resolve)),
  ])
  return { code, stdout, stderr }
}

test('what a pipe takes slowly comes whole, and a reader that has seen enough is no trouble', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'newswire.yaml')
  const wrong = Array.from({ length: 10_000 }, (_, index) => `  - { id: "Not An Id ${index}", title: T }\n`)
  writeFileSync(file, `site: { id: "x.example,2026", title: T, publicUrl: "https://x.example" }\nfeeds:\n${wrong.join('')}`)
  const { code, stdout } = await run(['apply', file, '--dry-run', '--json', '--data', folder])
  assert.equal(code, 2)
  assert.match(JSON.parse(stdout).error.message, /feeds\[9999\]\.id/)
  const said = await run(['apply', file, '--dry-run', '--data', folder])
  assert.match(said.stderr, /feeds\[9999\]\.id/)

  const child = spawn(process.execPath, [BIN, 'apply', file, '--dry-run', '--json', '--data', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.once('data', () => child.stdout.destroy())
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint += String(chunk)
  })
  assert.equal(await new Promise(resolve => child.once('close', resolve)), 2)
  assert.equal(complaint, '')
})

test('what a result for machines advises names the data folder too; what others wrote stays as it is', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire "bin"-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { stdout } = await run(['doctor', '--json', '--data', folder], { NEWSWIRE_GATEWAY_PORT: '0' })
  const { findings } = JSON.parse(stdout) as { findings: { check: string; remedy: string | null }[] }
  assert.match(findings.find(one => one.check === 'services')?.remedy ?? '', /`newswire up --data '.*newswire "bin"-.*'`/)
  const said = { articleId: 'press.a', title: 'Xem `newswire doctor`', versions: [], submissions: [{ detail: '`newswire status`' }] }
  const door = await frontDoor(t, ({ path }) => (path.endsWith('/trace') ? { body: said } : undefined))
  const env = { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_CONSOLE_URL: door.url, NEWSWIRE_TOKEN: 't' }
  const trace = await run(['trace', 'press.a', '--json', '--data', './news'], env)
  assert.deepEqual(JSON.parse(trace.stdout), { ...said, submissions: [{ detail: '`newswire status --data ./news`' }] })
})

test('until when a signing secret still counts is said in the zone of the site, and with --json in UTC', async t => {
  const made = { outlet: 'w', secret: 'whsec_c2VjcmV0', overlapUntil: '2027-01-19T23:00:00.000Z' }
  const door = await frontDoor(t, ({ path }) => ({ body: path.endsWith('/secrets') ? made : { timeZone: 'Asia/Ho_Chi_Minh' } }))
  const env = { NEWSWIRE_CONSOLE_URL: door.url }
  const shown = await run(['outlets', 'rotate', 'w'], env)
  assert.match(shown.stdout, /^whsec_c2VjcmV0\n.*Until 2027-01-20T06:00:00\+07:00 /, shown.stderr)
  assert.deepEqual(JSON.parse((await run(['outlets', 'rotate', 'w', '--json'], env)).stdout), made)
})

test('a document is printed word for word, also where it gives a command, and a message beside it names the data folder', async t => {
  const config = { feeds: [{ id: 'all', title: 'Xem `newswire doctor`' }] }
  const letter = { id: 'one', message: 'the store has lost it; `newswire rebuild articles press.a`' }
  const door = await frontDoor(t, ({ path }) =>
    path === '/v1/config' ? { body: config } : path.endsWith('/one') ? { body: letter } : { status: 404, body: { detail: letter.message } },
  )
  const args = ['--data', join(tmpdir(), 'nothing "here"')]
  const env = { NEWSWIRE_CONSOLE_URL: door.url }
  const shown = await run(['config', 'show', ...args], env)
  assert.equal(shown.stdout, 'feeds:\n  - id: all\n    title: Xem `newswire doctor`\n', shown.stderr)
  assert.deepEqual(JSON.parse((await run(['dead-letters', 'show', 'one', ...args], env)).stdout), letter)
  assert.deepEqual(JSON.parse((await run(['dead-letters', 'show', 'one', '--json', ...args], env)).stdout), letter)
  assert.match(
    (await run(['dead-letters', 'show', 'two', ...args], env)).stderr,
    /`newswire rebuild articles press\.a --data '.*nothing "here"'`/,
  )
})

const COMMANDS = [
  'up',
  'run',
  'publish',
  'import',
  'retract',
  'republish',
  'trace',
  'status',
  'apply',
  'topics apply',
  'dead-letters list',
  'outlets replay',
]

test('every command has help with an example, on standard output, and exits 0', { timeout: 180_000 }, async () => {
  const helps = await Promise.all(COMMANDS.map(name => run([...name.split(' '), '--help'])))
  for (const [index, { code, stdout }] of helps.entries()) {
    assert.equal(code, 0, COMMANDS[index])
    assert.match(stdout, /Usage: newswire/)
    assert.match(stdout, /Example:\n {2}.*newswire /, COMMANDS[index])
  }
  assert.match(helps[0]?.stdout ?? '', /NEWSWIRE_FSYNC/)
  const retract = helps[COMMANDS.indexOf('retract')]?.stdout ?? ''
  for (const mode of ['withdraw', 'gone', 'redirect', 'replace']) assert.match(retract, new RegExp(`\n  ${mode} +\\w`))
})

test('wrong use exits 2, says what to do, and with --json says it in JSON', { timeout: 180_000 }, async () => {
  const wrong: [string[], RegExp, Record<string, string>?][] = [
    [['pubish'], /publish/],
    [['publish'], /file/],
    [['retract', 'a', '--mode', 'hide', '--reason', 'r'], /withdraw, gone, redirect, replace/],
    [['publish', 'a.json', '--wait', '--timeout', 'soon'], /seconds/],
    [['up', '--gateway-port', '80a'], /--gateway-port.*expected 0 to 65535/s],
    [['publish', 'no-such-file.json'], /NEWSWIRE_|cannot be read/],
    [['publish', tmpdir()], /is a folder.*newswire publish \S+\*\.json.*newswire import/],
    [['run', 'printer'], /no such service: printer/],
    [['run', 'desk'], /KAFKA_BROKERS/],
    [['trace', 'a'], /newswire up/],
    [['status'], /NEWSWIRE_GATEWAY_PORT must be 0 to 65535/, { NEWSWIRE_GATEWAY_PORT: '80a' }],
  ]
  const results = await Promise.all(wrong.map(([args, , env]) => run(args, env)))
  for (const [index, [args, words]] of wrong.entries()) {
    const { code, stdout, stderr } = results[index] ?? { code: null, stdout: '', stderr: '' }
    assert.equal(code, 2, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, words, args.join(' '))
    assert.doesNotMatch(stderr, /^ {4}at /m)
  }
  for (const args of [
    ['trace', 'a', '--json'],
    ['retract', 'a', '--json'],
    ['publish', 'x.pdf', '--json'],
  ]) {
    const { code, stdout } = await run(args, { NEWSWIRE_INGEST_URL: 'http://127.0.0.1:1', NEWSWIRE_TOKEN: 't' })
    assert.equal(code, 2)
    assert.equal(JSON.parse(stdout).error.code, 'NEWSWIRE_USAGE', args.join(' '))
  }
})

/** A system that answers every request in one way. */
const answering = async (t: TestContext, status: number, body: unknown) => {
  const server = createServer((_request, response) =>
    response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body)),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { NEWSWIRE_INGEST_URL: url, NEWSWIRE_CONSOLE_URL: url, NEWSWIRE_TOKEN: 'sesame-token' }
}

test('what was refused exits 1 with the title, the code and each field; --json keeps the code', { timeout: 180_000 }, async t => {
  const problem = {
    title: 'Not valid',
    detail: 'no title',
    code: 'NEWSWIRE_INVALID',
    errors: [{ pointer: '/title', detail: 'expected some text' }],
  }
  const env = await answering(t, 422, problem)
  const [words, json] = await Promise.all([run(['republish', 'a'], env), run(['republish', 'a', '--json'], env)])
  assert.deepEqual([words.code, words.stdout], [1, ''])
  assert.match(words.stderr, /Not valid: no title \(NEWSWIRE_INVALID\)\n {2}\/title: expected some text/)
  assert.equal(json.code, 1)
  assert.equal(JSON.parse(json.stdout).error.code, 'NEWSWIRE_INVALID')
  for (const { stdout, stderr } of [words, json]) assert.doesNotMatch(stdout + stderr, /sesame-token/)
})

test('of a refusal in words of strangers a terminal obeys nothing, and a machine is told them as they are', {
  timeout: 180_000,
}, async t => {
  const detail = 'found "x\u001b[2J\u202e"; see `newswire status`'
  const env = await answering(t, 422, { title: 'Not valid', detail, code: 'NEWSWIRE_INVALID' })
  const args = ['republish', 'a', '--data', './a "b"']
  const [words, json] = await Promise.all([run(args, env), run([...args, '--json'], env)])
  assert.ok(words.stderr.includes('found "x\\u001b[2J\\u202e"; see `newswire status --data \'./a "b"\'`'), words.stderr)
  assert.doesNotMatch(json.stdout, /[\u001b\u202e]/)
  const { message } = (JSON.parse(json.stdout) as { error: { message: string } }).error
  assert.equal(message, 'Not valid: found "x\u001b[2J\u202e"; see `newswire status --data \'./a "b"\'` (NEWSWIRE_INVALID)')
})

test('when nothing answers it exits 1 and says what to start or set', { timeout: 180_000 }, async () => {
  const env = { NEWSWIRE_INGEST_URL: 'http://127.0.0.1:1', NEWSWIRE_CONSOLE_URL: 'http://127.0.0.1:1', NEWSWIRE_TOKEN: 't' }
  const { code, stderr } = await run(['status'], env)
  assert.equal(code, 1)
  assert.match(stderr, /Nothing answers at http:\/\/127\.0\.0\.1:1\. Is Newswire running\?/)
})

test('a system that is not all right makes status exit 1, with its words on standard output', { timeout: 180_000 }, async t => {
  const counts = { articles: 1, releasedLastMinute: 0, deadLetters: 2, stages: [] }
  const overview = { healthy: false, sentence: '2 dead letters are open.', ...counts, warnings: ['outlets/w: nothing is sent'] }
  const env = await answering(t, 200, overview)
  const [words, json] = await Promise.all([run(['status'], env), run(['status', '--json'], env)])
  assert.deepEqual([words.code, json.code], [1, 1])
  assert.match(words.stdout, /✖ 2 dead letters are open\./)
  assert.match(words.stderr, /! outlets\/w: nothing is sent/)
  assert.deepEqual(JSON.parse(json.stdout), overview)
})

test('up without any configuration says what to apply', { timeout: 180_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const { code, stderr } = await run(['up', '--data', folder, ...ports], { NEWSWIRE_LOG_LEVEL: 'silent' })
  assert.equal(code, 1)
  assert.match(stderr, /no configuration yet/)
})

test('up with a port that is taken starts nothing and says which options give another', { timeout: 180_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const taken = new URL((await answering(t, 200, {})).NEWSWIRE_CONSOLE_URL).port
  const config = fileURLToPath(new URL('../demo/newswire.yaml', import.meta.url))
  const ports = ['--gateway-port', taken, '--ingest-port', '0', '--console-port', '0']
  const { code, stdout, stderr } = await run(['up', '--data', folder, '--config', config, ...ports], { NEWSWIRE_LOG_LEVEL: 'info' })
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`Nothing was started: port ${taken} .*--gateway-port N or NEWSWIRE_GATEWAY_PORT`))
  assert.doesNotMatch(stdout + stderr, /service\.started/)
})

test('up that is refused for its configuration or for a port leaves no data folder behind', { timeout: 180_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const wrong = join(folder, 'wrong.yaml')
  writeFileSync(wrong, 'site: 3')
  const right = fileURLToPath(new URL('../demo/newswire.yaml', import.meta.url))
  const taken = new URL((await answering(t, 200, {})).NEWSWIRE_CONSOLE_URL).port
  const data = join(folder, 'data')
  const starts: [string[], number, RegExp][] = [
    [['--config', wrong, '--gateway-port', '0'], 2, /wrong\.yaml is not valid/],
    [['--config', join(folder, 'none.yaml'), '--gateway-port', '0'], 2, /none\.yaml cannot be read/],
    [['--config', right, '--gateway-port', taken], 1, /Nothing was started: port/],
    [['--demo', '--gateway-port', taken], 1, /Nothing was started: port/],
  ]
  for (const [args, status, words] of starts) {
    const { code, stderr } = await run(['up', '--data', data, ...args, '--ingest-port', '0', '--console-port', '0'])
    assert.equal(code, status, stderr)
    assert.match(stderr, words)
    assert.equal(existsSync(data), false, args.join(' '))
  }
})
