/** The file of a view: its tables, the layout that they have, and how far the log is applied. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Position } from './log.ts'
import { inTransaction } from './transaction.ts'

const BOOK = `CREATE TABLE IF NOT EXISTS projection_cursor (partition INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS projection_layout (schema TEXT NOT NULL) STRICT;`

/**
 * Pages in the write-ahead log before they are moved into the file. While the past is read most of them change with every transaction, and each moving waits
 * for the disk twice: every 64 MiB instead of SQLite's 4. A search index of 20,000 articles is there a tenth sooner than with 16 MiB, and no sooner with more.
 * On the main thread that stays so, and another thread moves them sooner.
 */
export const MOVED_AFTER = { past: 16_384, present: 1_000 } as const

/** What stays of the write-ahead log of a view that is ready, however large it was in between: SQLite uses such a file again, and never gives it back by itself. */
export const KEPT_BYTES = 16 * 1_048_576

/** As for the log that it is made from: nobody's but the owner's and his group's. */
const [FOLDER_MODE, FILE_MODE] = [0o750, 0o640]

/** Corrupt, or no database at all (https://sqlite.org/rescode.html): what is in the file is worth nothing. */
const DAMAGED = new Set([11, 26])
/** Whether what SQLite threw says that the file itself is damaged. */
export const isDamaged = (error: unknown): boolean => DAMAGED.has(((error as { errcode?: number }).errcode ?? 0) & 0xff)

/** The next to open it makes it again from the log. Who has it open goes on with what he has. Throws what the file system throws. */
export const discard = (file: string): void => {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
}

/** `null`: it is of another layout, or damaged. */
const openAsIs = (file: string, schema: string): DatabaseSync | null => {
  if (file !== ':memory:') {
    mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE })
    closeSync(openSync(file, 'a', FILE_MODE))
  }
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4000; PRAGMA busy_timeout = 5000;')
    db.exec(`PRAGMA wal_autocheckpoint = ${MOVED_AFTER.past}`)
    db.exec(BOOK)
    const layout = db.prepare('SELECT schema FROM projection_layout').get() as { schema: string } | undefined
    if (!layout) {
      db.exec(schema)
      db.prepare('INSERT INTO projection_layout (schema) VALUES (?)').run(schema)
    }
    readCursor(db)
    if (!layout || layout.schema === schema) return db
  } catch (error) {
    if (!isDamaged(error)) {
      db.close()
      throw error
    }
  }
  db.close()
  return null
}

/** Opens the file, or makes it; of another layout, or damaged, it is made again. Throws what SQLite throws of anything else. */
export const openDatabase = (file: string, schema: string): DatabaseSync => {
  const db = openAsIs(file, schema)
  if (db !== null) return db
  discard(file)
  const again = openAsIs(file, schema)
  if (again === null) throw new Error(`The view ${file} cannot be made: what was just written there cannot be read. Look at the disk.`)
  return again
}

/** Of the write-ahead log, whatever of it is in use; 0 where there is none. */
export const walBytes = (file: string): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0

/** Moves all of the write-ahead log, then gives it back: only the second keeps writers waiting, and finds little left to move. Never throws: while it is in use, or the disk refuses, it stays as it is. */
export const shrink = (db: DatabaseSync): void => {
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE);')
  } catch {
    // What comes next is moved as ever, and then no more than `KEPT_BYTES` of it are kept.
  }
}

/** Where each partition goes on. */
export const readCursor = (db: DatabaseSync): Record<number, Position> =>
  Object.fromEntries(
    (db.prepare('SELECT partition, position FROM projection_cursor').all() as { partition: number; position: number }[]).map(row => [
      row.partition,
      row.position,
    ]),
  )

/** In place, because statements of others are prepared on this connection. Virtual tables take the tables behind them along. */
export const empty = (db: DatabaseSync, schema: string): void => {
  const first = db.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'projection%' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC LIMIT 1",
  )
  inTransaction(db, () => {
    for (let table = first.get(); table !== undefined; table = first.get()) db.exec(`DROP TABLE "${table['name']}"`)
    db.exec('DELETE FROM projection_cursor')
    db.exec(schema)
  })
}
