/** Records that were prepared and are written together, with what belongs to them for as often as they are written until it went. */
import { createAttached } from '@newswire/events/attached'
import type { LogRecord } from '@newswire/log/log'
import type { WordCounts } from './search-index.ts'
import type { PreparedRecord } from './search-messages.ts'
import type { Prepared } from './search-text.ts'
import type { Vocabulary } from './search-vocabulary.ts'

type Told = Readonly<{ vocabulary: Vocabulary; counts: WordCounts }>

type Held = Readonly<{
  /** `bytes`: of the records as they were in the log; `counts`: of their words. */
  hold(records: readonly PreparedRecord[], bytes: number, counts: WordCounts): void
  size(): Readonly<{ records: number; bytes: number }>
  /** All that are held, as records of the topic without content, for one transaction: their terms are in the words of `vocabulary`. */
  take(vocabulary: Vocabulary): readonly LogRecord[]
  /** What is to be written of those that were taken together, the same each time. */
  of(records: readonly LogRecord[]): Readonly<{ versions: readonly Prepared[]; counts: WordCounts; vocabulary: Vocabulary | undefined }>
}>

export const createHeld = (topic: string): Held => {
  let held: PreparedRecord[] = []
  let bytes = 0
  let counts = new Map<string, number>()
  const preparedOf = createAttached<LogRecord, Told & Readonly<{ prepared: Prepared | null }>>('prepared')
  return {
    hold: (records, more, words) => {
      for (const record of records) held.push(record)
      for (const [word, times] of words) counts.set(word, (counts.get(word) ?? 0) + times)
      bytes += more
    },
    size: () => ({ records: held.length, bytes }),
    take: vocabulary => {
      if (held.length === 0) return []
      const told: Told = { vocabulary, counts }
      const records = held.map(({ prepared, ...at }): LogRecord => {
        const record = { ...at, topic, key: null, value: null, headers: {}, timestamp: 0 }
        preparedOf.set(record, { prepared, ...told })
        return record
      })
      held = []
      bytes = 0
      counts = new Map()
      return records
    },
    of: records => {
      const found = records.flatMap(record => preparedOf.get(record) ?? [])
      return {
        versions: found.flatMap(({ prepared }) => prepared ?? []),
        counts: found[0]?.counts ?? new Map(),
        vocabulary: found[0]?.vocabulary,
      }
    },
  }
}
