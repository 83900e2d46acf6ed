/** What is wrong with a value, in words for the person who wrote it: where, what was expected, what was found. */
import type { z } from 'zod'

export type Complaint = Readonly<{
  path: readonly PropertyKey[]
  /** Reads after "expected": `a whole number`, `one of "gone", "withdraw"`. */
  expected: string
  /** Reads after "found"; short, never a whole body. */
  found: string
  /** The last part of the path is a field that nobody knows here. */
  isUnknownField: boolean
}>

type Issue = z.core.$ZodIssue

const MAX_SHOWN = 80

const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)` : text
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inside, part) => {
    const holder = typeof inside === 'object' && inside !== null ? inside : {}
    return Object.hasOwn(holder, part) ? (holder as Record<PropertyKey, unknown>)[part] : undefined
  }, value)

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
}
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }

/** A schema's own words begin with "expected"; the library's do not. */
const ownWords = ({ message }: { message?: string }): string | null =>
  message?.startsWith('expected ') ? message.slice('expected '.length) : null

const toExpected = (issue: Issue): string => {
  const own = ownWords(issue)
  if (own !== null) return own
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a ${issue.expected}`
    case 'invalid_value':
      return `one of ${issue.values.map(one => JSON.stringify(one)).join(', ')}`
    case 'too_big':
      return `at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
    case 'too_small':
      return `at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
    case 'invalid_union': {
      const { options } = issue as { options?: readonly unknown[] }
      if (options) return `one of ${options.map(one => JSON.stringify(one)).join(', ')}`
      return issue.errors.flatMap(branch => branch.slice(0, 1).map(toExpected)).join(', or ')
    }
    default:
      return issue.message
  }
}

/** The one branch of a union that the value was meant for, if its shape tells: wrong only further inside. */
const findMeant = (branches: readonly (readonly Issue[])[]): readonly Issue[] | null => {
  const meant = branches.filter(
    branch => branch.length > 0 && branch.every(issue => issue.path.length > 0 && issue.code !== 'unrecognized_keys'),
  )
  const [only] = meant
  return meant.length === 1 && only !== undefined ? only : null
}

const toComplaintsOf = (issue: Issue, value: unknown): readonly Complaint[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({
      path: [...issue.path, key],
      expected: 'a known field',
      found: show(key),
      isUnknownField: true,
    }))
  const meant = issue.code === 'invalid_union' ? findMeant(issue.errors) : null
  if (meant !== null) return meant.flatMap(inner => toComplaintsOf({ ...inner, path: [...issue.path, ...inner.path] } as Issue, value))
  return [{ path: issue.path, expected: toExpected(issue), found: show(at(value, issue.path)), isUnknownField: false }]
}

/** Every complaint about `value`, in the order in which the schema found them. */
export const toComplaints = (error: z.core.$ZodError, value: unknown): readonly Complaint[] =>
  error.issues.flatMap(issue => toComplaintsOf(issue, value))
