/**
 * The port of the log: Kafka, or an embedded durable log in one file. Both pass `log.contract.ts`.
 *
 * Promises, whichever adapter is behind it: `publish` resolves when durable; a subscription is at least once, one record of a lane at a
 * time and in order, lanes side by side; what a handler publishes is durable before its input is committed; a handler's error never
 * stops a partition (see `errors.ts` of the events package: reject, unavailable, anything else).
 */
import type { TopicSpec } from '@newswire/events/topics'

/** A safe integer that rises within a partition, also over a replaced log (epoch × 2⁴⁴ + offset). Compare it; never calculate with it. */
export type Position = number

export type NewRecord = Readonly<{
  topic: string
  /** Decides the partition, the same way in every adapter (murmur2, as Kafka's own clients). `null` spreads. */
  key: string | null
  /** `null` is a tombstone, which is not the same as empty. */
  value: Uint8Array | null
  headers?: Readonly<Record<string, string>>
}>

export type LogRecord = Readonly<{
  topic: string
  partition: number
  position: Position
  key: string | null
  value: Uint8Array | null
  headers: Readonly<Record<string, string>>
  /** When the log took it, ms since 1970; never falls within a partition of the embedded log. */
  timestamp: number
}>

export type Published = Readonly<{ topic: string; partition: number; position: Position }>

export type PublishOptions = Readonly<{
  /** Sync to disk before resolving, also on topics that are not `synced`: for records whose cause is an object, a timer or an operator. */
  synced?: boolean
  /** How long to try before `UnavailableError` (default 15 000 ms). The outcome is then unknown: it may still be written. */
  timeoutMs?: number
  /**
   * How long it may wait for company, in ms (default 0): for what nobody waits for. Kafka only, where a request costs what is in it is not worth: it goes
   * along with the next that is not patient. The embedded log writes what comes together in one transaction anyway.
   */
  patienceMs?: number
  signal?: AbortSignal
}>

/** Where reading begins. With `positions`, a partition that is not named begins at its start. */
export type Start = 'start' | 'end' | Readonly<{ timeMs: number }> | Readonly<{ positions: Readonly<Record<number, Position>> }>

export type HandlerContext = Readonly<{
  /** Aborted when the subscription stops or loses the partition: give up waiting, do not commit half of something. */
  signal: AbortSignal
  /** 1 on the first try of this record by this process. */
  attempt: number
  /** Names what of a single record is left, for one that fails half done: given up, its redrive is for that alone (`leftOf`). */
  leave?: (left: readonly string[]) => void
}>

/** Delays between tries in ms; when they are used up the record goes to `dead-letters`. */
export type RetryPolicy = readonly number[]

export type SubscribeOptions = Readonly<{
  topic: string
  /** Members of one group share the partitions. */
  group: string
  /** A new group starts here (default `start`). */
  from?: 'start' | 'end'
  /** Lanes handled at once (default 16). Keys take turns for these places, whatever came first: only of one key the lane that came first goes first. */
  concurrency?: number
  /** What is handled one after the other: the record's key unless this says otherwise. */
  lane?: (record: LogRecord) => string
  /** The most of `concurrency` that lanes of one key have at once, and of what is kept for the urgent (default 1: all of it). */
  keyShare?: number
  /** How many of `concurrency` a record takes (default 1, and whatever is no whole number above it is rounded down to one). Of a lane its first record says it. */
  places?: (record: LogRecord) => number
  /** What does not wait for places that others have: a tenth more are kept for it. Of its own key it goes after what came before (default: nothing is). */
  urgent?: (record: LogRecord) => boolean
  /** How many waiting records of a lane one call may get (default 1): for work that merges, like building a feed. */
  batch?: number
  /**
   * Told of each record as it joins its lane, which may be long before it is handled, and again when it is fetched again: for a handler that rests, and
   * should not while this waits behind it. What it throws is told to `onError`.
   */
  onWaiting?: (record: LogRecord) => void
  /** Never empty, all of one lane, in order. Resolving commits them all. */
  handle: (records: readonly LogRecord[], context: HandlerContext) => Promise<void>
  retry?: RetryPolicy
  /**
   * Fetched and not yet handled, per partition; above it fetching pauses (default 500 records or 16 MiB). With `keyShare`, eight times as many records of
   * keys that have half their share in hand: what waits for its next try is in nobody's hand, and counts as any other.
   */
  maxBuffered?: number
  /**
   * How long a record may wait at the log for company, in ms (default 0: given at once): for work that nobody waits for. Kafka answers fewer,
   * fuller fetches then, which is most of what a thin consumer costs; a subscription of the embedded log, where a record costs no fetch, gets it at once.
   * As a function it is asked before each fetch, and for each record that is published in the process, which whoever is not patient gets by hand.
   */
  patienceMs?: number | (() => number)
  /** Kafka only: how long a silent member keeps its partitions (default 10 000 ms; `deliveries` takes 45 000). */
  sessionTimeoutMs?: number
  /** Called when partitions are gained or lost, before records of gained ones are handled; handling of those waits for it. */
  onAssigned?: (change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>) => Promise<void>
  /** Records of a gained partition are handled once this has ended, well or not (default: at once): they take no places while it lasts. */
  ready?: (partition: number) => Promise<unknown>
}>

