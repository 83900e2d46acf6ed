/** How a command that does not go well ends. */
import { messageOf } from '@newswire/events/errors'

/** Wrong use: exit status 2, and a message that says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** For the `catch` of what reads a file that was named. */
export const cannotRead =
  (what: string) =>
  (cause: unknown): never => {
    throw new UsageError(`${what} cannot be read: ${messageOf(cause)}`, { cause })
  }

/** Who is to be asked is not said, or cannot be asked so: the same of everything that would be sent. */
export class AddressError extends UsageError {}

/** It was used rightly and did not work: exit status 1. */
export class FailedError extends Error {
  override readonly name = 'FailedError'
  /** The code of the problem that was answered; absent when there was no answer. */
  readonly code: string | undefined
  /** When it may be tried again, as the answer said; absent when it did not. */
  readonly retryAfterMs: number | undefined
  constructor(
    message: string,
    { code, retryAfterMs, ...options }: ErrorOptions & { code?: string | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** Nothing answers where a running system should be. */
export class UnreachableError extends FailedError {}
