/**
 * Members that were killed. To the brokers such a member lives until its session is over, and whoever joins its group waits for that: 10 s, 45 s where
 * partners are told. The process after it, on the same machine, knows better, and tells the brokers that the dead one leaves. (Kafka's own way,
 * `group.instance.id`, kafkajs does not have.)
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Under which names the groups were joined, kept in a file that the next process finds. Nothing of it is needed: a file that is lost, torn or from elsewhere
 * costs the wait.
 */
export type Ghosts = Readonly<{
  /** The member of a group that was not seen to leave; `null` when there is none. */
  of(groupId: string): string | null
  /** Repeat-safe: a file that says it already is left alone. */
  joined(groupId: string, memberId: string): void
  /** Says nothing about a member that joined since. */
  left(groupId: string, memberId: string): void
}>

/** Of the kernel that runs: new with each start of a machine. `null` where the system does not tell (it does on Linux): then nobody is taken for dead. */
const readBoot = (): string | null => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return null
  }
}

/** A lock proves something about processes of this machine alone, and about this folder: not of one that it was copied from, nor of a volume that came from another machine. */
type Origin = Readonly<{ boot: string; folder: number }>

const originOf = (file: string, boot: string | null): Origin | null => {
  try {
    return boot === null ? null : { boot, folder: statSync(dirname(file)).ino }
  } catch {
    return null
  }
}

/** By group. */
const readMembers = (file: string, origin: Origin): Map<string, string> => {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<Origin & { members: unknown }> | null
    if (found?.boot !== origin.boot || found.folder !== origin.folder) return new Map()
    const { members } = found
    const entries = Object.entries(members !== null && typeof members === 'object' ? members : {})
    return new Map(entries.filter((one): one is [string, string] => typeof one[1] === 'string'))
  } catch {
    // There is none, or its writer was killed within it.
    return new Map()
  }
}

/**
 * `file` says where, and is asked each time; `null` while there is no such place. Whoever names one says that no process of this machine that used it before
 * lives, not even one that stands still: what such a process left in it is put out of its groups.
 */
export const createGhosts = (file: () => string | null, boot = readBoot()): Ghosts => {
  const place = () => {
    const path = file()
    const origin = path === null ? null : originOf(path, boot)
    return path === null || origin === null ? null : { path, origin, members: readMembers(path, origin) }
  }
  const write = ({ path, origin, members }: NonNullable<ReturnType<typeof place>>) => {
    try {
      writeFileSync(path, JSON.stringify({ ...origin, members: Object.fromEntries(members) }))
    } catch {
      // A full disk: the next process waits for the session, as without a file.
    }
  }
  return {
    of: groupId => place()?.members.get(groupId) ?? null,
    joined: (groupId, memberId) => {
      const here = place()
      if (here === null || here.members.get(groupId) === memberId) return
      here.members.set(groupId, memberId)
      write(here)
    },
    left: (groupId, memberId) => {
      const here = place()
      if (here === null || here.members.get(groupId) !== memberId) return
      here.members.delete(groupId)
      write(here)
    },
  }
}
