/** Work under one name goes one after the other, in the order it came; under different names side by side. */
type InTurn = Readonly<{
  run<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Resolves once nothing runs or waits any more. */
  idle(): Promise<void>
}>

export const createInTurn = (): InTurn => {
  const last = new Map<string, Promise<unknown>>()
  return {
    run: (name, work) => {
      const before = last.get(name) ?? Promise.resolve()
      const mine = before.then(work)
      const settled: Promise<unknown> = mine
        .catch(() => undefined)
        .finally(() => {
          if (last.get(name) === settled) last.delete(name)
        })
      last.set(name, settled)
      return mine
    },
    idle: async () => {
      while (last.size > 0) await Promise.all(last.values())
    },
  }
}
