import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSpacing } from './backfill-spacing.ts'

const STEP_MS = 1
/** What an import does after the desk shows so much later. */
const LATER_MS = 150

type Loop = Readonly<{
  /** What an import takes of the loop at once, and later. */
  beforeMs: number
  afterMs: number
  /** What everything else takes of it, 0 to 1. */
  others: (nowMs: number) => number
}>

/** One event loop in virtual time: whoever may be let in is, `seconds` long; how it went in the second half. */
const run = (seconds: number, { beforeMs, afterMs, others }: Loop) => {
  const looks: number[] = []
  let [workMs, busyMs, sinceMs] = [0, 0, 0]
  let utilization = 0
  const spacing = createSpacing(() => utilization)
  const later: number[] = []
  const letIn: number[] = []
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += STEP_MS) {
    for (; spacing.waitMs(nowMs) === 0; letIn.push(nowMs)) {
      // A window of 64 is full here.
      if (later.length >= 64) break
      spacing.letIn(nowMs)
      workMs += beforeMs
      later.push(nowMs + LATER_MS)
    }
    for (; (later[0] ?? Number.POSITIVE_INFINITY) <= nowMs; later.shift()) workMs += afterMs
    workMs += others(nowMs) * STEP_MS
    const done = Math.min(STEP_MS, workMs)
    workMs -= done
    busyMs += done
    if (nowMs - sinceMs < 100) continue
    utilization = busyMs / (nowMs - sinceMs)
    ;[busyMs, sinceMs] = [0, nowMs]
    if (nowMs > seconds * 500) looks.push(utilization)
  }
  const counted = letIn.filter(at => at > seconds * 500)
  const most = Math.max(...counted.map((at, index) => counted.slice(index, index + 100).filter(other => other < at + 10).length))
  return { perSecond: counted.length / (seconds / 2), utilization: looks.reduce((sum, one) => sum + one, 0) / looks.length, inTenMs: most }
}

describe('the space between imports', () => {
  it('leaves half of the loop, evenly, whatever an import takes of it', () => {
    for (const afterMs of [1, 4, 10]) {
      const { utilization, perSecond, inTenMs } = run(60, { beforeMs: 1, afterMs, others: () => 0 })
      const wanted = 500 / (1 + afterMs)
      assert.ok(Math.abs(utilization - 0.5) < 0.08, `${utilization} busy with ${afterMs} ms`)
      assert.ok(perSecond > 0.85 * wanted && perSecond < 1.15 * wanted, `${perSecond} of ${wanted} a second with ${afterMs} ms`)
      assert.ok(inTenMs <= 10, `${inTenMs} within 10 ms`)
    }
  })

  it('goes on beside others that fill the loop', () => {
    const { perSecond } = run(60, { beforeMs: 1, afterMs: 3, others: () => 0.95 })
    assert.ok(perSecond >= 24 && perSecond < 40, `${perSecond} a second`)
  })

  it('does not let in at once what others held up', () => {
    const { inTenMs } = run(120, { beforeMs: 1, afterMs: 3, others: nowMs => (nowMs % 10_000 < 5_000 ? 1 : 0) })
    assert.ok(inTenMs <= 10, `${inTenMs} within 10 ms`)
  })

  it('is nothing where an import takes next to nothing of the loop', () => {
    const { perSecond } = run(60, { beforeMs: 0.1, afterMs: 0.1, others: () => 0 })
    assert.ok(perSecond > 400, `${perSecond} a second, which is as many as the window has places for`)
  })

  it('knows nothing of a loop after a pause', () => {
    let utilization = 0
    const spacing = createSpacing(() => utilization)
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) spacing.letIn(nowMs)
    assert.equal(spacing.waitMs(20_000), 0)
    utilization = 1
    spacing.letIn(3_600_000)
    assert.equal(spacing.waitMs(3_600_000), 10)
  })
})
