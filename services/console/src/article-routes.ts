/** What operators do to an article (contract §8): take it back, bring it back, and purge it by law (architecture §6.4), which cannot be taken back. */
import { isArticleId } from '@newswire/events/ids'
import { retractRequest } from '@newswire/events/retract-request'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { z } from 'zod'
import { problem, readBody } from './acts.ts'
import { type ArticleCommand, takeCommand } from './article-commands.ts'

type Needs = Readonly<{
  /** Anything was ever submitted under the id, however long ago: a slip of the pen must not make an article. */
  isKnown: (articleId: string) => Promise<boolean>
  publish: Publish
  now: () => number
}>

/** Both are kept for good in the archive's record of the purge, so they must not tell what was purged. */
const wantedPurge = z.strictObject({ reason: z.string().trim().min(1).max(1_000), by: z.string().trim().min(1).max(200).optional() })
const nothing = z.strictObject({})

const toPurge = ({ reason, by }: z.output<typeof wantedPurge>): ArticleCommand => ({
  command: 'purge',
  reason,
  ...(by === undefined ? {} : { by }),
})

export const addArticleRoutes = (app: HttpServer, { isKnown, publish, now }: Needs): void => {
  const take = (name: 'retract' | 'republish' | 'purge', toCommand: (request: HttpRequest) => ArticleCommand) =>
    app.post(`/v1/articles/:articleId/${name}`, async (request, reply) => {
      const { articleId } = request.params as { articleId: string }
      const command = toCommand(request)
      if (!isArticleId(articleId) || !(await isKnown(articleId)))
        throw problem(
          404,
          'NEWSWIRE_NOT_FOUND',
          'Not found',
          'nothing was ever submitted under this id; the whole id is <publisher>.<local id>',
        )
      return reply.status(202).send(await takeCommand(publish, articleId, command, new Date(now()).toISOString()))
    })
  take('retract', request => ({ command: 'retract', retraction: readBody(request, retractRequest, 'retraction') }))
  take('republish', request => {
    readBody(request, nothing, 'republish')
    return { command: 'republish' }
  })
  take('purge', request => toPurge(readBody(request, wantedPurge, 'purge')))
}
