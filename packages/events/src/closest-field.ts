/** Which field was meant by one that nobody knows: a slip of the pen is told with the name beside it, wherever in the value it stands. */
import type { z } from 'zod'

/** No field's name is longer, so a longer word is no slip of the pen; and comparing costs the product of both lengths. */
const MAX_WORD = 40

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

/** The name that was probably meant; a third of the letters may be wrong, and two always. */
export const findClosest = (word: string, known: readonly string[]): string | null => {
  if (word.length > MAX_WORD) return null
  const [best] = known.map(name => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits < word.length && best.edits <= Math.max(2, Math.floor(word.length / 3)) ? best.name : null
}

type Schema = z.core.$ZodType

/** What may stand at the next part of a path; of a union all that any branch says. */
const step = (schema: Schema, part: PropertyKey): readonly Schema[] => {
  const { def } = schema._zod as z.core.$ZodTypes['_zod']
  switch (def.type) {
    case 'object':
      return Object.hasOwn(def.shape, part) ? [def.shape[String(part)] as Schema] : []
    case 'array':
      return [def.element]
    case 'record':
      return [def.valueType]
    default:
      return insideOf(schema).flatMap(one => step(one, part))
  }
}

/** What a schema only wraps, or chooses between. */
const insideOf = (schema: Schema): readonly Schema[] => {
  const { def } = schema._zod as z.core.$ZodTypes['_zod']
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
    case 'catch':
      return [def.innerType]
    case 'pipe':
      return [def.in, def.out]
    case 'union':
      return def.options
    default:
      return []
  }
}

const fieldsOf = (schema: Schema): readonly string[] => {
  const { def } = schema._zod as z.core.$ZodTypes['_zod']
  return def.type === 'object' ? Object.keys(def.shape) : insideOf(schema).flatMap(fieldsOf)
}

/** The name that was probably meant by the last part of `path`, among the fields that `schema` has there. */
export const findMeantField = (schema: Schema, path: readonly PropertyKey[]): string | null => {
  const holders = path.slice(0, -1).reduce<readonly Schema[]>((at, part) => at.flatMap(one => step(one, part)), [schema])
  return findClosest(String(path.at(-1) ?? ''), holders.flatMap(fieldsOf))
}
