/** What operators do to an article (contract §8): take it back, bring it back, and purge it by law (architecture §6.4), which cannot be taken back. */
import { isArticleId } from '@newswire/events/ids'
import { retractRequestOf } from '@newswire/events/retract-request'
import { notFound } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import { isKnownArticle } from '@newswire/runtime/known-article'
import type { Trace } from '@newswire/trace/trace'
import { z } from 'zod'
import { readBody, readNothing } from './acts.ts'
import { type ArticleCommand, takeCommand } from './article-commands.ts'

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'head'>
  trace: Pick<Trace, 'article' | 'caughtUp'>
  publish: Publish
  now: () => number
}>

/** Both are kept for good in the archive's record of the purge, so they must not tell what was purged. */
const wantedPurge = z.strictObject({ reason: z.string().trim().min(1).max(1_000), by: z.string().trim().min(1).max(200).optional() })

const toPurge = ({ reason, by }: z.output<typeof wantedPurge>): ArticleCommand => ({
  command: 'purge',
  reason,
  ...(by === undefined ? {} : { by }),
})

export const addArticleRoutes = (app: HttpServer, needs: Needs): void => {
  const looked = { objects: needs.objects, trace: async () => needs.trace }
  const take = (name: 'retract' | 'republish' | 'purge', toCommand: (request: HttpRequest, articleId: string) => ArticleCommand) =>
    app.post(`/v1/articles/:articleId/${name}`, async (request, reply) => {
      const { articleId } = request.params as { articleId: string }
      const command = toCommand(request, articleId)
      // A slip of the pen must not make an article.
      if (!isArticleId(articleId) || !(await isKnownArticle(looked, articleId)))
        throw notFound('nothing was ever submitted under this id; the whole id is <publisher>.<local id>')
      return reply.status(202).send(await takeCommand(needs, articleId, command, new Date(needs.now()).toISOString()))
    })
  take('retract', (request, articleId) => ({
    command: 'retract',
    retraction: readBody(request, retractRequestOf(articleId), 'retraction'),
  }))
  take('republish', request => {
    readNothing(request, 'republish')
    return { command: 'republish' }
  })
  take('purge', request => toPurge(readBody(request, wantedPurge, 'purge')))
}
