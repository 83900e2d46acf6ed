/**
 * Writes a search index, on a thread of its own: taking words out of an article and filing them costs more than everything else that a gateway does
 * with it. What is given to it is the log; everything else is a projection like any other.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createAttached } from '@newswire/events/attached'
import { messageOf } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import type { FollowOptions, Log, LogRecord } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'
import { createIndexWriter, type IndexWriter, searchSchema, type WordCounts } from './search-index.ts'
import type { Cursor, FromPreparer, FromWriter, PreparedRecord, Taken, ToWriter, WriterData } from './search-messages.ts'
import { prepareRecord } from './search-prepare.ts'
import { createPreparing, type Prepared } from './search-text.ts'
import { createVocabulary, type Vocabulary } from './search-vocabulary.ts'

const { file, topic, logKind } = workerData as WriterData
/**
 * Until the log's end is reached. Fewer make more segments, and merging those costs more; with more, FTS5's own table no longer lies near the processor:
 * 217, 244, 251 CPU-µs an article with 1,500, 3,000, 6,000, merging and all, beside other work. Up to 64 segments are merged at once.
 */
const BULK_RECORDS = 2_000
const BULK_BYTES = 32 * 1_048_576

const say = (message: FromWriter) => parentPort?.postMessage(message)
let asked = 0
const waiting = new Map<number, PromiseWithResolvers<unknown>>()
const ask = <T>(question: Readonly<{ what: 'ends' } | { what: 'read'; partition: number; from: unknown }>): Promise<T> => {
  asked += 1
  const answer = Promise.withResolvers<unknown>()
  waiting.set(asked, answer)
  say({ kind: 'ask', id: asked, ...question } as FromWriter)
  return answer.promise as Promise<T>
}

let give: FollowOptions['onRecords'] = () => undefined
let cursor: Cursor = {}
const ready = Promise.withResolvers<void>()
/** The log as the main thread hands it over. */
const log: Pick<Log, 'kind' | 'ends' | 'read' | 'follow'> = {
  kind: logKind,
  ends: () => ask({ what: 'ends' }),
  read: ({ partition, from }) => ask({ what: 'read', partition, from }),
  follow: async ({ from, onRecords }) => {
    give = onRecords
    say({ kind: 'follow', from })
    return { ready: ready.promise, cursor: () => cursor, stop: async () => undefined }
  },
}

let index: IndexWriter | undefined
let projection: Projection | undefined
let failed = false
const attempt = (act: () => void) => {
  try {
    act()
  } catch (error) {
    fail(error)
  }
}
const fail = (error: unknown) => {
  failed = true
  say({ kind: 'failed', message: messageOf(error) })
}

let isReached = false
let isStopping = false
let merging: NodeJS.Timeout | undefined
let held: PreparedRecord[] = []
let heldBytes = 0
let heldCounts = new Map<string, number>()
let writing = Promise.resolve()
const preparing = createPreparing({ isNumbered: false })
/** Of what is held. What could not be written yet has its own. */
let vocabulary = createVocabulary()
/** What records became, found again when the projection hands them on; all of one transaction are told in the same words. */
const preparedOf = createAttached<LogRecord, Readonly<{ prepared: Prepared | null; vocabulary: Vocabulary }>>('prepared')
const flush = () => {
  const records = held.map(({ prepared, ...at }): LogRecord => {
    const record = { ...at, topic, key: null, value: null, headers: {}, timestamp: 0 }
    preparedOf.set(record, { prepared, vocabulary })
    return record
  })
  held = []
  heldBytes = 0
  if (records.length === 0) return
  // A disk that is full is waited for there, each behind the one before; what is thrown is for good.
  writing = Promise.resolve(give(records))
  writing.catch(fail)
}
const hold = (records: readonly PreparedRecord[], bytes: number, counts: WordCounts) => {
  for (const record of records) held.push(record)
  for (const [word, times] of counts) heldCounts.set(word, (heldCounts.get(word) ?? 0) + times)
  heldBytes += bytes
  if (isReached || held.length >= BULK_RECORDS || heldBytes >= BULK_BYTES) flush()
}
const reach = (reached: Cursor) => {
  flush()
  vocabulary = createVocabulary() // tens of megabytes, of no use from now on
  cursor = reached
  isReached = true
  setMerging(MERGING.live)
  ready.resolve()
  say({ kind: 'ready' })
  // Below zero: all of them into one, so that everything is written again once and not level by level.
  merging = setTimeout(() => attempt(() => mergeOn(-MERGE_PAGES)), MERGE_AFTER_MS)
}
let preparer: MessagePort | undefined
const takePrepared = (message: FromPreparer) => {
  if (failed || isStopping) return
  if (message.kind === 'reached') {
    preparer?.close()
    return reach(message.cursor)
  }
  preparer?.postMessage({ kind: 'taken' } satisfies Taken)
  if (message.words.generation !== vocabulary.generation) {
    flush()
    vocabulary = createVocabulary(message.words.generation)
  }
  vocabulary.learn(message.words)
  hold(message.records, message.bytes, message.counts)
}

