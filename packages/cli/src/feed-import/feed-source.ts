/**
 * A feed as the source of an import: the document at its address, then the archived ones behind it (RFC 5005 §4, JSON Feed `next_url`), each once. What is
 * nearer to the feed is the newer, so of an entry that comes again the first counts.
 */
import { setTimeout } from 'node:timers/promises'
import { sha256Hex } from '@newswire/events/ids'
import type { Outbound, OutboundResult } from '@newswire/outbound/outbound'
import type { Imported, Unreadable } from '../import-source.ts'
import { FailedError } from '../usage-error.ts'
import type { FeedEntry } from './feed-document.ts'
import { readFeed } from './read-feed.ts'
import { type Into, toArticle } from './to-article.ts'

/** The largest feed that we write ourselves is 15 MB. */
const MAX_BYTES = 20_000_000
const TIMEOUT_MS = 60_000
const REDIRECTS = 5
/** A hundred items each: a million articles. */
const MAX_DOCUMENTS = 10_000
/** Documents in a row without a new entry: archives overlap, but whoever counts up in an address never ends. */
const MAX_BARREN = 20
const TRIES = 3
const WAIT_MS = 1_000
const MAX_WAIT_MS = 60_000

const ACCEPT =
  'application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8'

type Needs = Readonly<{
  outbound: Pick<Outbound, 'request'>
  into: Omit<Into, 'host'>
  /** Called with what is no article on purpose ("taken back"). */
  onPassedOver: (kind: string) => void
  wait?: (ms: number) => Promise<unknown>
}>

/** Milliseconds that are worth waiting before it is asked again; `null` when asking again would change nothing. */
const waitBefore = (result: OutboundResult): number | null => {
  if (!result.ok) return result.kind === 'connect' || result.kind === 'ambiguous' ? WAIT_MS : null
  const { status, headers } = result.response
  if (status !== 429 && status < 500) return null
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, MAX_WAIT_MS) : WAIT_MS
}

/** A private feed of ours at its token's address (`/feeds/{feed}/~{token}/…`): what is before the token, and the token. */
const PRIVATE_FEED = /^(.*\/feeds\/[^/]+\/)~([^/]+)\//

/** An address as it may be told: who asks for a feed by a token has it in the query, before the host, or in the path of a private feed. */
export const toShown = (url: string): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname.replace(PRIVATE_FEED, '$1~/')}`
}

const whyNot = (result: OutboundResult): string => {
  if (!result.ok) return result.kind === 'too-large' ? `it is larger than ${MAX_BYTES / 1_000_000} MB` : result.message
  return `it answered ${result.response.status}`
}

/** Throws `FailedError` that names the address and why. */
const fetchDocument = async (
  url: string,
  { outbound, wait = setTimeout }: Needs,
): Promise<Readonly<{ bytes: Uint8Array; type: string }>> => {
  for (let attempt = 1; ; attempt++) {
    const result = await outbound.request({
      method: 'GET',
      url,
      headers: { accept: ACCEPT },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      redirects: REDIRECTS,
    })
    if (result.ok && result.response.status === 200)
      return { bytes: result.response.body, type: result.response.headers['content-type'] ?? '' }
    const waitMs = waitBefore(result)
    if (waitMs === null || attempt === TRIES)
      throw new FailedError(`${toShown(url)} cannot be read: ${whyNot(result)}`, { code: result.ok ? undefined : result.code })
    await wait(waitMs * attempt)
  }
}

/** What is behind `#` never reaches a server. */
const placeOf = (url: string): string => {
  const place = new URL(url)
  place.hash = ''
  return place.href
}

/** A private feed says the same to all who may read it, so it links its pages without a token: they are read by the one that the feed was read by. */
const byTheSameToken = (next: string, url: string): string => {
  const [, place = '', token] = PRIVATE_FEED.exec(url) ?? []
  return token !== undefined && next.startsWith(`${place}pages/`) ? `${place}~${token}/${next.slice(place.length)}` : next
}

const olderThan = (older: string | null, url: string, seen: ReadonlySet<string>): string | null => {
  const linked = older === null ? null : (URL.parse(older, url)?.href ?? null)
  const next = linked === null ? null : byTheSameToken(linked, url)
  if (next === null || seen.has(placeOf(next))) return null
  if (seen.size >= MAX_DOCUMENTS)
    throw new FailedError(
      `${toShown(url)} has more than ${MAX_DOCUMENTS} documents before it; import the older one that it names by itself to go on`,
    )
  return next
}

const toImported = (entry: FeedEntry, where: string, into: Into, notIn: string | null): Imported | Unreadable => {
  const made = toArticle(entry, into)
  // A letter cut in two at the end of another item's summary costs that one alone.
  if (made.ok && notIn !== null && JSON.stringify(made.article).includes('\ufffd'))
    return {
      where,
      reason: `its letters would come damaged: the feed is read as ${notIn}, and has others; ask its site to say which characters it is in`,
    }
  return made.ok ? { where, localId: made.localId, article: made.article, pictures: [] } : { where, reason: made.reason }
}

/** Every article of a feed and its archive, the newest first. Throws `FailedError` when a document cannot be had or is no feed. */
export const readFeedArticles = async function* (feedUrl: string, needs: Needs): AsyncGenerator<Imported | Unreadable> {
  const into: Into = { ...needs.into, host: new URL(feedUrl).host }
  const documents = new Set<string>()
  const entries = new Set<string>()
  let barren = 0
  for (let url: string | null = feedUrl; url !== null; ) {
    documents.add(placeOf(url))
    const { bytes, type } = await fetchDocument(url, needs)
    const read = readFeed(bytes, type)
    if (!read.ok) throw new FailedError(`${toShown(url)} is no feed that can be imported: ${read.reason}`)
    const known = entries.size
    for (const [index, entry] of read.feed.entries.entries()) {
      const identity = entry.id || entry.link
      // A feed may say ids of any length.
      const key = identity === '' ? null : sha256Hex(identity)
      if (key !== null && entries.has(key)) continue
      if (key !== null) entries.add(key)
      if (entry.isRetracted) needs.onPassedOver('taken back')
      else
        yield toImported(
          entry,
          `${toShown(url)} item ${index + 1}${identity === '' ? '' : ` (${identity.slice(0, 200)})`}`,
          into,
          read.notIn,
        )
    }
    barren = entries.size > known ? 0 : barren + 1
    if (barren > MAX_BARREN)
      throw new FailedError(`${MAX_BARREN} documents in a row brought nothing new, the last one ${toShown(url)}; it was left there`)
    url = olderThan(read.feed.older, url, documents)
  }
}
