/** The front page and its sections, every feed for people and for readers' software (contract §5). */
import { type FeedConfig, type SiteConfig, withAncestors } from '@newswire/events/config'
import { feedFiles } from '@newswire/events/feed'
import type { HttpServer } from '@newswire/http/server'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { badRequest, notFound, notReady, notSure, sendRendered } from './answers.ts'
import type { FindLeftOut } from './left-out.ts'
import { feedsToDiscover, publicFeeds, toFrame, toShownFeeds, withChildren } from './page-data.ts'
import { type PageMaker, toHtmlPage } from './page-maker.ts'
import { toFeedsPage } from './pages/feeds-page.ts'
import { type List, robotsOfList, toListPage } from './pages/lists.ts'
import { toOpml } from './pages/opml.ts'
import { cursorOf, type ListPlace, parseListPlace, toListPath } from './paging.ts'
import type { View } from './view.ts'
import type { ListQuery } from './view-queries.ts'

/** On one page of a list. */
export const LIST_ARTICLES = 30

type Part = Pick<ListQuery, 'categories'>

const partOf = ({ category }: ListPlace, { categories }: ConfigSnapshot): Part =>
  category === null ? {} : { categories: withChildren(category, categories) }

/** What stands at a place, and what is before and after it. */
const readList = (view: View, place: ListPlace, part: Part): Pick<List, 'facts' | 'newer' | 'older'> => {
  const { category, before, after } = place
  const way = before !== null ? { before } : after !== null ? { after } : {}
  const facts = view.list({ ...part, ...way, limit: LIST_ARTICLES })
  const [first, last] = [facts[0], facts.at(-1)]
  const turn = (to: 'before' | 'after', from: typeof first): ListPlace | null => {
    if (from === undefined || view.list({ ...part, [to]: cursorOf(from), limit: 1 }).length === 0) return null
    return { category, before: null, after: null, [to]: cursorOf(from) }
  }
  return { facts, newer: before === null && after === null ? null : turn('after', first), older: turn('before', last) }
}

/** Everything may be read: what is not to be kept says so itself, which only who reads it can know. */
const toRobots = (feeds: readonly FeedConfig[], { publicUrl }: SiteConfig): string =>
  ['User-agent: *', 'Disallow:', '', ...feeds.map(({ id }) => `Sitemap: ${publicUrl}/feeds/${id}/${feedFiles.sitemap.name}`), ''].join('\n')

type Needs = Readonly<{
  view: View
  maker: PageMaker
  /** Whether the view is what counts. */
  isTold: () => boolean
  findLeftOut: FindLeftOut
  /** Whether the view was told of what the feeds in the store show. */
  hasLooked: () => boolean
}>

export const addListRoutes = (app: HttpServer, { view, maker, isTold, findLeftOut, hasLooked }: Needs): void => {
  const { config, kept } = maker

  app.get('/', async (request, reply) => {
    const isWhole = view.isRead()
    if (!isWhole && !hasLooked()) throw notReady('articles')
    const place = parseListPlace(request.query as Record<string, unknown>)
    if (place === null) throw badRequest('expected ?category=, ?before= or ?after= as our own pages link to them')
    const { category, before, after } = place
    if (category !== null && !config().categories.has(category)) throw notFound('no such category')
    const part = partOf(place, config())
    // Near the top there is no whole page of newer ones: the top itself is what is meant.
    if (isWhole && after !== null && view.list({ ...part, after, limit: LIST_ARTICLES }).length < LIST_ARTICLES) {
      const top = toListPath({ category, before: null, after: null })
      return reply.header('cache-control', 'no-cache').redirect(`${config().site.publicUrl}${top}`, 302)
    }
    const leftOut = await findLeftOut(() => readList(view, place, part).facts.map(({ articleId }) => articleId))
    const page = kept(`${toListPath(place)}#${leftOut.key}`, snapshot => {
      const list = readList(view, place, part)
      const facts = list.facts.filter(({ articleId }) => !leftOut.has(articleId))
      // Where not all is known, nothing is not known to be there.
      if (!isWhole && facts.length === 0) throw notSure('what was published')
      if (before !== null && list.facts.length === 0) throw notFound('no articles are as old as that')
      const section = category === null ? [] : withAncestors(category, snapshot.categories).flatMap(id => snapshot.categories.get(id) ?? [])
      const text = toListPage({
        ...list,
        facts,
        frame: toFrame(view, snapshot),
        section,
        place,
        feeds: feedsToDiscover(snapshot, category),
        isWhole,
      })
      return toHtmlPage(text, { config: snapshot, robots: robotsOfList(place), form: true })
    })
    return sendRendered(request, reply, page)
  })

  app.get('/feeds', async (request, reply) => {
    const withPreviews = isTold()
    const page = kept(`/feeds#${withPreviews}`, snapshot => {
      const feeds = toShownFeeds(view, snapshot, withPreviews)
      const text = toFeedsPage({ frame: toFrame(view, snapshot), feeds, categories: snapshot.categories })
      return toHtmlPage(text, { config: snapshot, script: true })
    })
    return sendRendered(request, reply, page)
  })

  app.get('/robots.txt', async (request, reply) => {
    const page = kept('/robots.txt', ({ site, ...snapshot }) => ({
      text: toRobots(publicFeeds(snapshot), site),
      type: 'text/plain; charset=utf-8',
      headers: {},
    }))
    return sendRendered(request, reply, page)
  })

  app.get('/opml.xml', async (request, reply) => {
    const page = kept('/opml.xml', ({ site, categories, ...snapshot }) => ({
      text: toOpml(publicFeeds(snapshot), site, categories),
      type: 'text/x-opml; charset=utf-8',
      headers: {},
    }))
    return sendRendered(request, reply, page)
  })
}
