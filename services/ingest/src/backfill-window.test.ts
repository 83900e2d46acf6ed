import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Milestone } from '@newswire/events/milestone'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Pace } from './backfill-pace.ts'
import { createBackfillWindow } from './backfill-window.ts'

const SIZE = 3
const START = Date.parse('2026-01-01T00:00:00.000Z')
type Told = Extract<Milestone, { kind: 'submission' }>

const one: Pace = { limit: () => 1, ended: () => undefined, parked: () => undefined }
const unpaced: Pace = { limit: () => SIZE, ended: () => undefined, parked: () => undefined }

/** A store, and a trace that says what it is told; windows are processes on both. */
const open = async (t: TestContext) => {
  const root = mkdtempSync(join(tmpdir(), 'backfill-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  const states = new Map<string, Told['state']>()
  const listeners = new Set<(milestones: readonly Milestone[]) => void>()
  const attending = new Set<object>()
  let clockMs = START
  const windows: { stop(): void }[] = []
  t.after(async () => {
    for (const one of windows) one.stop()
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  })
  const trace = async () => ({
    isReady: () => true,
    submission: (submissionId: string) => {
      const state = states.get(submissionId)
      return state === undefined ? null : { submissionId, articleId: 'press.a', command: 'publish', state, acceptedAt: null, at: '' }
    },
    attend: () => {
      const mine = {}
      attending.add(mine)
      return () => attending.delete(mine)
    },
    onMilestones: (listener: (milestones: readonly Milestone[], places: readonly []) => void) => {
      const hear = (milestones: readonly Milestone[]) => listener(milestones, [])
      listeners.add(hear)
      return () => listeners.delete(hear)
    },
  })
  return {
    isAttended: () => attending.size > 0,
    objects,
    process: (waitMs = 0, pace: Pace = unpaced, more: Partial<Parameters<typeof createBackfillWindow>[0]> = {}) => {
      const window = createBackfillWindow({ objects, trace, now: () => clockMs, size: SIZE, waitMs, pace, ...more })
      windows.push(window)
      return window
    },
    tell: (submissionId: string, state: Told['state']) => {
      states.set(submissionId, state)
      const told: Told = { kind: 'submission', articleId: 'press.a', submissionId, stage: 'desk', state, at: '' }
      for (const listener of listeners) listener([told])
    },
    tellAll: (...ids: string[]) => {
      const told = ids.map(
        (submissionId): Told => ({ kind: 'submission', articleId: 'press.a', submissionId, stage: 'desk', state: 'released', at: '' }),
      )
      for (const id of ids) states.set(id, 'released')
      for (const listener of listeners) listener(told)
    },
    advance: (ms: number) => {
      clockMs += ms
    },
  }
}

const admitted = (window: { admit(id: string): Promise<boolean> }, ...ids: string[]) => Promise.all(ids.map(id => window.admit(id)))

describe('the window of imports', () => {
  it('lets in as many as there are places, and the next when one has come to an end', async t => {
    const { process, tell } = await open(t)
    const window = process()
    assert.deepEqual(await admitted(window, 'a', 'b', 'c', 'd'), [true, true, true, false])
    assert.equal(window.taken(), SIZE)
    tell('b', 'parked')
    assert.equal(await window.admit('d'), false, 'what waits for a picture is under way')
    tell('b', 'released')
    assert.deepEqual(await admitted(window, 'd', 'e'), [true, false])
  })

  it('counts every end as one: released, refused, held, repeated', async t => {
    for (const state of ['released', 'refused', 'held', 'duplicate', 'superseded'] as const) {
      const { process, tell } = await open(t)
      const window = process()
      await admitted(window, 'a', 'b', 'c')
      tell('a', state)
      assert.deepEqual(await admitted(window, 'd', 'e'), [true, false], state)
    }
  })

  it('holds back who comes when it is full, and lets him in as soon as there is a place', async t => {
    const { process, tell } = await open(t)
    const window = process(20_000)
    await admitted(window, 'a', 'b', 'c')
    const [first, second] = [window.admit('d'), window.admit('e')]
    tell('a', 'released')
    assert.equal(await first, true, 'who came first')
    tell('b', 'refused')
    assert.equal(await second, true)
  })

  it('is one for all processes, whoever of them took the places', async t => {
    const { process, tell } = await open(t)
    const [one, other] = [process(), process()]
    const both = await Promise.all([admitted(one, 'a', 'b', 'c', 'd'), admitted(other, 'e', 'f', 'g', 'h')])
    assert.equal(both.flat().filter(Boolean).length, SIZE)
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) tell(id, 'released')
    const again = await Promise.all([admitted(one, 'i', 'j', 'k', 'l'), admitted(other, 'm', 'n', 'o', 'p')])
    assert.equal(again.flat().filter(Boolean).length, SIZE)
  })

  it('survives a restart: what was under way still is', async t => {
    const { process, tell } = await open(t)
    await admitted(process(), 'a', 'b', 'c')
    tell('a', 'accepted')
    tell('b', 'released')
    const after = process()
    assert.deepEqual(await admitted(after, 'd', 'e'), [true, false])
  })

  it('gives a submission that comes again the place that it has', async t => {
    const { process } = await open(t)
    const window = process()
    await admitted(window, 'a', 'b', 'c')
    assert.deepEqual(await admitted(window, 'b', 'd'), [true, false])
    assert.equal(await process().admit('c'), true)
  })

  it('frees the place of what never got as far as the log after a minute, and of nothing else', async t => {
    const { process, tell, advance } = await open(t)
    const window = process()
    await admitted(window, 'lost', 'slow', 'c')
    tell('slow', 'accepted')
    tell('c', 'accepted')
    advance(59_000)
    assert.equal(await window.admit('d'), false)
    advance(2_000)
    assert.deepEqual(await admitted(window, 'd', 'e'), [true, false])
  })

  it('tells its pace of everybody once: of the end, or that he waits for a picture', async t => {
    const { process, tell } = await open(t)
    const told: string[] = []
    const window = process(0, { limit: () => SIZE, ended: () => told.push('ended'), parked: () => told.push('parked') })
    await admitted(window, 'a', 'b')
    tell('a', 'parked')
    tell('a', 'released')
    tell('b', 'released')
    assert.deepEqual(told, ['parked', 'ended'])
  })

  it('attends to the trace as long as something is in its line, and no longer', async t => {
    const { process, tell, isAttended } = await open(t)
    const window = process()
    assert.equal(isAttended(), false)
    await admitted(window, 'a', 'b')
    tell('a', 'released')
    assert.equal(isAttended(), true)
    tell('b', 'parked')
    assert.equal(isAttended(), false, 'what waits for a picture stands in no line')
    await admitted(window, 'c')
    assert.equal(isAttended(), true)
    window.stop()
    assert.equal(isAttended(), false)
  })

  it('lets others in at once where one could not be logged, which keeps its place', async t => {
    const { process, isAttended } = await open(t)
    const window = process(0, one)
    assert.deepEqual(await admitted(window, 'a', 'b'), [true, false])
    window.failed('a')
    assert.equal(isAttended(), false)
    assert.deepEqual([await window.admit('b'), window.taken()], [true, 2])
    assert.equal(await window.admit('a'), true, 'its repeat')
  })

  it('lets in who waits when there is space again, one after the other', async t => {
    const { process } = await open(t)
    let nextMs = 0
    const early: number[] = []
    const spacing = {
      waitMs: (nowMs: number) => Math.max(0, nextMs - nowMs),
      letIn: (nowMs: number) => {
        if (nowMs < nextMs) early.push(nextMs - nowMs)
        nextMs = nowMs + 30
      },
    }
    const window = process(20_000, unpaced, { spacing })
    const order: string[] = []
    await Promise.all(['a', 'b', 'c'].map(async id => (await window.admit(id)) && order.push(id)))
    assert.deepEqual(order, ['a', 'b', 'c'])
    assert.deepEqual(early, [])
  })

  it('does not forget what was taken while it read its places', async t => {
    const { process, objects, tell } = await open(t)
    const read = { count: 0, hold: null as PromiseWithResolvers<void> | null }
    const slow: Pick<typeof objects, 'get' | 'put'> = {
      put: objects.put,
      get: async key => {
        const found = await objects.get(key)
        read.count += 1
        await read.hold?.promise
        return found
      },
    }
    const window = process(20_000, unpaced, { objects: slow, size: 1 })
    assert.equal(await window.admit('a'), true)
    const waiting = window.admit('b')
    read.hold = Promise.withResolvers()
    // The look of every second has read that it is taken for `a`.
    for (const before = read.count; read.count === before; ) await new Promise(resolve => setTimeout(resolve, 10))
    tell('a', 'released')
    assert.equal(await waiting, true)
    read.hold.resolve()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(window.taken(), 1)
    assert.equal(await process(0, unpaced, { size: 1 }).admit('c'), false)
  })

  it('lets in who came first, also when several ends are told at once', async t => {
    const { process, tellAll } = await open(t)
    let nextMs = 0
    const spacing = {
      waitMs: (nowMs: number) => Math.max(0, nextMs - nowMs),
      letIn: (nowMs: number) => {
        nextMs = nowMs + 5
      },
    }
    const window = process(20_000, unpaced, { spacing })
    await admitted(window, 'a', 'b', 'c')
    const order: string[] = []
    const all = ['d', 'e', 'f', 'g', 'h', 'i'].map(async id => (await window.admit(id)) && order.push(id))
    await new Promise(resolve => setImmediate(resolve))
    tellAll('a', 'b', 'c')
    await Promise.all(all.slice(0, 3))
    tellAll('d', 'e', 'f')
    await Promise.all(all)
    assert.deepEqual(order, ['d', 'e', 'f', 'g', 'h', 'i'])
  })

  it('counts the repeat of one that could not be logged', async t => {
    const { process, isAttended } = await open(t)
    const window = process(0, one)
    await admitted(window, 'a')
    window.failed('a')
    assert.equal(await window.admit('a'), true)
    assert.equal(isAttended(), true)
    assert.equal(await window.admit('b'), false)
  })

  it('sends everybody away when it stops', async t => {
    const { process } = await open(t)
    const window = process(20_000)
    await admitted(window, 'a', 'b', 'c')
    const waiting = window.admit('d')
    await new Promise(resolve => setImmediate(resolve))
    window.stop()
    assert.equal(await waiting, false)
  })
})
