/**
 * The two errors that decide what happens to a record, and the shape of every error the outside sees.
 * A handler that throws `RejectError` ends in `dead-letters`; `UnavailableError` means our own log or store is away and is
 * tried again for ever, visibly; anything else follows the retry schedule and then ends in `dead-letters`.
 */

/** `NEWSWIRE_<AREA>_<WHAT>`; never renamed once released. */
export type ErrorCode = `NEWSWIRE_${string}`

/** This input can never succeed: trying again is useless, a person must look. */
export class RejectError extends Error {
  override readonly name = 'RejectError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Our log or our store cannot be reached now. Nothing about the input is wrong. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The stable code of any thrown value; `NEWSWIRE_INTERNAL` for what carries none. */
export const codeOf = (error: unknown): ErrorCode => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && code.startsWith('NEWSWIRE_') ? (code as ErrorCode) : 'NEWSWIRE_INTERNAL'
}

/** Any thrown value as an error: itself, when it is one. */
export const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
