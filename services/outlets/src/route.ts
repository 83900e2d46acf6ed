/**
 * Routes a released version: the one writer of `outlets/routes` and of `delivery.wanted`. Routes first, then the intents, then the mark
 * that they are written: a crash between any two writes the same intents again, under the same ids; a repeat that finds the mark writes
 * nothing (architecture §6.15).
 */
import type { OutletConfig } from '@newswire/events/config'
import { type ArticleEvent, follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { EventContext, Publish } from '@newswire/log/events'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { Created } from './created.ts'
import { toFannedOut } from './fanned-out.ts'
import { planRoutes, type Routed, routesDocument, toWritten } from './routes.ts'
import type { View } from './view.ts'

type Needs = Readonly<{
  objects: Objects
  publish: Publish
  configuration: () => ConfigSnapshot
  created: Created
  /** Which partition of `deliveries` an outlet's intents lie in. */
  partitionOf: (outletId: string) => number
  /** Whoever sends it a moment later need not read it again; never a version older than one that was routed (default: nobody). */
  offer?: View['offer']
  now: () => number
}>

const SOURCE = '/services/outlets'

/** Outlets of one intent: it is done once each of them has it, or it is written down. */
const MOST_TOGETHER = 8

/**
 * Intents wait by their key, the first outlet of each, and keys take turns. So whoever may be long in hand (a strict line, a pace) has intents of its own
 * and holds up no other; whoever is sent every version hears of them in their order; and no retraction waits behind what another outlet still has to get.
 */
const isAlone = ({ kill }: Routed, outlet: OutletConfig | undefined): boolean =>
  kill || outlet?.order === 'strict' || outlet?.versions === 'all' || outlet?.rate !== undefined

/** Those of whom just the same is wanted, and whose intents lie in the same partition. */
const inGroups = (
  wanted: readonly Routed[],
  partitionOf: Needs['partitionOf'],
  { outlets }: Pick<ConfigSnapshot, 'outlets'>,
): Routed[][] => {
  const groups: Routed[][] = []
  const open = new Map<string, Routed[]>()
  for (const one of wanted) {
    const name = `${partitionOf(one.outletId)} ${one.first} ${one.since}`
    const group = open.get(name)
    if (isAlone(one, outlets.get(one.outletId))) groups.push([one])
    else if (group !== undefined && group.length < MOST_TOGETHER) group.push(one)
    else {
      const begun = [one]
      groups.push(begun)
      open.set(name, begun)
    }
  }
  return groups
}

const toIntent = (event: ArticleEvent, group: readonly Routed[]): NewswireEvent => {
  const [{ outletId, kill, first, since }, ...others] = group as readonly [Routed, ...Routed[]]
  const also = others.map(one => one.outletId)
  const { articleId, version } = event.data
  const action = event.data.action === 'purged' ? 'retracted' : event.data.action
  return follow(event, {
    type: 'delivery.wanted',
    id: deriveId('delivery', outletId, articleId, version, ...also),
    source: SOURCE,
    subject: outletId,
    time: event.time,
    data: {
      outletId,
      ...(also.length === 0 ? {} : { also }),
      articleId,
      version,
      action: kill ? 'retracted' : action,
      ...(kill ? { kill } : {}),
      ...(first ? { first } : {}),
      ...(since === undefined ? {} : { since }),
    },
  })
}

/** How often a lost race for the routes is run again before the log's own schedule takes over. */
const RACES = 5

/** Safe to repeat, late, and out of order. Throws what store and log throw. */
export const routeArticle =
  ({ objects, publish, configuration, created, partitionOf, offer = () => undefined, now }: Needs) =>
  async (event: ArticleEvent, _context: EventContext): Promise<void> => {
    const key = keys.routes(event.data.articleId)
    const { outlets, categories } = configuration()
    await created.learn(outlets.keys())
    for (let race = 0; race < RACES; race++) {
      // A first version has most likely no routes yet: they are created unseen. A repeat loses that race, and reads.
      const isThoughtNew = race === 0 && event.data.version === 1
      const held = isThoughtNew ? null : await getDocument(objects, key, routesDocument)
      const plan = planRoutes(held?.value ?? null, event.data, { outlets, categories, createdAtMs: created.atMs })
      if (plan.wanted === null) return
      if (isThoughtNew && plan.next === null) continue
      let standing = held
      if (plan.next !== null) {
        const put = await swapDocument(objects, key, plan.next, held?.etag ?? null)
        if (!put.ok) continue
        standing = { value: plan.next, etag: put.etag }
      }
      const intents = inGroups(plan.wanted, partitionOf, { outlets }).map(group => toIntent(event, group))
      offer(event.data)
      await publish([...intents, ...toFannedOut(event, plan, new Date(now()).toISOString())])
      // Losing this mark, or the race for it, only costs intents that are written again.
      if (standing !== null && intents.length > 0)
        await swapDocument(objects, key, toWritten(standing.value), standing.etag, { durable: false })
      return
    }
    throw new Error(
      `the routes of ${event.data.articleId} are changed by somebody else again and again; look for a second consumer of its partition`,
    )
  }
