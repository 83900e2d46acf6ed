/**
 * The file of the embedded log: one SQLite database. A record's row id is its topic-partition × 2⁴⁰ + its position, so a partition is one
 * clustered range and needs no index. Ends live in memory; the file has them in the records themselves and, for what retention has
 * removed, in `tp`.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf, RejectError, UnavailableError } from '@newswire/events/errors'
import type { TopicSpec } from '@newswire/events/topics'
import type { LogRecord, Position, TopicReport } from './log.ts'
import { inTransaction } from './transaction.ts'

export type PartitionState = {
  readonly topic: string
  readonly number: number
  /** Row ids of its records begin here. */
  readonly base: number
  /** First position kept. */
  start: Position
  /** What the next record gets. */
  next: Position
  /** Time of the newest record: times never fall. */
  lastMs: number
  /** The newest records, in memory: live readers need no query. */
  tail: LogRecord[]
  tailBytes: number
  /** Records in blocks of positions that were counted (`embedded-count.ts`). */
  readonly blocks: Map<number, number>
}

export type TopicState = { spec: TopicSpec; readonly partitions: readonly PartitionState[]; spread: number }

export type LogFile = Readonly<{
  db: DatabaseSync
  topics: ReadonlyMap<string, TopicState>
  setUp(specs: readonly TopicSpec[], apply: boolean): readonly TopicReport[]
  /** Where the file did not end cleanly, positions skip, so that none is ever used twice (architecture §6.18). */
  wasUnclean: boolean
  /** The number that the log keeps for its store (`Log.storeMark`). */
  storeMark: number
  writeStoreMark(mark: number): void
  /** Writes where everything ended, and that it ended well. */
  close(): void
}>

/** Positions of one partition; 8 191 partitions of 10¹² positions stay safe integers. */
export const PER_PARTITION = 2 ** 40
const MAX_PARTITIONS = 8191
/** Its number in the file. */
export const tpOf = ({ base }: Pick<PartitionState, 'base'>): number => base / PER_PARTITION
/** More records than can be lost with a power cut, because everything is on disk within seconds. */
export const UNCLEAN_GAP = 2 ** 20

const SCHEMA = `
CREATE TABLE IF NOT EXISTS rec (id INTEGER PRIMARY KEY, ts INTEGER NOT NULL, k TEXT, v BLOB, h TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS topic (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, spec TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tp (tp INTEGER PRIMARY KEY, topic TEXT NOT NULL, part INTEGER NOT NULL, start INTEGER NOT NULL, next INTEGER NOT NULL,
  ts INTEGER NOT NULL, compacted INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, part)) STRICT;
CREATE TABLE IF NOT EXISTS grp (grp TEXT NOT NULL, tp INTEGER NOT NULL, off INTEGER NOT NULL, ts INTEGER NOT NULL, PRIMARY KEY (grp, tp)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`

type TpRow = { tp: number; topic: string; part: number; start: number; next: number; ts: number }

/** The embedded log is one owner: a third of the partitions is enough for lanes of their own. */
const embeddedPartitions = (spec: Pick<TopicSpec, 'partitions'>): number => Math.max(1, Math.ceil(spec.partitions / 3))

/** Deletes of a group's old rows leave free pages, which new records fill: the file does not shrink, and does not grow either. */
const PRAGMAS =
  'PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA cache_size = -8000; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 20000;'

const syncFolder = (file: string) => {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(resolve(file)), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

const readPartition = (db: DatabaseSync, row: TpRow, gap: number, floor: Position): PartitionState => {
  const base = row.tp * PER_PARTITION
  const last = db.prepare('SELECT id, ts FROM rec WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1').get(base, base + PER_PARTITION) as
    | { id: number; ts: number }
    | undefined
  const next = Math.max(Math.max(row.next, last ? last.id - base + 1 : 0) + gap, floor)
  const lastMs = Math.max(row.ts, last?.ts ?? 0)
  return { topic: row.topic, number: row.part, base, start: row.start, next, lastMs, tail: [], tailBytes: 0, blocks: new Map() }
}

/** Throws `RejectError` `NEWSWIRE_LOG_UNKNOWN_TOPIC` when there is no such topic. */
export const topicIn = ({ topics }: Pick<LogFile, 'topics'>, name: string): TopicState => {
  const topic = topics.get(name)
  if (topic !== undefined) return topic
  throw new RejectError(
    'NEWSWIRE_LOG_UNKNOWN_TOPIC',
    `there is no topic "${name}" in this log; create the topics with "newswire topics apply"`,
  )
}

/** Why a topic of the file is not as wanted. */
const differencesOf = ({ spec: have, partitions: { length } }: TopicState, wanted: TopicSpec): string[] => {
  const found: string[] = []
  if (length !== embeddedPartitions(wanted))
    found.push(`partitions: ${length}, wanted ${embeddedPartitions(wanted)} (fixed for good when the topic was made)`)
  for (const name of ['cleanup', 'retentionMs', 'maxRecordBytes', 'synced'] as const)
    if (have[name] !== wanted[name]) found.push(`${name}: ${have[name]}, wanted ${wanted[name]}`)
  return found
}

/** How a topic of the file stands beside what is wanted; `undefined`: it is not there. */
export const reportOf = (topic: TopicState | undefined, wanted: TopicSpec): TopicReport => {
  if (topic === undefined) return { topic: wanted.name, state: 'missing', differences: [] }
  const differences = differencesOf(topic, wanted)
  return { topic: wanted.name, state: differences.length === 0 ? 'as-wanted' : 'differs', differences }
}

export const readStoreMark = (db: DatabaseSync): number => {
  const row = db.prepare("SELECT value FROM meta WHERE name = 'store-mark'").get() as { value: string } | undefined
  return Number(row?.value ?? 0)
}

/** All topics as the file has them; every partition goes on `gap` above where it ended, and not below `floor`. */
export const loadTopics = (db: DatabaseSync, gap: number, floor: Position = 0): Map<string, TopicState> => {
  const rows = db.prepare('SELECT tp, topic, part, start, next, ts FROM tp ORDER BY topic, part').all() as TpRow[]
  const topics = db.prepare('SELECT name, spec FROM topic').all() as { name: string; spec: string }[]
  return new Map(
    topics.map(({ name, spec }) => {
      const partitions = rows.filter(row => row.topic === name).map(row => readPartition(db, row, gap, floor))
      return [name, { spec: JSON.parse(spec) as TopicSpec, partitions, spread: 0 }]
    }),
  )
}

/** What waits for its embargo lies in it: nobody's but the owner's and his group's. SQLite gives the files beside it the same. */
const FILE_MODE = 0o640

const open = (file: string): DatabaseSync => {
  try {
    closeSync(openSync(file, 'a', FILE_MODE))
    const db = new DatabaseSync(file)
    db.exec(PRAGMAS)
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = 1;')
    db.exec(SCHEMA)
    return db
  } catch (cause) {
    throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `the log file ${file} cannot be opened: ${messageOf(cause)}`, { cause })
  }
}

