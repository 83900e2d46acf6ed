/** `GET /partners/{outlet}/deliveries`: the cursor of contract §6, what have I missed. */
import { inPartnersWords, isHeld } from '@newswire/events/outlet'
import { ProblemError } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import type { Objects } from '@newswire/objects/objects'
import { findEarly } from '@newswire/runtime/early-articles'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import type { Came, CameList, CamePage, CameQuery } from '@newswire/runtime/outlet-deliveries'
import type { Partner, PartnerAccess } from './partner-access.ts'
import { PARTNER_HEADERS } from './partner-headers.ts'

const LIMIT = 100
const MOST = 500

/** Partners are not told which addresses of ours can reach what. */
const toPartnersView = (came: Came): Came => ({ ...came, lastError: inPartnersWords(came.lastError) })

const whole = (value: unknown, fallback: number, most: number): number | null => {
  if (value === undefined || value === '') return fallback
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(number) ? Math.min(number, most) : null
}

/** Throws the 400 problem. */
export const readCursor = (query: unknown): Readonly<{ after: number; limit: number }> => {
  const { after, limit } = query as { after?: unknown; limit?: unknown }
  const [from, most] = [whole(after, 0, Number.MAX_SAFE_INTEGER), whole(limit, LIMIT, MOST)]
  if (from !== null && most !== null && most > 0) return { after: from, limit: most }
  throw new ProblemError({
    status: 400,
    code: 'NEWSWIRE_REQUEST',
    title: 'The request cannot be read',
    detail: `expected ?after=<sequence> (of x-newswire-sequence; 0 for all that is kept) and &limit= from 1 to ${MOST}`,
  })
}

export type DeliveriesNeeds = Readonly<{
  access: PartnerAccess
  control: Pick<OutletControl, 'state'>
  came: CameList
  objects: Pick<Objects, 'get'>
  now: () => number
}>

/** What came for a partner, in words that it may read; nothing of an article whose time has not come for it (`embargoOffsetHours`). */
export const readForPartner = async (
  { control, came, objects, now }: Omit<DeliveriesNeeds, 'access'>,
  { outlet }: Pick<Partner, 'outlet'>,
  cursor: Omit<CameQuery, 'held'>,
): Promise<CamePage> => {
  const page = await came(outlet.id, { ...cursor, held: isHeld(await control.state(outlet.id), outlet) })
  const wanted = page.deliveries.map(({ articleId, at }) => ({ articleId, sinceMs: Date.parse(at) }))
  const early = await findEarly(objects, outlet, wanted, now())
  return { ...page, deliveries: page.deliveries.filter(one => !early.has(one.articleId)).map(toPartnersView) }
}

export const addPartnerDeliveriesRoute = (app: HttpServer, needs: DeliveriesNeeds): void => {
  app.get('/partners/:outletId/deliveries', async (request, reply) => {
    const partner = needs.access.require(request)
    const page = await readForPartner(needs, partner, readCursor(request.query))
    return reply.headers(PARTNER_HEADERS).send({ outlet: partner.outlet.id, ...page })
  })
}
