/** Which version of what is known to have got to whom, the newest so many. */

export type Acknowledged = Readonly<{
  note(owner: string, subject: string, version: number): void
  /** 0 when nothing is remembered. */
  of(owner: string, subject: string): number
}>

/** By ten thousand outlets at once, so their sum is bounded and not each one's. */
const KEPT = 100_000

type One = Readonly<{ owner: string; version: number }>
/** By subject, then by owner: those of one subject come at about the same time. Of many subjects there is one owner only, and a map of its own takes ten times as much. */
type Half = Map<string, One | Map<string, number>>

const versionOf = (half: Half, owner: string, subject: string): number => {
  const known = half.get(subject)
  if (known === undefined) return 0
  if (known instanceof Map) return known.get(owner) ?? 0
  return known.owner === owner ? known.version : 0
}

/** Returns by how many more are known. */
const put = (half: Half, owner: string, subject: string, version: number): number => {
  const known = half.get(subject)
  if (known === undefined || (!(known instanceof Map) && known.owner === owner)) {
    half.set(subject, { owner, version })
    return known === undefined ? 1 : 0
  }
  const owners = known instanceof Map ? known : new Map([[known.owner, known.version]])
  if (owners !== known) half.set(subject, owners)
  const before = owners.size
  owners.set(owner, version)
  return owners.size - before
}

/**
 * `most` are remembered, and at least half of that. Two halves, the older one forgotten whole: what is taken singly from the front of a map leaves
 * a hole there, and whoever looks for the front passes all of them.
 */
export const createAcknowledged = (most = KEPT): Acknowledged => {
  let newer: Half = new Map()
  let older = newer
  let size = 0
  const find = (owner: string, subject: string) => versionOf(newer, owner, subject) || versionOf(older, owner, subject)
  return {
    note: (owner, subject, version) => {
      size += put(newer, owner, subject, Math.max(version, find(owner, subject)))
      if (size < most / 2) return
      older = newer
      newer = new Map()
      size = 0
    },
    of: find,
  }
}
