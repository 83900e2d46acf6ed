/** Which methods an address answers, for 405 (RFC 9110 §15.5.6): the router itself only says that nothing matched. */

type AllowedMethods = Readonly<{
  add(pattern: string, methods: readonly string[]): void
  /** For the decoded parts of a path, the first of which is empty. Sorted; empty when nothing is there for any method. */
  of(path: readonly string[]): readonly string[]
}>

/** A path pattern as the router has it: `:name` takes one segment, also an empty one, `*` takes the rest, `::` is a colon. */
const matches = (pattern: readonly string[], path: readonly string[]): boolean => {
  if (pattern.at(-1) === '*' && path.length >= pattern.length) return matches(pattern.slice(0, -1), path.slice(0, pattern.length - 1))
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => (part.startsWith(':') && !part.startsWith('::')) || part.replaceAll('::', ':') === path[index])
  )
}

export const createAllowedMethods = (): AllowedMethods => {
  const routes = new Map<string, Set<string>>()
  return {
    add: (pattern, methods) => {
      const known = routes.get(pattern) ?? new Set()
      for (const method of methods) known.add(method)
      routes.set(pattern, known)
    },
    of: path => {
      const found = [...routes].flatMap(([pattern, methods]) => (matches(pattern.split('/'), path) ? [...methods] : []))
      return [...new Set(found)].sort()
    },
  }
}