export type HeldPartition = Readonly<{ partition: number; sinceMs: number }>

export type Subscription = Readonly<{
  /** Partitions held now, with the monotonic time (`performance.now()`) since when. */
  partitions(): readonly HeldPartition[]
  /** Monotonic time of the last good heartbeat: the fence of whoever must not act as a zombie. The embedded log's is always now. */
  lastHeartbeatMs(): number
  /** Records handled or given to dead letters since start, and those waiting now. */
  stats(): Readonly<{
    handled: number
    dead: number
    waiting: number
    inFlight: number
    oldestWaitingMs: number | null
    unavailableSinceMs: number | null
  }>
  pause(): void
  resume(): void
  /** Finishes what is in hand (up to `drainMs`, default 10 000), commits, leaves. Twice is once. */
  stop(options?: { drainMs?: number }): Promise<void>
}>

export type Following = Readonly<{
  /** Resolves once everything that was in the topic when `follow` was called has been given to `onRecords`. */
  ready: Promise<void>
  /** The position behind the last record given, by partition, and behind holes that were passed: at rest it equals `ends()`. What to store as the cursor. */
  cursor(): Readonly<Record<number, Position>>
  /** Somebody waits for what is there now: the next look at the log is no matter of patience (absent: it never is). */
  hurry?(): void
  stop(): Promise<void>
}>

export type FollowOptions = Readonly<{
  topic: string
  from: Start
  /** In order within a partition; may be async, the next batch waits. A throw is a bug: it stops following and turns health red. */
  onRecords: (records: readonly LogRecord[]) => void | Promise<void>
  /** As of a subscription; it begins once `ready` has resolved, and `hurry` ends it. The embedded log makes only what comes within that time of another batch wait. As a function it is asked each time. */
  patienceMs?: number | (() => number)
}>

/** How long whoever reads is willing to wait for company now, ms. */
export const patienceOf = ({ patienceMs = 0 }: Pick<SubscribeOptions, 'patienceMs'>): number =>
  typeof patienceMs === 'function' ? patienceMs() : patienceMs

export type Lag = Readonly<{
  topic: string
  partition: number
  /** `null`: the group never committed here. */
  committed: Position | null
  end: Position
  records: number
  /** Age of the oldest record not committed; `null` when there is none. */
  oldestMs: number | null
}>

export type TopicReport = Readonly<{
  topic: string
  state: 'created' | 'as-wanted' | 'differs' | 'missing'
  differences: readonly string[]
}>

export type Log = Readonly<{
  kind: 'kafka' | 'embedded'
  /** Of a log that may come later (`late-log.ts`): resolves once it can be used, rejects when it never will. Absent: it could when it was made. */
  whenThere?(): Promise<void>
  /** `apply` creates what is missing and never deletes; without it only looks. Partition counts that differ are reported, never changed. */
  topics(specs: readonly TopicSpec[], options?: { apply?: boolean }): Promise<readonly TopicReport[]>
  /**
   * Resolves when durable, one result per record in order. Records of one call stay together and in order within a partition.
   * Throws `RejectError` `NEWSWIRE_LOG_TOO_LARGE` or `NEWSWIRE_LOG_UNKNOWN_TOPIC` (nothing of the call is written), `UnavailableError`
   * `NEWSWIRE_LOG_BUSY` at once when too many bytes wait, `NEWSWIRE_LOG_UNAVAILABLE` when it could not be written in time.
   */
  publish(records: readonly NewRecord[], options?: PublishOptions): Promise<readonly Published[]>
  subscribe(options: SubscribeOptions): Promise<Subscription>
  /** Reads all partitions, without a group: what a projection does. */
  follow(options: FollowOptions): Promise<Following>
  /** At most `limit` records of one partition, and where to go on. Positions may have holes. */
  read(options: {
    topic: string
    partition: number
    from: Start
    limit: number
  }): Promise<{ records: readonly LogRecord[]; next: Position; end: Position }>
  /** First kept position and the position that the next record gets, by partition. */
  ends(topic: string): Promise<ReadonlyArray<{ partition: number; start: Position; end: Position }>>
  lag(group: string): Promise<readonly Lag[]>
  /** Sets where a group goes on. Throws `RejectError` `NEWSWIRE_LOG_GROUP_ACTIVE` while it has members. */
  replay(group: string, topic: string, from: Start): Promise<void>
  partitionOf(topic: string, key: string): number
  /**
   * Of an embedded log: a number that only rises, kept in the file with the next write (0 at first). After a power cut it may be lower than it was, never higher.
   * Absent on Kafka, which has no place for one.
   */
  storeMark?: Readonly<{ get(): number; raise(mark: number): void }>
  /** `ok` false when it cannot be written or read now, or a subscription has died; `detail` is for people. */
  health(): Promise<{ ok: boolean; detail: Readonly<Record<string, unknown>> }>
  /** Stops subscriptions and followers, drains, commits, flushes, lets go. Twice is once. */
  close(options?: { drainMs?: number }): Promise<void>
}>
