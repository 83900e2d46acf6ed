/** What is kept of one file of a feed that somebody asked for. */
import type { Coding } from '@newswire/http/accept'
import type { FeedState } from './feed-state.ts'
import { createPastStates, type PastStates } from './past-states.ts'

export type Slot = {
  state: FeedState | null
  /** How many builds were told of when `state` was read (`heard`); -1: from the store, unannounced. */
  heard: number
  checkedAt: number
  failedAt: number
  /** When it was last found that its bytes may not be shown. */
  refusedAt: number
  askedAt: number
  /** Whether anybody asked since the state was read. */
  isAsked: boolean
  wanted: Set<Coding>
  /** A newer build was announced. */
  isBehind: boolean
  /** Since when what the log has told of could not be read; 0: it could. */
  missedAt: number
  isDropped: boolean
  loading: Readonly<{ heard: number; done: Promise<FeedState | null> }> | null
  past: PastStates
}

export const newSlot = (): Slot => ({
  state: null,
  heard: -2,
  checkedAt: Number.NEGATIVE_INFINITY,
  failedAt: Number.NEGATIVE_INFINITY,
  refusedAt: Number.NEGATIVE_INFINITY,
  askedAt: 0,
  isAsked: false,
  wanted: new Set(),
  isBehind: false,
  missedAt: 0,
  isDropped: false,
  loading: null,
  past: createPastStates(),
})
