/** The states of a file that were served before the one that is served now: what a reader's tag says about what the reader has. */
import type { FeedState } from './feed-state.ts'

type PastState = Readonly<{
  sequence: number
  /** When a newer one took its place, ms since 1970: whoever still has it has not read since. */
  leftAt: number
}>

export type PastStates = Readonly<{
  leave(state: FeedState, now: number): void
  /** By an opaque tag, with its quotes, of any coding. */
  find(opaque: string): PastState | null
}>

/** Of each file; about 100 bytes each. A feed that changes every minute is remembered for four hours. */
const MAX_STATES = 256

export const createPastStates = (): PastStates => {
  const states = new Map<string, PastState>()
  return {
    leave: ({ content, sequence }, now) => {
      states.delete(content)
      states.set(content, { sequence, leftAt: now })
      const [oldest] = states.keys()
      if (states.size > MAX_STATES && oldest !== undefined) states.delete(oldest)
    },
    find: opaque => states.get(opaque.slice(1, -1).split('-', 1)[0] ?? '') ?? null,
  }
}
