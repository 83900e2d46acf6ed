/** Every refusal is a problem document (RFC 9457) with a stable code, and names the field, what was expected and what was found. */
import { randomUUID } from 'node:crypto'
import { type ErrorCode, RejectError, UnavailableError } from '@newswire/events/errors'

/** One complaint: where (RFC 6901), and what about it. */
export type FieldError = Readonly<{ pointer: string; detail: string; expected?: string; found?: string }>

/** Characters of one part: a stranger chose them. */
const MAX_PART = 80
/** RFC 6901. */
export const toPointer = (path: readonly PropertyKey[]): string =>
  path.map(part => `/${String(part).slice(0, MAX_PART).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

type ProblemOptions = Readonly<{
  status: number
  code: ErrorCode
  title: string
  detail: string
  errors?: readonly FieldError[]
  /** Sent with the answer: `Retry-After`, `WWW-Authenticate`. */
  headers?: Readonly<Record<string, string>>
}>

export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly code: ErrorCode
  readonly title: string
  readonly detail: string
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>
  constructor({ status, code, title, detail, errors = [], headers = {} }: ProblemOptions, options?: ErrorOptions) {
    super(`${title}: ${detail}`, options)
    this.status = status
    this.code = code
    this.title = title
    this.detail = detail
    this.errors = errors
    this.headers = headers
  }
}

/** Every other route that takes a body looks at its type itself. */
const OTHER_TYPE: ProblemOptions = {
  status: 415,
  code: 'NEWSWIRE_MEDIA_TYPE',
  title: 'This media type is not taken here',
  detail: 'expected Content-Type: application/json',
}

/** A refusal that is its words alone. */
export const problem = (status: number, code: ErrorCode, title: string, detail: string): ProblemError =>
  new ProblemError({ status, code, title, detail })
export const notFound = (detail: string): ProblemError => problem(404, 'NEWSWIRE_NOT_FOUND', 'Not found', detail)

/** What Fastify itself throws, by its own codes. */
const FASTIFY: Readonly<Record<string, Omit<ProblemOptions, 'detail'> & Readonly<{ detail?: string }>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'NEWSWIRE_BODY_TOO_LARGE', title: 'The body is too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: OTHER_TYPE,
  FST_ERR_CTP_EMPTY_TYPE: OTHER_TYPE,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'NEWSWIRE_REQUEST', title: 'The request cannot be read' },
  // In our words: Fastify's own repeat the whole address.
  FST_ERR_BAD_URL: {
    status: 400,
    code: 'NEWSWIRE_REQUEST',
    title: 'The address cannot be read',
    detail: 'expected UTF-8 in percent-encoding (RFC 3986 §2.1)',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 414,
    code: 'NEWSWIRE_REQUEST',
    title: 'The address is too long',
    detail: 'no part of an address here has more than 256 characters',
  },
  FST_REQ_FILE_TOO_LARGE: { status: 413, code: 'NEWSWIRE_PICTURE_TOO_LARGE', title: 'The file is too large' },
  FST_FILES_LIMIT: {
    status: 422,
    code: 'NEWSWIRE_PICTURE_FORM',
    title: 'One file at a time',
    detail: 'expected one file, found another behind it; nothing was kept: send each in a form of its own',
  },
  FST_INVALID_MULTIPART_CONTENT_TYPE: { status: 415, code: 'NEWSWIRE_MEDIA_TYPE', title: 'This media type is not taken here' },
}

/** What the framework says, and what it leaves out. */
const detailOf = ({ code }: Pick<ProblemOptions, 'code'>, message: unknown, bodyLimit: number | undefined): string =>
  code === 'NEWSWIRE_BODY_TOO_LARGE' && bodyLimit !== undefined ? `the limit is ${bodyLimit} bytes` : String(message)

/** The problem of any thrown value. `bodyLimit`: of the route, bytes. What is not meant for the outside becomes a 500 that says nothing but its correlation id. */
export const toProblem = (error: unknown, bodyLimit?: number): ProblemError => {
  if (error instanceof ProblemError) return error
  if (error instanceof UnavailableError)
    return new ProblemError(
      {
        status: 503,
        code: error.code,
        title: 'It cannot be taken now',
        detail: 'our log or store is away; nothing was accepted, try again',
        headers: { 'retry-after': '1' },
      },
      { cause: error },
    )
  if (error instanceof RejectError)
    return new ProblemError({ status: 422, code: error.code, title: 'This cannot be taken', detail: error.message }, { cause: error })
  const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown }
  const known = typeof code === 'string' ? FASTIFY[code] : undefined
  if (known) return new ProblemError({ ...known, detail: known.detail ?? detailOf(known, message, bodyLimit) }, { cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ProblemError(
      { status: statusCode, code: 'NEWSWIRE_REQUEST', title: 'The request cannot be read', detail: String(message) },
      { cause: error },
    )
  return new ProblemError(
    { status: 500, code: 'NEWSWIRE_INTERNAL', title: 'Something went wrong here', detail: 'it was logged with the correlation id below' },
    { cause: error },
  )
}

/** The body of a problem document; `correlationId` is in our log too. */
export const toProblemBody = (problem: ProblemError, correlationId: string = randomUUID()) => ({
  type: 'about:blank',
  title: problem.title,
  status: problem.status,
  detail: problem.detail,
  code: problem.code,
  correlationId,
  ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
})
