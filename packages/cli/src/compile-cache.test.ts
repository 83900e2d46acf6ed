import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** In a process of its own: what is turned on once cannot be turned off. */
const story = `
  import { getCompileCacheDir } from 'node:module'
  import { keepCompiled } from ${JSON.stringify(new URL('./compile-cache.ts', import.meta.url).href)}
  const told = keepCompiled()
  console.log(JSON.stringify({ used: getCompileCacheDir() ?? null, told }))
`
const run = (more: Readonly<Record<string, string>> = {}): { used: string | null; told: string | null } => {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...env } = process.env
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...more } }))
}

/** False where the code belongs to somebody else, or is on a disk that cannot be written. */
const isWritable = (folder: string): boolean => {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

test('compiled code is kept beside the code that it was made of', t => {
  if (!isWritable(fileURLToPath(new URL('../../../node_modules/.cache/newswire', import.meta.url))))
    return t.skip('node_modules cannot be written')
  const { used, told } = run()
  assert.ok(used?.startsWith(`${told}`), `${used} in ${told}`)
  assert.equal(basename(told ?? ''), 'newswire')
  assert.equal(basename(dirname(dirname(told ?? ''))), 'node_modules')
})

test('a folder that an operator names is the one', t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-compiled-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { used, told } = run({ NODE_COMPILE_CACHE: folder })
  assert.ok(used?.startsWith(folder), `${used} in ${folder}`)
  assert.equal(told, null)
})

test('an operator who turns it off has it off', () => {
  assert.deepEqual(run({ NODE_DISABLE_COMPILE_CACHE: '1' }), { used: null, told: null })
})