/** Opens or makes the file. The caller owns it already (`takeOwnership`). Partitions made now begin at `floor`, and those that are there go on at it or above. Afterwards `synchronous` is as `isSyncedByCommit` says. */
export const openLogFile = (file: string, isSyncedByCommit: boolean, floor: Position = 0): LogFile => {
  const db = open(file)
  const state = db.prepare("SELECT value FROM meta WHERE name = 'state'").get() as { value: string } | undefined
  const wasUnclean = state !== undefined && state.value !== 'closed'
  const topics = loadTopics(db, wasUnclean ? UNCLEAN_GAP : 0, floor)
  const setMeta = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
  const setEnds = db.prepare('UPDATE tp SET next = ?, start = ?, ts = ? WHERE tp = ?')
  const writeEnds = (): void => {
    for (const { partitions } of topics.values()) for (const one of partitions) setEnds.run(one.next, one.start, one.lastMs, tpOf(one))
  }
  // Synced, before any position above the gap is given out: after a second power cut the gap must still be there.
  inTransaction(db, () => {
    writeEnds()
    setMeta.run('state', 'open')
  })
  syncFolder(file)
  if (!isSyncedByCommit) db.exec('PRAGMA synchronous = NORMAL')

  const create = (spec: TopicSpec) => {
    const count = embeddedPartitions(spec)
    const highest = db.prepare('SELECT coalesce(max(tp), -1) AS tp FROM tp').get() as { tp: number }
    if (highest.tp + count >= MAX_PARTITIONS) throw new RangeError(`the embedded log has room for ${MAX_PARTITIONS} partitions`)
    const made = { topic: spec.name, start: floor, next: floor, ts: 0 }
    const rows = Array.from({ length: count }, (_, part) => ({ ...made, tp: highest.tp + 1 + part, part }))
    inTransaction(db, () => {
      db.prepare('INSERT INTO topic VALUES (?, ?, ?)').run(spec.name, count, JSON.stringify(spec))
      const insert = db.prepare('INSERT INTO tp (tp, topic, part, start, next, ts) VALUES (:tp, :topic, :part, :start, :next, :ts)')
      for (const row of rows) insert.run(row)
    })
    topics.set(spec.name, { spec, partitions: rows.map(row => readPartition(db, row, 0, floor)), spread: 0 })
  }

  const change = (topic: TopicState, spec: TopicSpec) => {
    db.prepare('UPDATE topic SET spec = ? WHERE name = ?').run(JSON.stringify(spec), spec.name)
    topic.spec = spec
  }

  const setUpOne = (spec: TopicSpec, apply: boolean): TopicReport => {
    const topic = topics.get(spec.name)
    const found = reportOf(topic, spec)
    if (!apply || found.state === 'as-wanted') return found
    if (topic === undefined) {
      create(spec)
      return { ...found, state: 'created' }
    }
    change(topic, spec)
    return reportOf(topic, spec)
  }

  return {
    db,
    topics,
    setUp: (specs, apply) => specs.map(spec => setUpOne(spec, apply)),
    wasUnclean,
    storeMark: readStoreMark(db),
    writeStoreMark: mark => {
      setMeta.run('store-mark', String(mark))
    },
    close: () => {
      db.exec('PRAGMA synchronous = FULL')
      inTransaction(db, () => {
        writeEnds()
        setMeta.run('state', 'closed')
      })
      db.close()
    },
  }
}
