/** Work for many items that takes long together, without a second's silence for everybody else in the process. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** A live article passes a dozen turns of the event loop, and may wait for such work at each. */
const LONGEST_MS = 4

/** Does work for one item after the other; whenever that has taken 4 ms, all else has its turn. Results in the order of the items. */
export const inTurns = async <A, B>(items: Iterable<A>, work: (item: A) => B): Promise<B[]> => {
  const results: B[] = []
  let beganMs = performance.now()
  for (const item of items) {
    results.push(work(item))
    if (performance.now() - beganMs < LONGEST_MS) continue
    await nextTurn()
    beganMs = performance.now()
  }
  return results
}
