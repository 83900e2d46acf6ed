/**
 * Whether an outlet is sent a released version, and why: the one decision, made when the version is routed, recorded for good, and made again by
 * who explains it. Pure: a configuration, a fact and what the outlet had before go in.
 */
import { z } from 'zod'
import { type CategoryConfig, isLanguage, type Match, type OutletConfig, withAncestors } from './config.ts'
import { type Facets, type Fact, isForDelivery, type LiveFact } from './fact.ts'
import { findPictureOffence, isSameForAllOutlets } from './outlet-article.ts'

export type Categories = ReadonlyMap<string, CategoryConfig>

const dues = ['content', 'retraction', 'nothing'] as const
export type Due = (typeof dues)[number]

/** One list of an outlet's `match`, and what of the article met it; `rule` when that is another word (a parent of the category, the language without its region). */
const metList = z.object({
  list: z.enum(['categories', 'languages', 'publishers', 'types']),
  value: z.string(),
  rule: z.string().optional(),
})
export type MetList = z.output<typeof metList>

const reasons = [
  /** Content: every list of its `match` is met. */
  'matches',
  /** Content: it no longer matches, and whoever had an article gets its updates. */
  'had-before',
  /** Content, at a cache: the version shows a picture no more that the one before showed, or may have. */
  'takes-picture',
  /** Retraction: the article was taken back, expired or was purged. */
  'taken-back',
  /** Retraction: the audience was narrowed to one that it is not. */
  'audience-narrowed',
  /** Retraction: it no longer matches, and is to lose what it leaves (`onLeave: withdraw`). */
  'left-match',
  /** Nothing, from here on. */
  'no-match',
  /** It does not ask for editorial articles. */
  'audience',
  'retired',
  /** The version was released before the outlet was created. */
  'created-later',
  /** An import goes to nobody new. */
  'import',
  /** The article came from this outlet. */
  'loop',
  /** There is nothing to take back. */
  'never-had',
  /** The same at a cache, which is told of retractions alone: the version takes nothing back. */
  'takes-nothing',
  /** The same at a cache: nothing of the article was ever public. */
  'never-public',
] as const
type Reason = (typeof reasons)[number]

/** `met`: which lists of its `match` were met, empty when it has none (it takes everything); `null` when it does not match. */
export type Decision = Readonly<{ due: Due; why: Reason; met: readonly MetList[] | null }>

/** What the version itself is, as against what the article once was. */
export const facetsOf = ({ article, publisher }: LiveFact): Facets => ({
  categories: article.categories,
  languages: [article.language],
  publishers: [publisher],
  types: [article.type],
  public: article.audience === 'public',
})

const LISTS = ['languages', 'publishers', 'types', 'categories'] as const satisfies readonly (keyof Match)[]

/** What of a list one value meets, nearest first. */
const findRule = (list: MetList['list'], wanted: readonly string[], value: string, categories: Categories): string | undefined => {
  if (wanted.includes(value)) return value
  if (list === 'languages') return wanted.find(one => isLanguage(value, one))
  return list === 'categories' ? withAncestors(value, categories).find(word => wanted.includes(word)) : undefined
}

/** `value` of the article and the `rule` that it met. */
const findMet = (list: MetList['list'], wanted: readonly string[], had: readonly string[], categories: Categories): MetList | null => {
  for (const value of had) {
    const rule = findRule(list, wanted, value, categories)
    if (rule !== undefined) return rule === value ? { list, value } : { list, value, rule }
  }
  return null
}

/** Which lists of a rule facets meet; `null` when one is not met. */
const findMatch = (rule: Match, facets: Facets, categories: Categories): readonly MetList[] | null => {
  const met: MetList[] = []
  for (const list of LISTS) {
    const wanted = rule[list]
    if (wanted === undefined) continue
    const found = findMet(list, wanted, facets[list], categories)
    if (found === null) return null
    met.push(found)
  }
  return met
}

