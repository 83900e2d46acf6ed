/** From `unknown` to a domain type, with every complaint at once. */
import { type Complaint, toComplaints } from '@newswire/events/complaints'
import type { z } from 'zod'
import { type FieldError, ProblemError } from './problem.ts'

/** No field's name is longer, so a longer word is no slip of the pen; and comparing costs the product of both lengths. */
const MAX_WORD = 40
/** A body of thousands of wrong fields is told about the first ones. */
const MAX_ERRORS = 50
/** Characters of a part of a pointer: a stranger chose them. */
const MAX_PART = 80

/** RFC 6901. */
const toPointer = (path: readonly PropertyKey[]): string =>
  path.map(part => `/${String(part).slice(0, MAX_PART).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Edits between two words (Levenshtein); both have at most `MAX_WORD` characters. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length] ?? 0
}

/** The field that was probably meant; a third of the letters may be wrong, and two always. */
export const findClosest = (word: string, known: readonly string[]): string | null => {
  if (word.length > MAX_WORD) return null
  const [best] = known.map(name => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits < word.length && best.edits <= Math.max(2, Math.floor(word.length / 3)) ? best.name : null
}

const toFieldError = ({ path, expected, found, isUnknownField }: Complaint, fields: readonly string[]): FieldError => {
  const hint = isUnknownField && path.length === 1 ? findClosest(String(path[0]), fields) : null
  const meant = hint === null ? '' : `; did you mean ${JSON.stringify(hint)}?`
  const detail = isUnknownField ? `there is no such field${meant}` : `expected ${expected}, found ${found}`
  return { pointer: toPointer(path), detail, expected: hint === null ? expected : JSON.stringify(hint), found }
}

const fieldsOf = (schema: z.ZodType): readonly string[] => Object.keys((schema as { shape?: object }).shape ?? {})

const summarize = (errors: readonly FieldError[], all: number): string => {
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
  const errors = complaints.slice(0, MAX_ERRORS).map(one => toFieldError(one, fieldsOf(schema)))
  throw new ProblemError({
    status: 422,
    code: 'NEWSWIRE_INVALID',
    title: `The ${what} is not valid`,
    detail: summarize(errors, complaints.length),
    errors,
  })
}
