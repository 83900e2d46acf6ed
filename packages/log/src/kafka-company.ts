/** When the next request to the brokers goes. What may wait for company goes along with what may not; by itself only once its time is over, or when it is much. */
import type { Waiting } from './kafka-batch.ts'

/** So many records that wait for company are company enough. */
const MANY = 64

/** How long the next request may still wait, ms; 0: something is due. Pure. */
export const waitMsOf = (queue: readonly Pick<Waiting<unknown>, 'dueMs'>[], nowMs: number): number =>
  queue.length >= MANY ? 0 : Math.max(0, queue.reduce((first, { dueMs }) => Math.min(first, dueMs), Number.POSITIVE_INFINITY) - nowMs)

type Company = Readonly<{
  /** Resolves after so long, or when it is told of more. One wait at a time. */
  wait(withinMs: number): Promise<void>
  /** Something came, or nothing will: whoever waits looks again. */
  tell(): void
}>

export const createCompany = (): Company => {
  let end: () => void = () => undefined
  return {
    wait: withinMs =>
      new Promise(resolve => {
        const timer = setTimeout(resolve, withinMs)
        end = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    tell: () => end(),
  }
}
