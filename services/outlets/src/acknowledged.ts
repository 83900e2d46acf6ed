/** Which version of what is known to have got to whom, the newest so many. */

export type Acknowledged = Readonly<{
  note(owner: string, subject: string, version: number): void
  /** 0 when nothing is remembered. */
  of(owner: string, subject: string): number
}>

/** By ten thousand outlets at once, so their sum is bounded and not each one's. About 15 MB. */
const KEPT = 100_000

export const createAcknowledged = (most = KEPT): Acknowledged => {
  const versions = new Map<string, number>()
  const keyOf = (owner: string, subject: string) => `${owner}\0${subject}`
  return {
    note: (owner, subject, version) => {
      const key = keyOf(owner, subject)
      const newest = Math.max(version, versions.get(key) ?? 0)
      versions.delete(key)
      versions.set(key, newest)
      const oldest = versions.keys().next()
      if (versions.size > most && !oldest.done) versions.delete(oldest.value)
    },
    of: (owner, subject) => versions.get(keyOf(owner, subject)) ?? 0,
  }
}
