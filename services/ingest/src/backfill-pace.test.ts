import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPace } from './backfill-pace.ts'

const MOST = 64

/** How long one is paced for whose picture takes longer: then it is parked, and waits in no line (`services/images`). */
const PARKED_AFTER_MS = 2_000

type Pipeline = Readonly<{
  /** One after the other takes so long, ms. */
  workMs: number
  /** Beside the others it takes so long, ms: by the article's number. */
  waitMs: (index: number) => number
}>

/** Lets in as many as it may, for `seconds` of virtual time; how it went in the second half. */
const run = (seconds: number, at: (nowMs: number) => Pipeline, pace = createPace(MOST), parkedAfterMs = Number.POSITIVE_INFINITY) => {
  const underWay: { letInMs: number; endMs: number; isParked: boolean }[] = []
  const limits: number[] = []
  const took: number[] = []
  let [nowMs, freeMs, index, ended] = [0, 0, 0, 0]
  while (nowMs < seconds * 1000) {
    while (underWay.length < pace.limit(nowMs)) {
      const { workMs, waitMs } = at(nowMs)
      freeMs = Math.max(freeMs, nowMs) + workMs
      const endMs = freeMs + waitMs(index++)
      const parkedMs = nowMs + parkedAfterMs
      underWay.push({ letInMs: nowMs, endMs: Math.min(endMs, parkedMs), isParked: parkedMs < endMs })
    }
    underWay.sort((a, b) => b.endMs - a.endMs)
    const next = underWay.at(-1)
    assert.ok(next, 'something is always let in')
    // As the window does that looks again every second while somebody waits.
    if (next.endMs > nowMs + 1_000) {
      nowMs += 1_000
      continue
    }
    underWay.pop()
    nowMs = next.endMs
    if (next.isParked) pace.parked(next.letInMs, nowMs)
    else pace.ended(next.letInMs, nowMs)
    assert.ok(pace.limit(nowMs) >= 2 && pace.limit(nowMs) <= MOST)
    if (nowMs < seconds * 500) continue
    ended += 1
    limits.push(pace.limit(nowMs))
    took.push(nowMs - next.letInMs)
  }
  const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  return { limit: middle(limits), tookMs: middle(took), perSecond: ended / (seconds / 2) }
}

describe('the pace of an import', () => {
  it('keeps a pipeline busy, and nobody behind more than a short line', () => {
    const { perSecond, tookMs } = run(60, () => ({ workMs: 5, waitMs: () => 20 }))
    assert.ok(perSecond > 0.9 * 200, `${perSecond} of 200 a second`)
    assert.ok(tookMs <= 25 + 6 * 5, `one takes ${tookMs} ms, 25 alone`)
  })

  it('is the whole window where the time is spent waiting for pictures', () => {
    const { limit, perSecond } = run(120, () => ({ workMs: 1, waitMs: () => 800 }))
    assert.ok(limit >= 60, `${limit} under way`)
    assert.ok(perSecond > 60, `${perSecond} of 80 a second`)
  })

  for (const [what, parkedAfterMs] of [
    ['parked', PARKED_AFTER_MS],
    ['waited for', Number.POSITIVE_INFINITY],
  ] as const)
    it(`is the whole window where every picture takes five seconds, and is ${what}`, () => {
      const { limit } = run(600, () => ({ workMs: 5, waitMs: () => 5_000 }), createPace(MOST), parkedAfterMs)
      assert.equal(limit, MOST)
    })

  it('sees the line also where three of four are parked', () => {
    const { limit } = run(300, () => ({ workMs: 20, waitMs: index => (index % 4 === 0 ? 20 : 5_000) }), createPace(MOST), PARKED_AFTER_MS)
    assert.ok(limit < MOST / 2, `${limit} under way`)
  })

  it('is not misled by the few that wait for a picture', () => {
    const { perSecond, tookMs } = run(60, () => ({ workMs: 5, waitMs: index => (index % 4 === 0 ? 300 : 20) }))
    assert.ok(perSecond > 100, `${perSecond} a second`)
    assert.ok(tookMs <= 25 + 8 * 5, `one takes ${tookMs} ms`)
  })

  it('follows a pipeline that has become slower, and one that has become quicker', () => {
    const slower = run(120, nowMs => ({ workMs: nowMs < 40_000 ? 5 : 25, waitMs: () => 20 }))
    assert.ok(slower.perSecond > 0.8 * 40 && slower.tookMs <= 45 + 6 * 25, JSON.stringify(slower))
    const quicker = run(120, nowMs => ({ workMs: nowMs < 40_000 ? 25 : 2, waitMs: () => 20 }))
    assert.ok(quicker.perSecond > 0.8 * 500 && quicker.tookMs <= 22 + 8 * 2, JSON.stringify(quicker))
  })
})
