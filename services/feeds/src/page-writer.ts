/**
 * Writes one page of a feed: its slots from the view, the articles of these from state, three files.
 *
 * Tags of the files are read before the states, and each file is put under its tag: whoever writes one in between makes ours fail, and we
 * begin again (architecture §6.20). What a crash or a second writer leaves:
 * - Killed between two files: the claim is not there, so the day is still marked, and the page is looked at again.
 * - Two at once: one loses at a tag and starts over; both write what state says.
 * - A writer that stalls with old states and finds the tag it holds (nothing differed meanwhile): its page is older than state until the next
 *   sweep, which compares the tags that were claimed with those that are there.
 * Bytes that are there already are not written, so no tag and no date moves for nothing.
 */
import { RejectError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { type FeedFormat, feedFormats } from '@newswire/events/feed'
import { type FeedPage, pageType, toPageFile, toPageName } from '@newswire/events/feed-page'
import { sha256Hex } from '@newswire/events/ids'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { z } from 'zod'
import { type FragmentCache, renderForPage } from './fragments.ts'
import { toPageShell } from './history-links.ts'
import type { Profile } from './item.ts'
import { type Joinable, joinFeed, toCheckedShell } from './outputs.ts'
import { startWork } from './pace.ts'
import { isSamePage, isWithin, leadOffset, type Reach, reachOf, toPageLink } from './pages.ts'
import type { Places, Slot } from './places.ts'
import type { States } from './states.ts'
import { facetsOf, newestOf, placeOf, type Rule } from './window.ts'

const claimedFile = z.object({ etag: z.string(), sha256: z.string() })
/** What this process holds for true of a page's files. Lost or wrong, it costs a look, never a page. */
const claim = z.object({
  input: z.string(),
  shape: z.string(),
  files: z.object({ rss: claimedFile, atom: claimedFile, json: claimedFile }),
})
type Claim = z.output<typeof claim>

export const parseClaim = (json: string | null | undefined): Claim | null =>
  json === null || json === undefined ? null : (claim.safeParse(JSON.parse(json)).data ?? null)

/** All that decides the bytes of a page but the states of its articles, of which it names the versions. */
type Plan = Readonly<{
  page: FeedPage
  slots: readonly Slot[]
  prev: FeedPage | null
  next: FeedPage | null
  /** A hash of what the feed itself gives to every one of its pages. */
  shape: string
  input: string
}>

export const shapeOf = ({ feed }: Rule, { site }: ConfigSnapshot, profile: Profile): string =>
  sha256Hex(
    JSON.stringify([
      profile.key,
      feed.id,
      feed.title,
      feed.description,
      feed.language,
      feed.profile,
      site.id,
      site.title,
      site.language,
      site.publicUrl,
    ]),
  ).slice(0, 16)

export const reachIn = (places: Places, { feed }: Rule): Reach | null => reachOf(places.leadOf(feed.id, leadOffset(feed.limit)), feed.limit)

/** `null` for a page that the chain does not reach. */
const planPage = (places: Places, rule: Rule, page: FeedPage, shape: string): Plan | null => {
  const reach = reachIn(places, rule)
  if (reach === null || !isWithin(page, reach)) return null
  const isHead = isSamePage(page, reach.page)
  const feedId = rule.feed.id
  const slots = places.slotsOf(feedId, page, isHead ? reach.slots : undefined)
  const prev = places.pageBefore(feedId, page)
  const next = isHead ? null : places.pageAfter(feedId, page)
  const named = (one: FeedPage | null) => (one === null ? null : toPageName(one))
  const input = sha256Hex(JSON.stringify([shape, named(prev), named(next), slots.map(one => [one.articleId, one.version, one.kind])]))
  return { page, slots, prev, next, shape, input: input.slice(0, 32) }
}

/** Fragments rendered before the event loop gets a turn. */
const RENDERED_IN_A_ROW = 10
/** Losing this often in a row means that two processes believe that they own the feed. */
const ROUNDS = 5

type WrittenPage = Readonly<{ written: boolean; busyMs: number }>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'head' | 'put'>
  places: Places
  /** Not the builder's: a page of old articles must not push out what the feeds show. */
  states: States
  fragments: Pick<FragmentCache, 'get'>
  profileOf: (snapshot: ConfigSnapshot, feed: Rule['feed']) => Profile
}>

type Shown = Readonly<{ releasedAt: string; fragments: Joinable }>
type Tags = Readonly<Record<FeedFormat, string | null>>

export type PageWriter = Readonly<{
  /** Makes a page's files what state says, whatever was claimed of them. `null` when the chain does not reach it. Safe to repeat. */
  write(page: FeedPage, rule: Rule, snapshot: ConfigSnapshot): Promise<WrittenPage | null>
  /** A fact that is newer than what the view knows. */
  offer(fact: Fact): void
  /** Whether what is claimed of a page follows from what is known now. */
  isClaimed(page: FeedPage, rule: Rule, snapshot: ConfigSnapshot): boolean
}>

