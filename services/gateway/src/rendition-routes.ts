/** Pictures, only while a public article shows them (architecture §6.13). */
import { cacheKeyHeaders, cacheKeys } from '@newswire/events/cache-keys'
import { isSha256 } from '@newswire/events/ids'
import { evaluateConditions } from '@newswire/http/conditional'
import type { HttpServer } from '@newswire/http/server'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { notFound, notSure } from './answers.ts'
import { createCatchUp } from './catch-up.ts'
import type { StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

/** The address of a picture for certain outlets is told to them alone, and cannot be guessed; no cache on the way keeps it for others. */
const RESTRICTED_CACHE = 'private, max-age=3600'

type Needs = Readonly<{ view: View; objects: Pick<Objects, 'get'>; stored: Pick<StoreArticles, 'shownBy'>; isTold: () => boolean }>

export const addRenditionRoutes = (app: HttpServer, { view, objects, stored, isTold }: Needs): void => {
  const catchUp = createCatchUp(view)

  app.get('/renditions/:sha256/:file', async (request, reply) => {
    const { sha256, file } = request.params as { sha256: string; file: string }
    if (!isSha256(sha256) || !/^[a-z0-9-]+\.(?:jpg|avif|webp)$/.test(file)) throw notFound('no such picture')
    const isSure = isTold()
    if (isSure && view.picture(sha256) === 'unknown') await catchUp()
    // What the view has from before this start, or before it was cut off, only says where to look.
    const vouched = isSure ? null : await stored.shownBy(sha256, view.shownBy(sha256))
    if (!isSure && vouched === null) throw notSure('whether this picture may be shown')
    const state = vouched === null ? view.picture(sha256) : 'shown'
    if (state === 'gone') return reply.status(410).header('cache-control', 'no-store').send()
    const found = state === 'shown' || state === 'restricted' ? await objects.get(`${keys.renditionPrefix(sha256)}${file}`) : null
    if (found === null) return reply.status(404).header('cache-control', 'no-store').send()
    const etag = `"${found.etag.replace(/"/g, '')}"`
    reply.header('etag', etag).header('cache-control', state === 'shown' ? 'public, max-age=86400, immutable' : RESTRICTED_CACHE)
    const article = vouched ?? view.shownBy(sha256)
    if (article !== null)
      reply
        .header('link', `</articles/${article}>; rel="describedby"`)
        .headers(cacheKeyHeaders(cacheKeys.picture(sha256), cacheKeys.article(article)))
    const outcome = evaluateConditions(request.headers, [etag], null)
    if (outcome === 'failed') return reply.status(412).send()
    if (outcome === 'not-modified') return reply.status(304).send()
    return reply.type(found.contentType).send(Buffer.from(found.bytes))
  })
}
