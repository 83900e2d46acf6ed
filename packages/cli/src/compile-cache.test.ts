import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'

/** In a process of its own: what is turned on once cannot be turned off. */
const story = `
  import { getCompileCacheDir } from 'node:module'
  import { keepCompiled } from ${JSON.stringify(new URL('./compile-cache.ts', import.meta.url).href)}
  keepCompiled()
  console.log(JSON.stringify({ used: getCompileCacheDir() ?? null, told: process.env.NODE_COMPILE_CACHE ?? null }))
`
const run = (more: Readonly<Record<string, string>> = {}): { used: string | null; told: string | null } => {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...more } }))
}

test('compiled code is kept beside the code, where nobody else can write, and threads are told where', () => {
  const { used, told } = run()
  assert.ok(used?.startsWith(`${told}`), `${used} in ${told}`)
  assert.equal(basename(told ?? ''), 'newswire')
  assert.equal(basename(dirname(dirname(told ?? ''))), 'node_modules')
})

test('an operator who turns it off has it off', () => {
  assert.deepEqual(run({ NODE_DISABLE_COMPILE_CACHE: '1' }), { used: null, told: null })
})
