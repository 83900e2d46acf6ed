/** From `unknown` to a domain type, with every complaint at once. */
import { findMeantField } from '@newswire/events/closest-field'
import { type Complaint, toComplaints } from '@newswire/events/complaints'
import type { z } from 'zod'
import { type FieldError, ProblemError, toPointer } from './problem.ts'

/** A body of thousands of wrong fields is told about the first ones. */
const MAX_ERRORS = 50

const toFieldError = ({ path, expected, found, isUnknownField }: Complaint, schema: z.ZodType): FieldError => {
  const hint = isUnknownField ? findMeantField(schema, path) : null
  const meant = hint === null ? '' : `; did you mean ${JSON.stringify(hint)}?`
  const detail = isUnknownField ? `there is no such field${meant}` : `expected ${expected}, found ${found}`
  return { pointer: toPointer(path), detail, expected: hint === null ? expected : JSON.stringify(hint), found }
}

/** The first of them, and how many more there are, for the detail of a problem. */
export const summarize = (errors: readonly FieldError[], all = errors.length): string => {
  const [first] = errors
  if (first === undefined) return 'it is not as it should be'
  return `${first.pointer === '' ? 'the body' : first.pointer}: ${first.detail}${all > 1 ? ` (and ${all - 1} more)` : ''}`
}

/**
 * The checked value. Throws the 422 problem `NEWSWIRE_INVALID` that names each field by JSON pointer (the first 50, and how many there
 * are); `what` is for its words ("article").
 */
export const validateWith = <S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const complaints = toComplaints(result.error, value)
  const errors = complaints.slice(0, MAX_ERRORS).map(one => toFieldError(one, schema))
  throw new ProblemError({
    status: 422,
    code: 'NEWSWIRE_INVALID',
    title: `The ${what} is not valid`,
    detail: summarize(errors, complaints.length),
    errors,
  })
}
