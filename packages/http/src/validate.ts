/** From `unknown` to a domain type, with every complaint at once. */
import type { z } from 'zod'
import { type FieldError, ProblemError } from './problem.ts'

type Issue = z.core.$ZodIssue

const toPointer = (path: readonly PropertyKey[]): string =>
  path.map(part => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inside, part) => (inside as Record<PropertyKey, unknown> | null | undefined)?.[part], value)

const MAX_SHOWN = 80
/** What was found, short: a person must recognise it, a log must not keep a whole article. */
const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)` : text
}

/** Edits between two short words (Levenshtein). */
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

const closest = (word: string, known: readonly string[]): string | null => {
  const [best] = known.map(name => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= Math.max(2, Math.floor(word.length / 3)) ? best.name : null
}

const expectedOf = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`
    case 'invalid_value':
      return `one of ${issue.values.map(one => JSON.stringify(one)).join(', ')}`
    case 'too_big':
      return `at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`
    case 'too_small':
      return `at least ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}`
    default:
      return issue.message.replace(/^expected /, '')
  }
}

const toErrors = (issue: Issue, value: unknown, known: readonly string[]): FieldError[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => {
      const hint = issue.path.length === 0 ? closest(key, known) : null
      return {
        pointer: toPointer([...issue.path, key]),
        detail: `no such field${hint === null ? '' : `; did you mean ${JSON.stringify(hint)}?`}`,
        expected: 'a known field',
        found: JSON.stringify(key.slice(0, MAX_SHOWN)),
      }
    })
  const expected = expectedOf(issue)
  const found = show(at(value, issue.path))
  return [{ pointer: toPointer(issue.path), detail: `expected ${expected}, found ${found}`, expected, found }]
}

const fieldsOf = (schema: z.ZodType): readonly string[] => Object.keys((schema as { shape?: object }).shape ?? {})

/** The checked value. Throws the 422 problem that names each field by JSON pointer; `what` is for its words ("article"). */
export const validateWith = <S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap(issue => toErrors(issue, value, fieldsOf(schema)))
  const [first] = errors
  throw new ProblemError({
    status: 422,
    code: 'NEWSWIRE_INVALID',
    title: `The ${what} is not valid`,
    detail:
      first === undefined
        ? 'it is not as it should be'
        : `${first.pointer === '' ? 'the body' : first.pointer}: ${first.detail}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}`,
    errors,
  })
}
