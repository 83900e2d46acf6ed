/** The table of the disk store. SQLite compares `TEXT` by its UTF-8 bytes, which is the order S3 lists in. */
import { DatabaseSync } from 'node:sqlite'
import type { ListedObject, ObjectHead, PutResult, StoredObject } from './objects.ts'

export type Fsync = 'full' | 'normal'

/** A body lies in `bytes`, or when it is large in a file of its own, named by `file`. */
export type Row = Readonly<{
  key: string
  etag: string
  size: number
  modified_at: number
  content_type: string
  file: string | null
  bytes: Uint8Array | null
}>

type HeadRow = Pick<Row, 'etag' | 'size' | 'modified_at' | 'content_type'>

export const toHead = ({ size, etag, content_type, modified_at }: HeadRow): ObjectHead => ({
  size,
  etag,
  contentType: content_type,
  lastModified: new Date(modified_at),
})
export const toStored = ({ etag, content_type, modified_at }: Row, bytes: Uint8Array): StoredObject => ({
  bytes,
  etag,
  contentType: content_type,
  lastModified: new Date(modified_at),
})
const toListed = ({ key, size, etag, modified_at }: Row): ListedObject => ({ key, size, etag, lastModified: new Date(modified_at) })

/** A change that waits for the next commit. */
export type Change =
  | Readonly<{ kind: 'delete'; key: string }>
  | Readonly<{
      kind: 'put'
      key: string
      contentType: string
      /** The body, with its hash where somebody has it already, or the file that already holds it. */
      body: Readonly<{ bytes: Uint8Array; etag?: string | undefined }> | Readonly<{ file: string; size: number; etag: string }>
      ifNoneMatch: '*' | null
      ifMatch: string | null
      durable: boolean
    }>

/** `unused`: files that nothing refers to any more, whatever happens now; also those of changes before this one. */
export type Changed = Readonly<{ result: PutResult; unused: readonly string[] }>

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    file TEXT,
    bytes BLOB
  ) STRICT`

/** 16 MiB of log before it is copied into the table: about 20 ms of work, every few seconds under full load. */
const CHECKPOINT_PAGES = 4096

/** Opens the table, makes it when there is none. */
export const openTable = (file: string, fsync: Fsync): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  // fullfsync: macOS answers a plain fsync before the disk has the bytes.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${fsync === 'full' ? 'FULL' : 'NORMAL'};
    PRAGMA fullfsync = ${fsync === 'full' ? 1 : 0};
    PRAGMA checkpoint_fullfsync = 1;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -8192;
    ${SCHEMA}`)
  return database
}

/** `Objects.list`. One bound at a time: of two SQLite seeks to the first it is given, and walks from there to the other. */
export const prepareListing = (database: DatabaseSync) => {
  const columns = 'SELECT key, etag, size, modified_at FROM objects'
  const from = database.prepare(`${columns} WHERE key >= ? ORDER BY key LIMIT ?`)
  const after = database.prepare(`${columns} WHERE key > ? ORDER BY key LIMIT ?`)
  return (prefix: string, startAfter: string, limit: number): ListedObject[] => {
    const found: ListedObject[] = []
    // Less than none is no limit to SQLite.
    if (limit <= 0) return found
    const isAfter = Buffer.compare(Buffer.from(startAfter), Buffer.from(prefix)) >= 0
    for (const row of (isAfter ? after.iterate(startAfter, limit) : from.iterate(prefix, limit)) as Iterable<Row>) {
      if (!row.key.startsWith(prefix)) break
      found.push(toListed(row))
    }
    return found
  }
}
