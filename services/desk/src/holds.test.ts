import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fromRecord } from '@newswire/events/events'
import type { NewRecord } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { createLogger } from '@newswire/runtime/logger'
import { decide } from './decide.ts'
import { createHolds } from './holds.ts'
import { blank } from './state.ts'
import { ARTICLE, at, publish } from './stories.world.ts'

const minute = (minutes: number): number => Date.parse(at(minutes))

/** A store with the state of an article embargoed until minute 5, and holds with a clock of our own. */
const openHolds = async (t: TestContext, { isOwner = true }: { isOwner?: boolean } = {}) => {
  const root = mkdtempSync(join(tmpdir(), 'holds-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  })
  const published: NewRecord[] = []
  let nowMs = minute(0)
  const holds = createHolds({
    objects,
    log: {
      publish: async (records, options) => {
        assert.equal(options?.synced, true, 'nothing but the object could make it again')
        published.push(...records)
        return []
      },
    },
    owns: () => isOwner,
    now: () => nowMs,
    logger: createLogger({ service: 'desk', level: 'silent' }),
    roundMs: 30_000,
  })
  t.after(holds.stop)
  const held = decide(blank, publish(10, { content: 'A', embargo: 5 }), at(0)).next
  return {
    holds,
    objects,
    published,
    held,
    hold: (minutes: number) => objects.put(keys.hold(minute(minutes) / 1000, ARTICLE), new Uint8Array(), { ifNoneMatch: '*' }),
    keep: () => swapDocument(objects, keys.current(ARTICLE), held, null),
    left: async () => (await objects.list(keys.holdPrefix)).length,
    set: (minutes: number) => {
      nowMs = minute(minutes)
    },
  }
}

describe('holds', () => {
  it('a due hold is fired in every round while something is due', async t => {
    const { holds, published, hold, keep, set } = await openHolds(t)
    await hold(5)
    await keep()
    await holds.round()
    assert.equal(published.length, 0)
    set(6)
    await holds.round()
    await holds.round()
    const events = published.map(record => fromRecord({ headers: record.headers ?? {}, value: record.value }))
    assert.deepEqual(
      events.map(event => event?.data),
      [
        { articleId: ARTICLE, dueAt: at(5) },
        { articleId: ARTICLE, dueAt: at(5) },
      ],
    )
    assert.notEqual(events[0]?.id, events[1]?.id, 'each firing is a cause of its own')
  })

  it('what is soon due waits in memory, once, whether it was remembered or found', async t => {
    const { holds, hold, keep, set } = await openHolds(t)
    await hold(5)
    await keep()
    holds.remember(ARTICLE, [minute(5)])
    assert.equal(holds.waiting(), 0, 'minutes away')
    set(4)
    await holds.round()
    holds.remember(ARTICLE, [minute(5) - 300, minute(5)])
    assert.equal(holds.waiting(), 1)
  })

  it('a hold with nothing due is swept ten minutes after its time, not before', async t => {
    const { holds, published, hold, left, set } = await openHolds(t)
    await hold(5)
    set(14)
    await holds.round()
    assert.equal(await left(), 1, 'the swap that needs it may still be under way')
    set(15.1)
    await holds.round()
    assert.equal(await left(), 0)
    assert.equal(published.length, 0)
  })

  it('a hold is kept as long as something is due', async t => {
    const { holds, published, hold, keep, left, set } = await openHolds(t)
    await hold(5)
    await keep()
    set(60)
    await holds.round()
    assert.deepEqual([await left(), published.length], [1, 1])
  })

  it('holds of articles that another process owns are left alone', async t => {
    const { holds, published, hold, keep, left, set } = await openHolds(t, { isOwner: false })
    await hold(5)
    await keep()
    set(60)
    await holds.round()
    assert.deepEqual([await left(), published.length, holds.waiting()], [1, 0, 0])
  })
})
