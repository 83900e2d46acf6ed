/**
 * How V8's heap grows: the young generation stays as small as it is at the start until the function that is given back is called, and from then on the
 * whole heap grows by more than V8 would let it.
 *
 * While a service loads, most of what it allocates stays: modules, their code, the configuration. V8 takes that for load, doubles the young
 * generation up to 64 MB for it, and an idle process keeps them. Held until it is ready, it has a tenth less in all (215 → 192 MB), and grows as ever once
 * there is work. `--max-semi-space-size` on the command line would hold it for good, and a bin's `#!` line has no portable place for it.
 *
 * Once there is work, buffers outside the heap count as growth of it: articles and feed files that live for milliseconds had V8 mark 50 MB of heap once a
 * second. Four times what lives before a full collection begins: of eight processes at 50 articles a second on two cores 34.2 → 32.6 CPU-ms an article, and
 * visible after 185 → 124 ms (p50). A heap limit on the command line still holds: growth ends half way to it. And buffers may grow by more than V8's 64 MB
 * at a time (`rare-collections.ts`): of `newswire up` beside other work 161 → 105 ms (p99 from publishing to visible), for 100 to 150 MB more under load,
 * less on a small machine.
 */
import { setFlagsFromString } from 'node:v8'
import { GROWN } from '@newswire/runtime/lean-heap'
import { collectRarely } from '@newswire/runtime/rare-collections'

const YOUNG_GROWTH = '--semi-space-growth-factor'

/** What V8 is told once there is work. */
export const growingFlags = [`${YOUNG_GROWTH}=${GROWN.youngFactor}`, `--heap-growing-percent=${GROWN.growthPercent}`] as const

export const holdYoungGeneration = (): (() => void) => {
  setFlagsFromString(`${YOUNG_GROWTH}=1`)
  return () => {
    growingFlags.forEach(setFlagsFromString)
    collectRarely()
  }
}
