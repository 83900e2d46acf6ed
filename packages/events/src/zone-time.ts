/** Times as the clocks of an IANA zone show them. Pure. */

/** Making one takes a hundred times as long as asking it; there are a few hundred zones. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** How far a zone is ahead of UTC at an instant; ms. */
const offsetMs = (timeZone: string, instantMs: number): number => {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  formats.set(timeZone, format)
  const parts = format.formatToParts(instantMs)
  const name = parts.find(one => one.type === 'timeZoneName')?.value ?? ''
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name) ?? []
  return (sign === '-' ? -1_000 : 1_000) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds))
}

/** When the clocks of a zone show what those of UTC show at `shownMs`; both ms since 1970. */
export const fromZone = (timeZone: string, shownMs: number): number =>
  // Once more with what holds there: the offset before may be another one.
  shownMs - offsetMs(timeZone, shownMs - offsetMs(timeZone, shownMs))
