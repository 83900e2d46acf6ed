/** Waits for the end: SIGTERM or SIGINT once is a clean stop, a second one is at once. */

export type Ending = Readonly<{
  /** Resolves when it is time to stop. */
  ended: Promise<void>
  /** Something went wrong for good: time to stop, with a status that says so. */
  fail(): void
  /** 0, or 1 once `fail` was called. */
  status(): number
}>

export const awaitEnding = (): Ending => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  let status = 0
  const onSignal = () => {
    if (asked) process.exit(1)
    asked = true
    resolve()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    ended: promise,
    fail: () => {
      status = 1
      resolve()
    },
    status: () => status,
  }
}
