/** `GET /v1/events` (contract §8): what moves through the pipeline, as it moves. */
import { ProblemError } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import type { LiveEvents } from './follow-events.ts'

const AGAIN_S = '30'

export const addEventRoutes = (app: HttpServer, { open }: Pick<LiveEvents, 'open'>): void => {
  // A HEAD of it would read without end.
  app.get('/v1/events', { exposeHeadRoute: false }, async (request, reply) => {
    const { 'last-event-id': lastEventId } = request.headers
    const stream = await open(Array.isArray(lastEventId) ? lastEventId.at(-1) : lastEventId)
    if (stream === null)
      throw new ProblemError({
        status: 503,
        code: 'NEWSWIRE_EVENTS_FULL',
        title: 'As many are listening as may',
        detail: 'each holds a connection; close one, or come back later',
        headers: { 'retry-after': AGAIN_S },
      })
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream)
  })
}
