import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'

/** In a process of its own: what is turned on once cannot be turned off. */
const story = `
  import { getCompileCacheDir } from 'node:module'
  import { keepCompiled } from ${JSON.stringify(new URL('./compile-cache.ts', import.meta.url).href)}
  const told = keepCompiled()
  console.log(JSON.stringify({ used: getCompileCacheDir() ?? null, told }))
`
const run = (more: Readonly<Record<string, string>> = {}): { used: string | null; told: string | null } => {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...more } }))
}

test('compiled code is kept beside the code, where nobody else can write', () => {
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
