/** An intent with what is known where it is carried out, and was not where it was written: pure. */
import type { Intent } from './machine.ts'

/**
 * `settledUpTo`: of what was passed over when it was routed so much got there all the same, under the intent of a version before it. `doubt`: an older
 * version that may still arrive, as `book.ts` has it.
 */
export const asKnown = (intent: Intent, { settledUpTo, doubt }: Readonly<{ settledUpTo: number; doubt: number | null }>): Intent => ({
  ...intent,
  maybeSent: intent.maybeSent ?? doubt,
  ...(intent.since === undefined ? {} : { since: Math.max(intent.since, settledUpTo) }),
})
