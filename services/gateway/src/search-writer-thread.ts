/**
 * Writes a search index, on a thread of its own: taking words out of an article and filing them costs more than everything else that a gateway does
 * with it. What is given to it is the log; everything else is a projection like any other.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import type { FollowOptions, Log } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'
import { createHeld } from './search-held.ts'
import { createIndexWriter, type IndexWriter, searchSchema, type WordCounts } from './search-index.ts'
import { CRISIS, createMerging, type Merging } from './search-merging.ts'
import type { Cursor, FromPreparer, FromWriter, PreparedRecord, Taken, ToWriter, WriterData } from './search-messages.ts'
import { prepareRecord } from './search-prepare.ts'
import { createSeeding, type Seeding } from './search-seeding.ts'
import { createPreparing } from './search-text.ts'
import { createVocabulary } from './search-vocabulary.ts'

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
let merging: Merging | undefined
let seeding: Seeding | undefined
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
  merging?.stop()
  seeding?.stop()
  say({ kind: 'failed', message: messageOf(error) })
}

let isReached = false
let isStopping = false
const held = createHeld(topic)
let writing = Promise.resolve()
const preparing = createPreparing({ isNumbered: false })
/** Of what is held. What could not be written yet has its own. */
let vocabulary = createVocabulary()
const flush = () => {
  const records = held.take(vocabulary)
  if (records.length === 0) return
  // A disk that is full is waited for there, each behind the one before; what is thrown is for good.
  writing = Promise.resolve(give(records))
  writing.catch(fail)
}
const hold = (records: readonly PreparedRecord[], bytes: number, counts: WordCounts) => {
  held.hold(records, bytes, counts)
  const size = held.size()
  if (isReached || size.records >= BULK_RECORDS || size.bytes >= BULK_BYTES) flush()
}
const reach = (reached: Cursor) => {
  flush()
  vocabulary = createVocabulary() // tens of megabytes, of no use from now on
  cursor = reached
  isReached = true
  merging?.live()
  ready.resolve()
  say({ kind: 'ready' })
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

const indexOf = (db: DatabaseSync): IndexWriter => {
  index ??= createIndexWriter(db, { mostSegments: CRISIS })
  return index
}
/** Made once, for as often as it is written until it went. */
const prepareSeed = (db: DatabaseSync) => (facts: readonly string[]) => {
  const versions = facts.map(text => preparing.prepare(JSON.parse(text) as Fact))
  const counts = preparing.takeCounts()
  return () => indexOf(db).write(versions, counts)
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
      await Promise.all([writing, seeding?.written()])
      if (!failed) say({ kind: 'marked' })
      return
    case 'seed':
      await (seeding as Seeding).put(message.facts)
      return
    case 'stop':
      isStopping = true
      merging?.stop()
      seeding?.stop()
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
    const { versions, counts, vocabulary: words } = held.of(records)
    indexOf(db).write(versions, counts, words)
  },
  onApplied: records => {
    if (!isReached) index?.forget()
    say({ kind: 'applied', articles: records.length })
  },
})
  .then(opened => {
    projection = opened
    const { db } = opened
    db.exec('PRAGMA cache_size = -65536')
    merging = createMerging({ db, onAsk: () => index?.touched(), onFailed: fail })
    seeding = createSeeding({
      db,
      prepare: prepareSeed(db),
      onTurn: () => say({ kind: 'took' }),
      onWritten: articles => say({ kind: 'applied', articles }),
    })
    if (isReached) return merging.live()
    merging.bulk()
    indexOf(db).forget()
  })
  .catch(fail)
