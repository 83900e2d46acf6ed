/** The one error for a store that gives no answer. */
import { messageOf, UnavailableError } from '@newswire/events/errors'

/** `what`: what was tried, with its key, as the middle of a sentence. The message of `cause` is told on. */
export const unavailable = (what: string, cause?: unknown): UnavailableError =>
  cause instanceof UnavailableError
    ? cause
    : new UnavailableError(
        'NEWSWIRE_OBJECTS_UNAVAILABLE',
        `The object store gave no answer to ${what}${cause === undefined ? '' : `: ${messageOf(cause)}`}`,
        { cause },
      )
