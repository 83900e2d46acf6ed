/** `newswire doctor` beside a system that is well, one that was killed, and one whose folder was tampered with. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { createSystem, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

type Finding = Readonly<{ check: string; state: 'ok' | 'warning' | 'failed'; detail: string; remedy: string | null }>

const SECRET = 'TINH_DOAN_SECRET'

const ask = async ({ dataDir, env }: System, without: readonly string[] = []) => {
  const left = Object.fromEntries(Object.entries(env).filter(([name]) => !without.includes(name)))
  // The data folder names where the system is; where it names nothing, nobody else's ports are looked at.
  const ports = { NEWSWIRE_GATEWAY_PORT: '0', NEWSWIRE_INGEST_PORT: '0', NEWSWIRE_CONSOLE_PORT: '0' }
  const { code, stdout, output } = await runCommand({
    args: ['doctor', '--data', dataDir, '--json'],
    env: { ...left, ...ports },
    deadlineMs: 120_000,
  })
  assert.notEqual(stdout, '', output)
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: readonly Finding[] }
  assert.equal(code, ok ? 0 : 1)
  assert.ok(
    findings.every(one => one.state !== 'failed' || (one.remedy ?? '') !== ''),
    stdout,
  )
  const of = (check: string): Finding => findings.find(one => one.check === check) ?? assert.fail(`nothing of ${check} in ${stdout}`)
  return { ok, findings, of, stdout, bad: findings.filter(one => one.state === 'failed').map(one => one.check) }
}

const begin = async (t: TestContext) => {
  const system = await createSystem(t)
  const running = await system.start()
  await running.publish('mot', createWriter(77)())
  // The key that signs the archive is the first thing that is sealed.
  await running.console('/v1/archive/close', 'POST')
  await waitFor('the archive to be closed', async () => Number((await running.console('/v1/archive')).body['closed']) > 0)
  return { system, running }
}

test('the doctor tells what is well beside a running system, and after a kill what is wrong and what to do', async t => {
  const { system, running } = await begin(t)

  await t.test('beside a running system it asks the console and writes nothing', async () => {
    const { ok, findings, of, bad, stdout } = await ask(system, [SECRET])
    assert.deepEqual([ok, bad], [true, []], stdout)
    for (const check of [
      'gateway',
      'ingest',
      'console',
      'clock',
      'store',
      'log',
      'log-mark',
      'topics',
      'configuration',
      'secrets',
      'archive',
    ])
      assert.equal(of(check).state, 'ok', JSON.stringify(of(check)))
    assert.ok(findings.every(one => one.check !== 'addresses'))
    for (const check of ['overview', 'version', 'lag', 'pending', 'dead-letters']) assert.equal(of(check).state, 'ok')
    assert.ok(findings.every(one => !one.detail.includes(system.env[SECRET] ?? '?')))
  })

  await t.test('beside a copy of its folder it is told apart from the one that the copy would be, and a command says so', async () => {
    const copy = `${system.dataDir}-copy`
    await cp(system.dataDir, copy, { recursive: true })
    const { of } = await ask({ ...system, dataDir: copy })
    const { state, detail, remedy } = of('addresses')
    assert.equal(state, 'warning')
    assert.match(detail, /^what answers at http.* runs on .*, and the folder looked at is .*-copy$/)
    assert.match(remedy ?? '', /newswire up --data .*-copy/)
    const { code, output } = await runCommand({ args: ['trace', 'mot', '--data', copy, '--json'], env: system.env })
    assert.equal(code, 0)
    assert.match(stripVTControlCharacters(output), /^! what answers at http\S+ runs on .*, not on .*-copy\. Start this one with/m)
  })

  /** What it listened on may be somebody else's by now. */
  const forgetPorts = () => rm(join(system.dataDir, 'client.json'))
  await running.newswire.kill()
  await forgetPorts()
  await t.test(
    'after a kill it looks at log and store itself, and a secret that a start from here would lack is named, not shown',
    async () => {
      const { ok, of, bad } = await ask(system, [SECRET])
      assert.deepEqual([ok, bad], [false, ['secrets']])
      assert.match(of('secrets').detail, /outlets\/tinh-doan needs TINH_DOAN_SECRET/)
      assert.equal(of('services').state, 'warning')
      assert.match(of('archive').detail, /^manifest \d+, closed .*, is signed and follows the one before$/)
      assert.deepEqual([of('store').state, of('log').state, of('log-mark').state, of('lag').state], ['ok', 'ok', 'ok', 'ok'])
      const whole = await ask(system)
      assert.deepEqual([whole.ok, whole.bad], [true, []], whole.stdout)
      assert.ok(!whole.stdout.includes(system.env[SECRET] ?? '?'))
    },
  )

  // A clean end writes down how far the log is.
  await t.test('a start without a secret says at once which outlet sends nothing until which is set, and so does status', async () => {
    const { [SECRET]: _, ...env } = system.env
    const { newswire } = await system.start({ env })
    const missed =
      /^! outlets\/tinh-doan: nothing is sent until Newswire is started again with TINH_DOAN_SECRET set, or .*rotate tinh-doan/m
    const { output } = await runCommand({ args: ['status', '--data', system.dataDir], env })
    await newswire.stop()
    assert.match(stripVTControlCharacters(output), missed)
    assert.match(stripVTControlCharacters(newswire.output()), missed)
  })
  await t.test('a start without the key that secrets are sealed with is refused, and one with another key says so', async () => {
    const file = join(system.dataDir, 'secret-key')
    const key = await readFile(file, 'utf8')
    // Empty is what a power cut or a copy to a full disk can leave of it.
    for (const lose of [() => writeFile(file, ''), () => rm(file)]) {
      await lose()
      const refused = await runCommand({ args: ['up', '--data', system.dataDir], env: system.env })
      assert.equal(refused.code, 1)
      assert.match(
        refused.output,
        /secret-key is missing or empty, and secrets are sealed with it; put it back, or set NEWSWIRE_SECRET_KEY/,
      )
      assert.equal(await readFile(file, 'utf8').catch(() => ''), '', 'none was made in its place')
    }
    await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 })
    const { newswire } = await system.start()
    await newswire.stop()
    assert.match(stripVTControlCharacters(newswire.output()), /^! secret \S+ was sealed with another key; .*newswire doctor/m)
    await writeFile(file, key, { mode: 0o600 })
  })
  await forgetPorts()
  await t.test('a log that does not belong to the store and a key that opens nothing are told apart', async () => {
    for (const rest of ['', '-wal', '-shm']) await rm(join(system.dataDir, `log.db${rest}`), { force: true })
    await writeFile(join(system.dataDir, 'secret-key'), randomBytes(32).toString('base64'), { mode: 0o600 })
    const { bad, of } = await ask(system)
    assert.deepEqual(bad.sort(), ['log-mark', 'secret-key'])
    assert.match(of('log-mark').remedy ?? '', /Give back the log\.db that belongs to it/)
    assert.match(of('secret-key').detail, /sealed with another key/)
  })
})
