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

test('a heap that is kept lean takes less than one that is left to itself, young and old together', () => {
  const [lean, asEver] = [run('lean'), run('as ever')]
  const told = `lean ${JSON.stringify(lean)}, as ever ${JSON.stringify(asEver)}`
  assert.ok(lean.asked > 10, told)
  assert.ok(lean.mostYoung < asEver.mostYoung, told)
  assert.ok(lean.mostYoung + lean.mostOld < 0.75 * (asEver.mostYoung + asEver.mostOld), told)
})

/** The event loop is busy until the keeper has looked; then it has no turn while two million objects are made, of which a quarter stays. */
const deafStory = `
  import { setTimeout as wait } from 'node:timers/promises'
  import { getHeapSpaceStatistics } from 'node:v8'
  import { keepHeapLean } from ${JSON.stringify(new URL('./lean-heap.ts', import.meta.url).href)}
  const [wanted] = process.argv.slice(1)
  const youngMb = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20
  const isLean = wanted === 'lean'
  const lean = keepHeapLean(() => isLean, 1)
  const kept = []
  const work = turns => {
    for (let turn = 0; turn < turns; turn++)
      for (let index = 0; index < 10_000; index++) {
        const made = { turn, index, text: 'x' + index }
        if (index % 4 === 0) kept.push(made)
      }
  }
  const atFirst = youngMb()
  for (let turns = 0; isLean && youngMb() <= atFirst && turns < 2_000; turns++) {
    work(1)
    kept.length = 0
    await wait(1)
  }
  const begun = youngMb()
  work(200)
  console.log(JSON.stringify({ atFirst, begun, after: youngMb(), kept: kept.length }))
  lean.stop()
`
const runDeaf = (wanted: 'lean' | 'as ever') =>
  JSON.parse(
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', deafStory, wanted], {
      encoding: 'utf8',
    }),
  ) as { atFirst: number; begun: number; after: number }

test('what is young grows once there is work, and no more however long nobody can look', () => {
  const [lean, asEver] = [runDeaf('lean'), runDeaf('as ever')]
  const told = `lean ${JSON.stringify(lean)}, as ever ${JSON.stringify(asEver)}`
  assert.ok(lean.begun > lean.atFirst, told)
  assert.ok(lean.after <= 32, told)
  assert.ok(asEver.after > 32, told)
})
