/** Outlets for operators (contract §8): how they stand, what came for each, and the same acts as on a partner's own page. */

import type { OutletConfig } from '@newswire/events/config'
import { newId } from '@newswire/events/ids'
import { isHeld } from '@newswire/events/outlet'
import { actBody, operatorRotateBody, replayBody, toReplayFrom } from '@newswire/events/outlet-acts'
import { notFound, problem } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import { keptFor } from '@newswire/runtime/kept-for'
import { HOUR_MS, type OutletControl } from '@newswire/runtime/outlet-control'
import { type Came, createCameList } from '@newswire/runtime/outlet-deliveries'
import type { Trace } from '@newswire/trace/trace'
import { acting, readBody, readNothing } from './acts.ts'
import { type createStates, toOutletLine } from './outlet-list.ts'

type Needs = Readonly<{
  log: Pick<Log, 'read' | 'lag' | 'ends' | 'partitionOf'>
  objects: Pick<Objects, 'get' | 'list'>
  configuration: Pick<Configuration, 'current'>
  trace: Pick<Trace, 'outlets' | 'deliveries'>
  control: OutletControl
  /** What is kept of outlets. */
  statesNow: ReturnType<typeof createStates>
  now: () => number
}>

const MOST = 500

const whole = (value: unknown, fallback: number): number | null => {
  if (value === undefined) return fallback
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(number) ? number : null
}

/**
 * What is done says how often it was tried, and whether only a newer version was acknowledged, where that was told; what was replayed has been told of
 * once, of the first time.
 */
const withTold = (deliveries: readonly Came[], toldOf: ReturnType<Trace['deliveries']>): Came[] =>
  deliveries.map(one => {
    const told = one.state === 'done' && !one.replayed ? toldOf(one.articleId, one.version) : null
    return told === null ? one : { ...one, attempts: told.attempts, state: told.state === 'superseded' ? 'superseded' : 'done' }
  })

export const addOutletRoutes = (app: HttpServer, { log, objects, configuration, trace, control, statesNow, now }: Needs): void => {
  const came = createCameList({ log, objects })
  const traceNow = keptFor(1_000, async () => trace.outlets(configuration.current().outlets.keys()))
  const outletOf = (request: HttpRequest): OutletConfig => {
    const { outletId } = request.params as { outletId: string }
    const outlet = configuration.current().outlets.get(outletId)
    if (outlet !== undefined) return outlet
    throw notFound('there is no such outlet; /v1/outlets lists them')
  }

  app.get('/v1/outlets', async () => {
    const [states, traces] = await Promise.all([statesNow(), traceNow()])
    const outlets = [...configuration.current().outlets.values()]
    return { outlets: outlets.map(one => toOutletLine(one, states.get(one.id), traces.get(one.id), now())) }
  })
  app.get('/v1/outlets/:outletId', async request => {
    const outlet = outletOf(request)
    const [status, requests] = await Promise.all([control.status(outlet, 'operator'), control.requests(outlet.id)])
    const { lastDoneAt = null } = trace.outlets([outlet.id]).get(outlet.id) ?? {}
    return { id: outlet.id, name: outlet.name ?? null, kind: outlet.deliver.kind, ...status, lastDoneAt, requests }
  })
  app.get('/v1/outlets/:outletId/deliveries', async request => {
    const outlet = outletOf(request)
    const query = request.query as { after?: unknown; limit?: unknown }
    const [after, limit] = [whole(query.after, 0), whole(query.limit, 100)]
    if (after === null || limit === null || limit < 1)
      throw problem(400, 'NEWSWIRE_REQUEST', 'The request cannot be read', `expected ?after=<sequence>&limit=1…${MOST}`)
    const held = isHeld(await control.state(outlet.id), outlet)
    const page = await came(outlet.id, { after, limit: Math.min(limit, MOST), held })
    return { outlet: outlet.id, ...page, deliveries: withTold(page.deliveries, trace.deliveries(outlet.id)) }
  })

  app.post('/v1/outlets/:outletId/pause', async request => {
    const { id } = outletOf(request)
    readNothing(request, 'pause')
    const { paused } = await control.pause(id, 'operator')
    return { paused }
  })
  app.post('/v1/outlets/:outletId/resume', async request => {
    const { id } = outletOf(request)
    readNothing(request, 'resumption')
    const { paused } = await control.resume(id, 'operator')
    return { paused }
  })
  app.post('/v1/outlets/:outletId/test', async (request, reply) => {
    const outlet = outletOf(request)
    const { id = newId() } = readBody(request, actBody, 'test')
    return reply.status(202).send(await acting(control.ask(outlet.id, { kind: 'test' }, { id, by: 'operator' })))
  })
  app.post('/v1/outlets/:outletId/replay', async (request, reply) => {
    const outlet = outletOf(request)
    const body = readBody(request, replayBody, 'replay')
    const asked = { id: body.id ?? newId(), by: 'operator' } as const
    return reply.status(202).send(await acting(control.ask(outlet.id, { kind: 'replay', from: toReplayFrom(body) }, asked)))
  })
  app.post('/v1/outlets/:outletId/secrets', async (request, reply) => {
    const outlet = outletOf(request)
    const { id = newId(), overlapHours } = readBody(request, operatorRotateBody, 'rotation')
    const overlap = overlapHours === undefined ? {} : { overlapMs: overlapHours * HOUR_MS }
    const made = await acting(control.rotate(outlet, { id, by: 'operator', ...overlap }))
    return reply
      .status(201)
      .header('cache-control', 'no-store')
      .send({ outlet: outlet.id, ...made })
  })
}
