/**
 * Keeps the pages of the feeds whose partition is held: of two feeds at once, beside the builds and never before them.
 *
 * What is to be done is in the view (`places.ts`): days are marked in the transaction that applies a fact, so a crash forgets none. A pass over
 * a feed takes the marked days and those that the chain has reached since, oldest first, and writes the pages that differ. Only when
 * a pass is through does the feed link further: it never names a page that is not written. Until then everything is in the feed or on a page
 * it links, as long as fewer than half of `limit` articles came since; where more came, the pass that follows heals it.
 *
 * It is this and not an intent a page in the log, because a page needs no order and no fence beyond its tags, and a feed's first history would
 * be a thousand records that the marks make unnecessary.
 */
import type { Fact } from '@newswire/events/fact'
import { type FeedPage, toPageName } from '@newswire/events/feed-page'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import { type FacetView, toPlaced } from './facets.ts'
import type { Profile } from './item.ts'
import { startWork } from './pace.ts'
import { comparePages } from './page-listing.ts'
import { type PageWriter, reachIn, shapeOf } from './page-writer.ts'
import { isSameReach, isWithin, type Reach } from './pages.ts'
import type { RebuildProgress } from './rebuild.ts'
import { placeOf, type Rule, ruleOf } from './window.ts'

/** Feeds of which a page is written at once: while one waits for the store the other has the event loop. */
export const PAGES_AT_ONCE = 2

type Day = Readonly<{ day: string; n: number | null }>
/** One walk over the days of a feed that need it. `reach` is how far the chain went when it began. */
type Pass = Readonly<{ reach: Reach | null; days: Day[] }>

export type History = Readonly<{
  /** Feeds in which something has another place or version: a pass over them begins when its turn comes. */
  touch(feedIds: Iterable<string>): void
  /** Compares what is in the store with what is claimed, marks what differs, and lets a pass follow. */
  check(feedId: string): Promise<void>
  /** Rewrites the pages of articles that a feed no longer shows, before anything else. Resolves when they are written. */
  takeDown(feedId: string, facts: readonly Fact[]): Promise<void>
  /** How far a feed may link; `undefined` as long as it is not known that all pages are there. */
  reachOf(feedId: string): Reach | null | undefined
  /** How many pages a feed has. */
  pageCount(feedId: string): number
  /** Told how far a feed does link: one that could link further is looked at when the passes are through. */
  linked(feedId: string, archive: Reach | null): void
  /** Forgets what is claimed of all pages of a feed and looks at every one; says how far it is. */
  rebuild(feedId: string, progress: RebuildProgress): void
  /** Forgets how far feeds reach: somebody else may have held them. */
  forget(): void
  stop(): Promise<void>
}>

type Needs = Readonly<{
  objects: Pick<Objects, 'list' | 'put' | 'delete'>
  view: FacetView
  writer: PageWriter
  configuration: Pick<Configuration, 'current'>
  profileOf: (snapshot: ConfigSnapshot, feed: Rule['feed']) => Profile
  isHeld: (feedId: string) => boolean
  now: () => number
  /** Waits as long as pages should rest after so much work; resolves early when the service stops. */
  rest: (busyMs: number) => Promise<void>
  /** Asks for a build of a feed that could link further. */
  askForLink: (feedId: string, reach: Reach | null) => Promise<void>
  /** A pass that fails is told, and begins again this much later. */
  retryMs: number
  onError: (feedId: string, error: unknown) => void
  onWritten?: (feedId: string) => void
}>

