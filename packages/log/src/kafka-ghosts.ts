/**
 * Members that were killed. To the brokers such a member lives until its session is over, and whoever joins its group waits for that: 10 s, 45 s where
 * partners are told. The process after it, on the same machine, knows better, and tells the brokers that the dead one leaves. (Kafka's own way,
 * `group.instance.id`, kafkajs does not have.)
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** Under which names the groups were joined, kept in a file that the next process finds. Nothing of it is needed: a file that is lost or torn costs the wait. */
export type Ghosts = Readonly<{
  /** The member of a group that was not seen to leave; `null` when there is none. */
  of(groupId: string): string | null
  /** Repeat-safe: a file that says it already is left alone. */
  joined(groupId: string, memberId: string): void
  left(groupId: string): void
}>

/** By group. */
const readMembers = (file: string): Map<string, string> => {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const entries = Object.entries(found !== null && typeof found === 'object' ? found : {})
    return new Map(entries.filter((one): one is [string, string] => typeof one[1] === 'string'))
  } catch {
    // There is none, or its writer was killed within it.
    return new Map()
  }
}

/**
 * `file` says where, and is asked each time; `null` while there is no such place. Whoever names one says that no process that used it before lives, not
 * even one that stands still: what is found in it is put out of its groups.
 */
export const createGhosts = (file: () => string | null): Ghosts => {
  const change = (groupId: string, memberId: string | null) => {
    const path = file()
    if (path === null) return
    const members = readMembers(path)
    if ((members.get(groupId) ?? null) === memberId) return
    if (memberId === null) members.delete(groupId)
    else members.set(groupId, memberId)
    try {
      writeFileSync(path, JSON.stringify(Object.fromEntries(members)))
    } catch {
      // A full disk: the next process waits for the session, as without a file.
    }
  }
  return {
    of: groupId => {
      const path = file()
      return path === null ? null : (readMembers(path).get(groupId) ?? null)
    },
    joined: change,
    left: groupId => change(groupId, null),
  }
}
