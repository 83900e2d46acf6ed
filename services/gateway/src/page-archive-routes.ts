/**
 * The archive pages of feeds (RFC 5005, contract §5). Read from the store and kept within bounds; before each answer the store is asked for the
 * tag, so that a retraction that reached a page is what the next reader gets.
 */
import { type FeedConfig, isPrivate } from '@newswire/events/config'
import type { FeedFormat } from '@newswire/events/feed'
import { type FeedPage, pageType, parsePageFile, toPageFile } from '@newswire/events/feed-page'
import { ProblemError } from '@newswire/http/problem'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createRecent } from '@newswire/objects/recent'
import type { Configuration } from '@newswire/runtime/configuration'
import { requireAccess } from './access.ts'
import { bodyOf, notFound, notSure, sendRendered } from './answers.ts'
import { FEED_CACHE, PRIVATE_CACHE } from './headers.ts'
import { askerOf } from './limits.ts'
import { type RenderedPage, toRendered } from './page-cache.ts'
import type { Readers } from './readers.ts'

/** A page that another follows hardly ever changes; an hour, because when it does an article was taken back. */
const CLOSED_CACHE = 'public, max-age=3600, stale-while-revalidate=60, stale-if-error=86400'
/** Bytes of pages kept. */
const MAX_BYTES = 16 * 1024 * 1024
/** What a page says of itself stands before its items. */
const HEAD_BYTES = 8 * 1024

type Kept = Readonly<{ etag: string; page: RenderedPage; cache: string }>

const NEXT = { rss: /rel="next-archive"/, atom: /rel="next-archive"/, json: /"page":\{[^}]*"next":/ } as const satisfies Record<
  FeedFormat,
  RegExp
>

const toKept = (bytes: Uint8Array, etag: string, format: FeedFormat): Kept => {
  const text = Buffer.from(bytes).toString()
  const head = text.slice(0, HEAD_BYTES)
  // No `Last-Modified`: an article that leaves a page moves no date that the page says of itself, and one made again from state is the same page.
  const page = toRendered({ text, type: pageType(format), headers: {} })
  return { etag, page, cache: NEXT[format].test(head) ? CLOSED_CACHE : FEED_CACHE }
}

const gone = () =>
  new ProblemError({
    status: 410,
    code: 'NEWSWIRE_PAGE_GONE',
    title: 'This page is no more',
    detail: 'the feed was defined anew and its pages with it; begin again at the feed itself',
  })

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'head'>
  configuration: Pick<Configuration, 'current'>
  readers: Readers
  proxies: number
  now: () => number
  /** Whether everything that these bytes show may be shown; `null` while the log tells, so that pages are as they should be (default). */
  vouch?: () => ((output: FeedFormat, bytes: Uint8Array) => Promise<boolean>) | null
}>

export const addPageArchiveRoutes = (
  app: HttpServer,
  { objects, configuration, readers, proxies, now, vouch = () => null }: Needs,
): void => {
  const kept = createRecent<Kept>({ maxBytes: MAX_BYTES, sizeOf: ({ page }) => page.bytes.length })

  const load = async (feedId: string, page: FeedPage, format: FeedFormat): Promise<Kept> => {
    const key = keys.feedPage(feedId, toPageFile(page, format))
    const there = await objects.head(key)
    const before = kept.get(key)
    if (there !== null && before?.etag === there.etag) return before
    kept.delete(key)
    const found = there === null ? null : await objects.get(key)
    if (found === null) throw notFound('the feed has no such page; the feed itself links the newest')
    if (found.bytes.length === 0) throw gone()
    const one = toKept(found.bytes, found.etag, format)
    kept.set(key, one)
    return one
  }

  const count = async (request: HttpRequest, reply: HttpReply, feedId: string, page: RenderedPage) => {
    const { method, headers } = request
    const isUnchanged = reply.statusCode === 304
    const bytes = isUnchanged || method === 'HEAD' ? 0 : (await bodyOf(headers['accept-encoding'], page)).body.length
    const reader = readers.identify(askerOf(request, proxies), headers['user-agent'] ?? '')
    readers.polled(feedId, 'page', { outcome: isUnchanged ? 'unchanged' : 'full', bytes, reader, now: now() })
  }

  const send = async (request: HttpRequest, reply: HttpReply, pathToken: string | null) => {
    const { feedId, file } = request.params as { feedId: string; file: string }
    const feed: FeedConfig | undefined = configuration.current().feeds.get(feedId)
    const asked = parsePageFile(file)
    if (feed === undefined || asked === null) throw notFound('there is no such page of a feed')
    requireAccess(feed, request.headers.authorization, pathToken)
    const { page, cache } = await load(feedId, asked.page, asked.format)
    if ((await vouch()?.(asked.format, page.bytes)) === false) throw notSure('whether all on this page may still be shown')
    const sent = isPrivate(feed)
      ? await sendRendered(request, reply.header('referrer-policy', 'no-referrer'), page, PRIVATE_CACHE)
      : await sendRendered(request, reply, page, cache)
    await count(request, reply, feedId, page)
    return sent
  }

  app.get('/feeds/:feedId/pages/:file', async (request, reply) => send(request, reply, null))
  app.get('/feeds/:feedId/:key/pages/:file', async (request, reply) => {
    const { key } = request.params as { key: string }
    if (!key.startsWith('~')) throw notFound('there is nothing at this address')
    return send(request, reply, key.slice(1))
  })
}
