/** Days as people of the site's zone have them. */
import { fromZone } from '@newswire/events/zone-time'

/** When a day (`yyyy-mm-dd`) begins in a zone, or the day so many after it, ms since 1970. */
export const dayStart = (day: string, timeZone: string, after = 0): number =>
  fromZone(timeZone, Date.parse(`${day}T00:00:00Z`) + after * 86_400_000)
