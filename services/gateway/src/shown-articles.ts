/** Which articles the bytes of a feed show, for who must know before serving them: pure. What was taken back and says so is not shown. */
import type { FeedOutput } from '@newswire/events/feed'
import { isArticleId } from '@newswire/events/ids'
import { unescapeAttribute } from '@newswire/events/text'
import { itemOf } from './feed-state.ts'
import { splitFeed } from './split.ts'

/** `null`: it shows none. `undefined`: nobody can tell. */
type Shown = string | null | undefined
/** Which articles may be what is at an address of this site; none: nobody knows. */
type IdsAt = (page: string) => Iterable<string>

/** What follows `tag:<authority>,<date>:` (RFC 4151) is the article's id. */
const idIn = (identity: string | undefined): Shown => {
  const id = identity === undefined ? undefined : /^tag:[^:]*:(.*)$/.exec(identity)?.[1]
  return id !== undefined && isArticleId(id) ? id : undefined
}

const shownInJson = (item: string): Shown => {
  try {
    const { id, _newswire } = JSON.parse(item) as { id?: unknown; _newswire?: { status?: unknown } }
    return _newswire?.status === 'retracted' ? null : idIn(String(id))
  } catch {
    // It is none of our items, so nothing is known of it.
    return undefined
  }
}

const readers: Readonly<Record<Exclude<FeedOutput, 'sitemap'>, (item: string) => Shown>> = {
  rss: item =>
    item.includes('<nw:status>retracted</nw:status>') ? null : idIn(/<guid isPermaLink="false">([^<]*)<\/guid>/.exec(item)?.[1]),
  atom: item => (item.startsWith('\n    <at:deleted-entry ') ? null : idIn(/<id>([^<]*)<\/id>/.exec(item)?.[1])),
  json: shownInJson,
}

/** Whose page a sitemap names, it does not say. Notices are not in it. */
const shownInSitemap = (item: string, idsAt: IdsAt): readonly Shown[] => {
  const page = /<loc>([^<]*)<\/loc>/.exec(item)?.[1]
  const ids = page === undefined ? [] : [...idsAt(unescapeAttribute(page))]
  return ids.length === 0 ? [undefined] : ids
}

/** The ids of all that is shown; `null` when that cannot be told of some of it, or the bytes are no feed. */
export const articlesIn = (output: FeedOutput, bytes: Buffer, idsAt: IdsAt): ReadonlySet<string> | null => {
  const cuts = splitFeed(bytes, output)
  if (cuts.bounds.length === 2) return null
  const ids = new Set<string>()
  for (let index = 0; index < cuts.items; index += 1) {
    const item = itemOf({ bytes, cuts, output }, index).toString()
    for (const id of output === 'sitemap' ? shownInSitemap(item, idsAt) : [readers[output](item)]) {
      if (id === undefined) return null
      if (id !== null) ids.add(id)
    }
  }
  return ids
}
