/** JSON pointers (RFC 6901) in which `*` is every element of a list, or every value of an object: `/tags/*` + `/name`. Pure. */

const plainKey = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

const step = (value: unknown, part: string): readonly unknown[] => {
  if (typeof value !== 'object' || value === null) return []
  if (part === '*') return Object.values(value)
  const key = plainKey(part)
  return Object.hasOwn(value, key) ? [(value as Record<string, unknown>)[key]] : []
}

/** All that a pointer points to, in order; `''` is the whole. A pointer that cannot be followed points to nothing. */
export const findAllAt = (value: unknown, pointer: string): readonly unknown[] =>
  pointer === ''
    ? [value]
    : pointer
        .slice(1)
        .split('/')
        .reduce<readonly unknown[]>((found, part) => found.flatMap(one => step(one, part)), [value])

const toText = (value: unknown): string => (typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '')

const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [value]).map(toText).filter(text => text !== '')

/** Texts and numbers as texts, without what is empty or neither. */
export const findTexts = (value: unknown, pointer: string): readonly string[] => findAllAt(value, pointer).flatMap(textsOf)

const textsAlong = (value: unknown, [part, ...rest]: readonly string[]): readonly string[] => {
  if (part === undefined) return textsOf(value)
  if (part !== '*' || Array.isArray(value)) return step(value, part).flatMap(one => textsAlong(one, rest))
  return (
    step(value, part)
      .map(one => textsAlong(one, rest))
      .find(texts => texts.length > 0) ?? []
  )
}

/** What the first of the pointers that finds any text finds: all of a list; of an object, which has one for each language, the first. */
export const wholeTexts = (value: unknown, pointers: readonly string[]): readonly string[] => {
  for (const pointer of pointers) {
    const texts = textsAlong(value, pointer.split('/').slice(1))
    if (texts.length > 0) return texts
  }
  return []
}

/** The first text that any of the pointers finds; `''` when none does. */
export const firstText = (value: unknown, pointers: readonly string[]): string => {
  for (const pointer of pointers) {
    const [first] = findTexts(value, pointer)
    if (first !== undefined) return first
  }
  return ''
}
