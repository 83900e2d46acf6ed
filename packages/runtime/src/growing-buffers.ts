/**
 * Whether V8 counts buffers as part of the heap, and so lets them grow by more than 64 MB before it collects everything. The flag is read whenever a buffer is
 * made and is the whole process's, so it has one owner: who wants them to grow (`rare-collections.ts`) and who wants memory small (`lean-heap.ts`) say so here.
 */
import { setFlagsFromString } from 'node:v8'

/** What V8 is told while buffers may grow. */
export const growingBuffersFlag = '--external-memory-accounted-in-global-limit'
/** What it is told else. */
export const noGrowingBuffersFlag = '--no-external-memory-accounted-in-global-limit'

type GrowingBuffers = Readonly<{
  /** Buffers may grow, unless the heap is kept lean. */
  allow(isAllowed: boolean): void
  /** The heap is kept lean, and no buffers grow whatever is allowed meanwhile; what is allowed then counts afterwards. */
  keepLean(isLean: boolean): void
}>

export const createGrowingBuffers = (tell: (flag: string) => void): GrowingBuffers => {
  let [isAllowed, isLean] = [false, false]
  const say = () => tell(isAllowed && !isLean ? growingBuffersFlag : noGrowingBuffersFlag)
  return {
    allow: wanted => {
      isAllowed = wanted
      say()
    },
    keepLean: wanted => {
      isLean = wanted
      say()
    },
  }
}

/** This process's own. */
export const growingBuffers = createGrowingBuffers(setFlagsFromString)
