/** What the store says of an article, handed on to what was made from the log, which may be behind it. */
import type { Fact } from '@newswire/events/fact'
import type { Search } from './search.ts'
import type { View } from './view.ts'

type Needs = Readonly<{
  view: Pick<View, 'take'>
  search: Pick<Search, 'take'>
  /** A view that cannot be written (a disk that is full): what was to be shown is shown, and lists ask the store. */
  onNotTaken: (error: unknown, fact: Fact) => void
}>

/** Never throws; a fact that the view knows already changes nothing. */
export const createLearn =
  ({ view, search, onNotTaken }: Needs) =>
  (fact: Fact): void => {
    try {
      if (view.take(fact)) search.take(fact)
    } catch (error) {
      onNotTaken(error, fact)
    }
  }
