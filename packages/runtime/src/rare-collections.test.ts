import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { growingBuffersFlag, noGrowingBuffersFlag } from './growing-buffers.ts'
import { GROWN } from './lean-heap.ts'
import { mayGrow, memoryBytes, ruleFor } from './rare-collections.ts'

const MIB = 1_048_576

test('buffers may grow for a while after a collection, and not without end', () => {
  const rule = { restMs: 10_000, mostBytes: 256 * MIB, leftBytes: 128 * MIB }
  const freeBytes = () => 1024 * MIB
  assert.equal(mayGrow({ sinceMs: 0, grownBytes: 0, freeBytes }, rule), true)
  assert.equal(mayGrow({ sinceMs: 9_999, grownBytes: 255 * MIB, freeBytes }, rule), true)
  assert.equal(mayGrow({ sinceMs: 10_000, grownBytes: 0, freeBytes }, rule), false, 'at rest V8 collects as ever')
  assert.equal(mayGrow({ sinceMs: 0, grownBytes: 256 * MIB, freeBytes }, rule), false)
})

test('what processes beside each other have of a machine is left to V8 once little of it is free, whichever of them has it', () => {
  const rule = { restMs: 10_000, mostBytes: 256 * MIB, leftBytes: 128 * MIB }
  let looks = 0
  const free = (bytes: number) => () => {
    looks += 1
    return bytes
  }
  assert.equal(mayGrow({ sinceMs: 0, grownBytes: 65 * MIB, freeBytes: free(128 * MIB) }, rule), true)
  assert.equal(mayGrow({ sinceMs: 0, grownBytes: 65 * MIB, freeBytes: free(127 * MIB) }, rule), false)
  assert.equal(mayGrow({ sinceMs: 0, grownBytes: 63 * MIB, freeBytes: free(0) }, rule), true, 'so much V8 lets them grow by itself')
  assert.equal(looks, 2, 'only where it matters')
})

test('an eighth of the machine is left, whatever a container may have of it', () => {
  assert.deepEqual(ruleFor(1024 * MIB, 8192 * MIB), { restMs: 30_000, mostBytes: 128 * MIB, leftBytes: 1024 * MIB })
})

test('buffers may grow by an eighth of what a machine or its container has, by 256 MiB at most, and below 1 GiB they are left to V8', () => {
  const mostMib = (memory: number) => (ruleFor(memory)?.mostBytes ?? 0) / MIB
  assert.deepEqual(
    [512, 1023, 1024, 1536, 2048, 65_536].map(mib => mostMib(mib * MIB)),
    [0, 0, 128, 192, 256, 256],
  )
})

test('a container has what its limit says, and one without a limit what the machine has', () => {
  assert.equal(memoryBytes(512 * MIB, 8192 * MIB), 512 * MIB)
  assert.equal(memoryBytes(0, 8192 * MIB), 8192 * MIB)
  assert.equal(memoryBytes(2 ** 64, 8192 * MIB), 8192 * MIB)
})

/** In a process of its own, because the flag is the whole process's. Each buffer lives long enough to be old, and two gigabytes of them pass. */
const story = `
  import { setImmediate as turn } from 'node:timers/promises'
  import { PerformanceObserver } from 'node:perf_hooks'
  import { collectRarely } from ${JSON.stringify(new URL('./rare-collections.ts', import.meta.url).href)}
  const [mostMib] = process.argv.slice(1).map(Number)
  let collections = 0
  const observer = new PerformanceObserver(list => {
    for (const { detail } of list.getEntries()) if (detail.kind === 4) collections += 1
  })
  observer.observe({ entryTypes: ['gc'] })
  const rare = mostMib > 0 ? collectRarely({ restMs: 3_600_000, mostBytes: mostMib * ${MIB}, leftBytes: 0 }, 1) : { stop: () => undefined }
  const kept = []
  for (let made = 0; made < 2048; made++) {
    kept[made % 16] = Buffer.alloc(${MIB})
    await turn()
  }
  rare.stop()
  rare.stop()
  console.log(JSON.stringify({ collections, kept: kept.length }))
`

const run = (mostMib: number) =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        `--heap-growing-percent=${GROWN.growthPercent}`,
        '--input-type=module',
        '-e',
        story,
        String(mostMib),
      ],
      { encoding: 'utf8' },
    ),
  ) as { collections: number }

test('fewer full collections for the sake of buffers while these may grow', () => {
  const [asEver, rarely] = [run(0), run(4096)]
  const told = `as ever ${JSON.stringify(asEver)}, rarely ${JSON.stringify(rarely)}`
  assert.ok(asEver.collections >= 8, told)
  assert.ok(rarely.collections <= asEver.collections / 2, told)
})

test('V8 knows what it is told: of a flag that it does not know it says nothing while it runs', () => {
  execFileSync(process.execPath, [growingBuffersFlag, noGrowingBuffersFlag, '-e', ''])
})
