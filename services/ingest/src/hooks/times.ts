/** A CMS's times, as an article has them. Pure. */
import { fromZone } from '@newswire/events/zone-time'

const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i
const RFC_822_TIME = /^(?:[a-z]{3}, )?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC?|Z|[+-]\d{4})$/i
/** Since 1970: ten digits are seconds, thirteen milliseconds. */
const EPOCH = /^\d{10}(?:\d{3})?$/
const ZONED = /(?:Z|[+-]\d\d:?\d\d|GMT|UTC?)$/i

const IN_UTC = /(?<![a-z])(?:gmt|utc)(?![a-z])|(?:Gmt|Utc|GMT|UTC)(?![a-z])/

/** Where a name says that its times are in UTC (`date_gmt`, `utc_embargo`), they are, whatever the zone of others is. */
export const zoneOf = (names: readonly string[], zone: string | undefined): string | undefined =>
  names.some(name => IN_UTC.test(name)) ? 'UTC' : zone

/** Whether it means the same instant wherever it is read. */
export const isZoned = (text: string): boolean => ZONED.test(text) || EPOCH.test(text)

/**
 * ISO 8601, in `timeZone` (IANA; default: UTC) where it names no zone, RFC 822 with one, and time since 1970. `null` for all else: what is guessed would depend on
 * where this runs.
 */
export const toInstant = (text: string, timeZone?: string): string | null => {
  const [, date, time = '00:00', zone] = ISO_TIME.exec(text) ?? []
  const written = date !== undefined ? `${date}T${time}${zone?.toUpperCase() ?? 'Z'}` : RFC_822_TIME.test(text) ? text : ''
  const said = EPOCH.test(text) ? Number(text.padEnd(13, '0')) : Date.parse(written)
  const isLocal = timeZone !== undefined && date !== undefined && zone === undefined && !Number.isNaN(said)
  const ms = isLocal ? fromZone(timeZone, said) : said
  return Number.isNaN(ms) || ms < 0 || ms > Date.UTC(2200, 0, 1) ? null : new Date(ms).toISOString()
}
