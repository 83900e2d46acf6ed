/** Days as people of the site's zone have them. */

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far the zone's clocks are ahead of UTC at a moment, ms. */
const offsetAt = (ms: number, timeZone: string): number => {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  const wall = new Date(0)
  wall.setUTCFullYear(parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year), Number(parts.month) - 1, Number(parts.day))
  wall.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second))
  return wall.getTime() - Math.floor(ms / 1000) * 1000
}

/** When a day (`yyyy-mm-dd`) begins in a zone, or the day so many after it, ms since 1970. */
export const dayStart = (day: string, timeZone: string, after = 0): number => {
  const midnight = Date.parse(`${day}T00:00:00Z`) + after * 86_400_000
  // Once more with what holds there: the offset before midnight may be another one.
  const guess = midnight - offsetAt(midnight, timeZone)
  return midnight - offsetAt(guess, timeZone)
}
