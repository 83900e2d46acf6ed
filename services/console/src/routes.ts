/** The operators' API (contract §8) and the console's page. */
import { createRequire } from 'node:module'
import { UnavailableError } from '@newswire/events/errors'
import { isArticleId, isEventId, sha256Hex } from '@newswire/events/ids'
import { authenticate } from '@newswire/http/auth'
import { notFound, problem } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import type { Log } from '@newswire/log/log'
import { readWanted } from '@newswire/objects/archive-wanted'
import { getArchived, listArchived } from '@newswire/objects/archived'
import type { Objects } from '@newswire/objects/objects'
import type { OpenPurge } from '@newswire/objects/open-purges'
import type { Configuration } from '@newswire/runtime/configuration'
import { keptFor } from '@newswire/runtime/kept-for'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import { articleStates } from '@newswire/trace/queries'
import type { Trace } from '@newswire/trace/trace'
import { readNothing } from './acts.ts'
import { addArchiveRoutes } from './archive-routes.ts'
import { addArticleRoutes } from './article-routes.ts'
import { addConfigRoutes } from './config-routes.ts'
import type { DeadLetters, Decided } from './dead-letters.ts'
import { keptWhileDear } from './dear.ts'
import { addEventRoutes } from './event-routes.ts'
import { addExplainRoutes } from './explain-routes.ts'
import type { Feeds } from './feeds.ts'
import type { LiveEvents } from './follow-events.ts'
import { countForAWhile, withHubSinks } from './hub-sinks.ts'
import { findMissedSecrets } from './made-secrets.ts'
import { toPurgeTrouble } from './open-purges.ts'
import { createStates, toPaused } from './outlet-list.ts'
import { addOutletRoutes } from './outlet-routes.ts'
import { addPages } from './pages.ts'
import { addProofRoutes } from './proof-routes.ts'
import type { Proofs } from './proofs.ts'
import { addRebuildRoutes } from './rebuild-routes.ts'
import { addReplayRoutes } from './replay-routes.ts'
import { addResendRoutes } from './resend-routes.ts'
import { readStages, toSentence } from './stages.ts'
import { readSubscribers } from './subscribers.ts'
import { addTokenRoutes } from './token-routes.ts'

type RouteNeeds = Readonly<{
  log: Log
  objects: Objects
  configuration: Configuration
  trace: Trace
  deadLetters: DeadLetters
  feeds: Feeds
  proofs: Proofs
  events: Pick<LiveEvents, 'open'>
  publish: Publish
  control: OutletControl
  /** What is wrong with the store, as a part of a sentence; asked as often as the page is. */
  storeTrouble: () => Promise<string | null>
  /** Purges by law that are not done for good. */
  purges: () => Promise<readonly OpenPurge[]>
  now: () => number
  consoleToken: string | null
  /** By what the tokens of a private feed are subscribed to it. */
  capabilitiesOf: (feedId: string) => readonly string[]
  /** Of the process that delivers; absent when that is another one. */
  secret?: (name: string) => string | undefined
}>

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

const TRACE_WAIT_MS = 2_000

/** The browser's own word first (Fetch Metadata), which also holds behind a proxy that names another host; `Origin` where it says nothing. */
const isOfForeignPage = ({ headers }: HttpRequest): boolean => {
  const { origin, host, 'sec-fetch-site': site } = headers
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
}

/**
 * With a token set, the API wants it. Without one only this machine can connect, but a page in its browser can too: a change must be JSON,
 * which no page can send elsewhere without asking first, and from no page of another site, and the name must be this machine's, so that no foreign name may point here.
 */
const guard = (request: HttpRequest, consoleToken: string | null): void => {
  if (consoleToken !== null) {
    authenticate(request.headers.authorization, [{ sha256: sha256Hex(consoleToken) }], 'newswire console')
    return
  }
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(name))
    throw problem(403, 'NEWSWIRE_CONSOLE_HOST', 'Not under this name', 'without a token the console answers on this machine only')
  if (request.method === 'GET' || request.method === 'HEAD') return
  if (isOfForeignPage(request))
    throw problem(
      403,
      'NEWSWIRE_CONSOLE_ORIGIN',
      'Not from a page of another site',
      'a change must come from the console itself, or from no browser at all',
    )
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw problem(415, 'NEWSWIRE_MEDIA_TYPE', 'This media type is not taken here', 'a change must come as application/json')
}

