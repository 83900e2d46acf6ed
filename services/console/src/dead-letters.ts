/**
 * The dead letters: a projection of the topic for looking, and an object per letter for what an operator decided. Redriving publishes the
 * record again under its first position, for the group that failed only; deciding twice is deciding once.
 */
import { join } from 'node:path'
import { codeOf, messageOf, RejectError } from '@newswire/events/errors'
import { deriveId, isEventId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { type DeadLetter, parseDeadLetter, toRedrive } from '@newswire/log/dead-letter'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listKeys } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { z } from 'zod'

const schema = `CREATE TABLE letter (
  id TEXT PRIMARY KEY, at TEXT NOT NULL, service TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL, key TEXT, value BLOB, headers TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_by_time ON letter (at DESC, id DESC);`

const decision = z.object({ n: z.int(), state: z.enum(['redriven', 'discarded']), at: z.string(), times: z.int() })

type DeadLetterSummary = Readonly<{
  id: string
  at: string
  service: string
  topic: string
  partition: number
  position: number
  code: string
  message: string
  attempts: number
  key: string | null
  bytes: number
  state: 'open' | 'redriven' | 'discarded'
}>
type DeadLetterDetail = DeadLetterSummary & Readonly<{ headers: Readonly<Record<string, string>>; value: Uint8Array | null }>
export type Decided = 'done' | 'unknown' | 'already-discarded' | 'changed-meanwhile'

export type DeadLetters = Readonly<{
  /**
   * Newest first, with what was decided, at most 500. `after`: those behind this one, an id that is here; `null` when none is. `openOnly`: those that nobody
   * has decided on, so that ten thousand that were discarded hide none.
   */
  list(which: Readonly<{ limit: number; after?: string; openOnly?: boolean }>): Promise<readonly DeadLetterSummary[] | null>
  show(id: string): Promise<DeadLetterDetail | null>
  /** Publishes the record again, then notes it. A crash between the two leaves it open: the repeat is harmless, as every handler's is. */
  redrive(id: string): Promise<Decided>
  discard(id: string): Promise<Decided>
  /** How many nobody has decided on. */
  open(): Promise<number>
  caughtUp(signal?: AbortSignal): Promise<void>
  isReady(): boolean
  stop(): Promise<void>
}>

type Listed = Omit<DeadLetterSummary, 'bytes' | 'state'> & { bytes: number | null }
type Row = Listed & { value: Uint8Array | null; headers: string }
/** Without the bytes, a megabyte each: a list names five hundred. */
const LISTED = 'id, at, service, topic, partition, position, code, message, attempts, key, length(value) AS bytes'

/** A broker takes a record's time from whoever wrote it, also one that no date has. */
const timeOf = ({ timestamp }: LogRecord): string => new Date(Math.abs(timestamp) <= MAX_DATE_MS ? timestamp : 0).toISOString()
/** ECMA-262 §21.4.1.1. */
const MAX_DATE_MS = 8.64e15

/** What lies in the topic and is no dead letter is shown as one of the topic's own: nothing that came there is out of sight. */
const readLetter = (record: LogRecord): Omit<DeadLetter, 'failures' | 'pointer' | 'redriven' | 'firstFailedAt'> => {
  try {
    const letter = parseDeadLetter(record)
    if (isEventId(letter.id)) return letter
    // An id names an object; one of another shape would make every look at the list fail.
    throw new RejectError('NEWSWIRE_CONSOLE_DEAD_LETTER', `its id is none of ours: ${JSON.stringify(letter.id.slice(0, 100))}`)
  } catch (error) {
    const { topic, partition, position } = record
    return {
      id: deriveId('unreadable', topic, partition, position),
      service: 'console',
      topic,
      partition,
      position,
      attempts: 1,
      lastFailedAt: timeOf(record),
      errorCode: codeOf(error),
      errorMessage: messageOf(error),
    }
  }
}

/** Keys of all decisions, also of those on letters that the topic no longer keeps. */
const listDecided = async (objects: Objects): Promise<ReadonlySet<string>> => new Set(await listKeys(objects, keys.deadLetterPrefix))

