/** Conditional requests and content codings, as RFC 9110 §13 and §12.5.3 have them. */

/** The opaque part of an entity tag, without its weakness: `If-None-Match` compares weakly (§13.1.2). */
const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')

/** Whether `If-None-Match` names one of these tags. `*` names whatever there is; an unquoted tag names nothing. */
export const matchEtag = (header: string | undefined, tags: readonly string[]): boolean => {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const listed = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  return listed.some(tag => tags.includes(opaque(tag)))
}

/** The three forms of an HTTP date (RFC 9110 §5.6.7); `Date.parse` alone would take "1" for a date. */
const HTTP_DATE = /^(?:[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/

const parseHttpDate = (text: string): number => {
  if (!HTTP_DATE.test(text)) return Number.NaN
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}

/**
 * `If-Modified-Since`: true when nothing changed after that second. A date that cannot be read is ignored, and so is the whole header when
 * there is an `If-None-Match` (§13.1.3): ask `matchEtag` first.
 */
export const notModifiedSince = (header: string | undefined, lastModified: Date): boolean => {
  if (header === undefined) return false
  const since = parseHttpDate(header.trim())
  return !Number.isNaN(since) && Math.floor(lastModified.getTime() / 1000) * 1000 <= since
}

/** Whether gzip is acceptable and not liked less than the plain bytes (§12.5.3). */
export const prefersGzip = (header: string | string[] | undefined): boolean => {
  if (header === undefined) return false
  const weights = new Map<string, number>()
  for (const part of String(header).toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map(one => one.trim())
    const q = parameters.find(one => one.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    if (coding !== '') weights.set(coding, Number.isNaN(weight) ? 0 : Math.min(1, Math.max(0, weight)))
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  const identity = weights.get('identity') ?? weights.get('*') ?? 1
  return gzip > 0 && (gzip >= identity || !weights.has('identity'))
}
