/** Which version of what is known to have got to whom, the newest so many. */

export type Acknowledged = Readonly<{
  note(owner: string, subject: string, version: number): void
  /** 0 when nothing is remembered. */
  of(owner: string, subject: string): number
}>

/** By ten thousand outlets at once, so their sum is bounded and not each one's. About 15 MB. */
const KEPT = 100_000

/**
 * `most` are remembered, and at least half of that. Two halves, the older one forgotten whole: what is taken singly from the front of a map leaves
 * a hole there, and whoever looks for the front passes all of them.
 */
export const createAcknowledged = (most = KEPT): Acknowledged => {
  let newer = new Map<string, number>()
  let older = new Map<string, number>()
  const find = (key: string) => Math.max(newer.get(key) ?? 0, older.get(key) ?? 0)
  return {
    note: (owner, subject, version) => {
      const key = keyOf(owner, subject)
      newer.set(key, Math.max(version, find(key)))
      if (newer.size < most / 2) return
      older = newer
      newer = new Map()
    },
    of: (owner, subject) => find(keyOf(owner, subject)),
  }
}

const keyOf = (owner: string, subject: string) => `${owner}\0${subject}`
