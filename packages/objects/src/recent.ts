/** What was used last, up to a number of bytes: for whoever keeps in memory what strangers or many articles may ask for. */
type Recent<V> = Readonly<{
  get(key: string): V | undefined
  set(key: string, value: V): void
  /** Twice is once. */
  delete(key: string): void
  bytes(): number
}>

/** `sizeOf` says what a value weighs, the same each time; a value heavier than `maxBytes` is not kept, and nothing has to go for it. */
export const createRecent = <V>({ maxBytes, sizeOf }: { maxBytes: number; sizeOf: (value: V) => number }): Recent<V> => {
  const kept = new Map<string, V>()
  let bytes = 0
  const drop = (key: string) => {
    const value = kept.get(key)
    if (value === undefined) return
    bytes -= sizeOf(value)
    kept.delete(key)
  }
  return {
    get: key => {
      const value = kept.get(key)
      if (value === undefined) return undefined
      kept.delete(key)
      kept.set(key, value)
      return value
    },
    set: (key, value) => {
      drop(key)
      const size = sizeOf(value)
      if (size > maxBytes) return
      kept.set(key, value)
      bytes += size
      for (const longestAgo of kept.keys()) {
        if (bytes <= maxBytes) return
        drop(longestAgo)
      }
    },
    delete: drop,
    bytes: () => bytes,
  }
}
