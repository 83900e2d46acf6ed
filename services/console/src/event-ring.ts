/** The newest events, as many as fit: what whoever comes back is sent, and the one buffer of all clients. */
import { type LiveEvent, type Places, placeOf } from './live-events.ts'

/** Some seconds of a large burst, or hours of a quiet day. */
const MOST_EVENTS = 4_000
const MOST_BYTES = 4 * 1024 * 1024
/** Of one event, characters: a stream takes an event whole, and there are many streams. Ours have a few hundred; a stranger's record may have megabytes. */
const MOST_LENGTH = 64 * 1024

type Kept = Readonly<{ event: Omit<LiveEvent, 'data'> /** What it says as JSON. */; data: string }>

export type EventRing = Readonly<{
  /** What was seen already is passed over. True when it was taken. */
  add(event: LiveEvent): boolean
  /** By the number it was added under; `undefined` for what is still to come, `null` for what is kept no more. */
  at(number: number): Kept | null | undefined
  /** The number of the oldest that is kept, and the one that the next gets. */
  first(): number
  next(): number
  /** The last position that came of each place, in a fixed order. */
  last(): Places
  /** Whether all that came after these places is kept. */
  reaches(places: Places): boolean
}>

const TOO_LONG = JSON.stringify({ detail: 'what it says is too long to be told here; the trace has it' })

export const createEventRing = ({ mostEvents = MOST_EVENTS, mostBytes = MOST_BYTES } = {}): EventRing => {
  const kept = new Map<number, Kept>()
  const last: Places = new Map()
  /** Of each place the position before the oldest that is kept. */
  const before: Places = new Map()
  let [first, next, bytes] = [0, 0, 0]

  const evict = () => {
    const oldest = kept.get(first)
    kept.delete(first)
    first += 1
    if (oldest === undefined) return
    bytes -= oldest.data.length
    before.set(placeOf(oldest.event), oldest.event.position)
  }
  return {
    add: event => {
      const place = placeOf(event)
      if ((last.get(place) ?? -1) >= event.position) return false
      if (!last.has(place)) before.set(place, event.position - 1)
      last.set(place, event.position)
      const { data: said, ...named } = event
      const text = JSON.stringify(said)
      const data = text.length > MOST_LENGTH ? TOO_LONG : text
      kept.set(next, { event: named, data })
      next += 1
      bytes += data.length
      while (kept.size > mostEvents || (bytes > mostBytes && kept.size > 1)) evict()
      return true
    },
    at: number => (number < first ? null : kept.get(number)),
    first: () => first,
    next: () => next,
    last: () => new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1))),
    // A position beyond the last one is of another log, or of one that was lost: what was sent since cannot be known.
    reaches: places =>
      [...places].every(([place, position]) => {
        const known = last.get(place)
        return known !== undefined && position <= known && position >= (before.get(place) ?? 0)
      }) && [...last.keys()].every(place => places.has(place) || (before.get(place) ?? -1) < 0),
  }
}