export const openDeadLetters = async (options: {
  log: Log
  objects: Objects
  dataDir: string
  now: () => number
  onArrival: (service: string) => void
}): Promise<DeadLetters> => {
  const { log, objects, dataDir, now, onArrival } = options
  const projection = await openProjection({
    log,
    topic: topics.deadLetters.name,
    file: join(dataDir, 'views', 'console-dead-letters.db'),
    schema,
    apply: (db, records) => {
      const put = db.prepare(
        'INSERT OR IGNORE INTO letter (id, at, service, topic, partition, position, code, message, attempts, key, value, headers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      for (const record of records) {
        const letter = readLetter(record)
        const { lastFailedAt, service, topic, partition, position, errorCode, errorMessage, attempts } = letter
        const { changes } = put.run(
          letter.id,
          lastFailedAt,
          service,
          topic,
          partition,
          position,
          errorCode,
          errorMessage,
          attempts,
          record.key,
          record.value,
          JSON.stringify(record.headers),
        )
        if (changes > 0) onArrival(service)
      }
    },
  })
  const { db } = projection
  const rows = <T>(sql: string, ...values: (string | number)[]) => db.prepare(sql).all(...values) as T[]
  const decisionOf = (id: string) => getDocument(objects, keys.deadLetter(id), decision)

  const toSummary = async (row: Listed): Promise<DeadLetterSummary> => {
    const decided = await decisionOf(row.id)
    const { id, at, service, topic, partition, position, code, message, attempts, key, bytes } = row
    return {
      id,
      at,
      service,
      topic,
      partition,
      position,
      code,
      message,
      attempts,
      key,
      bytes: bytes ?? 0,
      state: decided?.value.state ?? 'open',
    }
  }
  const find = (id: string) => rows<Row>(`SELECT ${LISTED}, value, headers FROM letter WHERE id = ?`, id)[0] ?? null

  const decide = async (id: string, state: 'redriven' | 'discarded', effect: (row: Row) => Promise<void>): Promise<Decided> => {
    const row = find(id)
    if (row === null) return 'unknown'
    const before = await decisionOf(id)
    if (before?.value.state === 'discarded') return state === 'discarded' ? 'done' : 'already-discarded'
    await effect(row)
    const times = (before?.value.times ?? 0) + 1
    const swapped = await swapDocument(
      objects,
      keys.deadLetter(id),
      { n: (before?.value.n ?? 0) + 1, state, at: new Date(now()).toISOString(), times },
      before?.etag ?? null,
    )
    if (swapped.ok) return 'done'
    return (await decisionOf(id))?.value.state === state ? 'done' : 'changed-meanwhile'
  }

  /** The next ones behind `last` (a time and an id), or the first. */
  const behind = (last: Pick<Listed, 'at' | 'id'> | null, most: number): Listed[] =>
    last === null
      ? rows(`SELECT ${LISTED} FROM letter ORDER BY at DESC, id DESC LIMIT ?`, most)
      : rows(`SELECT ${LISTED} FROM letter WHERE (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?`, last.at, last.id, most)

  return {
    list: async ({ limit, after, openOnly = false }) => {
      const most = Math.min(limit, 500)
      let last: Pick<Listed, 'at' | 'id'> | null = after === undefined ? null : find(after)
      if (after !== undefined && last === null) return null
      const decided = openOnly ? await listDecided(objects) : new Set<string>()
      const listed: Listed[] = []
      for (let page = behind(last, 500); page.length > 0 && listed.length < most; page = behind(last, 500)) {
        listed.push(...page.filter(({ id }) => !decided.has(keys.deadLetter(id))))
        last = page.at(-1) ?? null
      }
      return Promise.all(listed.slice(0, most).map(toSummary))
    },
    show: async id => {
      const row = find(id)
      return row === null
        ? null
        : { ...(await toSummary(row)), headers: JSON.parse(row.headers) as Record<string, string>, value: row.value }
    },
    redrive: id =>
      decide(id, 'redriven', async row => {
        const record = { key: row.key, value: row.value, headers: JSON.parse(row.headers) as Record<string, string> }
        const { pointer } = parseDeadLetter(record)
        // A stranger's letter must not have an object that is none of its own published.
        if (pointer !== null && pointer !== keys.deadLetterBytes(id))
          throw new RejectError('NEWSWIRE_CONSOLE_DEAD_LETTER', `its bytes are not at ${JSON.stringify(pointer.slice(0, 200))}: discard it`)
        const bytes = pointer === null ? undefined : ((await objects.get(pointer))?.bytes ?? undefined)
        await log.publish([toRedrive(record, bytes)], { synced: true })
      }),
    discard: id => decide(id, 'discarded', async () => undefined),
    open: async () => {
      const ids = (db.prepare('SELECT id FROM letter').all() as { id: string }[]).map(row => row.id)
      if (ids.length === 0) return 0
      const decided = await listDecided(objects)
      return ids.filter(id => !decided.has(keys.deadLetter(id))).length
    },
    caughtUp: projection.caughtUp,
    isReady: projection.isReady,
    stop: projection.stop,
  }
}
