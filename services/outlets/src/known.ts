/** An intent with what is known where it is carried out, and was not where it was written: pure. */
import type { Intent } from './machine.ts'

/**
 * `settledUpTo`: of what was passed over when it was routed so much got there all the same, under the intent of a version before it; and who asks
 * once more may have read what was the newest just before, and never gets an older one after what got there. `doubt`: an older
 * version that may still arrive, as `book.ts` has it.
 */
export const asKnown = (intent: Intent, { settledUpTo, doubt }: Readonly<{ settledUpTo: () => number; doubt: number | null }>): Intent => {
  const { version, again, since, maybeSent } = intent
  if (!again && since === undefined && doubt === null) return intent
  return {
    ...intent,
    version: again ? Math.max(version, settledUpTo()) : version,
    maybeSent: maybeSent ?? doubt,
    ...(since === undefined ? {} : { since: Math.max(since, settledUpTo()) }),
  }
}
