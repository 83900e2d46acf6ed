/**
 * Who is to hear when a signal is aborted. One listener for all of a signal: each that is added is compared with every one before it, and the requests of a
 * process share a signal, hundreds at once.
 */

export type Cancellable = Readonly<{ giveUp(): void }>

const known = new WeakMap<AbortSignal, Set<Cancellable>>()

const listenTo = (signal: AbortSignal): Set<Cancellable> => {
  const waiting = new Set<Cancellable>()
  known.set(signal, waiting)
  signal.addEventListener(
    'abort',
    () => {
      for (const one of waiting) one.giveUp()
    },
    { once: true },
  )
  return waiting
}

/** Returns how to hear no more. Nothing is heard of a signal that is aborted already. */
export const onAborted = (signal: AbortSignal, one: Cancellable): (() => void) => {
  const waiting = known.get(signal) ?? listenTo(signal)
  waiting.add(one)
  return () => waiting.delete(one)
}
