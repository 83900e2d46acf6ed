import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** In a process of its own, because flags are the whole process's. Keeps ever more of what it makes, and half of that is soon garbage. */
const story = `
  import { setTimeout as wait } from 'node:timers/promises'
  import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
  import { keepHeapLean } from ${JSON.stringify(new URL('./lean-heap.ts', import.meta.url).href)}
  const [wanted] = process.argv.slice(1)
  let asked = 0
  const lean = keepHeapLean(() => { asked += 1; return wanted === 'lean' }, 1)
  let mostYoung = 0
  let mostOld = 0
  const kept = []
  for (let turn = 0; turn < 60; turn++) {
    const made = Array.from({ length: 40_000 }, (_, index) => ({ turn, index, text: 'x' + index }))
    kept[turn % 10] = made
    await wait(2)
    for (const { space_name, space_size } of getHeapSpaceStatistics()) {
      if (space_name === 'new_space') mostYoung = Math.max(mostYoung, space_size)
      if (space_name === 'old_space') mostOld = Math.max(mostOld, space_size)
    }
  }
  lean.stop()
  lean.stop()
  console.log(JSON.stringify({ mostYoung, mostOld, asked, used: getHeapStatistics().used_heap_size, kept: kept.length }))
`

const run = (wanted: 'lean' | 'as ever') =>
  JSON.parse(
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story, wanted], {
      encoding: 'utf8',
    }),
  ) as { mostYoung: number; mostOld: number; asked: number }

test('a heap that is kept lean takes less than one that is left to itself, young and old', () => {
  const [lean, asEver] = [run('lean'), run('as ever')]
  const told = `lean ${JSON.stringify(lean)}, as ever ${JSON.stringify(asEver)}`
  assert.ok(lean.asked > 10, told)
  assert.ok(lean.mostYoung < asEver.mostYoung, told)
  assert.ok(lean.mostOld < 0.9 * asEver.mostOld, told)
})
