/**
 * Intents of which the store is being asked what it knows: they have no turn yet. What was wanted after them in a strict line is neither sent nor
 * written down before.
 */
export type Asking = Readonly<{
  /** Returns how it ends; whoever ends it gives the intent its turn before anything else runs. */
  begin(sequence: number): () => void
  /** Whether anything that was wanted earlier is being asked for. */
  isAnyBefore(sequence: number): boolean
  /** Resolves when everything has ended that was wanted earlier and was begun by this call. */
  untilEnded(sequence: number): Promise<void>
}>

export const createAsking = (): Asking => {
  const asked = new Set<Readonly<{ sequence: number; ended: Promise<void> }>>()
  const before = (sequence: number) => [...asked].filter(one => one.sequence < sequence)
  return {
    begin: sequence => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const one = { sequence, ended: promise }
      asked.add(one)
      return () => {
        asked.delete(one)
        resolve()
      }
    },
    isAnyBefore: sequence => {
      for (const one of asked) if (one.sequence < sequence) return true
      return false
    },
    untilEnded: async sequence => {
      await Promise.all(before(sequence).map(one => one.ended))
    },
  }
}
