/**
 * What is asked before an intent counts, besides what the store knows of its subject: whether the version was there at all. One that nobody released would never
 * be, and whatever is real would wait behind it; so it goes back to the log, which tries it again for a while and keeps it as a dead letter.
 */
import { type ErrorCode, UnavailableError } from '@newswire/events/errors'
import type { Asking } from './asking.ts'
import type { Book } from './book.ts'
import type { Kind } from './kind.ts'
import type { Intent } from './machine.ts'

type Needs = Readonly<{
  book: Pick<Book, 'isAtHand' | 'untilAvailable' | 'items' | 'shelved'>
  asking: Asking
  kind: Pick<Kind, 'isThere'>
}>

/** Whoever is given it looks for the item of the subject, which may be shelved again until then, ends the asking, and gives the intent its turn before anything else runs. */
export type Ended = () => void
/** `null`: nothing need be asked. Rejects with what the store throws, or that the version is not there; then it has ended. */
type AskFirst = (subject: string, intent: Pick<Intent, 'version' | 'sequence'>) => Promise<Ended> | null

const notThere = (subject: string, version: number): Error => {
  const code: ErrorCode = 'NEWSWIRE_OUTLETS_NOT_RELEASED'
  const why = `this intent wants version ${version} of ${subject}, and current/ has none so new`
  return Object.assign(
    new Error(`${why}; whoever wrote it is none of ours, or the store has lost it: redrive it once the version is there`),
    { code },
  )
}

export const createAskFirst = ({ book, asking, kind }: Needs): AskFirst => {
  /** What cannot be told is taken for granted: it is seen once it is to be sent. */
  const look = async (subject: string, version: number): Promise<boolean> => {
    try {
      return (await kind.isThere?.(subject, version)) ?? true
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      return true
    }
  }

  /** What is wanted already is proof enough. */
  const isProved = (subject: string, version: number): boolean => (book.items.get(subject)?.delivery?.want ?? 0) >= version

  /** What is there already keeps its place, which a repeat of its intent does not move; it may stand anywhere while nobody has read it. */
  const mayStandAt = (subject: string, sequence: number): number => {
    const place = book.items.get(subject)?.delivery?.sequence ?? book.shelved.get(subject)?.sequence
    return Math.min(sequence, place ?? (book.isAtHand(subject) ? sequence : Number.NEGATIVE_INFINITY))
  }

  return (subject, { version, sequence }) => {
    const there = isProved(subject, version) || (kind.isThere?.(subject, version) ?? true)
    if (there instanceof Promise) there.catch(() => undefined) // looked at again below
    const before = asking.of(subject)
    if (there === true && before === null && book.isAtHand(subject)) return null
    const ended = asking.begin(subject, mayStandAt(subject, sequence))
    const ask = async (): Promise<Ended> => {
      try {
        await before
        const isThere = there === true || isProved(subject, version) || (await book.untilAvailable(() => look(subject, version)))
        if (!isThere) throw notThere(subject, version)
        return ended
      } catch (error) {
        ended()
        throw error
      }
    }
    return ask()
  }
}
