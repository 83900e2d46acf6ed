/**
 * What the engine (`actor.ts` and what it uses) has to know of a way of delivering. The engine decides when something is sent and what comes of
 * an attempt; a kind knows what is sent, to whom, how. `outlet-kind.ts` for articles, `websub.ts` for feeds.
 */
import type { Outcome, Terms } from './machine.ts'
import type { Cause } from './pending.ts'
import type { News } from './tell.ts'

/** Where it goes, as it is configured now. */
export type Target = Readonly<{
  /** Requests in flight at once. */
  concurrency: number
  /** Requests a second, at most (default: no limit). */
  rate?: number | undefined
  /** `strict`: one after the other, in the order of intents (default `article`). */
  order?: 'article' | 'strict'
  /** `all`: every version is sent (default `latest`). */
  versions?: 'latest' | 'all'
  /** It has left the configuration: what waits for it is looked at at once, and most of it is not due any more (default: it has not). */
  retired?: boolean
  /** What must change before a target that wanted nothing any more (410) is tried again. */
  deliver: unknown
}>

export type Attempt = Readonly<{
  /** Position of the newest intent. */
  sequence: number
  /** The repeat of an acknowledged kill. */
  settling: boolean
  /** When what is sent was first wanted. */
  sinceMs: number
}>

/** `mayStill`: asked right before the first byte goes out. Never throws for what the target does. */
export type Send = (attempt: Attempt, mayStill: () => boolean) => Promise<Outcome>

/** The newest state of one subject, read just now; or the next of its versions, where every one is sent. */
export type Ready = Terms &
  Readonly<{
    version: number
    /** It takes back what was sent before. */
    kill: boolean
    /** `null`: nothing of it is due. */
    send: Send | null
  }>

export type Kind = Readonly<{
  /** `null`: nobody knows the target (yet). */
  target(): Target | null
  /** At least version `want` of a subject, and just that one while it is content and every version is sent; `null`, or an older one, when the store is behind. At once where it is at hand. Throws what the store throws. */
  read(subject: string, want: number): Promise<Ready | null> | Ready | null
  /**
   * Whether a version that is wanted was there when it was: `false` when the store, which says so before anybody wants it, has none so new (default: it was).
   * At once where it is at hand. Throws what the store throws.
   */
  isThere?(subject: string, version: number): Promise<boolean> | boolean
  /** Tells what became of a subject; durable when it resolves. */
  say(subject: string, news: readonly News[], cause: Cause): Promise<void>
  /** Names the target in the log, and a subject of it. */
  about: Readonly<Record<string, string>>
  fields(subject: string): Readonly<Record<string, string>>
  /**
   * Only the newest state counts, whatever versions were wanted in between: what is written down as not sent yet need not be written down
   * again for a newer version.
   */
  newestOnly: boolean
}>
