import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Objects } from '@newswire/objects/objects'
import { takeViewsFolder } from './views-folder.ts'

const newFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-views-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const newStore = async (t: TestContext): Promise<Objects> => {
  const objects = await createDiskObjects({ root: newFolder(t), fsync: 'normal' })
  t.after(() => objects.close())
  return objects
}

test('a process finds the folder of the one before it, and two that live at once never share one', async t => {
  const [objects, settings] = [await newStore(t), { dataDir: newFolder(t), kafkaTopicPrefix: '' }]
  const first = await takeViewsFolder(objects, settings, 'desk')
  const second = await takeViewsFolder(objects, settings, 'desk')
  assert.notEqual(second.path, first.path)
  first.release()
  const third = await takeViewsFolder(objects, settings, 'desk')
  assert.equal(third.path, first.path)
  second.release()
  third.release()
})

test('a killed process leaves its folder to the next one', async t => {
  const [objects, settings] = [await newStore(t), { dataDir: newFolder(t), kafkaTopicPrefix: '' }]
  const before = await takeViewsFolder(objects, settings, 'desk')
  before.release()
  const code = `import { DatabaseSync } from 'node:sqlite'
    const lock = new DatabaseSync(${JSON.stringify(join(before.path, 'lock'))})
    lock.exec('BEGIN EXCLUSIVE')
    console.log('locked')
    setInterval(() => lock.isOpen, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const beside = await takeViewsFolder(objects, settings, 'desk')
  assert.notEqual(beside.path, before.path)
  child.kill('SIGKILL')
  await once(child, 'close')
  const after = await takeViewsFolder(objects, settings, 'desk')
  assert.equal(after.path, before.path)
  beside.release()
  after.release()
})

test('other services, topics or stores have other folders, also a store that was emptied', async t => {
  const [objects, settings] = [await newStore(t), { dataDir: newFolder(t), kafkaTopicPrefix: '' }]
  const taken = [
    await takeViewsFolder(objects, settings, 'desk'),
    await takeViewsFolder(objects, settings, 'feeds'),
    await takeViewsFolder(objects, { ...settings, kafkaTopicPrefix: 'x.' }, 'desk'),
    await takeViewsFolder(await newStore(t), settings, 'desk'),
  ]
  for (const one of taken) one.release()
  for (const { key } of await objects.list('')) await objects.delete(key)
  const emptied = await takeViewsFolder(objects, settings, 'desk')
  emptied.release()
  assert.equal(new Set([...taken, emptied].map(one => one.path)).size, 5)
})

test('a data folder that cannot be used is refused with what to do', async t => {
  const objects = await newStore(t)
  const file = join(newFolder(t), 'a-file')
  writeFileSync(file, '')
  await assert.rejects(takeViewsFolder(objects, { dataDir: file, kafkaTopicPrefix: '' }, 'desk'), /NEWSWIRE_DATA must be a local folder/)
})
