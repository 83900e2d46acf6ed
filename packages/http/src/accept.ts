/** What kind of answer a client would rather have (RFC 9110 §12.5.1). */

type Accepted = Readonly<{ type: string; q: number }>

const parse = (header: string): readonly Accepted[] =>
  header
    .toLowerCase()
    .split(',')
    .map(part => {
      const [type = '', ...parameters] = part.split(';').map(one => one.trim())
      const q = Number(parameters.find(one => one.startsWith('q='))?.slice(2) ?? 1)
      return { type, q: Number.isNaN(q) ? 0 : q }
    })

const PAGES = ['text/html', 'application/xhtml+xml']
const DOCUMENTS = ['application/problem+json', 'application/json']

/** The weight of the best of these types that is named; what only a wildcard takes was not asked for. */
const weightOf = (accepted: readonly Accepted[], types: readonly string[]): number =>
  Math.max(0, ...accepted.filter(one => types.includes(one.type)).map(one => one.q))

/** Whether a page is asked for by name, and not liked less than JSON: browsers do, programs that take anything do not. */
export const prefersPage = (header: string | undefined): boolean => {
  if (header === undefined) return false
  const accepted = parse(header)
  const page = weightOf(accepted, PAGES)
  return page > 0 && page >= weightOf(accepted, DOCUMENTS)
}

/** Whether JSON is asked for by name and liked better than a page. */
export const prefersJson = (header: string | undefined): boolean => {
  if (header === undefined) return false
  const accepted = parse(header)
  return weightOf(accepted, DOCUMENTS) > weightOf(accepted, PAGES)
}
