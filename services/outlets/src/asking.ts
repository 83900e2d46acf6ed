/**
 * Intents of which the store is being asked what it knows: they have no turn yet. What was wanted after them of the same subject waits for them, and what was wanted
 * after them in a strict line is neither sent nor written down before.
 */
export type Asking = Readonly<{
  /** Returns how it ends; whoever ends it gives the intent its turn before anything else runs. */
  begin(subject: string, sequence: number): () => void
  /** The end of all that is being asked of a subject; `null` when nothing is. */
  of(subject: string): Promise<void> | null
  /** Whether anything that was wanted earlier is being asked for. */
  isAnyBefore(sequence: number): boolean
  /** Resolves when everything has ended that was wanted earlier and was begun by this call. */
  untilEnded(sequence: number): Promise<void>
}>

type Asked = Readonly<{ sequence: number; ended: Promise<void> }>

export const createAsking = (): Asking => {
  const asked = new Set<Asked>()
  const last = new Map<string, Asked>()
  const before = (sequence: number) => [...asked].filter(one => one.sequence < sequence)
  return {
    begin: (subject, sequence) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const one = { sequence, ended: promise }
      asked.add(one)
      last.set(subject, one)
      return () => {
        asked.delete(one)
        if (last.get(subject) === one) last.delete(subject)
        resolve()
      }
    },
    of: subject => last.get(subject)?.ended ?? null,
    isAnyBefore: sequence => {
      for (const one of asked) if (one.sequence < sequence) return true
      return false
    },
    untilEnded: async sequence => {
      await Promise.all(before(sequence).map(one => one.ended))
    },
  }
}
