/**
 * Putting commits on disk without holding up the event loop: many commits, one sync.
 *
 * Why a commit with `synchronous = NORMAL` followed by our own `fdatasync` of the `-wal` file is as durable as `FULL`: when COMMIT returns,
 * its frames have been written to the `-wal` file. Either they are still there, then `fdatasync` of the same file puts them and all frames
 * before them on disk (and the length of the file), and recovery plays back every frame up to the last whole commit. Or a checkpoint
 * came between and the WAL began anew: SQLite starts it anew only after all its frames are in the database file and that file was synced,
 * which every mode but OFF does, so the commit is on disk already. The file is never replaced while a connection is open, only
 * truncated (after such a checkpoint), so our descriptor stays the right one. On systems where we cannot vouch for that the commit itself
 * syncs. Recovery gives a prefix of the commits: a record that was not synced can be lost only with everything after it, so no
 * offset and no synced record is ever there without what was written before it.
 *
 * A failed sync is final: Linux may mark the pages clean, so another try would say yes without having written.
 */
import { closeSync, fdatasync, openSync } from 'node:fs'

export type WalSync = Readonly<{
  /** Calls back once everything committed before this call is on disk, or can never be known to be. */
  request(done: (error: Error | null) => void): void
  close(): void
}>

/** `path` is that of the database; its `-wal` file must be there, which it is after the first transaction. */
export const createWalSync = (path: string): WalSync => {
  const wal = openSync(`${path}-wal`, 'r+')
  let waiting: Array<(error: Error | null) => void> = []
  let isSyncing = false
  let failed: Error | null = null

  const start = () => {
    if (isSyncing || waiting.length === 0) return
    const served = waiting
    waiting = []
    isSyncing = true
    fdatasync(wal, error => {
      isSyncing = false
      if (error) failed ??= error
      for (const done of served) done(failed)
      start()
    })
  }

  return {
    request: done => {
      waiting.push(done)
      start()
    },
    close: () => closeSync(wal),
  }
}
