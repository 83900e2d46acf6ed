/**
 * One owner per folder. The lock is the operating system's, taken through SQLite: it ends with the process, however that ends, so nothing
 * is ever left over, and it holds between containers that share a folder, where process ids say nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RejectError } from '@newswire/events/errors'
import { unavailable } from './unavailable.ts'

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

const ownerOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return 'an unknown process' // only a hint for the message: the lock itself has already told
  }
}

const openLock = (root: string): DatabaseSync => {
  try {
    return new DatabaseSync(join(root, 'lock'), { timeout: 0 })
  } catch (cause) {
    throw unavailable(`the opening of ${join(root, 'lock')}`, cause)
  }
}

/** Takes the folder and gives back how to let go of it. Throws `RejectError` `NEWSWIRE_OBJECTS_IN_USE` when another store has it open. */
export const lockFolder = (root: string): (() => void) => {
  const owner = join(root, 'owner')
  const database = openLock(root)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw unavailable(`the locking of ${root}`, cause)
    throw new RejectError(
      'NEWSWIRE_OBJECTS_IN_USE',
      `${root} is in use by ${ownerOf(owner)}. Stop it first, or give this one a folder of its own.`,
      { cause },
    )
  }
  try {
    writeFileSync(owner, `process ${process.pid}, started ${new Date(Date.now() - process.uptime() * 1000).toISOString()}\n`)
  } catch (cause) {
    database.close()
    throw unavailable(`the writing of ${owner}`, cause)
  }
  return () => database.close()
}
