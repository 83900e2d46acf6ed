/**
 * `POST /v1/hooks/{publisher}/{hookId}`: a CMS's own webhook. Verified before anything of it is looked at; what was sent is kept as it came; then it goes
 * the way of every other request, under a key of its own, so that the same delivery again has no second effect.
 */
import { articleInput } from '@newswire/events/article'
import type { HookConfig, PublisherConfig } from '@newswire/events/config'
import type { Released } from '@newswire/events/current'
import { newId } from '@newswire/events/ids'
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import { parseStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { ServiceContext } from '@newswire/runtime/service'
import { live, toCheckedArticleId, toPublish, toRepublish } from '../requests.ts'
import type { Answer, createTake, ToAsked } from '../take.ts'
import { firstText } from './pointers.ts'
import { fieldsFor, type Preset, presetOf } from './presets.ts'
import type { Fields, Notice } from './read-notice.ts'
import type { Signed } from './signatures.ts'
import { toInput, toInstant, toLocalId, versionOf } from './to-input.ts'

export type HookNeeds = Pick<ServiceContext, 'configuration' | 'now' | 'secret' | 'trace'> &
  Readonly<{ objects: Pick<Objects, 'get' | 'head' | 'put'>; take: ReturnType<typeof createTake> }>

/** `ignored`: nothing was to be done, and why; a CMS that asked again would hear the same. */
type HookAnswer = Answer | Readonly<{ ignored: string }>

/** How long the trace is waited for, to know whether there is anything to take back. */
const TRACE_WAIT_MS = 2_000

/** Documents of rich text are deeper and have more names in them than an article. */
const JSON_LIMITS = { maxDepth: 100, maxKeys: 50_000 }

type Hook = Readonly<{ publisher: PublisherConfig; hook: HookConfig; preset: Preset; fields: Fields }>

const notFound = () =>
  new ProblemError({ status: 404, code: 'NEWSWIRE_HOOK_UNKNOWN', title: 'Not found', detail: 'there is no such hook in the configuration' })

const headersOf = (request: HttpRequest): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? undefined : value]))

/** Why it was taken back, in words by which a later publication knows that it was this hook, and nobody who meant it for good. */
const reasonOf = (act: 'unpublish' | 'delete', { id }: HookConfig): string => `${act === 'delete' ? 'deleted' : 'unpublished'} in ${id}`

/** It is out again in the CMS, and it was this hook that took it back. What is older than that came late, and brings nothing back. */
const comesBack = (released: Released, { hook, fields }: Hook, document: unknown): boolean => {
  const fact = released?.fact
  if (fact?.state !== 'retracted' || fact.retraction.mode !== 'withdraw' || fact.retraction.reason !== reasonOf('unpublish', hook))
    return false
  const [version, changedAt] = [versionOf(document, fields), toInstant(firstText(document, fields.updatedAt))]
  const isNewer = version === null || fact.sourceVersion === undefined || version > fact.sourceVersion
  return isNewer && (changedAt === null || changedAt > fact.releasedAt)
}

/** What is out is newer than what is to be taken back. */
const isLate = (released: Released, document: unknown, fields: Fields): boolean => {
  const version = versionOf(document, fields)
  const known = released?.fact.sourceVersion
  return version !== null && known !== undefined && version < known
}

