/** Waits for the end: SIGTERM or SIGINT once is a clean stop, a second one is at once. */

export type Ending = Readonly<{ ended: Promise<string>; end(reason: string): void }>

export const awaitEnding = (): Ending => {
  let resolve: (reason: string) => void = () => undefined
  const ended = new Promise<string>(done => {
    resolve = done
  })
  let asked = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(1)
    asked = true
    resolve(signal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { ended, end: reason => resolve(reason) }
}
