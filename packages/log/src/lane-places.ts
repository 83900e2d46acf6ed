/**
 * Which lane has the next place. Keys take turns, and of one key the lane that came first goes first; no key has more than its share, so whoever is stuck
 * holds up itself. What is urgent has a few places beside all others, once nothing of its own key is before it; of those no key has more than its share either.
 */
import type { Lane, LaneName } from './lane-state.ts'

type Places = Readonly<{
  /** Puts a lane in line. */
  push(lane: Lane): void
  /** The lane that has a place now, which is taken; those that were lost meanwhile are passed over. */
  next(): Lane | undefined
  /** A lane that had a place gives it back. */
  end(lane: Lane): void
  /** Keys that hold half of what they may, or more: what else there is of them waits for themselves. */
  crowded(): ReadonlySet<LaneName>
}>

/** Whoever begins while one place is free may take more than are left. `reserve`: places beside `concurrency` for what is urgent. `ofKey`: the most of `concurrency` that one key has, and of `reserve` as large a part. */
export type PlaceRules = Readonly<{ concurrency: number; reserve: number; ofKey: number }>

/** `reserved`: of those it holds, what it took as urgent. */
type Key = { readonly name: LaneName; readonly waiting: Lane[]; held: number; reserved: number; isInLine: boolean; isUrgent: boolean }

/** Shortened now and then, not at every step. */
const SLACK = 1000

/** First come, first served, in constant time. */
const createLine = () => {
  let line: Key[] = []
  let head = 0
  return {
    push: (key: Key) => void line.push(key),
    shift: (): Key | undefined => {
      const key = line[head]
      if (key !== undefined) head += 1
      if (head > SLACK || key === undefined) {
        line = line.slice(head)
        head = 0
      }
      return key
    },
  }
}

export const createPlaces = ({ concurrency, reserve, ofKey }: PlaceRules): Places => {
  const keys = new Map<LaneName, Key>()
  const line = createLine()
  const urgent = createLine()
  const reservedOfKey = Math.max(1, Math.floor((reserve * ofKey) / concurrency))
  /** Those that run because they are urgent. */
  const hurried = new Set<Lane>()
  const crowded = new Set<LaneName>()
  let used = 0

  const firstOf = ({ waiting }: Key): Lane | undefined => {
    while (waiting[0] !== undefined && waiting[0].state !== 'ready') waiting.shift()
    return waiting[0]
  }

  const lineUp = (key: Key) => {
    const first = firstOf(key)
    if (first === undefined) {
      // One that still stands in a line is forgotten when its turn comes: there must never be two of one name.
      if (key.held === 0 && !key.isInLine && !key.isUrgent) keys.delete(key.name)
      return
    }
    if (!key.isInLine && key.held < ofKey) {
      key.isInLine = true
      line.push(key)
    }
    if (first.urgent && !key.isUrgent && key.reserved < reservedOfKey) {
      key.isUrgent = true
      urgent.push(key)
    }
  }

  const begin = (key: Key, isHurried: boolean): Lane | undefined => {
    const lane = key.waiting.shift()
    const places = lane?.places ?? 0
    used += places
    key.held += places
    if (key.held * 2 >= ofKey) crowded.add(key.name)
    if (lane !== undefined && isHurried) {
      key.reserved += places
      hurried.add(lane)
    }
    lineUp(key)
    return lane
  }

  const fromLine = (): Lane | undefined => {
    for (let key = line.shift(); key !== undefined; key = line.shift()) {
      key.isInLine = false
      if (firstOf(key) !== undefined && key.held < ofKey) return begin(key, false)
      lineUp(key)
    }
    return undefined
  }

  const fromUrgent = (): Lane | undefined => {
    for (let key = urgent.shift(); key !== undefined; key = urgent.shift()) {
      key.isUrgent = false
      if (firstOf(key)?.urgent && key.reserved < reservedOfKey) return begin(key, true)
      lineUp(key)
    }
    return undefined
  }

  return {
    push: lane => {
      lane.state = 'ready'
      const key = keys.get(lane.key) ?? { name: lane.key, waiting: [], held: 0, reserved: 0, isInLine: false, isUrgent: false }
      keys.set(lane.key, key)
      key.waiting.push(lane)
      lineUp(key)
    },
    next: () => (used < concurrency ? fromLine() : undefined) ?? (used < concurrency + reserve ? fromUrgent() : undefined),
    end: lane => {
      used -= lane.places
      const wasHurried = hurried.delete(lane)
      const key = keys.get(lane.key)
      if (key === undefined) return
      key.held -= lane.places
      if (key.held * 2 < ofKey) crowded.delete(key.name)
      if (wasHurried) key.reserved -= lane.places
      lineUp(key)
    },
    crowded: () => crowded,
  }
}
