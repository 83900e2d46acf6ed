/** Which version of what is known to have got to whom, the newest so many. */

export type Acknowledged = Readonly<{
  note(owner: string, subject: string, version: number): void
  /** 0 when nothing is remembered. */
  of(owner: string, subject: string): number
}>

/** By ten thousand outlets at once, so their sum is bounded and not each one's. */
const KEPT = 100_000

/**
 * `most` are remembered, and at least half of that. Two halves, the older one forgotten whole: what is taken singly from the front of a map leaves
 * a hole there, and whoever looks for the front passes all of them. A map for each owner: a name made of both would be made, and hashed, at each look.
 */
export const createAcknowledged = (most = KEPT): Acknowledged => {
  let newer = new Map<string, Map<string, number>>()
  let older = newer
  let size = 0
  const find = (owner: string, subject: string) => newer.get(owner)?.get(subject) ?? older.get(owner)?.get(subject) ?? 0
  return {
    note: (owner, subject, version) => {
      const known = find(owner, subject)
      const own = newer.get(owner) ?? new Map<string, number>()
      newer.set(owner, own)
      const before = own.size
      own.set(subject, Math.max(version, known))
      size += own.size - before
      if (size < most / 2) return
      older = newer
      newer = new Map()
      size = 0
    },
    of: find,
  }
}
