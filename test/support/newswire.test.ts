import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newFolder, portsOf, runCommand, startNewswire, startUp } from './newswire.ts'
import { waitFor } from './wait-for.ts'

const program = async (t: TestContext, text: string): Promise<string> => {
  const bin = join(await newFolder(t), 'program.mjs')
  await writeFile(bin, text)
  return bin
}

const READY = "console.log('newswire ready gateway=http://127.0.0.1:81 ingest=http://127.0.0.1:82 console=http://127.0.0.1:83')\n"
const STAYS = 'setInterval(() => undefined, 1000)\n'

test('the addresses come from the ready line, and a restart can take the same ports', async t => {
  const bin = await program(t, `console.log('starting'); ${READY}${STAYS}`)
  const running = await startUp(t, { bin, dataDir: await newFolder(t) })
  assert.equal(running.url('ingest'), 'http://127.0.0.1:82')
  assert.deepEqual(portsOf(running), { gateway: 81, ingest: 82, console: 83 })
  assert.deepEqual(await running.kill(), { code: null, signal: 'SIGKILL' })
})

test('a process that ends before it is ready is told with all it wrote', async t => {
  const bin = await program(t, "console.error('the port is taken'); process.exit(3)")
  await assert.rejects(startNewswire({ args: ['up'], bin }), /ended before it was ready \(status 3\); it wrote:\nthe port is taken/)
})

test('a process that never gets ready is ended at the deadline', async t => {
  const bin = await program(t, `console.log(process.pid); ${STAYS}`)
  const error = await startNewswire({ args: ['up'], bin, deadlineMs: 600 }).then(
    () => assert.fail('it was ready'),
    (one: Error) => one,
  )
  assert.match(error.message, /no ready line within 600 ms/)
  const pid = Number(/it wrote:\n(\d+)/.exec(error.message)?.[1])
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('stop asks politely, waits, and tells when it had to use force', async t => {
  const polite = await startNewswire({
    args: ['run'],
    bin: await program(t, `process.on('SIGTERM', () => process.exit(0)); ${READY}${STAYS}`),
  })
  assert.deepEqual(await polite.stop(), { code: 0, signal: null })
  const deaf = await startNewswire({
    args: ['run', 'desk'],
    bin: await program(t, `process.on('SIGTERM', () => console.log('no')); ${READY}${STAYS}`),
  })
  await assert.rejects(deaf.stop(300), /run desk did not stop within 300 ms of SIGTERM[\s\S]*\nno/)
  assert.equal((await deaf.ended).signal, 'SIGKILL')
})

test('settings of the machine do not leak into the process, those of the test arrive', async t => {
  const bin = await program(
    t,
    'console.log(JSON.stringify([process.env.KAFKA_BROKERS ?? null, process.env.S3_BUCKET ?? null, process.env.NEWSWIRE_FSYNC ?? null]))',
  )
  const before = process.env['KAFKA_BROKERS']
  process.env['KAFKA_BROKERS'] = 'leak:9092'
  t.after(() => {
    if (before === undefined) delete process.env['KAFKA_BROKERS']
    else process.env['KAFKA_BROKERS'] = before
  })
  const { code, stdout } = await runCommand({ args: [], bin, env: { NEWSWIRE_FSYNC: 'normal' } })
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), [null, null, 'normal'])
})

test('waiting returns the answer, passes over errors, and at its deadline tells what it saw last', async () => {
  let asked = 0
  const answer = await waitFor(
    'the third answer',
    () => {
      asked += 1
      if (asked < 3) throw new Error('not yet')
      return asked
    },
    { everyMs: 1 },
  )
  assert.equal(answer, 3)
  await assert.rejects(
    waitFor(
      'a refusal to end',
      () => {
        throw new Error('connection refused')
      },
      { deadlineMs: 20, everyMs: 5 },
    ),
    /a refusal to end: not within 20 ms; last seen: Error: connection refused/,
  )
})
