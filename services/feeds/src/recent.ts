/** Keeps what was used last, up to a number of bytes. */
export type Recent<V> = Readonly<{
  get(key: string): V | undefined
  set(key: string, value: V): void
  bytes(): number
}>

/** `sizeOf` says what a value weighs; a value heavier than `maxBytes` is not kept. */
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
      kept.set(key, value)
      bytes += sizeOf(value)
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes) return
        drop(oldest)
      }
    },
    bytes: () => bytes,
  }
}
