/**
 * The object store in a folder on a disk: a table in SQLite, and a file for each large body. Why not a file for each object:
 * docs/adr/0003-disk-store.md. Reads are answered on the calling thread, changes are committed in groups on a thread of their own.
 */
import { hash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { contentTypeOf } from './content-type.ts'
import { createCommitter } from './disk-commit.ts'
import { openBodyFiles } from './disk-files.ts'
import { lockFolder } from './disk-lock.ts'
import { type Change, type Fsync, openTable, prepareListing, type Row, toHead, toStored } from './disk-table.ts'
import { checkKey } from './keys.ts'
import type { Objects, PutOptions } from './objects.ts'
import { unavailable } from './unavailable.ts'

type DiskOptions = Readonly<{
  /** The folder; made when it is not there. One store at a time has it open. */
  root: string
  /** `full`: what is acknowledged survives a power cut. `normal`: a kill, and after a power cut the store is whole but may lack the last seconds. */
  fsync: Fsync
}>

/** Bodies above this lie in files of their own: in the table they would be written twice and hold up everybody's commit. Bytes. */
const MAX_INLINE = 256 * 1024

/** A read is answered without leaving the event loop's turn, so a loop of reads would let nothing else happen: after this many, under 1 ms, it waits a turn. */
const READS_A_TURN = 64

/**
 * Opens the store in a folder. Throws `RejectError` `NEWSWIRE_OBJECTS_IN_USE` when another store has it open, `UnavailableError` when
 * the folder cannot be used.
 */
export const createDiskObjects = async ({ root: wanted, fsync }: DiskOptions): Promise<Objects> => {
  const root = resolve(wanted)
  const file = join(root, 'objects.db')
  const topmost = prepareFolder(root)
  const unlock = lockFolder(root)
  let database: DatabaseSync | null = null
  try {
    database = openTable(file, fsync)
    const files = openBodyFiles(join(root, 'large'))
    if (isOnDisk(database)) await files.sweep(namesIn(database))
    syncFolders(root, topmost)
    database.exec('PRAGMA query_only = ON')
    return openStore({ database, file, files, fsync, unlock })
  } catch (error) {
    database?.close()
    unlock()
    throw unavailable(`the opening of ${root}`, error)
  }
}

/**
 * Puts on disk what the table says: after a kill some of it may be in the system's memory alone, and a power cut would bring back rows that name what
 * was swept. False when it cannot be: the next start sweeps.
 */
const isOnDisk = (database: DatabaseSync): boolean => {
  try {
    const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as { log: number; checkpointed: number }
    return log === checkpointed
  } catch {
    return false // a full disk is no reason not to open
  }
}

const namesIn = (database: DatabaseSync): ReadonlySet<string> => {
  const rows = database.prepare('SELECT file FROM objects WHERE file IS NOT NULL').all()
  return new Set(rows.map(row => String(row['file'])))
}

/** What waits for its embargo lies in it: nobody's but the owner's and his group's. One that is there is left as it is. */
const FOLDER_MODE = 0o750

/** Makes the folder; gives the topmost one that had to be made, or the folder itself. */
const prepareFolder = (root: string): string => {
  try {
    return mkdirSync(root, { recursive: true, mode: FOLDER_MODE }) ?? root
  } catch (error) {
    throw unavailable(`the making of ${root}`, error)
  }
}

/** The names of our files and folders must be as durable as what is in them. */
const syncFolders = (root: string, topmost: string) => {
  for (let folder = root; folder.length >= dirname(topmost).length; folder = dirname(folder)) {
    const descriptor = openSync(folder, 'r')
    fsyncSync(descriptor)
    closeSync(descriptor)
    if (folder === dirname(folder)) break
  }
}

type Parts = Readonly<{ database: DatabaseSync; file: string; files: ReturnType<typeof openBodyFiles>; fsync: Fsync; unlock: () => void }>

const openStore = ({ database, file, files, fsync, unlock }: Parts): Objects => {
  const inode = statSync(file).ino
  const committer = createCommitter({ file, inode, fsync })
  const byKey = database.prepare('SELECT * FROM objects WHERE key = ?')
  const headOf = database.prepare('SELECT key, etag, size, modified_at, content_type FROM objects WHERE key = ?')
  const listing = prepareListing(database)
  let closed: Promise<void> | null = null
  let reads = 0

  const read = <T>(what: string, query: () => T): T => {
    try {
      if (closed !== null) throw new Error('it is closed')
      if (statSync(file).ino !== inode) throw new Error(`${file} is no longer the file that was opened`)
      return query()
    } catch (error) {
      throw unavailable(what, error)
    }
  }

  const bodyOf = async (row: Row, signal?: AbortSignal): Promise<Uint8Array | null> => {
    if (row.file === null) return row.bytes ?? new Uint8Array()
    try {
      return await files.read(row.file, signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw unavailable(`the reading of ${row.key}`, error)
    }
  }

  const get: Objects['get'] = async (key, { signal } = {}) => {
    checkKey(key)
    reads += 1
    if (reads % READS_A_TURN === 0) await nextTurn()
    signal?.throwIfAborted()
    const what = `the reading of ${key}`
    for (let last: string | null = null; ; ) {
      const row = read(what, () => byKey.get(key) as Row | undefined)
      if (row === undefined) return null
      const bytes = await bodyOf(row, signal)
      if (bytes !== null) return toStored(row, bytes)
      // Replaced between the two reads: look again. The same file missing twice is damage, not a race.
      if (row.file === last) throw unavailable(what, new Error(`its file ${row.file} is missing`))
      last = row.file
    }
  }

  const commit = async (change: Change) => {
    if (closed !== null) throw unavailable(`the change of ${change.key}`, new Error('it is closed'))
    const { result, unused } = await committer.commit(change)
    for (const name of unused) await files.remove(name).catch(() => undefined) // committed all the same; swept at the next start
    return result
  }

  return {
    kind: 'disk',
    get,
    head: async key => {
      checkKey(key)
      const row = read(`the look at ${key}`, () => headOf.get(key) as Row | undefined)
      return row === undefined ? null : toHead(row)
    },
    put: async (key, bytes, options = {}) => {
      checkKey(key)
      const body =
        bytes.byteLength > MAX_INLINE ? await writeBody(files, key, bytes, options) : { bytes: Buffer.from(bytes), etag: options.sha256 } // a copy, from Node's pool when it is small: what its owner does to it while it waits changes nothing
      return commit({ kind: 'put', key, body, ...conditionsOf(key, options) })
    },
    delete: async key => {
      checkKey(key)
      await commit({ kind: 'delete', key })
    },
    list: async (prefix, { startAfter = '', limit = 1000 } = {}) =>
      read(`the listing of ${prefix}`, () => listing(prefix, startAfter, limit)),
    close: () => {
      closed ??= (async () => {
        database.close() // before the writer: the last to close copies its log into the table
        await committer.close()
        unlock()
      })()
      return closed
    },
  }
}

const conditionsOf = (key: string, { contentType, ifNoneMatch, ifMatch, durable }: PutOptions) => ({
  contentType: contentType ?? contentTypeOf(key),
  ifNoneMatch: ifNoneMatch ?? null,
  ifMatch: ifMatch ?? null,
  durable: durable ?? true,
})

const writeBody = async (files: ReturnType<typeof openBodyFiles>, key: string, bytes: Uint8Array, { sha256 }: PutOptions) => {
  try {
    return { file: await files.write(bytes), size: bytes.byteLength, etag: sha256 ?? hash('sha256', bytes) }
  } catch (error) {
    throw unavailable(`the writing of ${key}`, error)
  }
}
