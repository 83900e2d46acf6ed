/**
 * `POST /v1/hooks/{publisher}/{hookId}`: a CMS's own webhook. Verified before anything of it is looked at; what was sent is kept as it came before it is read; then
 * it goes the way of every other request, under a key of its own, so that the same delivery again has no second effect.
 */
import { articleInput } from '@newswire/events/article'
import type { PublisherConfig } from '@newswire/events/config'
import type { Released } from '@newswire/events/current'
import { UnavailableError } from '@newswire/events/errors'
import { isLive } from '@newswire/events/fact'
import type { HookConfig } from '@newswire/events/hook-config'
import { newId, sha256Hex } from '@newswire/events/ids'
import type { Warning } from '@newswire/events/warnings'
import { ProblemError, problem } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import { readStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { isKnownArticle } from '@newswire/runtime/known-article'
import type { ServiceContext } from '@newswire/runtime/service'
import { findLostAddresses } from '../complaints.ts'
import { live, toCheckedArticleId, toPublish } from '../requests.ts'
import type { Answer, createTake, ToAsked } from '../take.ts'
import { findRelease, type Release } from './embargo.ts'
import { toLocalId, versionOf } from './identity.ts'
import { firstText } from './pointers.ts'
import { fieldsFor, JSON_LIMITS, type Preset, presetOf } from './presets.ts'
import type { Fields, Notice } from './read-notice.ts'
import { isKey, type Signed, type Verified } from './signatures.ts'

type HookNeeds = Pick<ServiceContext, 'configuration' | 'now' | 'secret' | 'trace'> &
  Readonly<{ objects: Pick<Objects, 'get' | 'head' | 'put' | 'delete'>; take: ReturnType<typeof createTake> }>

/** `ignored`: nothing was to be done, and why; a CMS that asked again would hear the same. */
type HookAnswer = Answer | Readonly<{ ignored: string; warnings?: readonly Warning[] }>

type Delivery = Pick<Extract<Verified, { ok: true }>, 'delivery' | 'isOnce'>
type Publication = Extract<Notice, { act: 'publish' }>
type Hook = Readonly<{ publisher: PublisherConfig; hook: HookConfig; preset: Preset; fields: Fields }>

const notFound = () => problem(404, 'NEWSWIRE_HOOK_UNKNOWN', 'Not found', 'there is no such hook in the configuration')

const unread = (code: 'NEWSWIRE_HOOK_EMBARGO' | 'NEWSWIRE_HOOK_BODY' | 'NEWSWIRE_HOOK_STATUS', title: string, errors: readonly Warning[]) =>
  new ProblemError({ status: 422, code, title, detail: `${errors[0]?.pointer}: ${errors[0]?.detail}`, errors: errors.slice(0, 50) })

const headersOf = (request: HttpRequest): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? undefined : value]))

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

  const noSecret = (detail: string) =>
    new ProblemError({
      status: 503,
      code: 'NEWSWIRE_HOOK_SECRET',
      title: 'This cannot be verified now',
      detail,
      headers: { 'retry-after': '60' },
    })

  /** Throws the 401 problem, or the 503 one while nobody can say. */
  const verify = (signed: Signed, { hook, preset }: Hook): Delivery => {
    const value = secret(hook.secretEnv) ?? ''
    if (value === '') throw noSecret('the secret of this hook is not set where ingest runs')
    if (!isKey(value))
      throw noSecret('the secret of this hook is no key: expected at least 8 characters, or whsec_ and at least 16 bytes as base64')
    const verified = preset.verify(signed, value, now())
    if (verified.ok) return verified
    throw problem(401, 'NEWSWIRE_HOOK_SIGNATURE', 'It is not known who sent this', verified.detail)
  }

  /** Kept before it is read, whatever comes of it: whoever mends the mapping has something to go by. Once a submission has it, it lies there. */
  const keeping = async (key: string, body: Uint8Array, work: () => Promise<HookAnswer>): Promise<HookAnswer> => {
    await objects.put(key, body, { contentType: 'application/json' })
    const answer = await work()
    if ('ignored' in answer) return answer
    await objects.delete(key).catch(error => {
      if (!(error instanceof UnavailableError)) throw error // the sweep has it
    })
    return answer
  }

  /** Throws the 422 problem of what looks like an embargo and cannot be read. */
  const releaseOf = ({ hook, preset, fields }: Hook, { document, around }: Publication): Release => {
    // Another Newswire has held it already, and may show its readers a date that is ahead, or a title about an embargo.
    const isHeldThere = preset.isOurs && hook.mapping.fields.publishedAt === undefined
    const read = isHeldThere ? { ...fields, publishedAt: [], title: [] } : fields
    const release = findRelease(document, around, read, hook.mapping, now())
    if (release.errors.length > 0) throw unread('NEWSWIRE_HOOK_EMBARGO', 'It cannot be read until when this is to be held', release.errors)
    return release
  }

  const publish = async (request: HttpRequest, hook: Hook, notice: Publication, { delivery, isOnce }: Delivery): Promise<HookAnswer> => {
    const { publisher, fields, preset } = hook
    const { document } = notice
    const localId = toLocalId(firstText(document, fields.id), hook.hook.mapping)
    if (localId === null)
      throw new ProblemError({
        status: 422,
        code: 'NEWSWIRE_HOOK_PAYLOAD',
        title: 'The document has no id',
        detail: `none of ${fields.id.join(', ')} is there; mapping.fields.id of the hook says where it is`,
      })
    const articleId = toCheckedArticleId(publisher.id, localId)
    // The same body after it was taken back is no repeat: its sender is to hear that it waits for a republish.
    const fact = isOnce ? undefined : (await getReleased(objects, articleId))?.fact
    const again = fact?.state === 'retracted' ? `:${fact.version}` : ''
    // Only with the first hook that is called: it brings libraries for the rich text of half a dozen CMSs.
    const { toInput } = await import('./to-input.ts')
    const toAsked: ToAsked = stamp => {
      const release = releaseOf(hook, notice)
      const { embargoUntil } = release
      const made = toInput(document, preset, fields, hook.hook.mapping)
      if (made.errors.length > 0) throw unread('NEWSWIRE_HOOK_BODY', 'The body cannot be read', made.errors)
      const input = validateWith(articleInput, { ...made.input, ...(embargoUntil === undefined ? {} : { embargoUntil }) }, 'article')
      const warnings = [...notice.warnings, ...release.warnings, ...made.warnings, ...findLostAddresses(input)]
      return { submission: toPublish(stamp, input, configuration.current().site), pictures: [], warnings }
    }
    return take(request, { publisher: publisher.id, articleId, key: `hook:${hook.hook.id}:${delivery}${again}`, ...live }, toAsked)
  }

  const takeBack = async (
    request: HttpRequest,
    hook: Hook,
    notice: Extract<Notice, { id: string }>,
    { delivery, isOnce }: Delivery,
  ): Promise<HookAnswer> => {
    const { publisher, fields } = hook
    const localId = toLocalId(notice.id, hook.hook.mapping)
    if (localId === null) return { ignored: 'its id is none that an article could have' }
    const articleId = toCheckedArticleId(publisher.id, localId)
    // A CMS also tells of drafts that were never ours.
    if (!(await isKnownArticle({ objects, trace }, articleId))) return { ignored: 'nothing was ever submitted as this' }
    if (isLate(await getReleased(objects, articleId), notice.document, fields))
      return { ignored: 'what is out is newer than what this takes back' }
    const isDeleted = notice.act === 'delete'
    const retraction = {
      mode: isDeleted ? ('gone' as const) : ('withdraw' as const),
      reason: `${isDeleted ? 'deleted' : 'unpublished'} in ${hook.hook.id}`,
      legal: false,
    }
    // Taken back once too often does no harm; a retraction that is taken for a repeat does.
    const key = `hook:${hook.hook.id}:${isOnce ? delivery : newId()}`
    return take(request, { publisher: publisher.id, articleId, key, ...live }, stamp => ({
      submission: { command: 'retract', ...stamp, retraction },
      pictures: [],
    }))
  }

  /** A draft of what is out takes nothing back, which whoever meant to is to hear. */
  const doubtsOfDraft = async (
    { publisher, hook, fields }: Hook,
    { draft }: Extract<Notice, { act: 'ignore' }>,
  ): Promise<Readonly<{ warnings?: readonly Warning[] }>> => {
    const localId = draft === undefined ? null : toLocalId(firstText(draft, fields.id), hook.mapping)
    if (localId === null) return {}
    const articleId = toCheckedArticleId(publisher.id, localId)
    const released = await getReleased(objects, articleId)
    if (released === null || !isLive(released.fact)) return {}
    const detail = `version ${released.fact.version} of ${articleId} stays public: a draft takes nothing back; unpublish it there, or newswire retract ${articleId}`
    return { warnings: [{ pointer: '/status', detail }] }
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
    const kept = keys.hookDelivery(hook.publisher.id, hook.hook.id, sha256Hex(body))
    return keeping(kept, body, async () => {
      const notice = hook.preset.read(readStrictJson(body, JSON_LIMITS), headers, hook.hook.mapping, hook.fields)
      if (notice.act === 'refuse') throw unread('NEWSWIRE_HOOK_STATUS', 'It is not known whether this may go out', notice.errors)
      if (notice.act === 'ignore') return { ignored: notice.reason, ...(await doubtsOfDraft(hook, notice)) }
      return settlingConflicts(
        notice.act === 'publish' ? publish(request, hook, notice, delivery) : takeBack(request, hook, notice, delivery),
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
    // As a document it would say nothing that happened, and be answered as if it had been taken (CloudEvents HTTP binding §3.3 wants a 415).
    scope.addContentTypeParser('application/cloudevents-batch+json', async () => {
      const detail = 'expected one event at a time, as application/cloudevents+json, found a batch; nothing of it was taken'
      throw problem(415, 'NEWSWIRE_MEDIA_TYPE', 'This media type is not taken here', detail)
    })
    // Before the body: what is for nobody is not read.
    const refuseUnknown = async (request: HttpRequest) => void find(request)
    scope.post('/v1/hooks/:publisher/:hookId', { onRequest: refuseUnknown }, async (request, reply) =>
      reply.status(202).send(await handle(request)),
    )
  })
}
