/**
 * Keeps V8's heaps near what is in use, for as long as that is asked for. By itself V8 collects what is old once it has grown to several times what was
 * left, and lets what is young grow to 128 MB: with a hundred thousand deliveries that wait most of what such a process has resident is garbage.
 *
 * Both flags are read whenever a heap is about to grow, so they may change while it runs. They are of the whole process, its threads too: one
 * keeper at a time.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { noGrowingBuffersFlag } from './rare-collections.ts'

/** What is old may grow by so much, in percent, before it is collected. */
const GROWTH_PERCENT = 30
/** What is young, both halves; it is doubled once more before anybody looks. Held at the 2 MB of a start it costs a fifth more CPU. */
const YOUNG_BYTES = 8 * 1_048_576
/** Long enough to cost nothing, and short enough for a heap that grows by a hundred megabytes a second. */
const LOOK_EVERY_MS = 100

/** By how much a heap grows otherwise, once there is work (`packages/cli/src/young-generation.ts` says why): percent, and V8's own factor. */
export const GROWN = { growthPercent: 300, youngFactor: 2 } as const

const youngBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0

export type LeanHeap = Readonly<{
  /** Leaves the heaps to V8 again. Twice is once. */
  stop(): void
}>

/** `isWanted` is asked ten times a second, and must be cheap. */
export const keepHeapLean = (isWanted: () => boolean, everyMs = LOOK_EVERY_MS): LeanHeap => {
  let isLean = false
  const letGrow = () => {
    setFlagsFromString(`--heap-growing-percent=${GROWN.growthPercent}`)
    setFlagsFromString(`--semi-space-growth-factor=${GROWN.youngFactor}`)
  }
  const look = () => {
    const wasLean = isLean
    isLean = isWanted()
    if (!isLean) return wasLean ? letGrow() : undefined
    setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
    setFlagsFromString(noGrowingBuffersFlag)
    setFlagsFromString(`--semi-space-growth-factor=${youngBytes() >= YOUNG_BYTES ? 1 : GROWN.youngFactor}`)
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
