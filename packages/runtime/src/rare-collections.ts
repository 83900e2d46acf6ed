/**
 * Lets buffers grow by more than V8 would before it collects everything. By itself V8 begins a full collection for each 64 MB of them, however large the
 * heap is and however short they live: feed files at fifty articles a second are one every second or two, in which marking takes
 * the other core and most of what is late becomes so. Told to count buffers as part of the heap instead, V8 would let them grow to a gigabyte, also of a process at
 * rest; so it is told that only for a while after each collection, and while they have not grown by much.
 *
 * By as much as the machine, or the container, has room for; where that is little they are left to V8, and so they are while little of the machine is free: eight
 * processes beside each other know nothing of one another, and may take an eighth each.
 */
import { freemem, totalmem } from 'node:os'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { growingBuffers } from './growing-buffers.ts'

type Rule = Readonly<{
  /** So long after a full collection no other begins for the sake of buffers, ms: what is at rest is collected as ever. */
  restMs: number
  /** Unless they have grown by so much since. */
  mostBytes: number
  /** And by no more than V8 lets them while less than this of the machine is free. */
  leftBytes: number
}>

const MIB = 1_048_576
const REST_MS = 30_000
const MOST_BYTES = 256 * MIB
/** By so much V8 lets them grow itself. */
const BY_ITSELF_BYTES = 64 * MIB
/** Buffers may grow by this part of all memory, and as much of the machine is to stay free. */
const PART = 1 / 8
/** With less than this it is left to V8. */
const LEAST_MEMORY_BYTES = 1024 * MIB
const LOOK_EVERY_MS = 250

/** What there is for this process, bytes: the limit of its container, unless the machine has less. Node says 0 or more than any machine has where there is none. */
export const memoryBytes = (constrained: number, machine: number): number => (constrained > 0 ? Math.min(constrained, machine) : machine)

/** `null`: so little memory that buffers are left to V8. Pure. */
export const ruleFor = (memory: number, machine = memory): Rule | null =>
  memory < LEAST_MEMORY_BYTES ? null : { restMs: REST_MS, mostBytes: Math.min(MOST_BYTES, memory * PART), leftBytes: machine * PART }

type Growth = Readonly<{
  sinceMs: number
  grownBytes: number
  /** Of the machine, what others could give up counted as free. Asked only where it matters. */
  freeBytes(): number
}>

/** Whether buffers may grow on. Pure. */
export const mayGrow = ({ sinceMs, grownBytes, freeBytes }: Growth, { restMs, mostBytes, leftBytes }: Rule): boolean =>
  sinceMs < restMs && grownBytes < mostBytes && (grownBytes < BY_ITSELF_BYTES || freeBytes() >= leftBytes)

const { NODE_PERFORMANCE_GC_MAJOR, NODE_PERFORMANCE_GC_INCREMENTAL } = constants
type Collection = Readonly<{ detail?: Readonly<{ kind?: number }> }>

type RareCollections = Readonly<{
  /** Leaves it to V8 again. Twice is once. */
  stop(): void
}>

const ruleHere = (): Rule | null => ruleFor(memoryBytes(process.constrainedMemory(), totalmem()), totalmem())

/** `null` for a rule: nothing is done. */
export const collectRarely = (rule = ruleHere(), everyMs = LOOK_EVERY_MS): RareCollections => {
  if (rule === null) return { stop: () => undefined }
  let collectedMs = performance.now()
  let leastBytes = getHeapStatistics().external_memory
  const look = () => {
    const { external_memory: bytes } = getHeapStatistics()
    leastBytes = Math.min(leastBytes, bytes)
    growingBuffers.allow(mayGrow({ sinceMs: performance.now() - collectedMs, grownBytes: bytes - leastBytes, freeBytes: freemem }, rule))
  }
  const observer = new PerformanceObserver(list => {
    for (const { detail } of list.getEntries() as readonly Collection[]) {
      // Begun is as good as done: V8 sets the heap's next limit at the end, and must count buffers by then, or that comes too soon.
      if (detail?.kind !== NODE_PERFORMANCE_GC_MAJOR && detail?.kind !== NODE_PERFORMANCE_GC_INCREMENTAL) continue
      collectedMs = performance.now()
      leastBytes = detail.kind === NODE_PERFORMANCE_GC_MAJOR ? getHeapStatistics().external_memory : Number.POSITIVE_INFINITY
      growingBuffers.allow(true)
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
      growingBuffers.allow(false)
    },
  }
}
