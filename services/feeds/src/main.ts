/** feeds: keeps every feed equal to the current state of the articles that match it. Topics, limits and failure modes: README.md. */
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { codeOf, messageOf } from '@newswire/events/errors'
import { toPageName } from '@newswire/events/feed-page'
import { topics } from '@newswire/events/topics'
import { publishEvents } from '@newswire/log/events'
import type { Log, LogRecord } from '@newswire/log/log'
import { createRounds } from '@newswire/runtime/rounds'
import type { StartService } from '@newswire/runtime/service'
import { type Built, createBuilder } from './build.ts'
import { openFacetView } from './facets.ts'
import { onArticles } from './fan-out.ts'
import { createFragmentCache } from './fragments.ts'
import { createHistory, PAGES_AT_ONCE } from './history.ts'
import { onFeedChanged } from './on-feed-changed.ts'
import { followLoop, restAfter } from './pace.ts'
import { createPageWriter } from './page-writer.ts'
import { createProfiles } from './profile.ts'
import { startRebuild } from './rebuild.ts'
import { noticeMsFor, readReaders } from './retention.ts'
import { createStates } from './states.ts'
import { collect, lookAt, sweep } from './sweep.ts'
import { visibleAfter } from './visible.ts'

const SWEEP_MS = 5 * 60_000
const SWEEP_RETRY_MS = 5_000
/** Of the event loop, for all building together: in `newswire up` it is shared with seven other services. */
const SHARE = { embedded: 0.15, kafka: 0.3 } as const
/** The same for pages while feeds are built. When none is, pages are written without rest. */
const PAGES_SHARE = { embedded: 0.03, kafka: 0.03 } as const
/** And while feeds are built, or rest, only for an import, whose pages these are. */
const PAGES_SHARE_OF_IMPORT = 0.25
/** Beside builds at least so long, milliseconds: one article in a hundred feeds is a hundred looks, which can come after the hundred builds. */
const PAGES_REST_MS = 50
/**
 * Of a feed that an import changes, ms: built for each article of it, feeds took more of the loop than all else. On Kafka a build may begin before its intent, and
 * what is begun does not see who comes behind it.
 */
const QUIET_REST_MS = 300
/** Facts fanned out at once where their intents wait for company. */
const FACTS_AT_ONCE = 64
/** Facts read for pages, kept for the page beside: a page needs each once. */
const PAGE_STATES_BYTES = 4 * 1_048_576

