/** Some at once, the others in the order they came. */
type Turns = <T>(work: () => Promise<T>) => Promise<T>

export const createTurns = (atOnce: number): Turns => {
  const waiting: (() => void)[] = []
  let taken = 0
  return async work => {
    if (taken >= atOnce) await new Promise<void>(resolve => waiting.push(resolve))
    else taken += 1
    try {
      return await work()
    } finally {
      // Whoever waits gets the place itself, so that nobody who comes now is before him.
      const next = waiting.shift()
      if (next) next()
      else taken -= 1
    }
  }
}