export const createHistory = (needs: Needs): History => {
  const { objects, view, writer, configuration, profileOf, isHeld, now, rest, askForLink, retryMs, onError } = needs
  const { places } = view
  const queue = new Set<string>()
  const passes = new Map<string, Pass>()
  /** Feeds of which all pages were compared with the store since we hold them, and under which rule. */
  const checked = new Map<string, string>()
  const reached = new Map<string, Reach | null>()
  const unlinked = new Set<string>()
  const rebuilds = new Map<string, RebuildProgress>()
  const locks = new Map<string, Promise<unknown>>()
  const timers = new Set<NodeJS.Timeout>()
  /** Feeds whose day is being written: nobody else takes them up meanwhile. */
  const inHand = new Set<string>()
  const workers = new Set<Promise<void>>()
  let isAsking = false
  let stopped = false

  /** One page of a feed at a time, whoever wants it. */
  const alone = <T>(feedId: string, work: () => Promise<T>): Promise<T> => {
    const before = locks.get(feedId) ?? Promise.resolve()
    const mine = before.then(work, work)
    locks.set(
      feedId,
      mine.catch(() => undefined),
    )
    return mine
  }

  const ruleFor = (feedId: string): Readonly<{ rule: Rule; snapshot: ConfigSnapshot }> | null => {
    const snapshot = configuration.current()
    const feed = snapshot.feeds.get(feedId)
    return feed === undefined ? null : { rule: { feed, categories: snapshot.categories }, snapshot }
  }

  const isChecked = (feedId: string): boolean => {
    const rule = ruleFor(feedId)?.rule
    return rule !== undefined && checked.get(feedId) === ruleOf(rule)
  }

  const beginPass = (feedId: string, rule: Rule): Pass => {
    const reach = reachIn(places, rule)
    const days = new Map<string, number | null>()
    if (reach !== null) {
      const before = reached.get(feedId)
      if (before && !isSameReach(before, reach))
        for (const { day } of places.pagesBetween(feedId, before.page.day, reach.page.day, reach)) days.set(day, null)
      for (const { day, n } of places.dirtyDays(feedId)) if (day <= reach.page.day) days.set(day, n)
    }
    return { reach, days: [...days].map(([day, n]) => ({ day, n })).sort((a, b) => (a.day < b.day ? -1 : 1)) }
  }

  /** The pages of a day, and those beside it, whose links name them. */
  const pagesAround = (feedId: string, day: string, reach: Reach): FeedPage[] => {
    const own = places.pagesBetween(feedId, day, day, reach)
    const before = places.pageBefore(feedId, { day, part: 1 })
    const after = places.pageAfter(feedId, own.at(-1) ?? { day, part: 1 })
    return [before, ...own, after].filter((page): page is FeedPage => page !== null && isWithin(page, reach))
  }

  const writeDay = async (feedId: string, { day, n }: Day): Promise<void> => {
    const found = ruleFor(feedId)
    const reach = found === null ? null : reachIn(places, found.rule)
    if (found === null || reach === null) return
    const { rule, snapshot } = found
    const progress = rebuilds.get(feedId)
    const looking = startWork()
    const differing = pagesAround(feedId, day, reach).filter(page => !writer.isClaimed(page, rule, snapshot))
    await rest(looking())
    for (const page of differing) {
      if (stopped || !isHeld(feedId) || !view.kept().has(feedId)) return
      const done = await alone(feedId, () => writer.write(page, rule, snapshot))
      await progress?.looked(done?.written ?? false)
      if (done?.written) needs.onWritten?.(feedId)
      if (done !== null) await rest(done.busyMs)
    }
    if (n !== null) places.wash(feedId, day, n)
  }

  const endPass = async (feedId: string, { reach }: Pass): Promise<void> => {
    passes.delete(feedId)
    if (!isChecked(feedId)) return
    if (!reached.has(feedId) || !isSameReach(reached.get(feedId) ?? null, reach)) unlinked.add(feedId)
    reached.set(feedId, reach)
    const progress = rebuilds.get(feedId)
    rebuilds.delete(feedId)
    await progress?.finished()
  }

  /** One day of one feed; true when the feed should come again. */
  const step = async (feedId: string): Promise<boolean> => {
    const rule = ruleFor(feedId)?.rule
    if (rule === undefined || !isHeld(feedId) || !view.kept().has(feedId)) {
      passes.delete(feedId)
      return false
    }
    const looking = startWork()
    const pass = passes.get(feedId) ?? beginPass(feedId, rule)
    passes.set(feedId, pass)
    await rest(looking())
    // Dropped meanwhile: it says nothing of what there is to do now.
    if (passes.get(feedId) !== pass) return true
    const day = pass.days[0]
    if (day === undefined) {
      await endPass(feedId, pass)
      // Marked again after its turn in this pass.
      return beginPass(feedId, rule).days.length > 0
    }
    await writeDay(feedId, day)
    pass.days.shift()
    return true
  }

  const touchLater = (feedId: string) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      touch([feedId])
    }, retryMs)
    timer.unref()
    timers.add(timer)
  }

  /** Nothing is taken up meanwhile: a feed is asked for once, and for all that is written. */
  const askForLinks = async (): Promise<void> => {
    isAsking = true
    try {
      for (const feedId of unlinked) {
        unlinked.delete(feedId)
        if (isHeld(feedId)) await askForLink(feedId, reached.get(feedId) ?? null)
      }
    } finally {
      isAsking = false
    }
  }

  const next = (): string | undefined => {
    if (isAsking) return undefined
    for (const feedId of queue) if (!inHand.has(feedId)) return feedId
    return undefined
  }

  const takeUp = async (feedId: string): Promise<void> => {
    queue.delete(feedId)
    inHand.add(feedId)
    try {
      if (await step(feedId)) queue.add(feedId)
    } catch (error) {
      passes.delete(feedId)
      if (stopped) return
      onError(feedId, error)
      touchLater(feedId)
    } finally {
      inHand.delete(feedId)
    }
  }

  const run = async (): Promise<void> => {
    for (let feedId = next(); feedId !== undefined && !stopped; feedId = next()) {
      await takeUp(feedId)
      if (queue.size > 0 || inHand.size > 0 || isAsking || stopped) continue
      await askForLinks()
      touch([])
    }
  }

  const touch = (feedIds: Iterable<string>): void => {
    for (const feedId of feedIds) queue.add(feedId)
    while (workers.size < PAGES_AT_ONCE && !stopped && next() !== undefined) {
      const worker = run()
        // Asking for a link failed: the log is away, and the feed's next build links by itself.
        .catch(error => onError('', error))
        .finally(() => {
          workers.delete(worker)
          touch([])
        })
      workers.add(worker)
    }
  }

  return {
    touch,
    check: async feedId => {
      const found = ruleFor(feedId)
      if (found === null || !view.kept().has(feedId)) return
      const { rule, snapshot } = found
      const reach = reachIn(places, rule)
      const shape = shapeOf(rule, snapshot, profileOf(snapshot, rule.feed))
      await comparePages(objects, { feedId, places, reach, shape, nowMs: now() })
      if (reach !== null && !writer.isClaimed(reach.page, rule, snapshot)) places.soil(feedId, reach.page.day)
      // A pass that began under another rule would end with how far the chain of that one reached.
      if (checked.get(feedId) !== ruleOf(rule)) {
        reached.delete(feedId)
        passes.delete(feedId)
      }
      checked.set(feedId, ruleOf(rule))
      const isClean = !places.dirtyDays(feedId).some(({ day }) => reach !== null && day <= reach.page.day)
      if (isClean && !reached.has(feedId)) reached.set(feedId, reach)
      touch([feedId])
    },
    takeDown: async (feedId, facts) => {
      const found = ruleFor(feedId)
      // Places that are still being given: everything is written when they are.
      if (found === null || facts.length === 0 || !view.kept().has(feedId)) return
      const { rule, snapshot } = found
      const pages = new Map<string, FeedPage>()
      for (const fact of facts) {
        if (placeOf(toPlaced(fact), rule) === 'item') continue
        const page = places.pageOf(feedId, fact.articleId, fact.firstReleasedAt)
        writer.offer(fact)
        if (page !== null) pages.set(toPageName(page), page)
      }
      for (const page of pages.values()) await alone(feedId, () => writer.write(page, rule, snapshot))
    },
    reachOf: feedId => (isChecked(feedId) ? reached.get(feedId) : undefined),
    pageCount: feedId => {
      const rule = ruleFor(feedId)?.rule
      const reach = rule === undefined ? null : reachIn(places, rule)
      return reach === null ? 0 : places.pagesBetween(feedId, '', reach.page.day, reach).length
    },
    linked: (feedId, archive) => {
      if (reached.has(feedId) && isSameReach(archive, reached.get(feedId) ?? null)) unlinked.delete(feedId)
    },
    rebuild: (feedId, progress) => {
      places.dropClaims(feedId)
      places.soilAll(feedId)
      passes.delete(feedId)
      rebuilds.set(feedId, progress)
      touch([feedId])
    },
    forget: () => {
      passes.clear()
      checked.clear()
      reached.clear()
      unlinked.clear()
    },
    stop: async () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(workers)
      await Promise.all(locks.values())
    },
  }
}
