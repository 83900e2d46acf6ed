/** What was released can be proved by anybody, for good. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createWriter } from './support/articles.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { articleIdOf, createSystem, type System } from './support/system.ts'

const command = async (system: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', system.dataDir, '--json'], env: system.env })

const run = promisify(execFile)
/** The verifier as a partner runs it: its own folder, plain Node, the keys from the site. */
const verifyAsPartner = async (folder: string): Promise<Record<string, unknown>> => {
  const { stdout } = await run(process.execPath, ['verify-copy.ts', '.', 'newswire-keys.json'], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  )
  return JSON.parse(stdout) as Record<string, unknown>
}

test('what was released is closed, copied while the system runs, and proved with plain Node and the keys of the site', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const write = createWriter(61)
  for (const id of ['bai-1', 'bai-2', 'Bai-3']) await running.publish(id, write())
  await running.publish('bai-1', write())
  await running.publisher.retract('bai-2', { mode: 'withdraw', reason: 'thử' })
  await running.everywhere('bai-2', 2)
  const version = (await running.console(`/v1/articles/${articleIdOf('bai-1')}/versions/1`)).body

  assert.equal((await running.get('/.well-known/newswire-keys.json')).status, 404, 'nothing was signed yet')
  assert.equal((await command(system, ['archive', 'verify'])).code, 1, 'nothing to verify is not proved')
  const early = await runCommand({ args: ['archive', 'copy', await newFolder(t), '--data', system.dataDir], env: system.env })
  assert.match(early.output, /nothing to prove.*`newswire archive close --data \S+` closes now/)
  assert.doesNotMatch(early.output, /curl|verify-copy/, 'no command that would fail')
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  const verified = await command(system, ['archive', 'verify'])
  assert.deepEqual([verified.code, JSON.parse(verified.stdout).ok, JSON.parse(verified.stdout).versions], [0, true, 5], verified.output)
  assert.deepEqual((await running.console(`/v1/articles/${articleIdOf('bai-1')}/versions/1`)).body, version, 'packed reads like loose')

  const reindexed = await command(system, ['rebuild', 'archive-index', '--wait'])
  assert.equal(reindexed.code, 0, reindexed.output)
  const { ok, last } = JSON.parse(reindexed.stdout) as { ok: boolean; last: Record<string, number> }
  assert.deepEqual([ok, last['manifests'], last['made'], last['lost']], [true, 1, 0, 0], 'it is as it should be')

  const folder = await newFolder(t)
  assert.equal((await command(system, ['archive', 'copy', folder])).code, 0)
  const told = async (dataDir: string) =>
    (await runCommand({ args: ['archive', 'copy', folder, '--data', dataDir], env: system.env })).output
  const elsewhere = join(await newFolder(t), 'data')
  await cp(system.dataDir, elsewhere, { recursive: true })
  assert.match(await told(system.dataDir), /curl -o newswire-keys\.json http:\/\/127\.0\.0\.1:\d+\/\.well-known/)
  assert.match(
    await told(elsewhere),
    /curl -o newswire-keys\.json https:\/\/<your site>\/\.well-known/,
    'what answers there is another system',
  )
  const keys = await running.get('/.well-known/newswire-keys.json')
  await writeFile(join(folder, 'newswire-keys.json'), keys.text)
  const proved = await verifyAsPartner(folder)
  assert.deepEqual([proved['ok'], proved['versions'], proved['natives']], [true, 5, 5])

  const packs = (await readdir(join(folder, 'archive/packs'), { recursive: true })).filter(file => file.endsWith('.gz'))
  const pack = join(folder, 'archive/packs', packs[0] ?? '')
  const bytes = await readFile(pack)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  await writeFile(pack, bytes)
  const changed = await verifyAsPartner(folder)
  assert.equal(changed['ok'], false)
  assert.match(JSON.stringify(changed['wrong']), new RegExp(packs[0] ?? ''))
  const byCommand = await command(system, ['archive', 'verify', '--copy', folder, '--keys', join(folder, 'newswire-keys.json')])
  assert.equal(byCommand.code, 1)

  assert.equal((await command(system, ['archive', 'rotate-key'])).code, 0)
  await running.publish('bai-4', write())
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  assert.equal((await command(system, ['archive', 'verify'])).code, 0, 'two keys, one chain')
})
