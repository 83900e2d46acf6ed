/** Work that nobody waits for and that takes long together, without everybody else in the process waiting for it. */
import { setTimeout as sleep } from 'node:timers/promises'

/** A live article passes a dozen turns of the event loop, and may wait for such work at each. */
const LONGEST_MS = 4
/** So many times as long as the thread has worked it is left to others: such work alone has a third of it. */
const RESTS = 2
/** However busy others are, it goes on. */
const LONGEST_REST_MS = 25

/**
 * Gives what to wait for when the thread has worked for 4 ms since the last rest, whoever for; `undefined` when one may go on. All that share one rest
 * together.
 */
export const createGiveWay = (): (() => Promise<void> | undefined) => {
  let [cpu, clockMs] = [process.threadCpuUsage(), performance.now()]
  let resting: Promise<void> | undefined
  const rest = async (ms: number) => {
    await sleep(ms)
    resting = undefined
    ;[cpu, clockMs] = [process.threadCpuUsage(), performance.now()]
  }
  return () => {
    // The clock is looked at first: it costs a fifth.
    if (resting !== undefined || performance.now() - clockMs < LONGEST_MS) return resting
    const { user, system } = process.threadCpuUsage(cpu)
    const workedMs = (user + system) / 1000
    if (workedMs >= LONGEST_MS) resting = rest(Math.min(LONGEST_REST_MS, workedMs * RESTS))
    return resting
  }
}

/** Does work for one item after the other, and gives way in between. Results in the order of the items. */
export const inTurns = async <A, B>(items: Iterable<A>, work: (item: A) => B): Promise<B[]> => {
  const giveWay = createGiveWay()
  const results: B[] = []
  for (const item of items) {
    results.push(work(item))
    const rest = giveWay()
    if (rest !== undefined) await rest
  }
  return results
}
