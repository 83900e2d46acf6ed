/**
 * `outlets/routes/<article id>.json`: to which outlets an article ever went, and up to which version the intents for that are in the log.
 * Pure: what one released version changes. A version that was routed before adds nobody, so a replay sends nothing.
 */
import type { OutletConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { z } from 'zod'
import { type Categories, dueTo, joins } from './entitled.ts'

export const routesDocument = z.object({
  n: z.int(),
  /** The newest version that was routed. */
  version: z.int(),
  /** By outlet; `first`: with which version the article came to it, where that is known. */
  routes: z.record(z.string(), z.object({ version: z.int(), written: z.boolean(), first: z.int().optional() })),
})
export type Routes = z.output<typeof routesDocument>

export type Routed = Readonly<{ outletId: string; kill: boolean; first: boolean }>
export type RoutePlan = Readonly<{
  /** To be swapped in before any intent is published; `null`: it stands already. */
  next: Routes | null
  /** `null`: nothing is to be said of this version. */
  wanted: readonly Routed[] | null
}>

type World = Readonly<{
  outlets: ReadonlyMap<string, OutletConfig>
  categories: Categories
  createdAtMs: (outletId: string) => number
}>

const NOTHING: RoutePlan = { next: null, wanted: null }

/** Routed before: only intents that a crash kept from the log are written, under the same ids. */
const planRepeat = (routes: Routes, fact: Fact, { outlets, categories }: World): RoutePlan => {
  const unwritten = Object.entries(routes.routes).filter(([, route]) => route.version === fact.version && !route.written)
  if (fact.version < routes.version || unwritten.length === 0) return NOTHING
  const wanted = unwritten.flatMap(([outletId, { first }]) => {
    const outlet = outlets.get(outletId)
    return outlet ? [{ outletId, kill: dueTo(outlet, fact, categories) === 'retraction', first: first === fact.version }] : []
  })
  return { next: null, wanted }
}

export const planRoutes = (routes: Routes | null, fact: Fact, world: World): RoutePlan => {
  if (routes !== null && fact.version <= routes.version) return planRepeat(routes, fact, world)
  const next: Routes = { n: (routes?.n ?? 0) + 1, version: fact.version, routes: { ...routes?.routes } }
  const wanted: Routed[] = []
  for (const outlet of world.outlets.values()) {
    const known = Object.hasOwn(next.routes, outlet.id)
    if (!known && !joins(outlet, fact, world.categories, world.createdAtMs(outlet.id))) continue
    const due = dueTo(outlet, fact, world.categories)
    if (due === 'nothing') continue
    const first = known ? next.routes[outlet.id]?.first : fact.version
    next.routes[outlet.id] = { version: fact.version, written: false, ...(first === undefined ? {} : { first }) }
    wanted.push({ outletId: outlet.id, kill: due === 'retraction', first: !known })
  }
  // What nobody could ever have got needs no memory: a retraction adds nobody, and an outlet made later starts later.
  const forgettable = routes === null && wanted.length === 0 && (fact.state !== 'live' || world.outlets.size === 0)
  return { next: forgettable ? null : next, wanted }
}

/** The routes once the intents of their newest version are in the log. */
export const toWritten = (routes: Routes): Routes => ({
  ...routes,
  n: routes.n + 1,
  routes: Object.fromEntries(Object.entries(routes.routes).map(([id, route]) => [id, { ...route, written: true }])),
})
