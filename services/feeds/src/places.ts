/**
 * The places of articles in feeds, in SQLite beside the facets: a slot for every article that a feed ever matched, in order of first release.
 * A slot never goes away while the feed's rule stands, so an article that leaves the feed or is taken back moves no other one to
 * another page (architecture §6.10). Statements only; `facets.ts` calls them inside the transaction that applies facts.
 */
import type { DatabaseSync } from 'node:sqlite'
import { matches } from '@newswire/events/config'
import type { Facets, Fact } from '@newswire/events/fact'
import { type FeedPage, PAGE_SLOTS } from '@newswire/events/feed-page'
import type { Reach } from './pages.ts'
import { placeOf, type Rule } from './window.ts'

export const PLACES = `
CREATE TABLE place (
  feed TEXT NOT NULL, at TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL, released_at TEXT NOT NULL,
  PRIMARY KEY (feed, at DESC, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_by_time ON place (feed, released_at DESC, id) WHERE kind IN ('notice', 'purged');
CREATE TABLE day (feed TEXT NOT NULL, day TEXT NOT NULL, slots INTEGER NOT NULL, PRIMARY KEY (feed, day)) STRICT, WITHOUT ROWID;
CREATE TABLE dirty_day (feed TEXT NOT NULL, day TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (feed, day)) STRICT, WITHOUT ROWID;
CREATE TABLE kept_feed (feed TEXT PRIMARY KEY, rule TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE page (feed TEXT NOT NULL, page TEXT NOT NULL, claim TEXT NOT NULL, PRIMARY KEY (feed, page)) STRICT, WITHOUT ROWID;
`

/** What an article is in a feed. `out`: it left. `purged`: nothing of it may be shown on a page. Both keep their slot. */
type Kind = 'item' | 'notice' | 'out' | 'purged'
export type Slot = Readonly<{ articleId: string; version: number; kind: Kind }>

export type Placed = Readonly<{
  articleId: string
  version: number
  state: Fact['state']
  firstReleasedAt: string
  releasedAt: string
  now: Facets | null
  ever: Facets
}>

const FIRST = Date.parse('0000-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')

/** An instant as slots are ordered by it; `null` for what is none, or has no day of four-digit years: that article is on no page. */
const toSlotTime = (firstReleasedAt: string): string | null => {
  const at = Date.parse(firstReleasedAt)
  return at >= FIRST && at <= LAST ? new Date(at).toISOString() : null
}

/** The kind of slot an article has in a feed; `null` when the feed never matched it. Pure. */
const kindOf = (article: Pick<Placed, 'state' | 'now' | 'ever'>, rule: Rule): Kind | null => {
  const place = placeOf(article, rule)
  if (place === 'notice') return article.state === 'purged' ? 'purged' : 'notice'
  if (place === 'item') return 'item'
  return article.ever.public && matches(rule.feed.match, article.ever, rule.categories) ? 'out' : null
}

type Row = { id: string; version: number; kind: Kind }
const toSlot = ({ id, version, kind }: Row): Slot => ({ articleId: id, version, kind })
/** `T` is before `U`: all instants of a day are between the day and this. */
const endOf = (day: string): string => `${day}U`
const dayOf = (at: string): string => at.slice(0, 10)

export type Places = ReturnType<typeof openPlaces>

