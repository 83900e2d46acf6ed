/** Feeds as the public reads them (contract §5): what is answered is `feed-answer.ts`; here it is found, allowed, counted and sent. */
import { type FeedConfig, isPrivate } from '@newswire/events/config'
import { type FeedOutput, feedFiles, feedOutputs } from '@newswire/events/feed'
import { chooseType } from '@newswire/http/accept'
import { findEtag, parseHttpDate } from '@newswire/http/conditional'
import { ProblemError, problem } from '@newswire/http/problem'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import type { FeedHub } from '@newswire/runtime/feed-hub'
import { type FeedToken, requireAccess } from './access.ts'
import { notFound, notReady, notSure } from './answers.ts'
import { answerFeed, wantedCodings } from './feed-answer.ts'
import type { FeedCache } from './feed-cache.ts'
import type { FeedState } from './feed-state.ts'
import { askerOf } from './limits.ts'
import { toLink } from './pages/addresses.ts'
import type { Readers } from './readers.ts'

type FeedRouteNeeds = Readonly<{
  feeds: FeedCache
  configuration: Pick<Configuration, 'current'>
  readers: Readers
  proxies: number
  now: () => number
  /** What the holder of a token of a private feed may subscribe to it by (default: nothing). */
  capabilityOf?: FeedHub['capabilityOf']
}>

const outputOf = (file: string): FeedOutput | undefined => feedOutputs.find(one => feedFiles[one].name === file)

const gone = () => problem(410, 'NEWSWIRE_FEED_RETIRED', 'This feed has ended', 'take it off your list; /feeds has those there are')

/** By what a reader without a file's name asked for. A person gets the list of feeds, where the feed is for everybody. */
const OFFERS = {
  'application/rss+xml': 'rss',
  'application/atom+xml': 'atom',
  'application/feed+json': 'json',
  'application/xml': 'rss',
  'text/xml': 'rss',
  'application/json': 'json',
  'text/html': 'page',
} as const

/** How long whoever sent this condition may have been away; `null` when it says nothing. */
export const absenceOf = (headers: HttpRequest['headers'], state: FeedState, feeds: FeedCache, now: number): number | null => {
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': since } = headers
  if (ifNoneMatch !== undefined) {
    const past = feeds.past(state.feedId, state.output)
    const held = findEtag(ifNoneMatch, opaque => past !== null && past.find(opaque) !== null)
    const leftAt = held === null ? undefined : past?.find(held)?.leftAt
    return leftAt === undefined ? Number.POSITIVE_INFINITY : now - leftAt
  }
  const date = since === undefined ? Number.NaN : parseHttpDate(since)
  return Number.isNaN(date) ? null : now - date
}

export const addFeedRoutes = (app: HttpServer, { feeds, configuration, readers, proxies, now, capabilityOf }: FeedRouteNeeds): void => {
  const config = () => configuration.current()

  const findFeed = (feedId: string): FeedConfig => {
    const feed = config().feeds.get(feedId)
    if (feed !== undefined) return feed
    if (feeds.built(feedId) === null && !feeds.isReady()) throw notSure('whether there is such a feed')
    throw feeds.built(feedId) === null ? notFound('no such feed; /feeds lists them') : gone()
  }

  const stateOf = async (feedId: string, output: FeedOutput): Promise<FeedState> => {
    const state = await feeds.get(feedId, output)
    if (state === null) throw feeds.standing().from === 'log' ? notReady('feeds') : notSure('what this feed may show')
    return state
  }

  const count = (request: HttpRequest, state: FeedState, outcome: Parameters<Readers['polled']>[2]['outcome'], bytes: number) => {
    const at = now()
    const reader = readers.identify(askerOf(request, proxies), request.headers['user-agent'] ?? '')
    readers.polled(state.feedId, state.output, { outcome, bytes, reader, now: at })
    const absentMs = outcome === 'full' || outcome === 'delta' ? absenceOf(request.headers, state, feeds, at) : null
    if (absentMs !== null) readers.absent(state.feedId, absentMs, at)
  }

  type Wanted = Readonly<{ feed: FeedConfig; output: FeedOutput; token: FeedToken | null; negotiated?: string }>

  const send = async (request: HttpRequest, reply: HttpReply, { feed, output, token, negotiated = '' }: Wanted) => {
    const state = await stateOf(feed.id, output)
    for (const coding of wantedCodings(request.headers['accept-encoding'])) feeds.want(state, coding)
    const answer = await answerFeed({
      method: request.method,
      state,
      past: feeds.past(feed.id, output),
      headers: request.headers,
      publicUrl: config().site.publicUrl,
      isPrivate: isPrivate(feed),
      capability: token === null ? null : (capabilityOf?.(feed.id, token) ?? null),
      now: now(),
    })
    count(request, state, answer.outcome, request.method === 'HEAD' ? 0 : (answer.body?.length ?? 0))
    reply.status(answer.status).headers(answer.headers)
    if (negotiated !== '') reply.header('vary', `${negotiated}, ${answer.headers['vary']}`)
    if (isPrivate(feed)) reply.header('referrer-policy', 'no-referrer')
    return reply.send(answer.body ?? undefined)
  }

  const sendFile = (request: HttpRequest, reply: HttpReply, pathToken: string | null) => {
    const { feedId, file } = request.params as { feedId: string; file: string }
    const output = outputOf(file)
    if (output === undefined) throw notFound('no such file of a feed')
    const feed = findFeed(feedId)
    // A feed for everybody has one address: made-up keys must not fill caches with copies of it.
    if (pathToken !== null && !isPrivate(feed)) throw notFound('this feed is for everybody; leave the key out')
    const token = requireAccess(feed, request.headers.authorization, pathToken)
    return send(request, reply, { feed, output, token })
  }

  app.get('/feeds/:feedId/:file', async (request, reply) => sendFile(request, reply, null))
  app.get('/feeds/:feedId/:key/:file', async (request, reply) => {
    const { key } = request.params as { key: string }
    if (!key.startsWith('~')) throw notFound('there is nothing at this address')
    return sendFile(request, reply, key.slice(1))
  })

  app.get('/feeds/:feedId', async (request, reply) => {
    const { feedId } = request.params as { feedId: string }
    const feed = findFeed(feedId)
    const token = requireAccess(feed, request.headers.authorization, null)
    const { site } = config()
    // The list has no private feeds, so nobody is sent there for one.
    const offers = (Object.keys(OFFERS) as (keyof typeof OFFERS)[]).filter(one => OFFERS[one] !== 'page' || !isPrivate(feed))
    const type = chooseType(request.headers.accept, offers)
    if (type === null)
      throw new ProblemError({
        status: 406,
        code: 'NEWSWIRE_NOT_ACCEPTABLE',
        title: 'There is no such form of this feed',
        detail: `expected Accept to take one of ${offers.join(', ')}`,
        headers: { vary: 'accept' },
      })
    const offer = OFFERS[type]
    if (offer === 'page')
      return reply
        .header('vary', 'accept')
        .header('cache-control', 'no-cache')
        .redirect(toLink(site, `/feeds#${feed.id}`), 303)
    reply.header('content-location', toLink(site, `/feeds/${feed.id}/${feedFiles[offer].name}`))
    return send(request, reply, { feed, output: offer, token, negotiated: 'accept' })
  })
}
