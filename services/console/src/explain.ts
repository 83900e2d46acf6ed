/**
 * "Why was it sent?", "why was it not sent?": from the record that was made when the version was routed, or, where there is none, by the same
 * decision made again with the configuration of that time. The answer says which.
 */
import { type CategoryConfig, configKinds, type OutletConfig } from '@newswire/events/config'
import {
  type Categories,
  type Decided,
  type Decision,
  decideFor,
  facetsOf,
  findLeftOut,
  findUnmet,
  type LeftOut,
} from '@newswire/events/decision'
import { earliestMs } from '@newswire/events/entitled'
import type { Fact } from '@newswire/events/fact'
import { routesPart } from '@newswire/events/outlet'
import { publicPictureUrl } from '@newswire/events/public-article'
import { getArchived } from '@newswire/objects/archived'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { type PastConfig, readConfigAt } from '@newswire/runtime/config-history'
import type { ArticleTrace, SinkTrace, VersionTrace } from '@newswire/trace/queries'
import type { Trace } from '@newswire/trace/trace'
import { toDeliveryWords, toHeadline, toLeftOutWords, toReason, type Unmet } from './explain-words.ts'

type Explanation = Readonly<{
  articleId: string
  outletId: string
  version: number
  action: string
  releasedAt: string
  due: Decision['due']
  why: Decision['why']
  /** `record`: as it was decided then; `computed`: decided again now, with the configuration of then. */
  basis: 'record' | 'computed'
  met: Decision['met']
  unmet: readonly Unmet[]
  leftOut: readonly (LeftOut & { url?: string })[]
  moreLeftOut: number
  /** The outlet's rule of that time, and since when it stood. */
  rule: Readonly<{ match: OutletConfig['match']; audience: OutletConfig['audience']; since: string; createdAt: string }>
  /** Nothing goes there sooner (`embargoOffsetHours`). */
  notBefore: string | null
  delivery: SinkTrace | null
  /** The whole answer, a sentence a line. */
  words: readonly string[]
}>

/** What cannot be explained, and why. */
type Unexplained = Readonly<{ unknown: 'article' | 'version' | 'outlet'; detail: string }>

type Needs = Readonly<{ objects: Pick<Objects, 'get' | 'list'>; trace: Trace }>
type Asked = Readonly<{ articleId: string; outletId: string; version: number | null }>

const readFact = async (objects: Pick<Objects, 'get' | 'list'>, articleId: string, version: number): Promise<Fact | null> => {
  const released = await getReleased(objects, articleId)
  if (released?.fact.version === version) return released.fact
  return (await getArchived(objects, articleId, version))?.fact ?? null
}

/** Names of then may have fallen away; a category that cannot be read has no parent. */
const readCategories = async (objects: Pick<Objects, 'get' | 'list'>, ids: readonly string[], atMs: number): Promise<Categories> => {
  const found = new Map<string, CategoryConfig>()
  const wanted = [...ids]
  for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
    if (found.has(id)) continue
    const past = await readConfigAt(objects, { kind: 'categories', id }, atMs)
    const parsed = configKinds.categories.safeParse(past?.value)
    if (!parsed.success) continue
    found.set(id, parsed.data)
    if (parsed.data.parent !== undefined) wanted.push(parsed.data.parent)
  }
  return found
}

/** Whether the outlet was sent any version before this one. */
const hadBefore = async (
  objects: Pick<Objects, 'get' | 'list'>,
  { articleId, outletId }: Asked,
  version: number,
  known: ArticleTrace | null,
) => {
  const routes = await getDocument(objects, keys.routes(articleId), routesPart)
  const route = routes !== null && Object.hasOwn(routes.value.routes, outletId) ? routes.value.routes[outletId] : undefined
  if (route?.first !== undefined) return route.first < version
  const earlier = known?.versions.filter(one => one.version < version) ?? []
  return earlier.some(one => one.sinks.some(sink => sink.kind === 'outlet' && sink.id === outletId))
}

const findRecorded = (record: readonly Decided[] | null, outletId: string): Decided | null =>
  record?.find(group => group.outlets.includes(outletId)) ?? null

const toNotBefore = (fact: Fact | null, outlet: OutletConfig): string | null =>
  fact === null || outlet.embargoOffsetHours === 0 ? null : new Date(earliestMs(outlet, fact)).toISOString()

type Known = Readonly<{ fact: Fact | null; outlet: OutletConfig; past: PastConfig; categories: Categories; traced: VersionTrace | null }>