export const openPlaces = (db: DatabaseSync) => {
  const add = db.prepare('INSERT OR IGNORE INTO place (feed, at, id, kind, version, released_at) VALUES (?, ?, ?, ?, ?, ?)')
  const change = db.prepare('UPDATE place SET kind = ?, version = ?, released_at = ? WHERE feed = ? AND at = ? AND id = ? AND version < ?')
  const remove = db.prepare('DELETE FROM place WHERE feed = ? AND at = ? AND id = ?')
  const count = db.prepare(
    'INSERT INTO day (feed, day, slots) VALUES (?, ?, 1) ON CONFLICT (feed, day) DO UPDATE SET slots = slots + excluded.slots',
  )
  const uncount = db.prepare('UPDATE day SET slots = slots - 1 WHERE feed = ? AND day = ?')
  const soil = db.prepare('INSERT INTO dirty_day (feed, day, n) VALUES (?, ?, 1) ON CONFLICT (feed, day) DO UPDATE SET n = n + 1')
  const wash = db.prepare('DELETE FROM dirty_day WHERE feed = ? AND day = ? AND n = ?')
  const dirty = db.prepare('SELECT day, n FROM dirty_day WHERE feed = ? ORDER BY day')
  const newest = db.prepare("SELECT id, version, kind FROM place WHERE feed = ? AND kind = 'item' ORDER BY at DESC, id LIMIT ?")
  const notices = db.prepare(
    "SELECT id, version, kind FROM place WHERE feed = ? AND kind IN ('notice', 'purged') AND released_at >= ? ORDER BY released_at DESC, id LIMIT ?",
  )
  const slots = db.prepare(
    'SELECT id, version, kind FROM place WHERE feed = ? AND at >= ? AND at < ? ORDER BY at, id DESC LIMIT ? OFFSET ?',
  )
  const lead = db.prepare('SELECT at, id FROM place WHERE feed = ? ORDER BY at DESC, id LIMIT 1 OFFSET ?')
  const rank = db.prepare('SELECT count(*) AS n FROM place WHERE feed = ? AND at >= ? AND (at < ? OR (at = ? AND id >= ?))')
  const slotsOn = db.prepare('SELECT slots FROM day WHERE feed = ? AND day = ?')
  const dayBefore = db.prepare('SELECT day, slots FROM day WHERE feed = ? AND day < ? AND slots > 0 ORDER BY day DESC LIMIT 1')
  const dayAfter = db.prepare('SELECT day, slots FROM day WHERE feed = ? AND day > ? AND slots > 0 ORDER BY day LIMIT 1')
  const days = db.prepare('SELECT day, slots FROM day WHERE feed = ? AND day >= ? AND day <= ? AND slots > 0 ORDER BY day')
  const rules = db.prepare('SELECT feed, rule FROM kept_feed')
  const keep = db.prepare('INSERT INTO kept_feed (feed, rule) VALUES (?, ?) ON CONFLICT (feed) DO UPDATE SET rule = excluded.rule')
  const unkeep = db.prepare('DELETE FROM kept_feed WHERE feed = ?')
  const clear = ['place', 'day', 'dirty_day', 'page'].map(table => db.prepare(`DELETE FROM ${table} WHERE feed = ?`))
  const claims = db.prepare('SELECT page, claim FROM page WHERE feed = ?')
  const claim = db.prepare('SELECT claim FROM page WHERE feed = ? AND page = ?')
  const putClaim = db.prepare(
    'INSERT INTO page (feed, page, claim) VALUES (?, ?, ?) ON CONFLICT (feed, page) DO UPDATE SET claim = excluded.claim',
  )
  const dropClaim = db.prepare('DELETE FROM page WHERE feed = ? AND page = ?')
  const dropClaims = db.prepare('DELETE FROM page WHERE feed = ?')
  const soilAll = db.prepare(
    'INSERT INTO dirty_day (feed, day, n) SELECT feed, day, 1 FROM day WHERE feed = ? ON CONFLICT (feed, day) DO UPDATE SET n = n + 1',
  )

  const rankOf = (feed: string, at: string, articleId: string): number => (rank.get(feed, dayOf(at), at, at, articleId) as { n: number }).n

  return {
    /** Gives an article its slot, or changes what is in it; true when that is news. An older version changes nothing. */
    place: (article: Placed, rule: Rule): boolean => {
      const kind = kindOf(article, rule)
      const at = kind === null ? null : toSlotTime(article.firstReleasedAt)
      if (at === null || kind === null) return false
      const feed = rule.feed.id
      const { articleId, version, releasedAt } = article
      const added = add.run(feed, at, articleId, kind, version, releasedAt).changes > 0
      if (added) count.run(feed, dayOf(at))
      else if (change.run(kind, version, releasedAt, feed, at, articleId, version).changes === 0) return false
      soil.run(feed, dayOf(at))
      return true
    },
    /** For an article whose first release moved, which no desk does. */
    displace: (feed: string, articleId: string, firstReleasedAt: string): void => {
      const at = toSlotTime(firstReleasedAt)
      if (at === null || remove.run(feed, at, articleId).changes === 0) return
      uncount.run(feed, dayOf(at))
      soil.run(feed, dayOf(at))
    },
    newest: (feed: string, limit: number): readonly Slot[] => (newest.all(feed, limit) as Row[]).map(toSlot),
    notices: (feed: string, sinceAt: string, limit: number): readonly Slot[] => (notices.all(feed, sinceAt, limit) as Row[]).map(toSlot),
    /** At most a page of slots, the oldest first. */
    slotsOf: (feed: string, { day, part }: FeedPage, limit = PAGE_SLOTS): readonly Slot[] =>
      (slots.all(feed, day, endOf(day), limit, (part - 1) * PAGE_SLOTS) as Row[]).map(toSlot),
    /** The slot that `offset` newer ones come before: its day, how many slots of that day are not newer, and how many the day has. */
    leadOf: (feed: string, offset: number): Readonly<{ day: string; rank: number; slots: number }> | null => {
      const found = lead.get(feed, offset) as { at: string; id: string } | undefined
      if (found === undefined) return null
      const day = dayOf(found.at)
      return { day, rank: rankOf(feed, found.at, found.id), slots: (slotsOn.get(feed, day) as { slots: number }).slots }
    },
    /** The page that an article is on; `null` when the feed never matched it. */
    pageOf: (feed: string, articleId: string, firstReleasedAt: string): FeedPage | null => {
      const at = toSlotTime(firstReleasedAt)
      const known = at === null ? 0 : rankOf(feed, at, articleId)
      return at === null || known === 0 ? null : { day: dayOf(at), part: Math.ceil(known / PAGE_SLOTS) }
    },
    /** The page before one in the chain; `null` before the first. */
    pageBefore: (feed: string, { day, part }: FeedPage): FeedPage | null => {
      if (part > 1) return { day, part: part - 1 }
      const found = dayBefore.get(feed, day) as { day: string; slots: number } | undefined
      return found === undefined ? null : { day: found.day, part: Math.ceil(found.slots / PAGE_SLOTS) }
    },
    /** The page after one; `null` after the last that has a slot. */
    pageAfter: (feed: string, { day, part }: FeedPage): FeedPage | null => {
      const own = (slotsOn.get(feed, day) as { slots: number } | undefined)?.slots ?? 0
      if (part * PAGE_SLOTS < own) return { day, part: part + 1 }
      const found = dayAfter.get(feed, day) as { day: string } | undefined
      return found === undefined ? null : { day: found.day, part: 1 }
    },
    /** Pages of the days between two, both included, the oldest first, as far as the chain reaches. */
    pagesBetween: (feed: string, from: string, to: string, reach: Reach): readonly FeedPage[] =>
      (days.all(feed, from, to) as { day: string; slots: number }[]).flatMap(({ day, slots: own }) => {
        if (day > reach.page.day) return []
        const parts = day === reach.page.day ? reach.page.part : Math.ceil(own / PAGE_SLOTS)
        return Array.from({ length: parts }, (_, index) => ({ day, part: index + 1 }))
      }),
    dirtyDays: (feed: string): readonly Readonly<{ day: string; n: number }>[] => dirty.all(feed) as { day: string; n: number }[],
    soilAll: (feed: string): void => void soilAll.run(feed),
    soil: (feed: string, day: string): void => void soil.run(feed, day),
    /** Takes a mark away, unless the day was marked again since it was read. */
    wash: (feed: string, day: string, n: number): void => void wash.run(feed, day, n),
    rules: (): ReadonlyMap<string, string> => new Map((rules.all() as { feed: string; rule: string }[]).map(row => [row.feed, row.rule])),
    keep: (feed: string, rule: string): void => void keep.run(feed, rule),
    /** Forgets a feed with all its slots and claims. */
    forget: (feed: string): void => {
      unkeep.run(feed)
      for (const statement of clear) statement.run(feed)
    },
    claims: (feed: string): ReadonlyMap<string, string> =>
      new Map((claims.all(feed) as { page: string; claim: string }[]).map(row => [row.page, row.claim])),
    claimOf: (feed: string, page: string): string | null => (claim.get(feed, page) as { claim: string } | undefined)?.claim ?? null,
    putClaim: (feed: string, page: string, value: string): void => void putClaim.run(feed, page, value),
    dropClaim: (feed: string, page: string): void => void dropClaim.run(feed, page),
    dropClaims: (feed: string): void => void dropClaims.run(feed),
  }
}
