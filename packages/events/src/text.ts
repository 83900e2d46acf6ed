/** Plain text as it may go into XML, JSON, headers of a page and file systems. */

const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFEFF\uFFFE\uFFFF\u202A-\u202E]|[\u{E0000}-\u{E007F}]/gu
const ISOLATES = /[\u2066-\u2069]/g

/**
 * NFC, well-formed, LF line ends, without what XML 1.0 §2.2 forbids and without invisible overrides; keeps tabs and new lines.
 * Joiners (ZWJ, ZWNJ) and marks (LRM, RLM) stay: Persian, Arabic, Hebrew and emoji need them.
 */
export const cleanText = (value: string): string =>
  value
    .toWellFormed()
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/[\u2028\u2029]/g, '\n')
    .replace(FORBIDDEN, '')

/** One line: what a title, a caption or a byline is. */
export const cleanLine = (value: string): string => cleanText(value).replace(ISOLATES, '').replace(/\s+/gu, ' ').trim()

/** Whether a person sees anything of it: letters, digits, signs or emoji, and not only spaces, joiners, fillers and the empty Braille pattern. */
export const isVisible = (value: string): boolean => /[[\p{L}\p{N}\p{P}\p{S}]--\p{Default_Ignorable_Code_Point}--\u2800]/v.test(value)

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
/** For text inside HTML or XML, in elements and in quoted attributes. */
export const escapeMarkup = (value: string): string => value.replace(/[&<>"']/g, char => ESCAPES[char] ?? char)
const UNESCAPED: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
export const unescapeAttribute = (value: string): string =>
  value.replace(/&(?:amp|lt|gt|quot|#39);/g, entity => UNESCAPED[entity] ?? entity)
/** As clean HTML has it between double quotes, which is in one way only: an address can be looked for as it is written. */
export const escapeAttribute = (value: string): string => value.replace(/[&<>"]/g, char => ESCAPES[char] ?? char)
