/** The log is gone, or the store is: what a start says of it, and that what it says can be done. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { withLog } from './support/stopped.ts'
import { articleIdOf, createSystem, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const NO_PORTS = { NEWSWIRE_GATEWAY_PORT: '0', NEWSWIRE_INGEST_PORT: '0', NEWSWIRE_CONSOLE_PORT: '0' }

const command = async ({ dataDir, env }: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', dataDir], env: { ...env, ...NO_PORTS } })

const loseLog = async ({ dataDir }: System): Promise<void> => {
  for (const end of ['', '-wal', '-shm']) await rm(join(dataDir, `log.db${end}`), { force: true })
}

test('a start without its log is refused and leaves none behind, and what it says to do makes the next one work', async t => {
  const system = await createSystem(t)
  const logFile = join(system.dataDir, 'log.db')
  const first = await system.start()
  const write = createWriter(31)
  for (const id of ['mot', 'hai', 'ba']) await first.publish(id, write())
  await first.publisher.retract('ba', { mode: 'withdraw', reason: 'thử' })
  await first.everywhere('ba', 2)
  await first.newswire.stop()
  const refused = async () => {
    const { code, output } = await command(system, ['up'])
    assert.equal(code, 1, output)
    assert.match(output, /ends at 0, but was at \d+ before.*`newswire rebuild all` \(with nothing running\)/)
  }

  await loseLog(system)
  await refused()
  assert.equal(existsSync(logFile), false, 'no empty log is left in its place')
  await writeFile(logFile, '')
  await refused()
  // As an earlier build left one.
  await (await createEmbeddedLog({ file: logFile, fsync: 'normal' })).close()
  await refused()

  // And as one did on which a rebuild had begun at 0.
  await withLog(system, log => log.publish([{ topic: 'articles', key: 'baothu.mot', value: Buffer.from('{}') }]))
  const full = await command(system, ['rebuild', 'all'])
  assert.deepEqual(
    [full.code, /move log\.db, log\.db-wal and log\.db-shm out of the data folder/.test(full.output)],
    [1, true],
    full.output,
  )
  await refused()
  await loseLog(system)

  await (await createEmbeddedLog({ file: logFile, fsync: 'normal' })).close()
  const rebuilt = await command(system, ['rebuild', 'all'])
  assert.deepEqual(
    [rebuilt.code, /3 articles restored.*\n.*held or on their way.*\n.*no day was closed yet/.test(rebuilt.output)],
    [0, true],
    rebuilt.output,
  )
  const again = await system.start()
  assert.equal((await again.get(`/articles/${articleIdOf('mot')}`)).status, 200)
  const { output: traced } = await command(system, ['trace', 'baothu.mot'])
  assert.match(
    stripVTControlCharacters(traced),
    /version 1 {2}published .* restored from the archive at .*ledger.*✔ done {2}archive archive/s,
  )
  assert.equal(await again.publish('hai', write()), 2)
  const retracted = await command(system, ['retract', 'mot', '--mode', 'withdraw', '--reason', 'thử', '--wait'])
  assert.equal(retracted.code, 0, retracted.output)
  await again.everywhere('mot', 2)
  // Nothing is late that will never come: no version before waits for the archive, and what was taken back before is proved gone.
  await waitFor('nothing to be open', async () => {
    const { body } = await again.console('/v1/overview')
    const { body: proof } = await again.console('/v1/articles/baothu.ba/retraction-proof')
    return (JSON.stringify(body['sinks']) === '{}' && proof['verdict'] === 'gone') || Promise.reject(JSON.stringify([body, proof]))
  })
  // The day was not closed when the log was lost: what was submitted is listed by the versions that came of it.
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  const verified = await command(system, ['archive', 'verify'])
  assert.match(verified.output, /6 versions, 6 native payloads/)
  await again.newswire.stop()
  const ends = () => withLog(system, log => log.ends('submissions'))
  const before = await ends()
  assert.equal((await command(system, ['rebuild', 'all'])).code, 1, 'not on a log that is there')
  assert.deepEqual(await ends(), before)
  await (await system.start()).newswire.stop()
})

test('a start without the store of its log is refused and makes none, the doctor says why, and with the store put back it goes on', async t => {
  const system = await createSystem(t)
  const objects = join(system.dataDir, 'objects')
  const first = await system.start()
  await first.publish('mot', createWriter(32)())
  await first.newswire.stop()
  // What it listened on may be somebody else's by now.
  await rm(join(system.dataDir, 'client.json'))
  await rename(objects, `${objects}-away`)
  const refused = async (args: readonly string[]) => {
    const { code, output } = await command(system, args)
    assert.equal(code, 1, output)
    assert.match(output, /the log has articles, and the store knows of no log.*objects\/ back beside log\.db.*empty --data folder/s)
  }
  await refused(['up'])
  await refused(['apply', system.configFile])
  await refused(['doctor'])
  const rebuilt = await command(system, ['rebuild', 'all'])
  assert.deepEqual([rebuilt.code, /there is no store in/.test(rebuilt.output)], [1, true], rebuilt.output)
  assert.equal(existsSync(objects), false, 'no empty store is left in its place')
  await rename(`${objects}-away`, objects)
  const again = await system.start()
  await again.publisher.retract('mot', { mode: 'withdraw', reason: 'thử' })
  await again.everywhere('mot', 2)
})
