/** Reads a disk store that another process may have open and be writing to: for tools that only look. Changes nothing, takes no lock. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RejectError } from '@newswire/events/errors'
import { openBodyFiles } from './disk-files.ts'
import { prepareListing, type Row, toHead, toStored } from './disk-table.ts'
import { checkKey } from './keys.ts'
import type { Objects } from './objects.ts'
import { unavailable } from './unavailable.ts'

export type ObjectsReader = Pick<Objects, 'get' | 'head' | 'list' | 'close'>

/** SQLite's "read-only, and half a transaction must be undone first" (https://sqlite.org/rescode.html#readonly_rollback). */
const UNDONE_FIRST = 776

/** `null`: there is none, or whoever made it was killed before its table was there, and nothing can be in it. */
const openMade = (file: string): DatabaseSync | null => {
  if (!existsSync(file)) return null
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'objects'").get() !== undefined) return database
  } catch (error) {
    // A store has such a thing only until it is in WAL mode, its first moment.
    if ((error as { errcode?: number }).errcode !== UNDONE_FIRST) {
      database.close()
      throw error
    }
  }
  database.close()
  return null
}

/** Throws `RejectError` `NEWSWIRE_OBJECTS_MISSING` when there is no store in `root`, or none yet, `UnavailableError` when it cannot be read. */
export const openDiskReader = (root: string): ObjectsReader => {
  const file = join(resolve(root), 'objects.db')
  const read = <T>(what: string, query: () => T): T => {
    try {
      return query()
    } catch (error) {
      throw unavailable(what, error)
    }
  }
  const database = read(`the opening of ${root}`, () => openMade(file))
  if (database === null)
    throw new RejectError(
      'NEWSWIRE_OBJECTS_MISSING',
      `there is no store in ${root}; name the system's folder with --data, or set S3_BUCKET`,
    )
  const files = openBodyFiles(join(resolve(root), 'large'))
  const byKey = database.prepare('SELECT * FROM objects WHERE key = ?')
  const listing = prepareListing(database)
  const rowOf = (key: string): Row | undefined => {
    checkKey(key)
    return read(`the reading of ${key}`, () => byKey.get(key) as Row | undefined)
  }
  return {
    get: async key => {
      for (let last: string | null = null; ; ) {
        const row = rowOf(key)
        if (row === undefined) return null
        const bytes = row.file === null ? (row.bytes ?? new Uint8Array()) : await files.read(row.file)
        if (bytes !== null) return toStored(row, bytes)
        // Replaced between the two reads: look again.
        if (row.file === last) throw unavailable(`the reading of ${key}`, new Error(`its file ${row.file} is missing`))
        last = row.file
      }
    },
    head: async key => {
      const row = rowOf(key)
      return row === undefined ? null : toHead(row)
    },
    list: async (prefix, { startAfter = '', limit = 1000 } = {}) =>
      read(`the listing of ${prefix}`, () => listing(prefix, startAfter, limit)),
    close: async () => database.close(),
  }
}
