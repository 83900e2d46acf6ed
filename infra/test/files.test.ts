import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { findTestFiles, needsThePartsAlone, tierOf } from './files.ts'

test('the tier of a test is in its file name', () => {
  assert.equal(tierOf('packages/log/src/retry.test.ts'), 'unit')
  assert.equal(tierOf('packages/log/src/kafka.integration.test.ts'), 'integration')
  assert.equal(tierOf('test/first-light.e2e.test.ts'), 'e2e')
})

test('tests that take the broker or the store away run alone', () => {
  assert.equal(needsThePartsAlone('packages/log/src/kafka.integration.test.ts'), false)
  assert.equal(needsThePartsAlone('packages/log/src/kafka.fault.integration.test.ts'), true)
  assert.equal(needsThePartsAlone('test/kafka-away.fault.e2e.test.ts'), true)
  assert.equal(needsThePartsAlone('test/kafka-kill.e2e.test.ts'), false)
  assert.equal(needsThePartsAlone('test/kill.e2e.test.ts'), false)
})

test('test files are found below packages, services, infra and test, never below node_modules, and in a fixed order', async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-files-'))
  t.after(() => rm(root, { recursive: true }))
  const kept = ['infra/check/a.test.ts', 'packages/log/src/deep/b.test.ts', 'services/desk/src/c.integration.test.ts', 'test/d.e2e.test.ts']
  for (const file of [...kept, 'packages/log/src/node_modules/x/src/e.test.ts', 'packages/log/src/f.ts']) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), '')
  }
  assert.deepEqual(await findTestFiles(root, []), kept)
  assert.deepEqual(await findTestFiles(root, ['services/desk', './test/']), [
    'services/desk/src/c.integration.test.ts',
    'test/d.e2e.test.ts',
  ])
})