/** An empty list would say that nothing is in a state that there is not. */
const checkState = (state: string): void => {
  if (state === '' || articleStates.includes(state)) return
  throw problem(
    400,
    'NEWSWIRE_REQUEST',
    'The request cannot be read',
    `expected state to be one of ${articleStates.join(', ')}, found ${JSON.stringify(state.slice(0, 80))}`,
  )
}

const limitOf = (request: HttpRequest, fallback: number): number => {
  const { limit } = request.query as { limit?: string }
  const number = Number(limit ?? fallback)
  return Number.isInteger(number) && number > 0 ? Math.min(number, 500) : fallback
}

/** The overview is what is looked at when log or store is away, so it says what is known without them. */
const whenAway = (error: unknown): null => {
  if (error instanceof UnavailableError) return null
  throw error
}

export const addRoutes = (app: HttpServer, needs: RouteNeeds): void => {
  const { log, objects, configuration, trace, deadLetters, feeds, publish, control, now, consoleToken } = needs
  app.addHook('onRequest', async request => {
    // By the route that was found, not by the address as it was written: the router also takes `/%761/…` for `/v1/…`.
    if (request.routeOptions.url?.startsWith('/v1/')) guard(request, consoleToken)
  })

  addPages(app)

  const current = async () => {
    await trace.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch(() => undefined)
    return trace
  }
  const articleIdOf = (request: HttpRequest): string => {
    const { articleId } = request.params as { articleId: string }
    if (!isArticleId(articleId)) throw notFound('no article has such an id')
    return articleId
  }

  const subscribersOf = (feedId: string) =>
    readSubscribers(objects, {
      feedId,
      publicUrl: configuration.current().site.publicUrl,
      nowMs: now(),
      capabilities: needs.capabilitiesOf(feedId),
    })
  const countSubscribers = countForAWhile(subscribersOf, now)
  const stagesNow = keptFor(1_000, () => readStages(log))
  const statesNow = keptFor(1_000, createStates(objects))
  const { secret } = needs
  const missedNow =
    secret &&
    keptFor(1_000, () => {
      const { publishers, outlets } = configuration.current()
      const config = { publishers: [...publishers.values()], outlets: [...outlets.values()] }
      return findMissedSecrets({ objects, config, secret, nowMs: now() })
    })
  // A store that is away says so by itself.
  const archiveTrouble = keptFor(1_000, () =>
    readWanted(objects).then(
      found => found?.value.trouble ?? null,
      () => null,
    ),
  )
  const dearOverview = keptWhileDear<ReturnType<Trace['overview']>>()
  const dearArticles = keptWhileDear<ReturnType<Trace['articles']>>()

  /** How many were open when the store last said so: it alone knows what was decided. */
  let knownOpen = 0
  const openNow = async (): Promise<number> => {
    knownOpen = (await deadLetters.open().catch(whenAway)) ?? knownOpen
    return knownOpen
  }

  app.get('/v1/overview', async () => {
    const [stages, open, store, archive, states, missed] = await Promise.all([
      stagesNow().catch(whenAway),
      openNow(),
      needs.storeTrouble(),
      archiveTrouble(),
      statesNow().catch(() => new Map()),
      missedNow?.().catch(whenAway),
    ])
    const purges = toPurgeTrouble(await needs.purges().catch(() => []), now())
    const paused = toPaused(configuration.current().outlets, states)
    const overview = dearOverview('', () => trace.overview(now()))
    return {
      version,
      ...toSentence(stages, { ...overview, store, purges, archive, paused, deadLetters: open }),
      ...overview,
      stages: stages ?? [],
      deadLetters: open,
      ...missed,
      at: new Date(now()).toISOString(),
    }
  })
  app.get('/v1/articles', async request => {
    const asked = request.query as Record<string, unknown>
    // A name given twice comes as a list, and says nothing.
    const named = ['q', 'state'].filter(name => typeof asked[name] === 'string')
    if (typeof asked['state'] === 'string') checkState(asked['state'])
    const query = { ...Object.fromEntries(named.map(name => [name, String(asked[name])])), limit: limitOf(request, 50) }
    const known = await current()
    return dearArticles(JSON.stringify(query), () => known.articles(query))
  })
  app.get('/v1/articles/:articleId/trace', async request => {
    const found = (await current()).article(articleIdOf(request))
    if (found === null) throw notFound('nothing was ever submitted under this id')
    const [shown, proof] = await Promise.all([withHubSinks(found, countSubscribers), needs.proofs.of(found.articleId)])
    if (proof === null) return shown
    const { verdict, sentence, checkedAt, provedAt } = proof
    return { ...shown, retraction: { verdict, sentence, checkedAt, provedAt } }
  })
  app.get('/v1/articles/:articleId/versions', async request => {
    const articleId = articleIdOf(request)
    const versions = await listArchived(objects, articleId)
    if (versions.length === 0 && (await current()).article(articleId) === null) throw notFound('nothing was ever submitted under this id')
    return { articleId, versions }
  })
  app.get('/v1/articles/:articleId/versions/:version', async request => {
    const { version } = request.params as { version: string }
    const found = /^\d{1,9}$/.test(version) ? await getArchived(objects, articleIdOf(request), Number(version)) : null
    if (found === null) throw notFound('no such version is archived')
    return found
  })
  app.get('/v1/lag', async () => stagesNow())
  app.get('/v1/feeds/:feedId/subscribers', async request => {
    const { feedId } = request.params as { feedId: string }
    if (!configuration.current().feeds.has(feedId)) throw notFound('there is no such feed')
    return subscribersOf(feedId)
  })
  app.get('/v1/feeds', async () => {
    await feeds.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch(() => undefined)
    return feeds.list(configuration.current().feeds.values())
  })

  addConfigRoutes(app, { objects, publish, now, ...(needs.secret === undefined ? {} : { secret: needs.secret }) })
  addExplainRoutes(app, { objects, current })
  addOutletRoutes(app, { log, objects, configuration, trace, control, statesNow, now })
  addReplayRoutes(app, { objects, configuration, control })
  addProofRoutes(app, { proofs: needs.proofs, caughtUp: current })
  addTokenRoutes(app, { objects, configuration, publish, now })
  addArchiveRoutes(app, { objects })
  addArticleRoutes(app, { objects, trace, publish, now })
  addEventRoutes(app, needs.events)
  addResendRoutes(app, { objects, configuration, publish, trace, now })
  addRebuildRoutes(app, { objects, configuration, publish, now })

  app.get('/v1/dead-letters', async request => {
    const { after, state } = request.query as { after?: unknown; state?: unknown }
    if (state !== undefined && state !== 'open')
      throw problem(400, 'NEWSWIRE_REQUEST', 'The request cannot be read', 'expected state to be open, or none for all')
    if (after !== undefined && (typeof after !== 'string' || !isEventId(after))) throw notFound('no dead letter has the id of `after`')
    const which = { limit: limitOf(request, 100), openOnly: state === 'open' }
    const found = await deadLetters.list(after === undefined ? which : { ...which, after })
    if (found === null) throw notFound('no dead letter has the id of `after`')
    return found
  })
  app.get('/v1/dead-letters/:id', async request => {
    const { id } = request.params as { id: string }
    const found = isEventId(id) ? await deadLetters.show(id) : null
    if (found === null) throw notFound('no dead letter has this id')
    const { value, ...rest } = found
    return { ...rest, value: value === null ? null : Buffer.from(value).toString('base64'), text: value === null ? null : readable(value) }
  })
  const decide = (act: (id: string) => Promise<Decided>) => async (request: HttpRequest) => {
    const { id } = request.params as { id: string }
    readNothing(request, 'decision')
    await deadLetters.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch(() => undefined)
    const decided = isEventId(id) ? await act(id) : 'unknown'
    if (decided === 'unknown') throw notFound('no dead letter has this id')
    if (decided === 'already-discarded')
      throw problem(409, 'NEWSWIRE_DEAD_LETTER_DISCARDED', 'It was discarded', 'a discarded dead letter stays as it is')
    if (decided === 'changed-meanwhile')
      throw problem(
        409,
        'NEWSWIRE_DEAD_LETTER_RACE',
        'Somebody else decided',
        'another decision on this dead letter came at the same moment; look at it again',
      )
    return { id, decided }
  }
  app.post('/v1/dead-letters/:id/redrive', decide(deadLetters.redrive))
  app.post('/v1/dead-letters/:id/discard', decide(deadLetters.discard))
}

const MAX_TEXT = 20_000
/** The bytes as text for a person, when they are text. */
const readable = (value: Uint8Array): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value).slice(0, MAX_TEXT)
  } catch {
    return null
  }
}
