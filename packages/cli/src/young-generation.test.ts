import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { growingFlags } from './young-generation.ts'

const MIB = 1024 * 1024

/** In a process of its own: the flag is the whole process's, and a test runner has allocated before. */
const story = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { holdYoungGeneration } from ${JSON.stringify(new URL('./young-generation.ts', import.meta.url).href)}
  const size = () => getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size
  const keep = () => Array.from({ length: 600_000 }, (_, index) => ({ index }))
  const before = size()
  const letGrow = holdYoungGeneration()
  const kept = [keep()]
  const held = size()
  letGrow()
  kept.push(keep(), keep())
  console.log(JSON.stringify({ before, held, grown: size(), kept: kept.length }))
`

test('the young generation stays small while a process starts, and grows with its work afterwards', () => {
  const { before, held, grown } = JSON.parse(
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story], { encoding: 'utf8' }),
  ) as { before: number; held: number; grown: number }
  assert.ok(held <= before + MIB, `${before} bytes before, ${held} while it was held`)
  assert.ok(grown >= 2 * held, `${held} bytes while it was held, ${grown} afterwards`)
})

test('V8 knows what it is told: of a flag that it does not know it says nothing while it runs', () => {
  execFileSync(process.execPath, [...growingFlags, '-e', ''])
})
