/** At most so many at once, the others in order of arrival: decoding pictures must not take every core. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>

export const createLimit = (atOnce: number): Limit => {
  let running = 0
  const waiting: (() => void)[] = []
  return async work => {
    if (running >= atOnce) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
