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

/** `If-Modified-Since`: true when nothing changed after that second. A date that cannot be read is ignored (§13.1.3). */
export const notModifiedSince = (header: string | undefined, lastModified: Date): boolean => {
  if (header === undefined) return false
  const since = Date.parse(header)
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
    if (coding !== '') weights.set(coding, Number.isNaN(weight) ? 0 : weight)
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  const identity = weights.get('identity') ?? weights.get('*') ?? 1
  return gzip > 0 && (gzip >= identity || !weights.has('identity'))
}
