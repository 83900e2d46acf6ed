/** The one way to change a SQLite file of ours. */
import type { DatabaseSync } from 'node:sqlite'

/** All of the work or nothing of it; what it returns. Throws what the work or SQLite throws. */
export const inTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK') // a full disk has undone it already
    throw error
  }
}
