/** Who has the next place: whatever is lost, urgent or ended in between, whoever waits has his turn. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlaces, type PlaceRules } from './lane-places.ts'
import type { Lane } from './lane-state.ts'

const laneOf = (key: string, name: number, urgent = false): Lane =>
  ({ key, name: `${name}`, urgent, places: 1, state: 'idle' }) as unknown as Lane

const open = (rules: PlaceRules) => {
  const places = createPlaces(rules)
  const begin = () => {
    const lane = places.next()
    if (lane !== undefined) lane.state = 'running'
    return lane
  }
  const end = (lane: Lane | undefined) => {
    assert.ok(lane)
    lane.state = 'idle'
    places.end(lane)
  }
  /** Runs one after the other until nobody has a place any more. */
  const runAll = () => {
    let count = 0
    for (let lane = begin(); lane !== undefined; lane = begin()) {
      end(lane)
      count += 1
    }
    return count
  }
  return { push: places.push, begin, end, runAll }
}

test('a key whose retraction went past the line has all that comes later worked, however much it is', () => {
  const { push, begin, end, runAll } = open({ concurrency: 1, reserve: 1, ofKey: 2 })
  push(laneOf('other', 0))
  const before = begin()
  push(laneOf('a', 1, true))
  const kill = begin()
  assert.equal(kill?.urgent, true)
  end(kill)
  for (let name = 2; name < 12; name++) push(laneOf('a', name))
  end(before)
  assert.equal(runAll(), 10)
})

test('a key whose lanes were lost while they waited has all that comes later worked', () => {
  const { push, begin, end, runAll } = open({ concurrency: 2, reserve: 0, ofKey: 2 })
  for (const name of [1, 2, 3]) push(laneOf('a', name))
  const lost = [laneOf('a', 4), laneOf('a', 5)]
  const one = begin()
  const two = begin()
  for (const lane of lost) push(lane)
  for (const lane of lost) lane.state = 'idle'
  end(one)
  const three = begin()
  end(two)
  end(three)
  for (let name = 6; name < 16; name++) push(laneOf('a', name))
  assert.equal(runAll(), 10)
})

test('a key whose retractions never end has its share of the places for those, and the retraction of another one goes at once', () => {
  const { push, begin, end } = open({ concurrency: 256, reserve: 26, ofKey: 64 })
  for (let key = 0; key < 4; key++) for (let name = 0; name < 64; name++) push(laneOf(`slow${key}`, name))
  for (let count = 0; count < 256; count++) assert.ok(begin())
  for (let name = 0; name < 100; name++) push(laneOf('dead', name, true))
  const stuck: Lane[] = []
  for (let lane = begin(); lane !== undefined; lane = begin()) stuck.push(lane)
  assert.equal(stuck.length, 6)
  push(laneOf('healthy', 0, true))
  assert.equal(begin()?.key, 'healthy')
  end(stuck[0])
  assert.equal(begin()?.name, '6')
  assert.equal(begin(), undefined)
})

test('whatever comes, is lost, is urgent and ends: in the end everything that is left was worked', () => {
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((state / 2_147_483_648) * below)
    }
    const { push, begin, end, runAll } = open({ concurrency: 4, reserve: 1, ofKey: 2 })
    const waiting = new Set<Lane>()
    const running: Lane[] = []
    for (let step = 0; step < 200; step++) {
      const what = random(10)
      if (what < 5) {
        const lane = laneOf(`k${random(3)}`, step, random(4) === 0)
        waiting.add(lane)
        push(lane)
      } else if (what < 7) {
        const lane = begin()
        if (lane === undefined) continue
        assert.ok(waiting.delete(lane), `seed ${seed}: it was worked twice, or lost`)
        running.push(lane)
      } else if (what < 9) {
        const [lane] = running.splice(random(running.length), 1)
        if (lane !== undefined) end(lane)
      } else if (random(5) === 0) {
        for (const lane of waiting) lane.state = 'idle'
        waiting.clear()
      }
    }
    for (const lane of running) end(lane)
    assert.equal(runAll(), waiting.size, `seed ${seed}`)
  }
})
