/** A CMS's times, as an article has them. Pure. */

const ISO_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i
const RFC_822_TIME = /^(?:[a-z]{3}, )?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC?|Z|[+-]\d{4})$/i

/** ISO 8601, in UTC where it names no zone, and RFC 822 with one. `null` for all else: what is guessed would depend on where this runs. */
export const toInstant = (text: string): string | null => {
  const [, date, time = '00:00', zone = 'Z'] = ISO_TIME.exec(text) ?? []
  const ms = Date.parse(date !== undefined ? `${date}T${time}${zone.toUpperCase()}` : RFC_822_TIME.test(text) ? text : '')
  return Number.isNaN(ms) || ms < 0 || ms > Date.UTC(2200, 0, 1) ? null : new Date(ms).toISOString()
}
