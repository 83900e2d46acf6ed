/** `/hub`: the WebSub hub of every feed (contract §5). Its answers are plain text, as the Recommendation wants them (§5.1.2). */
import { toHub } from '@newswire/events/subscription'
import { problem, toProblem } from '@newswire/http/problem'
import { toClientKey } from '@newswire/http/rate'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import type { Hub } from './hub.ts'
import { askerOf } from './limits.ts'

/** Bytes of a request: two addresses, a secret and room. */
const MAX_BODY_BYTES = 8_192
const FORM = 'application/x-www-form-urlencoded'
const TEXT = 'text/plain; charset=utf-8'

/** `proxies`: how many stand before us, whose `X-Forwarded-For` is believed. */
type Needs = Readonly<{ hub: Hub; configuration: Pick<Configuration, 'current'>; proxies: number }>

const explain = (publicUrl: string): string =>
  [
    'This is a WebSub hub (https://www.w3.org/TR/websub/) for every feed here.',
    `Subscribe: POST ${FORM} to ${toHub(publicUrl)} with hub.mode=subscribe, hub.topic=<the rel=self of a feed> and hub.callback=<your address>;`,
    'hub.secret and hub.lease_seconds are optional. Your callback is asked (GET) to repeat hub.challenge, and from then on gets every change of the feed (POST).',
    '',
  ].join('\n')

export const addHubRoutes = (app: HttpServer, { hub, configuration, proxies }: Needs): void => {
  app.register(async scope => {
    // All but a form is refused by us below, in words that fit a hub; every other route of this server expects JSON.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async () => undefined)
    scope.addContentTypeParser<Buffer>(
      FORM,
      { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
      async (_request: HttpRequest, body: Buffer) => body,
    )
    scope.setErrorHandler((error, _request, reply) => {
      const { status, detail, headers } = toProblem(error)
      return reply
        .status(status)
        .headers({ 'cache-control': 'no-store', ...headers })
        .type(TEXT)
        .send(`${detail}\n`)
    })
    scope.get('/hub', async (_request, reply) =>
      reply.type(TEXT).header('cache-control', 'public, max-age=3600').send(explain(configuration.current().site.publicUrl)),
    )
    scope.post('/hub', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      if (!Buffer.isBuffer(request.body)) throw problem(415, 'NEWSWIRE_MEDIA_TYPE', 'This media type is not taken here', `expected ${FORM}`)
      const client = toClientKey(askerOf(request, proxies))
      const { status, text, retryAfterSeconds } = await hub.take(request.body, client)
      if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds))
      return reply.status(status).header('cache-control', 'no-store').type(TEXT).send(`${text}\n`)
    })
  })
}
