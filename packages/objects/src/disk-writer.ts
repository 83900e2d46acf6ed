/**
 * The thread that writes the disk store: all changes that wait become one transaction, so that many writers share one sync.
 * A change is seen by readers only after it is on the disk. Started by `disk-commit.ts`.
 */
import { hash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import { type PackedGroup, unpackGroup } from './disk-group.ts'
import { type Change, type Changed, type Fsync, openTable, type Row } from './disk-table.ts'
import type { PutResult } from './objects.ts'
import { settle } from './settle.ts'

export type WriterData = Readonly<{ file: string; inode: number; fsync: Fsync }>
export type WriterRequest = PackedGroup | 'close'
/** `failed`: nothing of the group was written. */
export type WriterAnswer = Readonly<{ done: readonly Changed[] }> | Readonly<{ failed: string }>

const { file, inode, fsync } = workerData as WriterData
const database = openTable(file, fsync)
const find = database.prepare('SELECT etag, file FROM objects WHERE key = ?') as StatementSync
const remove = database.prepare('DELETE FROM objects WHERE key = ?')
const touch = database.prepare('UPDATE objects SET modified_at = modified_at WHERE key = ?')
const upsert = database.prepare(`
  INSERT INTO objects (key, etag, size, modified_at, content_type, file, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, size = excluded.size, modified_at = excluded.modified_at,
    content_type = excluded.content_type, file = excluded.file, bytes = excluded.bytes`)

/** A synced commit at the latest after so many: without one they would lie there for ever. */
const MAX_LET_GO = 64
/**
 * Files that no row names any more, as far as the last commit says. They go once that is on disk: until then a power cut brings back the rows that name
 * them. Those of a commit that failed are among them, because parts of it may lie in SQLite's log until another takes their place.
 */
const letGo: string[] = []

type Decided = Readonly<{ result: PutResult; unused: string | null; letsGo: string | null }>

/** `unused`: was never named. `letsGo`: is named no more. */
const change = (wanted: Change): Decided => {
  const { key } = wanted
  const found = (find.get(key) ?? null) as Pick<Row, 'etag' | 'file'> | null
  if (wanted.kind === 'delete') {
    if (found !== null) remove.run(key)
    return { result: { ok: true, etag: '' }, unused: null, letsGo: found?.file ?? null }
  }
  const { body, contentType } = wanted
  const etag = 'file' in body ? body.etag : (body.etag ?? hash('sha256', body.bytes))
  const newFile = 'file' in body ? body.file : null
  const verdict = settle({ wanted, etag, found: found?.etag ?? null })
  if (verdict !== 'write') {
    // The same bytes may lie there from a put that was not synced: a write makes this commit sync, and that one with it.
    if (verdict === 'same') touch.run(key)
    return { result: verdict === 'same' ? { ok: true, etag } : { ok: false, reason: verdict }, unused: newFile, letsGo: null }
  }
  const bytes = 'bytes' in body ? body.bytes : null
  const size = 'size' in body ? body.size : body.bytes.byteLength
  upsert.run(key, etag, size, Date.now(), contentType, newFile, bytes)
  return { result: { ok: true, etag }, unused: null, letsGo: found?.file ?? null }
}

let synchronous = fsync === 'full'
const syncWhen = (isSynced: boolean) => {
  if (isSynced === synchronous) return
  database.exec(`PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`)
  synchronous = isSynced
}
const isDurable = (wanted: Change) => wanted.kind === 'delete' || wanted.durable

const inTransaction = (group: readonly Change[]): readonly Decided[] => {
  try {
    database.exec('BEGIN IMMEDIATE')
    const decided = group.map(change)
    database.exec('COMMIT')
    return decided
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    letGo.push(...group.flatMap(one => (one.kind === 'put' && 'file' in one.body ? [one.body.file] : [])))
    throw error
  }
}

const commit = (group: readonly Change[]): readonly Changed[] => {
  // A removed folder would go unnoticed: the open file takes writes that nobody can ever find again.
  if (statSync(file).ino !== inode) throw new Error(`${file} is no longer the file that was opened`)
  const isSynced = letGo.length >= MAX_LET_GO || (fsync === 'full' && group.some(isDurable))
  syncWhen(isSynced)
  const decided = inTransaction(group)
  letGo.push(...decided.flatMap(one => one.letsGo ?? []))
  const gone = isSynced ? letGo.splice(0) : []
  return decided.map(({ result, unused }, index) => ({
    result,
    unused: [...(unused === null ? [] : [unused]), ...(index === decided.length - 1 ? gone : [])],
  }))
}

const answer = (group: readonly Change[]): WriterAnswer => {
  try {
    return { done: commit(group) }
  } catch (error) {
    return { failed: messageOf(error) }
  }
}

parentPort?.on('message', (request: WriterRequest) => {
  if (request !== 'close') return parentPort?.postMessage(answer(unpackGroup(request)))
  database.close()
  parentPort?.close()
})
