/**
 * One owner per file. The lock is a database of its own, locked exclusively for as long as the owner lives: the operating system lets go
 * of it whatever way the process ends, so nothing stale is ever left, and a second owner in the same process is refused as well.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf, UnavailableError } from '@newswire/events/errors'

type Ownership = Readonly<{ release(): void }>

const SQLITE_BUSY = 5

const ownerOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // The note is for people only; the lock itself decides.
    return 'unknown'
  }
}

/** Throws `UnavailableError`: `NEWSWIRE_LOG_OWNED` when another owner lives, `NEWSWIRE_LOG_UNAVAILABLE` when the folder cannot be written. */
export const takeOwnership = (file: string): Ownership => {
  const note = `${file}.owner`
  let lock: DatabaseSync
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true })
    lock = new DatabaseSync(`${file}.lock`, { timeout: 0 })
  } catch (cause) {
    throw new UnavailableError(
      'NEWSWIRE_LOG_UNAVAILABLE',
      `the log file ${file} cannot be opened: ${messageOf(cause)}; check that its folder exists, is writable and has room`,
      { cause },
    )
  }
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if ((cause as { errcode?: unknown }).errcode !== SQLITE_BUSY)
      throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `the lock of ${file} cannot be taken: ${messageOf(cause)}`, { cause })
    throw new UnavailableError(
      'NEWSWIRE_LOG_OWNED',
      `the log file ${file} belongs to a running process (${ownerOf(note)}); stop that one, or use another data folder`,
      { cause },
    )
  }
  try {
    writeFileSync(note, `process ${process.pid}, since ${new Date().toISOString()}\n`)
  } catch (cause) {
    lock.close()
    throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `the folder of ${file} cannot be written: ${messageOf(cause)}`, { cause })
  }
  return {
    release: () => {
      if (!lock.isOpen) return
      rmSync(note, { force: true })
      lock.exec('ROLLBACK')
      lock.close()
    },
  }
}
