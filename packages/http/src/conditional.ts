/** Conditional requests and ranges, as RFC 9110 §13 and §14 have them. */

/** Whether an opaque tag (with its quotes) names what is there: a list of tags, or a rule. */
type Named = readonly string[] | ((opaque: string) => boolean)

type ListedTag = Readonly<{ isWeak: boolean; opaque: string }>

const TAG = /(?:^|[\s,])(W\/)?("[\x21\x23-\x7e\x80-\xff]*")(?=[\s,]|$)/g

/** The tags of a list; what is no entity tag (unquoted, half) is passed over and names nothing. */
const listTags = (header: string): readonly ListedTag[] =>
  [...header.matchAll(TAG)].map(([, weak, opaque = '']) => ({ isWeak: weak !== undefined, opaque }))

const isNamed = (named: Named, opaque: string): boolean => (typeof named === 'function' ? named(opaque) : named.includes(opaque))

/** The first opaque tag of `If-None-Match` that is named, compared weakly (§13.1.2); `'*'` for whatever there is; `null` for none. */
export const findEtag = (header: string | undefined, named: Named): string | null => {
  if (header === undefined) return null
  if (header.trim() === '*') return '*'
  return listTags(header).find(({ opaque }) => isNamed(named, opaque))?.opaque ?? null
}

/** Whether `If-None-Match` names one of these tags. `*` names whatever there is; an unquoted tag names nothing. */
export const matchEtag = (header: string | undefined, named: Named): boolean => findEtag(header, named) !== null

/** `If-Match`: compared strongly, so a weak tag never matches (§13.1.1). */
const matchStrongly = (header: string, named: Named): boolean =>
  header.trim() === '*' || listTags(header).some(({ isWeak, opaque }) => !isWeak && isNamed(named, opaque))

/** The three forms of an HTTP date (RFC 9110 §5.6.7); `Date.parse` alone would take "1" for a date. */
const HTTP_DATE = /^(?:[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/

/** Milliseconds since 1970; `NaN` for what is none of the three forms. */
export const parseHttpDate = (text: string): number => {
  if (!HTTP_DATE.test(text)) return Number.NaN
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}

/** As an HTTP date can say it. */
const wholeSeconds = (date: Date): number => Math.floor(date.getTime() / 1000) * 1000

/**
 * `If-Modified-Since`: true when nothing changed after that second. A date that cannot be read is ignored, and so is the whole header when
 * there is an `If-None-Match` (§13.1.3): ask `matchEtag` first. `null`: no date is known, and what asks by date is ignored.
 */
export const notModifiedSince = (header: string | undefined, lastModified: Date | null): boolean => {
  if (header === undefined || lastModified === null) return false
  const since = parseHttpDate(header.trim())
  return !Number.isNaN(since) && wholeSeconds(lastModified) <= since
}

type Headers = Readonly<Record<string, string | string[] | undefined>>
const one = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * What the conditions of a GET or HEAD come to, in the order of §13.2.2: `If-Match`, else `If-Unmodified-Since`; then `If-None-Match`, else
 * `If-Modified-Since`. `named`: every tag under which a client may hold what is current; `selected`: those of the very bytes that would be sent,
 * which is what `If-Match` is about.
 */
export const evaluateConditions = (
  headers: Headers,
  named: Named,
  lastModified: Date | null,
  selected: Named = named,
): 'proceed' | 'not-modified' | 'failed' => {
  const ifMatch = one(headers, 'if-match')
  const unmodifiedSince = one(headers, 'if-unmodified-since')
  if (ifMatch !== undefined) {
    if (!matchStrongly(ifMatch, selected)) return 'failed'
  } else if (unmodifiedSince !== undefined && lastModified !== null) {
    const since = parseHttpDate(unmodifiedSince.trim())
    if (!Number.isNaN(since) && wholeSeconds(lastModified) > since) return 'failed'
  }
  const ifNoneMatch = one(headers, 'if-none-match')
  if (ifNoneMatch !== undefined) return matchEtag(ifNoneMatch, named) ? 'not-modified' : 'proceed'
  return notModifiedSince(one(headers, 'if-modified-since'), lastModified) ? 'not-modified' : 'proceed'
}

/** The first and the last byte, both meant. */
type ByteRange = Readonly<{ first: number; last: number }>

/**
 * The one range of a `Range` header; `unsatisfiable` when it begins behind the end; `null` when the header is to be ignored: another unit,
 * not readable, or several ranges, which a server may answer whole (§14.2).
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null => {
  const [, from, to] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header?.trim() ?? '') ?? []
  if (from === undefined || to === undefined || from.length + to.length === 0 || from.length > 15 || to.length > 15) return null
  if (from === '') {
    const suffix = Number(to)
    return suffix === 0 || size === 0 ? 'unsatisfiable' : { first: Math.max(0, size - suffix), last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < first) return null
  return first >= size ? 'unsatisfiable' : { first, last }
}

/** A date names bytes only when they cannot have changed twice in its second; we ask for a minute (§8.8.2.2). */
const DATE_IS_STRONG_AFTER_MS = 60_000

/** `If-Range`: whether the range still means the bytes the client has part of. Compared strongly; `now` in milliseconds. `lastModified` `null`: no date means them. */
export const mayRange = (header: string | undefined, etag: string, lastModified: Date | null, now: number): boolean => {
  if (header === undefined) return true
  const value = header.trim()
  if (value.startsWith('"') || value.startsWith('W/')) return value === etag
  return (
    lastModified !== null && parseHttpDate(value) === wholeSeconds(lastModified) && now - lastModified.getTime() >= DATE_IS_STRONG_AFTER_MS
  )
}
