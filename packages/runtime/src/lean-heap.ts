/**
 * Keeps V8's heaps near what is in use, for as long as that is asked for. By itself V8 collects what is old once it has grown to several times what was
 * left, and lets what is young grow to 128 MB: with a hundred thousand deliveries that wait most of what such a process has resident is garbage.
 *
 * Both flags are read whenever a heap is about to grow, so they may change while it runs. They are of the whole process, its threads too: one
 * keeper at a time.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { growingBuffers } from './growing-buffers.ts'

/** What is old may grow by so much, in percent, before it is collected. */
const GROWTH_PERCENT = 30
/** What is young, both halves. Held at the 2 MB of a start it costs a fifth more CPU. */
const YOUNG_BYTES = 16 * 1_048_576
/** As it is at a start, and as V8 makes it again in a process that does nothing for a while. */
const SMALL_BYTES = 2 * 1_048_576
/** Long enough to cost nothing. */
const LOOK_EVERY_MS = 100
/** Of the time between two looks: then there is work, and it pays to have what is young grow. */
const BUSY = 0.5

/** By how much a heap grows otherwise, once there is work (`packages/cli/src/young-generation.ts` says why): percent, and V8's own factor. */
export const GROWN = { growthPercent: 300, youngFactor: 2 } as const

const youngBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
const growYoungBy = (factor: number) => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/**
 * Grows it to `YOUNG_BYTES` in one step, now: it grows when as much as it holds has survived. Left to grow by itself until somebody looks it is 128 MB
 * after a second in which the event loop had no turn. False: the command line holds it smaller.
 */
const growYoung = (): boolean => {
  const before = youngBytes()
  growYoungBy(Math.round(YOUNG_BYTES / Math.max(before, SMALL_BYTES)))
  const survivors: number[][] = []
  while (youngBytes() <= before && survivors.length * 8_192 < 4 * before) survivors.push(new Array<number>(1_024).fill(0))
  growYoungBy(1)
  return youngBytes() > before
}

type LeanHeap = Readonly<{
  /** Leaves the heaps to V8 again. Twice is once. */
  stop(): void
}>

/** `isWanted` is asked ten times a second, and must be cheap. */
export const keepHeapLean = (isWanted: () => boolean, everyMs = LOOK_EVERY_MS): LeanHeap => {
  let isLean = false
  let mayGrow = true
  let looked = performance.eventLoopUtilization()
  const letGrow = () => {
    setFlagsFromString(`--heap-growing-percent=${GROWN.growthPercent}`)
    growYoungBy(GROWN.youngFactor)
    growingBuffers.keepLean(false)
  }
  const look = () => {
    const [before, wasLean] = [looked, isLean]
    looked = performance.eventLoopUtilization()
    isLean = isWanted()
    if (!isLean) return wasLean ? letGrow() : undefined
    setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
    growingBuffers.keepLean(true)
    growYoungBy(1)
    const isBusy = performance.eventLoopUtilization(looked, before).utilization >= BUSY
    if (isBusy && mayGrow && youngBytes() <= YOUNG_BYTES / 2) mayGrow = growYoung()
  }
  look()
  const timer = setInterval(look, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      if (isLean) letGrow()
      isLean = false
    },
  }
}