export const createPageWriter = ({ objects, places, states, fragments, profileOf }: Needs): PageWriter => {
  /** A page shows nothing of what left the feed or was purged. */
  const isShown = (fact: Fact, rule: Rule): boolean => {
    const now = fact.state === 'live' ? facetsOf(fact) : null
    return fact.state !== 'purged' && placeOf({ state: fact.state, now, ever: fact.facetsEver }, rule) !== 'out'
  }
  /** Without what cannot be rendered. */
  const show = (facts: readonly Fact[], profile: Profile): readonly Shown[] =>
    facts.flatMap(fact => {
      const found = fragments.get(profile, fact.articleId, fact.version) ?? renderForPage(fact, profile)
      return found.ok ? { releasedAt: fact.releasedAt, fragments: found } : []
    })

  /** Newest first, as in the feed. */
  const showAll = async (plan: Plan, rule: Rule, profile: Profile, spent: (ms: number) => void): Promise<readonly Shown[]> => {
    const wanted = plan.slots.filter(slot => slot.kind === 'item' || slot.kind === 'notice')
    const read = await states.getAll(new Map(wanted.map(slot => [slot.articleId, slot.version])))
    const facts = wanted.flatMap(({ articleId, version }) => {
      const fact = read.get(articleId)
      return fact && !(fact instanceof RejectError) && fact.version >= version && isShown(fact, rule) ? fact : []
    })
    const shown: Shown[] = []
    for (let from = 0; from < facts.length; from += RENDERED_IN_A_ROW) {
      const took = startWork()
      shown.push(...show(facts.slice(from, from + RENDERED_IN_A_ROW), profile))
      spent(took())
      await new Promise(setImmediate)
    }
    return shown.reverse()
  }

  const readTags = async (feedId: string, page: FeedPage): Promise<Tags> => {
    const read = async (format: FeedFormat) => (await objects.head(keys.feedPage(feedId, toPageFile(page, format))))?.etag ?? null
    const [rss, atom, json] = await Promise.all([read('rss'), read('atom'), read('json')])
    return { rss, atom, json }
  }

  type File = Readonly<{ etag: string; sha256: string; written: boolean }>

  /** `null` when somebody else was there first. */
  const put = async (key: string, bytes: Uint8Array, tag: string | null, before: Claim['files']['rss'] | undefined, format: FeedFormat) => {
    const sha256 = sha256Hex(bytes)
    if (tag !== null && before?.etag === tag && before.sha256 === sha256) return { etag: tag, sha256, written: false } satisfies File
    // What is there is other than claimed: then it may be right all the same.
    if (tag !== null && before?.etag !== tag) {
      const there = await objects.get(key)
      if (there?.etag === tag && sha256Hex(there.bytes) === sha256) return { etag: tag, sha256, written: false } satisfies File
    }
    const result = await objects.put(key, bytes, {
      contentType: pageType(format),
      cacheControl: 'public, max-age=60',
      durable: false,
      sha256,
      ...(tag === null ? { ifNoneMatch: '*' } : { ifMatch: tag }),
    })
    return result.ok ? ({ etag: result.etag, sha256, written: true } satisfies File) : null
  }

  const writeOnce = async (plan: Plan, tags: Tags, rule: Rule, snapshot: ConfigSnapshot): Promise<WrittenPage | null> => {
    let busyMs = 0
    const spent = (ms: number) => {
      busyMs += ms
    }
    const { page } = plan
    const shown = await showAll(plan, rule, profileOf(snapshot, rule.feed), spent)
    const joining = startWork()
    const link = (one: FeedPage | null) => (one === null ? null : toPageLink(one, null))
    const updatedAt = newestOf(shown)
    const shell = toPageShell(rule.feed, snapshot.site, { page, updatedAt, prev: link(plan.prev), next: link(plan.next) })
    const before = parseClaim(places.claimOf(rule.feed.id, toPageName(page)))
    const made = feedFormats.map(format => ({
      format,
      bytes: joinFeed(
        toCheckedShell(shell, format),
        shown.map(one => one.fragments),
        format,
      ),
    }))
    spent(joining())
    const written = await Promise.all(
      made.map(async ({ format, bytes }) => {
        const key = keys.feedPage(rule.feed.id, toPageFile(page, format))
        return [format, await put(key, bytes, tags[format], before?.files[format], format)] as const
      }),
    )
    const done = written.flatMap(([format, file]) => (file === null ? [] : [[format, file] as const]))
    if (done.length < written.length) return null
    const files = Object.fromEntries(done)
    places.putClaim(rule.feed.id, toPageName(page), JSON.stringify({ input: plan.input, shape: plan.shape, files }))
    return { written: done.some(([, file]) => file.written), busyMs }
  }

  return {
    write: async (page, rule, snapshot) => {
      const shape = shapeOf(rule, snapshot, profileOf(snapshot, rule.feed))
      for (let round = 1; round <= ROUNDS; round += 1) {
        const tags = await readTags(rule.feed.id, page)
        const plan = planPage(places, rule, page, shape)
        if (plan === null) return null
        const done = await writeOnce(plan, tags, rule, snapshot)
        if (done !== null) return done
      }
      throw new Error(
        `page ${toPageName(page)} of feed ${rule.feed.id} was written by another builder ${ROUNDS} times in a row; look at which processes hold its partition`,
      )
    },
    offer: states.offer,
    isClaimed: (page, rule, snapshot) => {
      const plan = planPage(places, rule, page, shapeOf(rule, snapshot, profileOf(snapshot, rule.feed)))
      return plan === null || parseClaim(places.claimOf(rule.feed.id, toPageName(page)))?.input === plan.input
    },
  }
}
