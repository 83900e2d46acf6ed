/** Moves the WAL into the database file, on a thread of its own: copying and syncing 64 MiB takes longer than a reader may wait. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'

export type CheckpointRequest = 'passive' | 'truncate' | 'close'
/** Frames of 4 KiB in the WAL. */
export type CheckpointReport = Readonly<{ frames: number; error: string | null }>

const db = new DatabaseSync((workerData as { path: string }).path)
// NORMAL syncs the WAL before and the database after; nothing is lost track of in between.
db.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000;')

const checkpoint = (mode: 'passive' | 'truncate'): CheckpointReport => {
  try {
    const row = db.prepare(`PRAGMA wal_checkpoint(${mode})`).get() as { log: number }
    return { frames: row.log, error: null }
  } catch (error) {
    return { frames: 0, error: messageOf(error) }
  }
}

parentPort?.on('message', (request: CheckpointRequest) => {
  if (request !== 'close') {
    parentPort?.postMessage(checkpoint(request))
    return
  }
  db.close()
  parentPort?.close()
})
