/** The facts that the desk releases, made from what it keeps. Pure: equal input gives equal bytes, so the order of the fields is fixed here. */
import type { Article } from '@newswire/events/article'
import { type Facets, type Fact, isLive, type LiveFact } from '@newswire/events/fact'
import type { Retraction } from '@newswire/events/submission'
import type { Held } from './state.ts'

/** Old addresses are kept alive for this many slugs, the newest ones: a fact must not grow without end. */
const ALIAS_LIMIT = 100

type Released = Readonly<{ articleId: string; publisher: string; now: string }>
type Content = Pick<Held, 'submissionId' | 'lane' | 'deliver' | 'article'>

const union = (known: readonly string[], added: readonly string[]): string[] => [...new Set([...known, ...added])]

const facetsWith = (before: Facets | undefined, publisher: string, article: Article): Facets => ({
  categories: union(before?.categories ?? [], article.categories),
  languages: union(before?.languages ?? [], [article.language]),
  publishers: union(before?.publishers ?? [], [publisher]),
  types: union(before?.types ?? [], [article.type]),
  public: (before?.public ?? false) || article.audience === 'public',
})

const NO_FACETS: Facets = { categories: [], languages: [], publishers: [], types: [], public: false }

const aliasesWith = (before: readonly string[], earlier: string | undefined, now: string | undefined): string[] =>
  union(
    before.filter(slug => slug !== earlier),
    earlier === undefined ? [] : [earlier],
  )
    .filter(slug => slug !== now)
    .slice(-ALIAS_LIMIT)

const earliest = (a: string, b: string): string => (Date.parse(a) < Date.parse(b) ? a : b)

/** An import is dated by its own date, never in the future: that would pin it to the top of every feed. */
const firstDate = ({ lane, article }: Content, now: string): string =>
  lane === 'backfill' && article.publishedAt !== undefined ? earliest(article.publishedAt, now) : now

/** Since when the public has it no more: what was taken back before stays taken back as of then. */
const narrowedBy = (before: Fact | null, article: Article, now: string): LiveFact['narrowed'] => {
  if (article.audience === 'public' || before === null || !before.facetsEver.public) return undefined
  if (before.narrowed !== undefined) return before.narrowed
  return isLive(before) ? { version: before.version + 1, at: now } : { version: before.version, at: before.releasedAt }
}

const isMajor = (article: Article): boolean => article.change !== 'minor'

const actionOf = (before: Fact | null, article: Article, isSameWords: boolean): LiveFact['action'] => {
  if (before === null || !isLive(before)) return 'published'
  return article.change === 'correction' && !isSameWords ? 'corrected' : 'updated'
}

/** Only a live version has an address; what ended since has its own among the aliases already. */
const slugOf = (fact: Fact | null): string | undefined => (fact && isLive(fact) ? fact.article.slug : undefined)

/** One more live version after `before`. `isSameWords`: the same words with a picture or a reference more or less, which moves no date. */
export const toLiveFact = (
  content: Content,
  before: Fact | null,
  { articleId, publisher, now, isSameWords = false }: Released & { isSameWords?: boolean },
): LiveFact => {
  const { article } = content
  const first = before?.firstReleasedAt ?? firstDate(content, now)
  const isReturn = before !== null && !isLive(before)
  const firstUpdate = content.lane === 'backfill' ? first : now
  const narrowed = narrowedBy(before, article, now)
  const moves = isReturn || (isMajor(article) && !isSameWords)
  return {
    state: 'live',
    action: actionOf(before, article, isSameWords),
    articleId,
    publisher,
    version: (before?.version ?? 0) + 1,
    ...(before === null ? {} : { supersedes: before.version }),
    ...(article.sourceVersion === undefined ? {} : { sourceVersion: article.sourceVersion }),
    submissionId: content.submissionId,
    lane: content.lane,
    ...(content.deliver === undefined ? {} : { deliver: content.deliver }),
    firstReleasedAt: first,
    releasedAt: now,
    updatedAt: before === null ? firstUpdate : moves ? now : before.updatedAt,
    facetsEver: facetsWith(before?.facetsEver, publisher, article),
    aliases: aliasesWith(before?.aliases ?? [], slugOf(before), article.slug),
    ...(narrowed === undefined ? {} : { narrowed }),
    article,
  }
}

const endedCommon = (before: Fact, { articleId, publisher, now }: Released) => ({
  articleId,
  publisher,
  version: before.version + 1,
  supersedes: before.version,
  ...(before.sourceVersion === undefined ? {} : { sourceVersion: before.sourceVersion }),
  firstReleasedAt: before.firstReleasedAt,
  releasedAt: now,
  updatedAt: now,
  facetsEver: before.facetsEver,
  aliases: aliasesWith(before.aliases, slugOf(before), undefined),
})

type Cause = Pick<Held, 'submissionId' | 'lane'>

/** The version that takes an article back. */
export const toRetractedFact = (
  { submissionId, lane, retraction }: Cause & { retraction: Retraction },
  before: Fact,
  released: Released,
): Fact => ({ state: 'retracted', action: 'retracted', submissionId, lane, ...endedCommon(before, released), retraction })

/** A retraction once more, because its substitute came or went: what it says of the article stays, its date too. */
export const toRetractedAgainFact = (before: Extract<Fact, { state: 'retracted' }>, released: Released): Fact => ({
  ...toRetractedFact(before, before, released),
  updatedAt: before.updatedAt,
})

/** The version that ends an article whose time has passed, the way its publisher asked for. */
export const toExpiredFact = ({ submissionId, lane, article }: Content, before: Fact, released: Released): Fact => ({
  state: 'expired',
  action: 'retracted',
  submissionId,
  lane,
  ...endedCommon(before, released),
  retraction: { mode: article.expiryMode, reason: 'expired', legal: false },
})

/** The terminal fact. An article that was never released gets one as well: the archive deletes what it keeps on this fact. */
export const toPurgedFact = (
  { submissionId, lane, reason, by }: Cause & { reason: string; by?: string | undefined },
  before: Fact | null,
  released: Released,
): Fact => {
  const { articleId, publisher, now } = released
  const first = {
    articleId,
    publisher,
    version: 1,
    firstReleasedAt: now,
    releasedAt: now,
    updatedAt: now,
    facetsEver: NO_FACETS,
    aliases: [],
  }
  return {
    state: 'purged',
    action: 'purged',
    submissionId,
    lane,
    ...(before === null ? first : endedCommon(before, released)),
    reason,
    ...(by === undefined ? {} : { by }),
  }
}
