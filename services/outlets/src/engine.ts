/** What all kinds of delivery have in common in one process: time, limits, the fence, how long things may take. */
import { messageOf } from '@newswire/events/errors'
import type { Subscription } from '@newswire/log/log'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { ServiceContext } from '@newswire/runtime/service'
import type { Clock } from './clock.ts'
import { neverSuspended, type OutletStates } from './outlet-state.ts'
import { neverOurSide, type OwnSide } from './own-side.ts'
import { createPendingStore, type PendingStore, type Shelf } from './pending.ts'
import { createPosts, type Posts } from './posts.ts'
import { createSlots, type Slots } from './slots.ts'

/** A silent member keeps its partitions this long; at least what a broker takes. */
const SESSION_MS = 45_000
const LEAST_SESSION_MS = 6_000
/** Nothing is sent when the last good heartbeat is older; at least a few heartbeats. */
const HEARTBEAT_MS = 15_000
const LEAST_HEARTBEAT_MS = 2_000
const REQUEST_MS = 15_000
const LEAST_REQUEST_MS = 1_000
/** Intents in hand at once: each waits up to two seconds for its targets, so this is many. */
export const INTENTS_AT_ONCE = 1_000

/** The wall clock at start, moved on by the monotonic one: it never jumps. */
export const steadyClock = (now: () => number): Clock => {
  const originMs = now() - performance.now()
  return {
    now: () => originMs + performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, Math.min(ms, 2_147_483_647))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}

/** What every actor of one kind of target is given, whichever target it works for. */
type Common = Readonly<{ clock: Clock; scale: number; slots: Slots; random: () => number; logger: ServiceContext['logger'] }>

export type Engine = Readonly<{
  clock: Clock
  scale: number
  sessionTimeoutMs: number
  /** The deadline of a request, ms. */
  timeoutMs: number
  /** A request to a target, given up at its deadline, or when the service is in a hurry to stop. */
  request: (request: OutboundRequest) => Promise<OutboundResult>
  /** The same for what is signed. Nobody reads the answer's body. */
  post: Posts['post']
  pendingOn(shelf: Shelf): PendingStore
  /** Each kind has slots of its own: what strangers subscribe to must not keep partners waiting. */
  common(): Common
  /** The same for targets that nobody pauses or suspends, and whose failures say nothing of our own side. */
  commonOfStrangers(): Common & Readonly<{ states: OutletStates; ownSide: OwnSide }>
  /** Whether the group's membership is surely alive; `subscription` is asked for when there is one. */
  fence(subscription: () => Subscription | undefined): () => boolean
  /** Once nothing is sent any more. Twice is once. */
  close(): Promise<void>
}>

/** `isMuchLeft`: so many deliveries wait that memory is short. */
export const createEngine = (context: ServiceContext, hurry: AbortSignal, isMuchLeft: () => boolean): Engine => {
  const { objects, outbound, configuration, logger, now, settings } = context
  const scale = settings.retryScale
  const clock = steadyClock(now)
  const timeoutMs = Math.min(Math.max(REQUEST_MS * scale, LEAST_REQUEST_MS), REQUEST_MS)
  const heartbeatLimitMs = Math.max(HEARTBEAT_MS * scale, LEAST_HEARTBEAT_MS)
  const request: Engine['request'] = one => outbound.request({ ...one, timeoutMs, signal: hurry })
  const posts = createPosts({
    request,
    network: () => configuration.current().network,
    timeoutMs,
    hurry,
    isMuchLeft,
    onCrash: reason => logger.error({ reason }, 'outlets.posting-thread-ended'),
  })
  const common = (): Common => ({ clock, scale, slots: createSlots({ after: clock.after }), random: Math.random, logger })
  return {
    clock,
    scale,
    sessionTimeoutMs: Math.max(SESSION_MS * scale, LEAST_SESSION_MS),
    timeoutMs,
    request,
    post: posts.post,
    pendingOn: shelf =>
      createPendingStore({
        objects,
        shelf,
        now,
        onUnreadable: (key, error) => logger.error({ key, reason: messageOf(error) }, 'pending.unreadable'),
      }),
    common,
    commonOfStrangers: () => ({ ...common(), states: neverSuspended, ownSide: neverOurSide }),
    fence: subscription => {
      const beganAtMs = performance.now()
      return () => performance.now() - (subscription()?.lastHeartbeatMs() ?? beganAtMs) < heartbeatLimitMs
    },
    close: posts.close,
  }
}
