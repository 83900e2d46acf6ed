/**
 * Lets buffers grow by more than V8 would before it collects everything. By itself V8 begins a full collection for each 64 MB of them, however large the
 * heap is and however short they live: feed files at fifty articles a second are one every second or two, in which marking takes
 * the other core and most of what is late becomes so. Told to count buffers as part of the heap instead, V8 would let them grow to a gigabyte, also of a process at
 * rest; so it is told that only for a while after each collection, and while they have not grown by much.
 *
 * The flag is read whenever a buffer is made, so it may change while the process runs, and it is of the whole process.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** What V8 is told while buffers may grow. */
export const growingBuffersFlag = '--external-memory-accounted-in-global-limit'
/** What it is told else, and by `lean-heap.ts` whatever is wanted here. */
export const noGrowingBuffersFlag = '--no-external-memory-accounted-in-global-limit'

export type Rule = Readonly<{
  /** So long after a full collection no other begins for the sake of buffers, ms: what is at rest is collected as ever. */
  restMs: number
  /** Unless they have grown by so much since. */
  mostBytes: number
}>

const MIB = 1_048_576
const rule: Rule = { restMs: 10_000, mostBytes: 256 * MIB }
const LOOK_EVERY_MS = 250

/** Whether buffers may grow on. Pure. */
export const mayGrow = ({ sinceMs, grownBytes }: Readonly<{ sinceMs: number; grownBytes: number }>, { restMs, mostBytes }: Rule): boolean =>
  sinceMs < restMs && grownBytes < mostBytes

const { NODE_PERFORMANCE_GC_MAJOR, NODE_PERFORMANCE_GC_INCREMENTAL } = constants
type Collection = Readonly<{ detail?: Readonly<{ kind?: number }> }>

export type RareCollections = Readonly<{
  /** Leaves it to V8 again. Twice is once. */
  stop(): void
}>

export const collectRarely = ({ restMs, mostBytes } = rule, everyMs = LOOK_EVERY_MS): RareCollections => {
  let collectedMs = performance.now()
  let leastBytes = getHeapStatistics().external_memory
  let isGrowing = false

  const set = (wanted: boolean) => {
    if (wanted !== isGrowing) setFlagsFromString(wanted ? growingBuffersFlag : noGrowingBuffersFlag)
    isGrowing = wanted
  }
  const look = () => {
    const { external_memory: bytes } = getHeapStatistics()
    leastBytes = Math.min(leastBytes, bytes)
    set(mayGrow({ sinceMs: performance.now() - collectedMs, grownBytes: bytes - leastBytes }, { restMs, mostBytes }))
  }
  const observer = new PerformanceObserver(list => {
    for (const { detail } of list.getEntries() as readonly Collection[]) {
      // Begun is as good as done: V8 sets the heap's next limit at the end, and must count buffers by then, or that comes too soon.
      if (detail?.kind !== NODE_PERFORMANCE_GC_MAJOR && detail?.kind !== NODE_PERFORMANCE_GC_INCREMENTAL) continue
      collectedMs = performance.now()
      leastBytes = detail.kind === NODE_PERFORMANCE_GC_MAJOR ? getHeapStatistics().external_memory : Number.POSITIVE_INFINITY
      set(true)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  look()
  const timer = setInterval(look, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      observer.disconnect()
      set(false)
    },
  }
}
