/**
 * Publishing that may wait a little: what is said within some milliseconds, by whoever, goes to the log in one request. For milestones of what nobody
 * waits for; a request costs its sender and the brokers together nearly a millisecond of CPU each, whatever is in it.
 */
import { RejectError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import type { Publish } from './events.ts'
import type { Published } from './log.ts'

/** `withinMs`: how long the first waits at most; `most` calls wait for one another, and no longer once they are so many. */
export type GatherOptions = Readonly<{ withinMs: number; most: number }>

type Call = Readonly<{ events: readonly NewswireEvent[]; settle: PromiseWithResolvers<readonly Published[]> }>

/**
 * Each call resolves with its own places once its events are durable, in the order in which they were said. Throws what `publish` throws; what the log
 * refuses of several is tried again call by call, so that only the one at fault is told no.
 */
export const gathered = (
  publish: Publish,
  { withinMs, most }: GatherOptions,
): ((events: readonly NewswireEvent[]) => Promise<readonly Published[]>) => {
  let waiting: Call[] = []
  let timer: NodeJS.Timeout | undefined

  const alone = ({ events, settle }: Call) => publish(events).then(settle.resolve, settle.reject)
  const together = async (calls: readonly Call[]): Promise<void> => {
    try {
      const published = await publish(calls.flatMap(({ events }) => events))
      let from = 0
      for (const { events, settle } of calls) {
        settle.resolve(published.slice(from, from + events.length))
        from += events.length
      }
    } catch (error) {
      if (error instanceof RejectError) for (const call of calls) await alone(call)
      else for (const { settle } of calls) settle.reject(error)
    }
  }
  const send = () => {
    clearTimeout(timer)
    timer = undefined
    const calls = waiting
    waiting = []
    const [first] = calls
    if (first === undefined) return
    void (calls.length === 1 ? alone(first) : together(calls))
  }
  return events => {
    const settle = Promise.withResolvers<readonly Published[]>()
    waiting.push({ events, settle })
    if (waiting.length >= most) send()
    else timer ??= setTimeout(send, withinMs)
    return settle.promise
  }
}
