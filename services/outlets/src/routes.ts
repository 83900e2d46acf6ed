/**
 * `outlets/routes/<article id>.json`: to which outlets an article ever went, and up to which version the intents for that are in the log.
 * Pure: what one released version changes. A version that was routed before adds nobody, so a replay sends nothing.
 */
import type { OutletConfig } from '@newswire/events/config'
import { type Categories, type Decided, type Decision, decideFor, toDecided } from '@newswire/events/decision'
import type { Fact } from '@newswire/events/fact'
import { picturesForAll } from '@newswire/events/public-article'
import { z } from 'zod'

export const routesDocument = z.object({
  n: z.int(),
  /** The newest version that was routed. */
  version: z.int(),
  /** By outlet; `first`: with which version the article came to it, where that is known; `since`: what was routed before, when a version was passed over. */
  routes: z.record(z.string(), z.object({ version: z.int(), written: z.boolean(), first: z.int().optional(), since: z.int().optional() })),
  /** Keys of the renditions that its versions showed everybody, while a cache is an outlet: a purge by law takes the versions that would tell. */
  shown: z.array(z.string()).optional(),
  /** How many of those, from the first, `version` showed (default: nobody kept count, because no cache was an outlet then). */
  showing: z.int().min(0).optional(),
})
export type Routes = z.output<typeof routesDocument>

export type Routed = Readonly<{ outletId: string; kill: boolean; first: boolean; since?: number }>
export type RoutePlan = Readonly<{
  /** To be swapped in before any intent is published; `null`: it stands already. */
  next: Routes | null
  /** `null`: nothing is to be said of this version. */
  wanted: readonly Routed[] | null
  /** Whom it goes to and who would have been sent it and is not, with the reasons. */
  decisions: readonly Decided[]
}>

type World = Readonly<{
  outlets: ReadonlyMap<string, OutletConfig>
  categories: Categories
  createdAtMs: (outletId: string) => number
}>

/** Of the newest versions: what was shown before is out of every cache by its age. */
const MOST_SHOWN = 2_000

/** Keys of the renditions that everybody may see. */
const shownBy = (fact: Fact): readonly string[] =>
  fact.state === 'live' ? picturesForAll(fact).flatMap(one => one.renditions.map(({ key }) => key)) : []

/**
 * Whether a picture that the version before showed is shown no more: taken out, or its right ended or was narrowed (`renditions/<sha256 of the source>/…`).
 * Where that is not known, because no cache was an outlet then or that version was passed over, it is taken to be so: a cache holds what was there before
 * its outlet, too, and forgets in vain once at most.
 */
const isPictureTaken = (routes: Routes | null, fact: Fact, shows: readonly string[]): boolean => {
  if (routes?.showing === undefined || routes.version !== fact.version - 1) return fact.version > 1
  const sourceOf = (key: string) => key.split('/')[1]
  const still = new Set(shows.map(sourceOf))
  return routes.shown?.slice(0, routes.showing).some(key => !still.has(sourceOf(key))) ?? false
}

/** `shows`: what this version shows; `null` while no cache is an outlet. */
const shownSo = (routes: Routes | null, shows: readonly string[] | null): Pick<Routes, 'shown' | 'showing'> => {
  const known = routes?.shown ?? []
  if (shows === null) return known.length === 0 ? {} : { shown: known }
  const shown = [...new Set([...shows, ...known])].slice(0, MOST_SHOWN)
  return { shown, showing: Math.min(new Set(shows).size, MOST_SHOWN) }
}

const NOTHING: RoutePlan = { next: null, wanted: null, decisions: [] }

const sinceOf = (since: number | undefined) => (since === undefined ? {} : { since })

/** Routed before: only intents that a crash kept from the log are written, under the same ids, and the record of what was decided with them. */
const planRepeat = (routes: Routes, fact: Fact, { outlets, categories, createdAtMs }: World): RoutePlan => {
  const isUnwritten = Object.values(routes.routes).some(route => route.version === fact.version && !route.written)
  if (fact.version < routes.version || !isUnwritten) return NOTHING
  const decide = decideFor(fact, categories)
  const wanted: Routed[] = []
  const made = new Map<string, Decision>()
  for (const outlet of outlets.values()) {
    const route = Object.hasOwn(routes.routes, outlet.id) ? routes.routes[outlet.id] : undefined
    const isRouted = route !== undefined && route.version === fact.version && !route.written
    const had = route !== undefined && (!isRouted || (route.first ?? 0) < fact.version)
    const decision = decide(outlet, { createdAtMs: createdAtMs(outlet.id), had, takesPicture: isRouted })
    const { due } = decide(outlet, { createdAtMs: 0, had: true, takesPicture: true })
    if (isRouted)
      wanted.push({ outletId: outlet.id, kill: due === 'retraction', first: route.first === fact.version, ...sinceOf(route.since) })
    // What was configured since, and would go to it now, was decided on otherwise.
    if (isRouted || decision.due === 'nothing') made.set(outlet.id, decision)
  }
  return { next: null, wanted, decisions: toDecided(fact, made) }
}

export const planRoutes = (routes: Routes | null, fact: Fact, world: World): RoutePlan => {
  if (routes !== null && fact.version <= routes.version) return planRepeat(routes, fact, world)
  const hasCache = [...world.outlets.values()].some(({ deliver, retired }) => deliver.kind === 'purge' && !retired)
  const shows = hasCache ? shownBy(fact) : null
  const next: Routes = { n: (routes?.n ?? 0) + 1, version: fact.version, routes: { ...routes?.routes }, ...shownSo(routes, shows) }
  const decide = decideFor(fact, world.categories)
  const takesPicture = shows !== null && isPictureTaken(routes, fact, shows)
  const wanted: Routed[] = []
  const made = new Map<string, Decision>()
  for (const outlet of world.outlets.values()) {
    const route = Object.hasOwn(next.routes, outlet.id) ? next.routes[outlet.id] : undefined
    const decision = decide(outlet, { createdAtMs: world.createdAtMs(outlet.id), had: route !== undefined, takesPicture })
    made.set(outlet.id, decision)
    if (decision.due === 'nothing') continue
    const first = route === undefined ? fact.version : route.first
    const since = sinceOf(route !== undefined && route.version < fact.version - 1 ? route.version : undefined)
    next.routes[outlet.id] = { version: fact.version, written: false, ...(first === undefined ? {} : { first }), ...since }
    wanted.push({ outletId: outlet.id, kill: decision.due === 'retraction', first: route === undefined, ...since })
  }
  // What nobody could ever have got needs no memory: a retraction adds nobody, and an outlet made later starts later.
  const forgettable = routes === null && wanted.length === 0 && (fact.state !== 'live' || world.outlets.size === 0)
  return { next: forgettable ? null : next, wanted, decisions: toDecided(fact, made) }
}

/** The routes once the intents of their newest version are in the log. */
export const toWritten = (routes: Routes): Routes => ({
  ...routes,
  n: routes.n + 1,
  routes: Object.fromEntries(Object.entries(routes.routes).map(([id, route]) => [id, { ...route, written: true }])),
})
