/**
 * Who is to hear when a signal is aborted. One listener for all of a signal: each that is added is compared with every one before it, and the requests of a
 * process share a signal, hundreds at once.
 */

type Cancellable = Readonly<{ giveUp(): void }>

type Listening = Readonly<{ waiting: Set<Cancellable>; tell(): void }>

const known = new WeakMap<AbortSignal, Listening>()

const tellAll = (waiting: ReadonlySet<Cancellable>): void => {
  const errors: unknown[] = []
  for (const one of waiting)
    try {
      one.giveUp()
    } catch (error) {
      errors.push(error)
    }
  if (errors.length > 0) throw new AggregateError(errors, 'not everything that was aborted could be given up')
}

const listenTo = (signal: AbortSignal): Listening => {
  const waiting = new Set<Cancellable>()
  const listening = { waiting, tell: () => tellAll(waiting) }
  known.set(signal, listening)
  signal.addEventListener('abort', listening.tell, { once: true })
  return listening
}

/**
 * Returns how to hear no more; twice is once. Nothing is heard of a signal that is aborted already. Once nobody waits the signal has no listener of ours:
 * one that has stays in memory, with all that hangs on it, for as long as the signals that it was made of.
 */
export const onAborted = (signal: AbortSignal, one: Cancellable): (() => void) => {
  const { waiting, tell } = known.get(signal) ?? listenTo(signal)
  waiting.add(one)
  return () => {
    if (!waiting.delete(one) || waiting.size > 0) return
    known.delete(signal)
    signal.removeEventListener('abort', tell)
  }
}
