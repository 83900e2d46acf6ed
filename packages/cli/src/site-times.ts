/** Times as people of the newsroom read them: in the site's zone, with the offset. Results for machines stay in UTC. */
import { isInstant } from '@newswire/events/article'
import type { Client } from './client.ts'

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g

/**
 * `text` with every RFC 3339 instant in UTC said in `timeZone` (IANA); the same instants, to the millisecond. What only looks like one (strangers' words
 * are in the text), and what is of another year than 1 to 9999 there, stays as it is.
 */
export const inZone = (text: string, timeZone: string): string => {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return text.replace(INSTANT, instant => {
    // Also a 30th of February, which JavaScript takes for the 2nd of March.
    if (!isInstant(instant) || new Date(instant).toISOString().slice(0, 19) !== instant.slice(0, 19)) return instant
    const name = format.formatToParts(new Date(instant)).find(one => one.type === 'timeZoneName')?.value
    // Before zones were kept to the minute there were seconds, which RFC 3339 cannot say.
    const [, offset, sign, hours, minutes] = /^GMT(([+-])(\d\d):(\d\d))$/.exec(name ?? '') ?? []
    if (offset === undefined || offset === '+00:00') return instant
    const shiftMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000
    const shown = new Date(Date.parse(instant) + shiftMs).toISOString()
    return isInstant(shown) ? shown.replace(/(\.000)?Z$/, offset) : instant
  })
}

/** The console reads its store for it, which may be away, and then the answer that is there is not to be waited for. */
const ZONE_MS = 2_000

/** Says text in the site's zone; as it is in results for machines, and where nobody can be asked which that is. */
export const siteTimes = async ({ console }: Pick<Client, 'console'>, { json }: { json: boolean }): Promise<(text: string) => string> => {
  if (json) return text => text
  try {
    const { timeZone } = (await console('GET', '/v1/config/site/main', undefined, ZONE_MS)) as { timeZone: string }
    return text => inZone(text, timeZone)
  } catch {
    return text => text
  }
}
