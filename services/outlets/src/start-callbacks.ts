/** Wiring: publishers are told what became of their submissions, by the engine that partners are delivered by, fed from `milestones`. */
import { randomUUID } from 'node:crypto'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import { isEventId, isPublisherId, parseArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { LogRecord, Subscription } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import type { ServiceContext } from '@newswire/runtime/service'
import { createActor } from './actor.ts'
import { callbackKind, rankOf } from './callback.ts'
import { type Engine, INTENTS_AT_ONCE } from './engine.ts'
import { createHandover } from './handover.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import type { Shelf } from './pending.ts'

/** An owner is a publisher on one partition: two processes may tell one publisher of different articles. */
const toOwner = (publisher: string, partition: number) => `${publisher}/${partition}`
const fromOwner = (owner: string): readonly [publisher: string, partition: number] => {
  const [publisher = '', partition] = owner.split('/')
  return [publisher, Number(partition)]
}
const callbackShelf: Shelf = {
  key: (owner, submissionId) => keys.callbackPending(...fromOwner(owner), submissionId),
  prefix: owner => keys.callbackPendingPrefix(...fromOwner(owner)),
  names: (owner, submissionId) => ({ publisher: fromOwner(owner)[0], submissionId }),
  subjectOf: ({ submissionId }) => (typeof submissionId === 'string' && isEventId(submissionId) ? submissionId : null),
}

/** A publisher is told so much later at most, ms: nearly all milestones are of no submission, and fetched one by one they cost what routing does. */
const PATIENCE_MS = 250
/** And where no publisher wants to be told, how late it may be noticed that one does, ms. */
const UNWANTED_PATIENCE_MS = 1_000
/** How long a question about a submission lets the trace catch up, ms. */
const TRACE_WAIT_MS = 2_000

type Reached = NewswireEvent<'milestone.reached'>

/** The submission's milestone that a record is; `null` for any other, and for what cannot be read: the topic's guard sees to that. */
const readSubmission = (record: LogRecord) => {
  try {
    const event = fromRecord(record) as Reached | null
    return event?.type === 'milestone.reached' && event.data.kind === 'submission' ? { event, data: event.data } : null
  } catch {
    return null
  }
}

type Callbacks = Readonly<{ subscription: Subscription; holdings: Holdings; sweep(): Promise<void> }>

export const startCallbacks = async (context: ServiceContext, engine: Engine): Promise<Callbacks> => {
  const { log, objects, configuration, logger, metrics, secret } = context
  const { clock, scale, post } = engine
  let subscription: Subscription | undefined
  const isAlive = engine.fence(() => subscription)
  const told = metrics.counter('newswire_callbacks_total', 'Publishers told, or not yet, what became of a submission.', [
    'publisher',
    'state',
  ])
  const onError = (error: unknown) => logger.error({ reason: messageOf(error) }, 'callbacks.failed')
  const hasCallback = (publisher: string) => configuration.current().publishers.get(publisher)?.callbackUrl !== undefined
  const submission = async (submissionId: string) => {
    const trace = await context.trace()
    const isCaughtUp = await trace.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).then(
      () => true,
      () => false,
    )
    const status = trace.submission(submissionId)
    // Not known to a trace that is behind is not the same as forgotten.
    if (status === null && !isCaughtUp)
      throw new UnavailableError(
        'NEWSWIRE_OUTLETS_TRACE_BEHIND',
        `the trace does not know submission ${submissionId} yet; its publisher is told when it does`,
      )
    return status
  }
  const shared = { ...engine.commonOfStrangers(), pending: engine.pendingOn(callbackShelf) }

  const holdings = createHoldings({
    handover: createHandover(objects, randomUUID(), keys.callbackHandover),
    clock,
    scale,
    shared: log.kind === 'kafka',
    topic: topics.milestones.name,
    onError,
    tenureOf: number => ({
      ids: () => [...configuration.current().publishers.keys()].filter(hasCallback),
      createActor: (publisher, isHeld) =>
        createActor(toOwner(publisher, number), {
          ...shared,
          kind: callbackKind(publisher, {
            publisher: () => configuration.current().publishers.get(publisher),
            submission,
            secret,
            post,
            now: () => clock.now(),
            scale,
            onNews: news => {
              for (const { state } of news) told.inc({ publisher, state })
            },
          }),
          owns: () => isHeld() && isAlive(),
          isAlive,
        }),
    }),
  })

  const take = async (record: LogRecord): Promise<void> => {
    const publisher = parseArticleId(record.key ?? '')?.publisher ?? ''
    // Asked before anything is read: most milestones are of publishers who want to hear nothing.
    if (!isPublisherId(publisher) || !hasCallback(publisher)) return
    const found = readSubmission(record)
    if (found === null || rankOf(found.data.state) === 0 || !isEventId(found.data.submissionId)) return
    const { event, data } = found
    const { partition } = await holdings.of(record.partition)
    const intent = { version: rankOf(data.state), kill: false, sequence: record.position, maybeSent: null }
    const cause = { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent }
    await partition.use(publisher, actor => actor.want(data.submissionId, intent, cause))
  }

  subscription = await log.subscribe({
    topic: topics.milestones.name,
    group: 'outlets-callbacks',
    from: 'end',
    batch: INTENTS_AT_ONCE,
    patienceMs: () => ([...configuration.current().publishers.keys()].some(hasCallback) ? PATIENCE_MS : UNWANTED_PATIENCE_MS),
    lane: record => String(record.partition),
    sessionTimeoutMs: engine.sessionTimeoutMs,
    onAssigned: holdings.onAssigned,
    handle: async records => {
      await Promise.all(records.map(take))
    },
  })
  return {
    subscription,
    holdings,
    sweep: async () => {
      for (const [, partition] of holdings.partitions())
        for (const [, actor] of partition.actors()) if (partition.isHeld()) await actor.sweep().catch(onError)
    },
  }
}