/** Every list of a rule that is not met, with what was wanted and what there was: why something does not match. */
export const findUnmet = (
  rule: Match,
  facets: Facets,
  categories: Categories,
): readonly Readonly<{ list: MetList['list']; wanted: readonly string[]; had: readonly string[] }>[] =>
  LISTS.flatMap(list => {
    const wanted = rule[list]
    return wanted === undefined || findMet(list, wanted, facets[list], categories) !== null ? [] : [{ list, wanted, had: facets[list] }]
  })

/** Whether the article came from whoever runs the outlet: published here by it, or brought through a site of it. */
const cameFrom = ({ origin }: Pick<OutletConfig, 'origin'>, { publisher, article }: LiveFact): boolean =>
  origin !== undefined && (origin.publishers.includes(publisher) || (article.via ?? []).some(site => origin.sites.includes(site)))

const mayRead = (outlet: OutletConfig, fact: LiveFact) => fact.article.audience === 'public' || outlet.audience === 'editorial'

type Past = Readonly<{
  /** Ms since 1970 at which the outlet was created. */
  createdAtMs: number
  /** Whether it was sent any version of the article before this one. */
  had: boolean
  /** Whether the version before showed everybody a picture that this one does not, or may have (default: no). Only caches ask. */
  takesPicture?: boolean
}>

/**
 * What an outlet that had the article is due: the content when it may have it, else a retraction of what it holds. One that left the configuration
 * gets nothing new, but still every retraction. Where it came from no longer counts: who holds an article must hold the truth.
 */
const decideForHolder = (outlet: OutletConfig, fact: Fact, match: () => Decision['met']): Decision => {
  if (fact.state !== 'live') return { due: 'retraction', why: 'taken-back', met: null }
  const met = match()
  if (!mayRead(outlet, fact)) return { due: 'retraction', why: 'audience-narrowed', met }
  if (outlet.retired) return { due: 'nothing', why: 'retired', met }
  if (met !== null) return { due: 'content', why: 'matches', met }
  return outlet.onLeave === 'withdraw' ? { due: 'retraction', why: 'left-match', met } : { due: 'content', why: 'had-before', met }
}

/** An outlet that never had the article joins by what this version is. Imports go to nobody new, nor does what was released before it was created. */
const decideForOther = (outlet: OutletConfig, fact: Fact, createdAtMs: number, match: () => Decision['met']): Decision => {
  if (fact.state !== 'live') return { due: 'nothing', why: 'never-had', met: null }
  const met = match()
  if (met === null) return { due: 'nothing', why: 'no-match', met }
  const why = findHindrance(outlet, fact, createdAtMs)
  return why === null ? { due: 'content', why: 'matches', met } : { due: 'nothing', why, met }
}

const findHindrance = (outlet: OutletConfig, fact: LiveFact, createdAtMs: number): Reason | null => {
  if (outlet.retired) return 'retired'
  if (!mayRead(outlet, fact)) return 'audience'
  if (cameFrom(outlet, fact)) return 'loop'
  if (!isForDelivery(fact)) return 'import'
  return Date.parse(fact.releasedAt) < createdAtMs ? 'created-later' : null
}

/**
 * A cache may hold whatever was ever public, however it came there and whenever the outlet was made: what it had before is never asked. One that left
 * the configuration is no cache of ours any more. A picture that a new version takes back is a retraction, too: caches keep it for a day.
 */
const decideForCache = (outlet: OutletConfig, told: 'matches' | 'takes-picture' | null, fact: Fact, categories: Categories): Decision => {
  if (outlet.retired) return { due: 'nothing', why: 'retired', met: null }
  if (!fact.facetsEver.public) return { due: 'nothing', why: 'never-public', met: null }
  const met = findMatch(outlet.match, fact.facetsEver, categories)
  if (met === null) return { due: 'nothing', why: 'no-match', met }
  if (fact.state !== 'live') return { due: 'retraction', why: 'taken-back', met }
  if (fact.article.audience !== 'public') return { due: 'retraction', why: 'audience-narrowed', met }
  return told === null ? { due: 'nothing', why: 'takes-nothing', met } : { due: 'content', why: told, met }
}

