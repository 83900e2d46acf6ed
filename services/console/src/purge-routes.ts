/** Purge by law (architecture §6.4): an operator's command, in the article's own lane. It cannot be taken back. */
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId, isArticleId, newId, parseArticleId } from '@newswire/events/ids'
import { ProblemError } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { parseStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import type { Publish } from '@newswire/log/events'
import { z } from 'zod'

type Needs = Readonly<{
  /** Anything was ever submitted under the id, however long ago: a slip of the pen must not make an article. */
  isKnown: (articleId: string) => Promise<boolean>
  publish: Publish
  now: () => number
}>

/** Both are kept for good in the archive's record of the purge, so they must not tell what was purged. */
const wantedPurge = z.strictObject({ reason: z.string().trim().min(1).max(1_000), by: z.string().trim().min(1).max(200).optional() })

const toEvents = (articleId: string, { reason, by }: z.output<typeof wantedPurge>, at: string): NewswireEvent[] => {
  const submissionId = newId()
  const envelope = { source: '/services/console', subject: articleId, time: at, correlationid: submissionId }
  return [
    {
      ...envelope,
      id: submissionId,
      type: 'submission.accepted',
      data: {
        command: 'purge',
        submissionId,
        articleId,
        publisher: parseArticleId(articleId)?.publisher ?? '',
        receivedAt: at,
        lane: 'live',
        reason,
        ...(by === undefined ? {} : { by }),
      },
    },
    {
      ...envelope,
      id: deriveId('ingest', submissionId),
      type: 'milestone.reached',
      causationid: submissionId,
      data: { kind: 'submission', articleId, submissionId, at, stage: 'ingest', state: 'accepted', command: 'purge' },
    },
  ]
}

export const addPurgeRoutes = (app: HttpServer, { isKnown, publish, now }: Needs): void => {
  app.post('/v1/articles/:articleId/purge', async (request, reply) => {
    const { articleId } = request.params as { articleId: string }
    const json = parseStrictJson(request.rawBody ?? new Uint8Array())
    if (!json.ok) throw new ProblemError({ status: 400, code: 'NEWSWIRE_JSON', title: 'The body cannot be read', detail: json.detail })
    const wanted = validateWith(wantedPurge, json.value, 'purge')
    if (!isArticleId(articleId) || !(await isKnown(articleId)))
      throw new ProblemError({
        status: 404,
        code: 'NEWSWIRE_NOT_FOUND',
        title: 'Not found',
        detail: 'nothing was ever submitted under this id; the whole id is <publisher>.<local id>',
      })
    const events = toEvents(articleId, wanted, new Date(now()).toISOString())
    await publish(events, { synced: true })
    const submissionId = events[0]?.id ?? ''
    return reply.status(202).send({ submissionId, articleId, trace: `/v1/articles/${articleId}/trace` })
  })
}
