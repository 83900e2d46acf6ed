/** At most so many at once, the others in order of arrival. */
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

/** A limit for each key, so that one slow server holds up nobody but those who need that server. */
type KeyedLimit = <T>(key: string, work: () => Promise<T>) => Promise<T>

export const createKeyedLimit = (atOnce: number): KeyedLimit => {
  const limits = new Map<string, { limit: Limit; users: number }>()
  return async (key, work) => {
    const entry = limits.get(key) ?? { limit: createLimit(atOnce), users: 0 }
    limits.set(key, entry)
    entry.users++
    try {
      return await entry.limit(work)
    } finally {
      if (--entry.users === 0) limits.delete(key)
    }
  }
}
