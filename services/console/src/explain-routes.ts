/** `GET /v1/explain?article=&outlet=[&version=]` (contract §8): why an outlet was sent a version, or was not. */
import { isArticleId, isConfigId } from '@newswire/events/ids'
import { notFound } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { validateWith } from '@newswire/http/validate'
import type { Objects } from '@newswire/objects/objects'
import type { Trace } from '@newswire/trace/trace'
import { z } from 'zod'
import { explain } from './explain.ts'

const question = z.strictObject({
  article: z.string().refine(isArticleId, 'expected the id of an article, <publisher>.<local id>'),
  outlet: z.string().refine(isConfigId, 'expected the id of an outlet'),
  /** Default: the newest that was released. */
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'expected the number of a version')
    .transform(Number)
    .optional(),
})

type Needs = Readonly<{ objects: Objects; current: () => Promise<Trace> }>

export const addExplainRoutes = (app: HttpServer, { objects, current }: Needs): void => {
  app.get('/v1/explain', async request => {
    const { article: articleId, outlet: outletId, version = null } = validateWith(question, request.query, 'question')
    const found = await explain({ objects, trace: await current() }, { articleId, outletId, version })
    if ('unknown' in found) throw notFound(found.detail)
    return found
  })
}
