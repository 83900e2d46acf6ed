/** Looks at the file of an embedded log that another process may have open and be writing to: for tools that only look. Changes nothing, takes no lock. */
import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { TopicSpec } from '@newswire/events/topics'
import { loadTopics, type PartitionState, PER_PARTITION, readStoreMark, reportOf, tpOf, UNCLEAN_GAP } from './embedded-file.ts'
import type { LogRecord, Position, TopicReport } from './log.ts'

export type LogPeek = Readonly<{
  /** Where every partition would go on if the log were opened now. */
  ends(topic: string): Promise<ReadonlyArray<{ partition: number; start: Position; end: Position }>>
  /** See `Log.storeMark`. */
  storeMark(): number
  /** The newest records of every partition, at most `limit` of each. */
  newest(topic: string, limit: number): Promise<readonly LogRecord[]>
}>

export type LogLook = LogPeek &
  Readonly<{
    topics: readonly TopicReport[]
    /** Records that groups have not committed, as they were last written down: a running process is further. */
    lag: ReadonlyArray<Readonly<{ group: string; topic: string; records: number }>>
    /** Records that are kept of a topic. */
    kept: Readonly<Record<string, number>>
    /** When the newest record was taken, ms since 1970; `null` when there is none. */
    newestMs: number | null
    /** It was closed, and not killed: false also while it is open. */
    wasClosed: boolean
    /** On disk, with what is not moved into the file yet, which is most of a young log. */
    bytes: number
    /** What SQLite finds damaged; `null` when nothing, `undefined` when the file is too large to be read for a look. */
    damage: string | null | undefined
  }>

/** A file up to this size is read whole, which takes a second or two. Bytes. */
const READ_WHOLE = 512 * 1024 ** 2

const lagOf = (db: DatabaseSync, partitions: readonly PartitionState[], gap: number): LogLook['lag'] => {
  const byNumber = new Map(partitions.map(one => [tpOf(one), one]))
  const count = db.prepare('SELECT count(*) AS n FROM rec WHERE id >= ? AND id < ?')
  const rows = db.prepare('SELECT grp, tp, off FROM grp ORDER BY grp, tp').all() as { grp: string; tp: number; off: number }[]
  const sums = new Map<string, { group: string; topic: string; records: number }>()
  for (const { grp, tp, off } of rows) {
    const partition = byNumber.get(tp)
    if (partition === undefined) continue
    const { n } = count.get(partition.base + off, partition.base + partition.next - gap) as { n: number }
    const name = JSON.stringify([grp, partition.topic])
    sums.set(name, { group: grp, topic: partition.topic, records: (sums.get(name)?.records ?? 0) + n })
  }
  return [...sums.values()]
}

/** Of those topics alone that are asked for: a count walks through all of them. */
const countKept = (db: DatabaseSync, partitions: readonly PartitionState[], names: readonly string[]): LogLook['kept'] => {
  const count = db.prepare('SELECT count(*) AS n FROM rec WHERE id >= ? AND id < ?')
  const of = (name: string) =>
    partitions
      .filter(one => one.topic === name)
      .reduce((sum, { base }) => sum + (count.get(base, base + PER_PARTITION) as { n: number }).n, 0)
  return Object.fromEntries(names.map(name => [name, of(name)]))
}

const findDamage = (db: DatabaseSync): string | null => {
  const rows = db.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[]
  const found = rows.map(row => row.quick_check).find(word => word !== 'ok')
  return found ?? null
}

type Row = { id: number; ts: number; k: string | null; v: Uint8Array | null; h: string }

const newestOf = (db: DatabaseSync, { topic, number, base }: PartitionState, limit: number): LogRecord[] => {
  const rows = db
    .prepare('SELECT id, ts, k, v, h FROM rec WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?')
    .all(base, base + PER_PARTITION, limit) as Row[]
  return rows.map(({ id, ts, k, v, h }) => ({
    topic,
    partition: number,
    position: id - base,
    key: k,
    value: v,
    headers: JSON.parse(h),
    timestamp: ts,
  }))
}

/** The log in it; `null` when whoever made the file came no further. */
const load = (db: DatabaseSync, file: string) => {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === undefined) return null
  const state = db.prepare("SELECT value FROM meta WHERE name = 'state'").get() as { value: string } | undefined
  const wasClosed = state?.value === 'closed'
  const gap = wasClosed ? 0 : UNCLEAN_GAP
  const topics = loadTopics(db, gap)
  const storeMark = readStoreMark(db)
  const peek: LogPeek = {
    ends: async topic => (topics.get(topic)?.partitions ?? []).map(one => ({ partition: one.number, start: one.start, end: one.next })),
    storeMark: () => storeMark,
    // Opened once more: few ask, and what they want is not read for all.
    newest: async (topic, limit) =>
      reading(file, now => (topics.get(topic)?.partitions ?? []).flatMap(one => newestOf(now, one, limit))) ?? [],
  }
  return { topics, gap, wasClosed, peek }
}

/** SQLite's "read-only, and half a transaction must be undone first" (https://sqlite.org/rescode.html#readonly_rollback). */
const UNDONE_FIRST = 776

const reading = <T>(file: string, read: (db: DatabaseSync) => T): T | null => {
  // SQLite takes an empty file for a database that has no table yet.
  if (!existsSync(file) || statSync(file).size === 0) return null
  let db: DatabaseSync | null = null
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
    return read(db)
  } catch (cause) {
    // A log has such a thing only until it is in WAL mode, its first moment: whoever was killed there had written nothing yet.
    if ((cause as { errcode?: number }).errcode === UNDONE_FIRST) return null
    throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `the log file ${file} cannot be read: ${messageOf(cause)}`, { cause })
  } finally {
    db?.close()
  }
}

/** What costs next to nothing to know; otherwise as `lookAtEmbeddedLog`. */
export const peekAtEmbeddedLog = (file: string): LogPeek | null => reading(file, db => load(db, file)?.peek ?? null)

/** `null` when there is no such file, or no log in it yet. `count`: topics whose records are counted. Throws `UnavailableError` `NEWSWIRE_LOG_UNAVAILABLE` when it cannot be read. */
export const lookAtEmbeddedLog = (file: string, specs: readonly TopicSpec[], count: readonly string[] = []): LogLook | null =>
  reading(file, db => {
    const found = load(db, file)
    if (found === null) return null
    const { topics, gap, wasClosed, peek } = found
    const partitions = [...topics.values()].flatMap(one => one.partitions)
    const { size } = statSync(file)
    const waiting = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    const times = partitions.map(one => one.lastMs).filter(ms => ms > 0)
    return {
      ...peek,
      topics: specs.map(spec => reportOf(topics.get(spec.name), spec)),
      lag: lagOf(db, partitions, gap),
      kept: countKept(db, partitions, count),
      newestMs: times.length === 0 ? null : Math.max(...times),
      wasClosed,
      bytes: size + waiting,
      damage: size > READ_WHOLE ? undefined : findDamage(db),
    }
  })
