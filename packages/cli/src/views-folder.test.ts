import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings, type Settings } from '@newswire/runtime/settings'
import { takeViewsFolder } from './views-folder.ts'

const settingsIn = (dataDir: string, more: Record<string, string> = {}): Settings =>
  readSettings({ KAFKA_BROKERS: 'a:1', S3_BUCKET: 'b', NEWSWIRE_DATA: dataDir, ...more })

const newFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-views-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a process finds the folder of the one before it, and two that live at once never share one', t => {
  const settings = settingsIn(newFolder(t))
  const first = takeViewsFolder(settings, 'desk')
  const second = takeViewsFolder(settings, 'desk')
  assert.notEqual(second.path, first.path)
  first.release()
  const third = takeViewsFolder(settings, 'desk')
  assert.equal(third.path, first.path)
  second.release()
  third.release()
})

test('a killed process leaves its folder to the next one', async t => {
  const settings = settingsIn(newFolder(t))
  const code = `import { takeViewsFolder } from ${JSON.stringify(join(import.meta.dirname, 'views-folder.ts'))}
    console.log(takeViewsFolder(${JSON.stringify(settings)}, 'desk').path)
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const path = line.toString().trim()
  const beside = takeViewsFolder(settings, 'desk')
  assert.notEqual(beside.path, path)
  child.kill('SIGKILL')
  await once(child, 'close')
  const after = takeViewsFolder(settings, 'desk')
  assert.equal(after.path, path)
  beside.release()
  after.release()
})

test('other services, topics or buckets have other folders', t => {
  const dataDir = newFolder(t)
  const taken = [
    takeViewsFolder(settingsIn(dataDir), 'desk'),
    takeViewsFolder(settingsIn(dataDir), 'feeds'),
    takeViewsFolder(settingsIn(dataDir, { KAFKA_TOPIC_PREFIX: 'x.' }), 'desk'),
    takeViewsFolder(settingsIn(dataDir, { S3_PREFIX: 'x' }), 'desk'),
  ]
  assert.equal(new Set(taken.map(one => one.path)).size, taken.length)
  for (const one of taken) one.release()
})

test('a data folder that cannot be used is refused with what to do', t => {
  const file = join(newFolder(t), 'a-file')
  writeFileSync(file, '')
  assert.throws(() => takeViewsFolder(settingsIn(file), 'desk'), /NEWSWIRE_DATA must be a local folder/)
})
