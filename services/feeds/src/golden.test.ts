import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GOLDEN_FOLDER, makeGolden } from './golden.ts'

const made = makeGolden()

test('there is a golden file of every profile and output, and none besides', async () => {
  const found = await readdir(GOLDEN_FOLDER, { recursive: true, withFileTypes: true })
  const files = found.filter(one => one.isFile()).map(one => join(one.parentPath, one.name).slice(GOLDEN_FOLDER.length + 1))
  assert.deepEqual(files.sort(), [...made.keys()].sort())
})

for (const [path, content] of made)
  test(`${path} is byte for byte what was agreed; npm run golden -w @newswire/feeds writes it again`, async () => {
    assert.equal(content, await readFile(join(GOLDEN_FOLDER, path), 'utf8'))
  })

test('everything is in Unicode form NFC, so that a letter with its marks is the same in every reader', () => {
  for (const [path, content] of made) assert.equal(content, content.normalize('NFC'), path)
})
