/** What is under way to one target: each attempt from its launch until what came of it is told and written down. */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Book, BookNeeds } from './book.ts'
import type { Fly, Turn } from './flight.ts'
import type { Health } from './health.ts'
import { type Item, isShelved, type Queued } from './item.ts'
import type { Kind } from './kind.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import type { Shelved } from './shelved.ts'
import type { Turns } from './turns.ts'

type Needs = Pick<BookNeeds, 'clock' | 'owns' | 'scale' | 'logger'> &
  Readonly<{
    kind: Pick<Kind, 'fields'>
    book: Pick<Book, 'find'>
    health: Pick<Health, 'abandoned'>
    turns: Pick<Turns, 'queue'>
    fly: Fly
    isStrict: () => boolean
    /** Gives an item its next turn. */
    queue: (item: Item) => void
    /** Hears when there is room for another one. */
    onRoom: () => void
    /** Hears when one has ended. */
    onEnd: () => void
  }>

type Flights = Readonly<{
  /**
   * Whether one more may go out where at most so many may. What has come to its end is told while the next goes out, but no more of it than goes out at once:
   * while our log is away nothing is sent that cannot be told.
   */
  isRoom(most: number): boolean
  /** `free` gives back its place once it is answered. */
  launch(one: Queued, turn: Turn, free: () => void): void
  /** With those that are still to be told. */
  count(): number
  /** Resolves when all that are under way now have ended. */
  ended(): Promise<unknown>
}>

export const createFlights = ({
  kind,
  book,
  health,
  turns,
  fly,
  isStrict,
  queue,
  onRoom,
  onEnd,
  clock,
  owns,
  scale,
  logger,
}: Needs): Flights => {
  const flights = new Set<Promise<void>>()
  /** Requests under way; the others are still to be told or written down. */
  let inAir = 0

  const flown = (item: Item) => {
    item.busy = false
    queue(item)
  }

  /** `later`: our own store is away. */
  const read = async (one: Shelved): Promise<Item | 'later' | null> => {
    try {
      return await book.find(one.subject)
    } catch (error) {
      if (!(error instanceof UnavailableError))
        logger.error({ ...kind.fields(one.subject), reason: messageOf(error) }, 'pending.unreadable')
      return 'later'
    }
  }

  /** Its turn has come, so it is read. Whoever wanted something newer of it meanwhile may have begun with it. */
  const flyShelved = async (one: Shelved, turn: Turn, landed: () => void): Promise<void> => {
    const item = owns() ? await read(one) : 'later'
    if (item !== null && item !== 'later' && !item.busy) {
      item.busy = true
      await fly(item, turn, landed)
      return flown(item)
    }
    health.abandoned(turn.way)
    if (item !== 'later') return
    one.busy = false
    one.nextAtMs = clock.now() + OWN_FAULT_MS * scale
    turns.queue(one)
  }

  return {
    isRoom: most => inAir < most && flights.size < 2 * most,
    launch: (one, turn, free) => {
      one.busy = true
      inAir += 1
      let isLanded = false
      const land = () => {
        if (isLanded) return
        isLanded = true
        inAir -= 1
        free()
      }
      /** A strict line goes on once it is known what became of the one before. */
      const landed = () => {
        if (isStrict()) return
        land()
        onRoom()
      }
      const flight = (isShelved(one) ? flyShelved(one, turn, landed) : fly(one, turn, landed)).then(() => {
        if (!isShelved(one)) flown(one)
        flights.delete(flight)
        land()
        onRoom()
        onEnd()
      })
      flights.add(flight)
    },
    count: () => flights.size,
    ended: () => Promise.allSettled(flights),
  }
}
