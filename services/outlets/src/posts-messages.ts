/** What the thread that posts is told, and what it tells (`posts.ts`, `posts-thread.ts`). */
import type { KeyObject } from 'node:crypto'
import type { NetworkConfig } from '@newswire/events/config'
import type { OutboundFailure } from '@newswire/outbound/outbound'
import type { Post } from './signing.ts'

/** Alike in all threads, and not moved when the system's clock is set. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/**
 * A message goes out when it has so many, or the turn of the event loop ends: with all of a turn in one message the one thread waited while the other worked
 * through it, and by themselves they cost more than what is in them.
 */
export const MOST_IN_MESSAGE = 16

export type PosterData = Readonly<{ network: NetworkConfig; timeoutMs: number }>

/** `keys`: by their numbers. `body`: its place in the message. */
export type Posted = Omit<Post, 'keys' | 'body'> & Readonly<{ number: number; keys: readonly number[]; body: number }>

export type ToPoster =
  | Readonly<{
      kind: 'posts'
      /** `Posted[]` as JSON, which costs a part of what cloning so many small strings does. */
      posts: string
      /** In shared memory. */
      bodies: readonly Uint8Array[]
      /** When the first of them was given, by `monotonicMs`. */
      atMs: number
      /** Keys that it is to know from now on, and the numbers of those that nobody signs with any more. */
      fresh: readonly (readonly [number, KeyObject])[]
      gone: readonly number[]
      /** When the rules for addresses are other ones than before. */
      network?: NetworkConfig
    }>
  /** What is in hand is to be given up. */
  | Readonly<{ kind: 'hurry' }>
  /** Nothing more comes. */
  | Readonly<{ kind: 'end' }>

/** Without the answer's body, and without the headers of one that took it: nobody reads them. */
export type Answered = readonly [
  number: number,
  result:
    | Readonly<{ ok: true; status: number; headers: Readonly<Record<string, string>> }>
    | OutboundFailure
    /** It could not be signed. */
    | Readonly<{ ok: 'thrown'; message: string }>,
]

/** `Answered[]` as JSON. The first is empty: the thread is there. */
export type FromPoster = string
