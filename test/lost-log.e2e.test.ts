/** The log is gone, or the store is: what a start says of it, and that what it says can be done. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { keys } from '@newswire/objects/keys'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { withLog, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, type System, tagOf } from './support/system.ts'
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
    assert.match(output, /ends at 0, but was at \d+ before.*`newswire rebuild all --data \S+` \(with nothing running\)/)
  }

  await loseLog(system)
  await refused()
  await rm(join(system.dataDir, 'client.json'))
  const { output: told } = await command(system, ['doctor'])
  assert.match(told, /✖ failed\s+log-mark.*`newswire rebuild all --data \S+`/s)
  assert.doesNotMatch(told, /The (first|next) start/, 'none is made while a start is refused')
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
  assert.doesNotMatch((await command(system, ['doctor'])).output, /The (first|next) start/)
  const rebuilt = await command(system, ['rebuild', 'all'])
  assert.deepEqual([rebuilt.code, /there is no store in/.test(rebuilt.output)], [1, true], rebuilt.output)
  assert.equal(existsSync(objects), false, 'no empty store is left in its place')
  await rename(`${objects}-away`, objects)
  const again = await system.start()
  await again.publisher.retract('mot', { mode: 'withdraw', reason: 'thử' })
  await again.everywhere('mot', 2)
})

test('a start with a store that is older than its log is refused, and what it says to do takes back again what was taken back since', async t => {
  const system = await createSystem(t)
  const objects = join(system.dataDir, 'objects')
  const first = await system.start()
  const write = createWriter(33)
  const [hai, hai2] = [write(), { ...write(), change: 'correction', correction: { note: 'sửa' } }]
  for (const [id, article] of [
    ['mot', write()],
    ['hai', hai],
    ['bon', write()],
  ] as const)
    await first.publish(id, article)
  const held = await first.put('giu', { ...write(), embargoUntil: new Date(Date.now() + 86_400_000).toISOString() })
  await first.settled(held, 'held')
  const embargoUntil = new Date(Date.now() + 86_400_000).toISOString()
  for (const id of ['doi', 'nguyen']) await first.settled(await first.put(id, { ...write(), embargoUntil }), 'held')
  await first.newswire.stop()
  await cp(objects, `${objects}-older`, { recursive: true })
  const second = await system.start()
  await second.publisher.retract('mot', { mode: 'withdraw', reason: 'thử' })
  await second.everywhere('mot', 2)
  const { body } = await second.publisher.retract('giu', { mode: 'withdraw', reason: 'thử' })
  await second.settled(String(body['submissionId']))
  await second.settled(await second.put('doi', { ...write(), embargoUntil }), 'held')
  await second.settled(await second.put('moi', { ...write(), embargoUntil }), 'held')
  await second.settled(await second.put('hai', { ...write(), embargoUntil }), 'held')
  assert.equal(await second.publish('hai', hai2), 2)
  await second.settled(await second.put('bon', { ...write(), embargoUntil }), 'held')
  assert.equal(await second.publish('ba', write()), 1)
  await second.newswire.stop()
  await rm(objects, { recursive: true })
  await rename(`${objects}-older`, objects)

  const refused = async (args: readonly string[]) => {
    const { code, output } = await command(system, args)
    assert.equal(code, 1, output)
    assert.match(
      output,
      /baothu\.\w+ has version \d in the log and (\d|none) in the store.*`newswire rebuild articles --data \S+` \(with nothing running\)/s,
    )
  }
  await refused(['up'])
  await refused(['doctor'])
  const full = await command(system, ['rebuild', 'all'])
  assert.deepEqual([full.code, /log\.db, log\.db-wal/.test(full.output)], [1, false], full.output)

  const rebuilt = await command(system, ['rebuild', 'articles'])
  assert.deepEqual(
    [rebuilt.code, /3 articles made right again.*1 that was held, and withdrawn since, wait/s.test(rebuilt.output)],
    [0, true],
    rebuilt.output,
  )
  assert.match(rebuilt.output, /submitted again since: baothu\.doi\. Send it again/)
  assert.match(
    rebuilt.output,
    /Lost with the store while it waited, and told as refused: (?=.*baothu\.bon)(?=.*baothu\.doi)(?=.*baothu\.moi)(?!.*(hai|nguyen|giu)).* Submit/,
  )
  const { output: repeated } = await command(system, ['rebuild', 'articles', '--json'])
  assert.deepEqual(JSON.parse(repeated.trim().split('\n').at(-1) ?? ''), { articles: [], withdrawn: 0, outdated: [], lost: [] })
  const again = await system.start()
  await waitFor('what is lost to be held no more', async () => {
    const { output: status } = await command(system, ['status'])
    const { output: traced } = await command(system, ['trace', 'baothu.moi'])
    const isTold = /refused – it was lost with the store.*submit it again/.test(stripVTControlCharacters(traced))
    // Of what is held by the store that came back, the first submission of `doi` was told as superseded.
    return (isTold && /^1 held:\s+baothu\.nguyen/m.test(stripVTControlCharacters(status))) || Promise.reject(status + traced)
  })
  assert.equal((await again.get(`/articles/${articleIdOf('mot')}`)).status, 410)
  await waitFor('the feed to show what the log says', async () => {
    const { items, deleted } = await again.feed('all', 'atom.xml').read()
    const title = (id: string) => items.find(one => one.id === tagOf(id))?.title
    return (deleted.includes(tagOf('mot')) && title('hai') === hai2.title && title('ba') !== undefined) || Promise.reject([items, deleted])
  })
  for (const [id, version] of [
    ['mot', 2],
    ['hai', 2],
    ['ba', 1],
  ] as const)
    await waitFor(
      `${id} to be archived again`,
      async () => (await again.console(`/v1/articles/${articleIdOf(id)}/versions/${version}`)).status === 200,
    )
  const back = await again.publisher.republish('mot')
  const { version } = await again.settled(String(back.body['submissionId']))
  await again.everywhere('mot', Number(version))
  assert.equal(version, 3)
  assert.equal((await again.get(`/articles/${articleIdOf('mot')}`)).status, 200)
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  const verified = await command(system, ['archive', 'verify'])
  // What publishers sent since the copy was in the store alone.
  assert.match(verified.output, /7 versions, 7 native payloads/)
  // Sent once more it has the id and the bytes that it had, and nobody got an older version after a newer one.
  assert.deepEqual(system.partner.findOffences(), [])
})

test('one article that the store has lost is refused with the command that makes it again, and then taken back', async t => {
  const system = await createSystem(t)
  const first = await system.start()
  const write = createWriter(34)
  await first.publish('mot', write())
  // So many in each partition of the log that a start does not come to look for it.
  for (let n = 0; n < 48; n += 1) await first.put(`sau-${n}`, write())
  for (let n = 0; n < 48; n += 1) await first.everywhere(`sau-${n}`, 1)
  await first.newswire.stop()
  await withObjects(system, objects => objects.delete(keys.current(articleIdOf('mot'))))
  const second = await system.start()
  await second.publisher.retract('mot', { mode: 'withdraw', reason: 'thử' })
  const letter = await waitFor('the retraction to be refused', async () => {
    const [one] = (await second.console('/v1/dead-letters')).body as unknown as { id: string; message: string }[]
    return one
  })
  assert.match(letter.message, /version 1 is in the log, 0 in the store.*`newswire rebuild articles baothu\.mot`/)
  await second.newswire.stop()
  const rebuilt = await command(system, ['rebuild', 'articles', articleIdOf('mot')])
  assert.deepEqual([rebuilt.code, /1 article made right again/.test(rebuilt.output)], [0, true], rebuilt.output)
  const again = await system.start()
  assert.equal((await command(system, ['dead-letters', 'redrive', letter.id])).code, 0)
  await again.everywhere('mot', 2)
  assert.equal((await again.get(`/articles/${articleIdOf('mot')}`)).status, 410)
})