export const addHookRoutes = (app: HttpServer, { configuration, objects, now, secret, trace, take }: HookNeeds): void => {
  const find = (request: HttpRequest): Hook => {
    const { publisher: publisherId, hookId } = request.params as { publisher: string; hookId: string }
    const publisher = configuration.current().publishers.get(publisherId)
    const hook = publisher?.hooks?.find(one => one.id === hookId)
    if (publisher === undefined || hook === undefined) throw notFound()
    const preset = presetOf(hook.preset)
    return { publisher, hook, preset, fields: fieldsFor(preset, hook.mapping) }
  }

  /** Throws the 401 problem, or the 503 one while nobody can say. */
  const verify = (signed: Signed, { hook, preset }: Hook): string => {
    const value = secret(hook.secretEnv) ?? ''
    if (value === '')
      throw new ProblemError({
        status: 503,
        code: 'NEWSWIRE_HOOK_SECRET',
        title: 'This cannot be verified now',
        detail: 'the secret of this hook is not set where ingest runs',
        headers: { 'retry-after': '60' },
      })
    const verified = preset.verify(signed, value, now())
    if (verified.ok) return verified.delivery
    throw new ProblemError({
      status: 401,
      code: 'NEWSWIRE_HOOK_SIGNATURE',
      title: 'It is not known who sent this',
      detail: verified.detail,
    })
  }

  /** What cannot be used is kept all the same: whoever mends the mapping has something to go by. */
  const keeping = async <T>({ publisher }: Hook, body: Uint8Array, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ProblemError && (error.status === 400 || error.status === 422))
        await objects.put(keys.native(publisher.id, new Date(now()).toISOString(), newId()), body, { contentType: 'application/json' })
      throw error
    }
  }

  const publish = async (request: HttpRequest, hook: Hook, document: unknown, delivery: string): Promise<HookAnswer> => {
    const { publisher, fields, preset } = hook
    const localId = toLocalId(firstText(document, fields.id), hook.hook.mapping)
    if (localId === null)
      throw new ProblemError({
        status: 422,
        code: 'NEWSWIRE_HOOK_PAYLOAD',
        title: 'The document has no id',
        detail: `none of ${fields.id.join(', ')} is there; mapping.fields.id of the hook says where it is`,
      })
    const articleId = toCheckedArticleId(publisher.id, localId)
    const isBack = comesBack(await getReleased(objects, articleId), hook, document)
    const toAsked: ToAsked = stamp => {
      const input = validateWith(articleInput, toInput(document, preset, fields, hook.hook.mapping), 'article')
      return { submission: toPublish(stamp, input, configuration.current().site), pictures: [] }
    }
    const key = `hook:${hook.hook.id}:${delivery}`
    const answer = await take(request, { publisher: publisher.id, articleId, key, ...live }, toAsked)
    if (isBack)
      await take(request, { publisher: publisher.id, articleId, key: `${key}:republish`, ...live }, stamp => ({
        submission: toRepublish(stamp),
        pictures: [],
      }))
    return answer
  }

  /** A CMS also tells of drafts that were never ours. What cannot be known now is taken for known: a retraction is not lost. */
  const isKnown = async (articleId: string): Promise<boolean> => {
    if ((await objects.head(keys.current(articleId))) !== null) return true
    const view = await trace()
    try {
      await view.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS))
    } catch {
      return true // the trace is behind
    }
    return view.article(articleId) !== null
  }

  const takeBack = async (
    request: HttpRequest,
    hook: Hook,
    notice: Extract<Notice, { id: string }>,
    delivery: string,
  ): Promise<HookAnswer> => {
    const { publisher, fields } = hook
    const localId = toLocalId(notice.id, hook.hook.mapping)
    if (localId === null) return { ignored: 'its id is none that an article could have' }
    const articleId = toCheckedArticleId(publisher.id, localId)
    if (!(await isKnown(articleId))) return { ignored: 'nothing was ever submitted as this' }
    if (isLate(await getReleased(objects, articleId), notice.document, fields))
      return { ignored: 'what is out is newer than what this takes back' }
    const retraction = {
      mode: notice.act === 'delete' ? ('gone' as const) : ('withdraw' as const),
      reason: reasonOf(notice.act, hook.hook),
      legal: false,
    }
    return take(request, { publisher: publisher.id, articleId, key: `hook:${hook.hook.id}:${delivery}`, ...live }, stamp => ({
      submission: { command: 'retract', ...stamp, retraction },
      pictures: [],
    }))
  }

  /** A conflict is no reason for a CMS to send the same again: what it says is old. */
  const settlingConflicts = async (work: Promise<HookAnswer>): Promise<HookAnswer> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof ProblemError && error.status === 409) return { ignored: error.detail }
      throw error
    }
  }

  const handle = async (request: HttpRequest): Promise<HookAnswer> => {
    const hook = find(request)
    const body = request.rawBody ?? new Uint8Array()
    const headers = headersOf(request)
    const delivery = verify({ method: request.method, url: request.url, headers, body }, hook)
    return keeping(hook, body, async () => {
      const json = parseStrictJson(body, JSON_LIMITS)
      if (!json.ok) throw new ProblemError({ status: 400, code: 'NEWSWIRE_JSON', title: 'The body cannot be read', detail: json.detail })
      const notice = hook.preset.read(json.value, headers, hook.hook.mapping, hook.fields)
      if (notice.act === 'ignore') return { ignored: notice.reason }
      return settlingConflicts(
        notice.act === 'publish' ? publish(request, hook, notice.document, delivery) : takeBack(request, hook, notice, delivery),
      )
    })
  }

  app.register(async scope => {
    // CMSs name their JSON (`application/cloudevents+json`); nobody else's requests are taken under such names.
    scope.addContentTypeParser<Buffer>(
      /^application\/[\w.-]+\+json\b/,
      { parseAs: 'buffer' },
      async (request: HttpRequest, body: Buffer) => {
        request.rawBody = body
        return undefined
      },
    )
    // Before the body: what is for nobody is not read.
    const refuseUnknown = async (request: HttpRequest) => void find(request)
    scope.post('/v1/hooks/:publisher/:hookId', { onRequest: refuseUnknown }, async (request, reply) =>
      reply.status(202).send(await handle(request)),
    )
  })
}
