/** A record of `articles` as the index takes it; `null` for what is none of ours, which the view of `articles` tells of: twice would be once too much. */
import { factOf } from './facts-of-records.ts'
import type { SentRecord } from './search-messages.ts'
import type { Prepared, Preparing } from './search-text.ts'

export const prepareRecord = (record: SentRecord, { prepare }: Pick<Preparing, 'prepare'>): Prepared | null => {
  const fact = factOf(record, () => undefined)
  return fact === null ? null : prepare(fact)
}