/** From the record, or made again; `null` when neither can be had. */
const findDecision = async (
  { objects, trace }: Needs,
  asked: Asked & { version: number },
  { fact, outlet, past, categories }: Known,
): Promise<(Omit<Decided, 'outlets' | 'count'> & { basis: Explanation['basis'] }) | null> => {
  const { articleId, outletId, version } = asked
  const recorded = findRecorded(trace.decisions(articleId, version), outletId)
  if (recorded !== null) return { ...recorded, basis: 'record' }
  if (fact === null) return null
  const had = await hadBefore(objects, asked, version, trace.article(articleId))
  const { due, why, met } = decideFor(fact, categories)(outlet, { createdAtMs: Date.parse(past.createdAt), had })
  return {
    due,
    why,
    ...(met === null ? {} : { met: [...met] }),
    leftOut: due === 'content' ? [...findLeftOut(fact, outletId)] : [],
    basis: 'computed',
  }
}

const findKnown = async ({ objects }: Needs, { articleId, outletId, version }: Asked & { version: number }, known: ArticleTrace | null) => {
  const fact = await readFact(objects, articleId, version)
  const traced = known?.versions.find(one => one.version === version) ?? null
  const releasedAt = fact?.releasedAt ?? traced?.releasedAt
  if (releasedAt === undefined) return unknown('version', `${articleId} has no version ${version} that is known here`)
  const past = await readConfigAt(objects, { kind: 'outlets', id: outletId }, Date.parse(releasedAt))
  const parsed = configKinds.outlets.safeParse(past?.value)
  if (past === null || !parsed.success) return unknown('outlet', `there is and was no outlet ${outletId}`)
  const categories = await readCategories(objects, fact?.state === 'live' ? fact.article.categories : [], Date.parse(releasedAt))
  const outlet: OutletConfig = { ...parsed.data, retired: past.retired || parsed.data.retired }
  return { fact, traced, releasedAt, past, outlet, categories }
}

const unknown = (what: Unexplained['unknown'], detail: string): Unexplained => ({ unknown: what, detail })

/** Throws what the store throws. */
export const explain = async (needs: Needs, asked: Asked): Promise<Explanation | Unexplained> => {
  const { articleId, outletId } = asked
  const known = needs.trace.article(articleId)
  const version = asked.version ?? (await getReleased(needs.objects, articleId))?.fact.version ?? known?.versions.at(-1)?.version ?? null
  if (version === null) return unknown('article', whyNothing(articleId, known))
  const found = await findKnown(needs, { ...asked, version }, known)
  if ('unknown' in found) return found
  const { fact, traced, releasedAt, past, outlet, categories } = found
  const decided = await findDecision(needs, { ...asked, version }, found)
  if (decided === null)
    return unknown(
      'version',
      `version ${version} of ${articleId} is not recorded here, and no longer in the archive to be decided on again`,
    )

  const { due, why, basis, moreLeftOut = 0 } = decided
  const met = decided.met ?? (why === 'matches' ? [] : null)
  const unmet = fact?.state === 'live' ? findUnmet(outlet.match, facetsOf(fact), categories) : []
  const leftOut = (decided.leftOut ?? []).map(one => {
    const picture = fact?.state === 'live' ? fact.article.images[one.picture - 1] : undefined
    return picture === undefined ? one : { ...one, url: publicPictureUrl(picture.url) }
  })
  const delivery = traced?.sinks.find(sink => sink.kind === 'outlet' && sink.id === outletId) ?? null
  const notBefore = due === 'content' ? toNotBefore(fact, outlet) : null
  const reason = toReason({ decision: { due, why, met }, unmet, createdAt: past.createdAt, releasedAt })
  const words = [
    `${toHeadline({ articleId, version, outletId, due }, delivery)}: ${reason}.`,
    ...toLeftOutWords(leftOut, moreLeftOut),
    ...(notBefore === null ? [] : [`Nothing of it goes there before ${notBefore} (embargoOffsetHours).`]),
    ...(delivery === null ? [] : [toDeliveryWords(delivery)]),
    toBasisWords(basis, releasedAt),
  ]
  const rule = { match: outlet.match, audience: outlet.audience, since: past.changedAt, createdAt: past.createdAt }
  const action = fact?.action ?? traced?.action ?? ''
  return {
    articleId,
    outletId,
    version,
    action,
    releasedAt,
    due,
    why,
    basis,
    met,
    unmet,
    leftOut,
    moreLeftOut,
    rule,
    notBefore,
    delivery,
    words,
  }
}

const toBasisWords = (basis: Explanation['basis'], releasedAt: string): string =>
  basis === 'record'
    ? 'This is the record of when the version was routed.'
    : `No record names this outlet: this was decided again just now, with the configuration of ${releasedAt}.`

const whyNothing = (articleId: string, known: ArticleTrace | null): string => {
  const last = known?.submissions.at(-1)
  if (last === undefined) return `nothing was ever submitted as ${articleId}`
  return `nothing of ${articleId} was ever released, so nothing was sent to anybody; its last submission is ${last.state}${last.detail === undefined ? '' : `: ${last.detail}`}`
}