/** Decides for one version, for as many outlets as there are. */
export const decideFor = (fact: Fact, categories: Categories): ((outlet: OutletConfig, past: Past) => Decision) => {
  const facets = fact.state === 'live' ? facetsOf(fact) : null
  return (outlet, { createdAtMs, had, takesPicture = false }) => {
    const { deliver } = outlet
    if (deliver.kind === 'purge') {
      const told = deliver.on === 'all' ? 'matches' : takesPicture ? 'takes-picture' : null
      return decideForCache(outlet, told, fact, categories)
    }
    const match = () => (facets === null ? null : findMatch(outlet.match, facets, categories))
    return had ? decideForHolder(outlet, fact, match) : decideForOther(outlet, fact, createdAtMs, match)
  }
}

/** A picture that an outlet is not sent: its place among the article's pictures, from 1. */
const leftOut = z.object({
  picture: z.int().min(1),
  why: z.enum(['outlet-not-named', 'right-ended']),
  endedAt: z.string().optional(),
})
export type LeftOut = z.output<typeof leftOut>

/** Which ready pictures of a version an outlet is not sent, and why. */
export const findLeftOut = (fact: Fact, outletId: string): readonly LeftOut[] => {
  if (fact.state !== 'live' || isSameForAllOutlets(fact)) return []
  return fact.article.images.flatMap((one, index) => {
    const offence = one.state === 'ready' ? findPictureOffence(one, outletId, fact.releasedAt) : null
    return offence === null ? [] : [{ picture: index + 1, ...offence }]
  })
}

/** Outlets that were decided on alike. Names are left out, and only counted, where they say nothing: an import goes to nobody new. */
const decided = z.object({
  due: z.enum(dues),
  why: z.enum(reasons),
  met: z.array(metList).optional(),
  leftOut: z.array(leftOut).optional(),
  /** Of `leftOut`, how many more there are than are listed. */
  moreLeftOut: z.int().optional(),
  outlets: z.array(z.string()),
  count: z.int(),
})
export type Decided = z.output<typeof decided>
export const decidedList = z.array(decided)

/** Listed for one group of outlets; a version has at most 100 pictures. */
const MOST_LEFT_OUT = 20

const toGroup = ({ due, why, met }: Decision, left: readonly LeftOut[]): Omit<Decided, 'outlets' | 'count'> => ({
  due,
  why,
  ...(met === null || met.length === 0 ? {} : { met: [...met] }),
  ...(left.length === 0 ? {} : { leftOut: left.slice(0, MOST_LEFT_OUT) }),
  ...(left.length <= MOST_LEFT_OUT ? {} : { moreLeftOut: left.length - MOST_LEFT_OUT }),
})

/** They follow from the configuration of the time and from what came before, which are kept too. */
const PLAIN: readonly Reason[] = ['no-match', 'never-had', 'takes-nothing', 'never-public']

/**
 * The record of decisions: whom a version went to, and who would have been sent it and was not, by groups that were decided on alike. Outlets that
 * plainly do not match are not in it.
 */
export const toDecided = (fact: Fact, made: Iterable<readonly [outletId: string, decision: Decision]>): readonly Decided[] => {
  const groups = new Map<string, Decided>()
  for (const [outletId, decision] of made) {
    if (PLAIN.includes(decision.why)) continue
    const group = toGroup(decision, decision.due === 'content' ? findLeftOut(fact, outletId) : [])
    const key = JSON.stringify(group)
    const known = groups.get(key) ?? { ...group, outlets: [], count: 0 }
    known.count += 1
    if (decision.why !== 'import') known.outlets.push(outletId)
    groups.set(key, known)
  }
  return [...groups.values()]
}
