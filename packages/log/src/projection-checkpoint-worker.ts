/** Moves the write-ahead log of one view after another into its file. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import type { MoveRequest } from './projection-checkpoint.ts'
import { shrink } from './projection-file.ts'

const move = ({ path, isShrunk }: MoveRequest): void => {
  if (!existsSync(path)) return
  const db = new DatabaseSync(path)
  try {
    // NORMAL syncs the log before and the file after; nothing is lost track of in between.
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000;')
    if (isShrunk) shrink(db)
    else db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  } finally {
    db.close()
  }
}

parentPort?.on('message', (request: MoveRequest) => {
  try {
    move(request)
  } catch {
    // As where SQLite does it by itself: what could not be moved stays in the log, and is moved with what comes next.
  }
  parentPort?.postMessage(request.id)
})
