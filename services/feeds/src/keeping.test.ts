import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import type { Objects } from '@newswire/objects/objects'
import { createFragmentCache } from './fragments.ts'
import { createPace, followLoop, restAfter } from './pace.ts'
import { makeFact, makeProfile } from './sample-facts.ts'
import { createStates } from './states.ts'

test('a version is rendered once for all feeds that render alike', () => {
  const cache = createFragmentCache()
  const full = makeProfile()
  cache.render(full, makeFact({ version: 2 }))
  assert.ok(cache.get(full, 'baoqk.a-1', 2)?.ok)
  assert.equal(cache.get(full, 'baoqk.a-1', 1), undefined)
  assert.equal(cache.get(makeProfile({ key: 'summary', content: 'summary' }), 'baoqk.a-1', 2), undefined)
})

test('what is kept of an article keeps no memory beside its own bytes', () => {
  const made = createFragmentCache().render(makeProfile(), makeFact({}))
  assert.ok(made.ok)
  const outputs = Object.values(made.bytes)
  const held = new Set(outputs.map(one => one.buffer))
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0)
  assert.equal(sum([...held].map(one => one.byteLength)), sum(outputs.map(one => one.byteLength)))
})

test('a feed alone rests for milliseconds, many together share the loop, and none rests above two seconds', () => {
  assert.ok(restAfter({ busyMs: 3, active: 1, share: 0.35 }) < 10)
  const rest = restAfter({ busyMs: 3, active: 20, share: 0.35 })
  assert.ok(Math.abs((20 * 3) / (rest + 3) - 0.35) < 0.001)
  assert.equal(restAfter({ busyMs: 500, active: 20, share: 0.35 }), 2000)
  assert.equal(restAfter({ busyMs: 0, active: 20, share: 0.35 }), 0)
})

test('building leaves more of the loop to others while it is full, and takes its part again when it is not', () => {
  const looked = { idle: 0, active: 0 }
  const share = followLoop(0.2, before => {
    const [idle, active] = [looked.idle - (before?.idle ?? 0), looked.active - (before?.active ?? 0)]
    return { idle, active, utilization: active / Math.max(1, idle + active) }
  })
  const after = (idle: number, active: number) => {
    looked.idle += idle
    looked.active += active
    return share()
  }
  assert.equal(after(300, 700), 0.2)
  assert.equal(after(0, 300), 0.2, 'too short to tell')
  assert.equal(after(10, 990), 0.2 * 0.4)
  assert.equal(after(400, 0), 0.2 * 0.4, 'too short to tell')
  assert.equal(after(400, 600), 0.2)
})

/** A store that holds `released` states and counts reads. */
const storeOf = (facts: Map<string, unknown>) => {
  const reads: string[] = []
  const get: Objects['get'] = async key => {
    reads.push(key)
    const value = facts.get(key)
    if (value === undefined) return null
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    return { bytes, etag: 'e', contentType: 'application/json', lastModified: new Date(0) }
  }
  return { get, reads }
}
const released = (fact: Fact) => ({ released: { fact } })

test('a state at or above the version that is asked for is not read again; an older one is', async () => {
  const facts = new Map<string, unknown>([['current/baoqk.a-1.json', released(makeFact({ version: 2 }))]])
  const { get, reads } = storeOf(facts)
  const states = createStates({ objects: { get } })
  states.offer(makeFact({ version: 1 }))
  const versionOf = async (version: number) => {
    const state = (await states.getAll(new Map([['baoqk.a-1', version]]))).get('baoqk.a-1')
    return state instanceof Error ? state : state?.version
  }
  assert.equal(await versionOf(1), 1)
  assert.equal(reads.length, 0)
  assert.equal(await versionOf(2), 2)
  assert.equal(await versionOf(1), 2)
  assert.equal(reads.length, 1)
})

test('a state that is not what it should be is that article alone, and a missing one is nothing released', async () => {
  const facts = new Map<string, unknown>([
    ['current/baoqk.bad.json', { released: { fact: { state: 'live' } } }],
    ['current/baoqk.other.json', released(makeFact({ articleId: 'baoqk.a-1' }))],
    ['current/baoqk.a-1.json', released(makeFact())],
  ])
  const states = createStates({ objects: storeOf(facts) })
  const found = await states.getAll(new Map(['bad', 'other', 'a-1', 'none'].map(id => [`baoqk.${id}`, 1])))
  assert.equal((found.get('baoqk.bad') as { code?: string }).code, 'NEWSWIRE_OBJECTS_DOCUMENT')
  assert.equal((found.get('baoqk.other') as { code?: string }).code, 'NEWSWIRE_FEEDS_STATE')
  assert.equal((found.get('baoqk.a-1') as Fact).version, 1)
  assert.equal(found.get('baoqk.none'), null)
})

test('no feed rests while all building together has taken less of the loop lately than it may, and all do in a storm', () => {
  let now = 0
  const pace = createPace(
    () => 0.3,
    () => now,
  )
  for (let build = 0; build < 100; build += 1) {
    assert.equal(pace.restMs({ busyMs: 5, active: 3 }), 0)
    now += 20
  }
  const rests = Array.from({ length: 100 }, () => pace.restMs({ busyMs: 5, active: 100 }))
  assert.equal(rests.at(-1), restAfter({ busyMs: 5, active: 100, share: 0.3 }))
  now += 5_000
  assert.equal(pace.restMs({ busyMs: 5, active: 3 }), 0, 'what was is forgotten')
})
