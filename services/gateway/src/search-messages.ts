/** What the main thread and the threads of search say to each other. */
import type { MessagePort } from 'node:worker_threads'
import type { LogRecord, Position, Start } from '@newswire/log/log'
import type { WordCounts } from './search-index.ts'
import type { SearchFound, SearchQuery } from './search-reader.ts'
import type { Words } from './search-terms.ts'
import type { Prepared } from './search-text.ts'

/** A record as the writing thread needs it. */
export type SentRecord = Pick<LogRecord, 'partition' | 'position' | 'headers' | 'value'>
export type Cursor = Readonly<Record<number, Position>>

export type WriterData = Readonly<{ file: string; topic: string; logKind: 'kafka' | 'embedded' }>

/** What is told of the log, in its order. */
export type FromLog =
  | Readonly<{ kind: 'records'; records: readonly SentRecord[] }>
  /** Everything that was in the topic when following began has been sent. */
  | Readonly<{ kind: 'reached'; cursor: Cursor }>

/** Records as a thread beside has prepared them; `null` for what is none of ours. */
export type PreparedRecord = Pick<LogRecord, 'partition' | 'position'> & Readonly<{ prepared: Prepared | null }>
/** From the thread that prepares to the one that writes, which answers each with a `Taken` there. */
export type FromPreparer =
  | Readonly<{ kind: 'prepared'; records: readonly PreparedRecord[]; bytes: number; counts: WordCounts; words: Words }>
  | Extract<FromLog, { kind: 'reached' }>
export type Taken = Readonly<{ kind: 'taken' }>

/** To the thread that writes an index. */
export type ToWriter =
  | FromLog
  /** From now on records come from there. */
  | Readonly<{ kind: 'listen'; port: MessagePort }>
  /** Facts from elsewhere than the log, as JSON. */
  | Readonly<{ kind: 'seed'; facts: readonly string[] }>
  /** Answered by `marked`, once all that was told before is in the index. */
  | Readonly<{ kind: 'mark' }>
  | Readonly<{ kind: 'answer'; id: number; value?: unknown; error?: string }>
  | Readonly<{ kind: 'stop' }>

export type FromWriter =
  | Readonly<{ kind: 'ask'; id: number; what: 'ends' }>
  | Readonly<{ kind: 'ask'; id: number; what: 'read'; partition: number; from: Start }>
  | Readonly<{ kind: 'follow'; from: Start }>
  /** The next records, or the next seed, may come. */
  | Readonly<{ kind: 'took' }>
  | Readonly<{ kind: 'applied'; articles: number }>
  | Readonly<{ kind: 'ready' }>
  | Readonly<{ kind: 'marked' }>
  | Readonly<{ kind: 'failed'; message: string }>
  | Readonly<{ kind: 'stopped' }>

/** To a thread that reads an index; it answers every `find` with one `FromReader`. */
export type ToReader = Readonly<{ kind: 'open'; file: string }> | Readonly<{ kind: 'find'; id: number; query: SearchQuery }>
export type FromReader = Readonly<{ id: number; found: SearchFound }> | Readonly<{ id: number; error: string }>