/** While much is written segments are merged by the dozen; afterwards by and by, with every write. Crisis merges stay as late: one takes seconds. */
const MERGING = { bulk: 0, live: 4 } as const
const CRISIS = 64
const indexOf = (db: DatabaseSync): IndexWriter => {
  index ??= createIndexWriter(db, { mostSegments: CRISIS })
  return index
}
const setMerging = (automerge: number) => {
  index?.touched()
  projection?.db.exec(
    `INSERT INTO everywhere (everywhere, rank) VALUES ('automerge', ${automerge}); INSERT INTO everywhere (everywhere, rank) VALUES ('crisismerge', ${CRISIS});`,
  )
}
/** Pages written by one step of merging, some tens of milliseconds: what is published meanwhile comes between two. */
const MERGE_PAGES = 128
/** Everything else of the process reads the past at the same time: what can be searched already may stay in some more pieces for as long. */
const MERGE_AFTER_MS = 5_000
const mergeOn = (pages = MERGE_PAGES): void => {
  if (projection === undefined || isStopping || failed) return
  const { db } = projection
  const total = () => (db.prepare('SELECT total_changes() AS n').get() as { n: number }).n
  const before = total()
  index?.touched()
  db.exec(`INSERT INTO everywhere (everywhere, rank) VALUES ('merge', ${pages})`)
  // https://sqlite.org/fts5.html#the_merge_command: fewer than two changes mean that there was nothing to merge.
  if (total() - before >= 2) setImmediate(() => attempt(() => mergeOn()))
}

const seed = (facts: readonly string[]) => {
  const { db } = projection as Projection
  db.exec('BEGIN')
  try {
    indexOf(db).write(
      facts.map(text => preparing.prepare(JSON.parse(text) as Fact)),
      preparing.takeCounts(),
    )
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
  say({ kind: 'applied', articles: facts.length })
}

const take = async (message: ToWriter): Promise<void> => {
  switch (message.kind) {
    case 'answer': {
      const { id, value, error } = message
      if (error === undefined) waiting.get(id)?.resolve(value)
      else waiting.get(id)?.reject(new Error(error))
      waiting.delete(id)
      return
    }
    case 'records': {
      // Said before it is done, so that the next are on their way meanwhile.
      say({ kind: 'took' })
      const bytes = message.records.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0)
      const { records } = message
      const prepared = records.map(record => ({
        partition: record.partition,
        position: record.position,
        prepared: prepareRecord(record, preparing),
      }))
      hold(prepared, bytes, preparing.takeCounts())
      return
    }
    case 'listen':
      preparer = message.port
      preparer.on('message', (told: FromPreparer) => attempt(() => takePrepared(told)))
      return
    case 'reached':
      reach(message.cursor)
      return
    case 'mark':
      await writing
      if (!failed) say({ kind: 'marked' })
      return
    case 'seed':
      say({ kind: 'took' })
      seed(message.facts)
      return
    case 'stop':
      isStopping = true
      clearTimeout(merging)
      preparer?.close()
      await projection?.stop()
      say({ kind: 'stopped' })
      parentPort?.close()
      return
    default:
      message satisfies never
  }
}

parentPort?.on('message', (message: ToWriter) => {
  if (failed && message.kind !== 'stop') return
  take(message).catch(fail)
})

openProjection({
  log,
  topic,
  file,
  schema: searchSchema,
  apply: (db, records) => {
    const counts = heldCounts
    heldCounts = new Map()
    const found = records.flatMap(record => preparedOf.get(record) ?? [])
    indexOf(db).write(
      found.flatMap(({ prepared }) => prepared ?? []),
      counts,
      found[0]?.vocabulary,
    )
  },
  onApplied: records => {
    if (!isReached) index?.forget()
    say({ kind: 'applied', articles: records.length })
  },
})
  .then(opened => {
    projection = opened
    opened.db.exec('PRAGMA cache_size = -65536')
    if (isReached) return
    setMerging(MERGING.bulk)
    indexOf(opened.db).forget()
  })
  .catch(fail)
