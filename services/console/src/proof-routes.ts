/** `GET /v1/articles/{articleId}/retraction-proof`: who may have had a retracted article, who acknowledged, and where it was looked for. */
import { isArticleId } from '@newswire/events/ids'
import { notFound } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import type { Proofs } from './proofs.ts'

export const addProofRoutes = (
  app: HttpServer,
  { proofs, caughtUp }: Readonly<{ proofs: Proofs; caughtUp: () => Promise<unknown> }>,
): void => {
  app.get('/v1/articles/:articleId/retraction-proof', async request => {
    const { articleId } = request.params as { articleId: string }
    if (!isArticleId(articleId)) throw notFound('no article has such an id')
    await caughtUp()
    const proof = await proofs.of(articleId)
    if (proof === null) throw notFound(`${articleId} does not stand taken back, so there is nothing to prove`)
    return proof
  })
}
