import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeDataFolder } from './data-folder.ts'

test('a data folder is made with its parents, and once more is no error', async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-data-'))
  t.after(() => rm(root, { recursive: true }))
  const path = join(root, 'a', 'b', 'c')
  await Promise.all([makeDataFolder(path), makeDataFolder(path)])
  await makeDataFolder(path)
  assert.ok((await stat(path)).isDirectory())
})

test('where no folder can be made, it says so at once and names the way out', { timeout: 10_000 }, async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-data-'))
  t.after(() => rm(root, { recursive: true }))
  await writeFile(join(root, 'file'), '')
  const impossible = [join(root, 'file'), join(root, 'file', 'data'), ...(process.platform === 'linux' ? ['/proc/newswire/data'] : [])]
  for (const path of impossible)
    await assert.rejects(
      makeDataFolder(path),
      ({ message }: Error) => message.includes(path) && message.includes('--data or NEWSWIRE_DATA'),
    )
})