export const start: StartService = async ({ settings, log, objects, configuration, logger, metrics, now }) => {
  const durations = metrics.histogram('newswire_feed_build_duration_seconds', 'Time to put one format of a feed together.', ['format'])
  const lastBuilt = metrics.gauge('newswire_feed_last_built_timestamp_seconds', 'When a feed was last written.', ['feed'])
  const visible = metrics.histogram('newswire_publish_to_visible_seconds', 'From taken at the front door to held by the sink.', ['sink'])
  const setAside = metrics.gauge(
    'newswire_feed_quarantined_articles',
    'Articles that a feed is shown without because they cannot be rendered.',
    ['feed'],
  )

  const pagesWritten = metrics.counter('newswire_feed_pages_written_total', 'Archive pages of which a file had to be written.', ['feed'])

  const publish = publishEvents(log)
  /** Whether builds begin before their intents are in the log: on the embedded one those are there within a moment. */
  const isAhead = log.kind === 'kafka'
  const states = createStates({ objects })
  const pageStates = createStates({ objects, maxBytes: PAGE_STATES_BYTES })
  const stopping = new AbortController()
  const fragments = createFragmentCache()
  const profileOf = createProfiles()
  const view = await openFacetView({
    log,
    file: join(settings.dataDir, 'views', 'feeds-facets.db'),
    configuration,
    onPoison: details => logger.warn(details, 'record.skipped'),
  })
  let building = 0
  let buildingUntold = 0
  /** Aborted when no feed is being built or rests any more: pages that rest for it go on. */
  let quiet = new AbortController()
  const ofLoop = (share: Readonly<Record<Log['kind'], number>>) =>
    log.kind === 'embedded' ? followLoop(share.embedded) : () => share.kafka
  const pagesShare = ofLoop(PAGES_SHARE)
  let isHeld = (_feedId: string): boolean => false
  const history = createHistory({
    objects,
    view,
    writer: createPageWriter({
      objects,
      places: view.places,
      states: pageStates,
      fragments,
      profileOf,
    }),
    configuration,
    profileOf,
    isHeld: feedId => isHeld(feedId),
    now,
    rest: async busyMs => {
      if (building === 0 && buildingUntold === 0) return setImmediate()
      const restMs =
        building === 0
          ? restAfter({ busyMs, active: PAGES_AT_ONCE, share: PAGES_SHARE_OF_IMPORT })
          : Math.max(PAGES_AT_ONCE * PAGES_REST_MS, restAfter({ busyMs, active: PAGES_AT_ONCE, share: pagesShare() }))
      await setTimeout(restMs, undefined, { signal: AbortSignal.any([stopping.signal, quiet.signal]) }).catch(() => undefined)
    },
    askForLink: async (feedId, reach) => {
      const why = reach === null ? 'unlink' : `${toPageName(reach.page)}?n=${reach.slots}`
      // Quiet: whoever was just told of the articles would be sent the whole feed once more, for an address that they need not follow.
      await publish([lookAt(feedId, new Date(now()).toISOString(), why, { quiet: true })])
    },
    retryMs: SWEEP_RETRY_MS * settings.retryScale,
    onError: (feedId, error) => logger.warn({ feedId, code: codeOf(error), reason: messageOf(error) }, 'page.failed'),
    onWritten: feedId => pagesWritten.inc({ feed: feedId }),
  })
  // Until the view has caught up, a page would be written again with every few articles of its day.
  const early = new Set<string>()
  view.onPlaced(feedIds => {
    if (view.projection.isReady()) history.touch(feedIds)
    else for (const feedId of feedIds) early.add(feedId)
  })
  void view.projection.ready.then(() => history.touch(early))

  const builder = createBuilder({
    objects,
    states,
    fragments,
    profileOf,
    archiveOf: history.reachOf,
    onRendered: (format, ms) => durations.observe(ms / 1000, { format }),
  })
  const onBuilt = (feedId: string, built: Built) => {
    history.linked(feedId, built.window.archive)
    setAside.set(built.quarantined.size, { feed: feedId })
    if (!built.written) return
    lastBuilt.set(now() / 1000, { feed: feedId })
    for (const fact of built.entered) {
      const seconds = visibleAfter(fact, now())
      if (seconds !== null) visible.observe(seconds, { sink: 'feed' })
    }
  }

  const work = onFeedChanged({
    builder,
    beside: {
      takeDown: async (feedId, facts) => {
        await view.projection.ready
        await history.takeDown(feedId, facts)
      },
      forget: async feedId => {
        // Not only begun: what the feed shows already, and the view has not read yet, would be dropped.
        await view.projection.caughtUp(stopping.signal)
        const { feeds, categories } = configuration.current()
        const feed = feeds.get(feedId)
        if (feed === undefined) return new Map()
        const rule = { feed, categories }
        await view.ensure([rule])
        const noticeMs = noticeMsFor(await readReaders(objects, feedId), new Date(now()).toISOString())
        const wanted = collect(view, rule, { asOf: new Date(now()).toISOString(), noticeMs })
        return new Map(wanted.map(one => [one.articleId, one.version]))
      },
      remade: async (feedId, id, changed) => {
        const total = history.pageCount(feedId)
        history.rebuild(feedId, await startRebuild(objects, { id, feedId, changed, total, now }))
      },
    },
    publish,
    configuration,
    logger,
    now,
    share: ofLoop(SHARE),
    quietRestMs: isAhead ? 0 : QUIET_REST_MS,
    stopping: stopping.signal,
    onBuilt,
    onActive: (told, untold) => {
      building = told
      buildingUntold = untold
      if (told + untold > 0) return
      quiet.abort()
      quiet = new AbortController()
    },
  })

  const fanOut = await log.subscribe({
    topic: topics.articles.name,
    group: 'feeds',
    ...(isAhead
      ? { concurrency: FACTS_AT_ONCE }
      : // One lane a partition: facts that wait are fanned out in one publishing, still in order.
        { concurrency: 12, lane: (record: LogRecord) => String(record.partition), batch: 64 }),
    handle: onArticles({
      publish,
      configuration,
      offer: fact => {
        states.offer(fact)
        pageStates.offer(fact)
      },
      begin: intents => {
        const held = isAhead ? intents.filter(one => isHeld(one.data.feedId)) : []
        work.begin(held)
        return held.length > 0 && held.length === intents.length
      },
    }),
  })

  /** Partitions may be told of before the subscription is there to be asked for them: until then no feed seems to be held. */
  const subscribed = Promise.withResolvers<void>()
  const sweeper = createRounds({
    run: async () => {
      await subscribed.promise
      // What was fanned out under the configuration before must be in the view, or a changed filter would not find it.
      await view.projection.caughtUp(stopping.signal)
      const intents = await sweep({ objects, view, history, configuration, publish, isHeld: feedId => isHeld(feedId), now })
      logger.debug({ intents }, 'feeds.swept')
    },
    everyMs: SWEEP_MS * settings.retryScale,
    retryMs: SWEEP_RETRY_MS * settings.retryScale,
    onError: error => {
      if (!stopping.signal.aborted) logger.warn({ code: codeOf(error), reason: messageOf(error) }, 'sweep.failed')
    },
  })

  const builds = await log.subscribe({
    topic: topics.feedChanges.name,
    group: 'feeds-build',
    // Resting feeds hold a place each, and no feed may wait for the rest of others; how many build at once is decided there.
    concurrency: 1024,
    batch: 1000,
    maxBuffered: 10_000,
    handle: work.handle,
    onWaiting: work.onWaiting,
    onAssigned: async () => {
      // Whoever held a partition meanwhile may have written its feeds.
      work.forget()
      builder.forget()
      history.forget()
      sweeper.request()
    },
  })
  isHeld = feedId => {
    const partition = log.partitionOf(topics.feedChanges.name, feedId)
    return builds.partitions().some(held => held.partition === partition)
  }
  subscribed.resolve()
  const stopListening = configuration.onChange(changed => {
    if (changed.has('feeds') || changed.has('categories') || changed.has('site') || changed.has('publishers')) sweeper.request()
  })
  // With the first partitions that are held; who gets none sweeps when its turn comes all the same.
  sweeper.later()
  logger.info({ feeds: configuration.current().feeds.size }, 'service.started')

  let stopped: Promise<void> | null = null
  const stop = async (): Promise<void> => {
    stopListening()
    stopping.abort()
    await sweeper.stop()
    await history.stop()
    await Promise.all([fanOut.stop(), builds.stop()])
    await work.idle()
    await view.projection.stop()
  }

  return {
    name: 'feeds',
    readiness: () => {
      const failure = view.projection.failure()
      const ready = failure === null && fanOut.stats().unavailableSinceMs === null && builds.stats().unavailableSinceMs === null
      return { ready, detail: { fanOut: fanOut.stats(), builds: builds.stats(), view: failure?.message ?? view.projection.isReady() } }
    },
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
