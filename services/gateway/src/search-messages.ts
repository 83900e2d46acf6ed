/** What the main thread and the threads of search say to each other. */
import type { LogRecord, Position, Start } from '@newswire/log/log'
import type { SearchFound, SearchQuery } from './search-reader.ts'

/** A record as the writing thread needs it. */
export type SentRecord = Pick<LogRecord, 'partition' | 'position' | 'headers' | 'value'>
export type Cursor = Readonly<Record<number, Position>>

export type WriterData = Readonly<{ file: string; topic: string; logKind: 'kafka' | 'embedded' }>

/** To the thread that writes an index. */
export type ToWriter =
  | Readonly<{ kind: 'records'; records: readonly SentRecord[]; cursor: Cursor }>
  /** Everything that was in the topic when following began has been sent. */
  | Readonly<{ kind: 'reached'; cursor: Cursor }>
  /** Facts from elsewhere than the log, as JSON. */
  | Readonly<{ kind: 'seed'; facts: readonly string[] }>
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
  | Readonly<{ kind: 'failed'; message: string }>
  | Readonly<{ kind: 'stopped' }>

/** To a thread that reads an index; it answers every `find` with one `FromReader`. */
export type ToReader = Readonly<{ kind: 'open'; file: string }> | Readonly<{ kind: 'find'; id: number; query: SearchQuery }>
export type FromReader = Readonly<{ id: number; found: SearchFound }> | Readonly<{ id: number; error: string }>
