/** Taking a request: who asks, what is asked, whether it was asked before; then it is accepted, and only then answered. */
import { randomBytes } from 'node:crypto'
import { UnavailableError } from '@newswire/events/errors'
import { newId, sha256Hex } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'
import type { Warning } from '@newswire/events/warnings'
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { findMissingSubstitute } from '@newswire/objects/missing-substitute'
import { getReleased } from '@newswire/objects/released'
import type { ServiceContext } from '@newswire/runtime/service'
import { accept, findOversize, nativeReference } from './accept.ts'
import type { Accepted } from './accepted-span.ts'
import type { BackfillWindow } from './backfill-window.ts'
import { findContradictions, findDoubts } from './complaints.ts'
import { type Claim, type ClaimRequest, claimKey, findClaim, markLogged } from './idempotency.ts'
import { dependsOnSubmitted, toNeverSubmitted, wasSubmitted } from './never-submitted.ts'
import { dependsOnReleased, findReleasedDoubts } from './released-doubts.ts'
import { findConflict, type Stamp, type Way } from './requests.ts'
import { keepPicture } from './uploads.ts'

export type TakeNeeds = Pick<ServiceContext, 'objects' | 'now' | 'configuration' | 'trace'> &
  Readonly<{
    publish: Publish
    backfill: Pick<BackfillWindow, 'admit' | 'failed'>
    onAccepted: (accepted: Accepted) => void
  }>
/** `pictures`: that lay in the body, and that the submission names. `warnings`: of what was made of the body before it was an article. */
export type ToAsked = (
  stamp: Stamp,
  body: Uint8Array,
) => Readonly<{ submission: Submission; pictures: readonly Uint8Array[]; warnings?: readonly Warning[] }>
/** `warnings`: taken, and perhaps not meant. */
export type Answer = Readonly<{ submissionId: string; articleId: string; trace: string; warnings?: readonly Warning[] }>

/** The first ones tell enough. */
const MAX_WARNINGS = 20

const MAX_KEY_LENGTH = 255
/** How long a repeat waits for the trace to reach the log's end. */
const TRACE_WAIT_MS = 2_000
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's own trace goes on; without one a trace begins here (W3C Trace Context §3.2). */
const traceOf = (request: HttpRequest): Pick<Accepted, 'traceparent' | 'isFirst'> => {
  const given = request.headers.traceparent
  if (typeof given === 'string' && TRACEPARENT.test(given)) return { traceparent: given, isFirst: false }
  const ids = randomBytes(24).toString('hex')
  return { traceparent: `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`, isFirst: true }
}

const idempotencyKeyOf = (request: HttpRequest): string | null => {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_LENGTH) return key
  throw new ProblemError({
    status: 400,
    code: 'NEWSWIRE_IDEMPOTENCY_KEY',
    title: 'The Idempotency-Key cannot be used',
    detail: `expected one header with 1 to ${MAX_KEY_LENGTH} characters`,
  })
}

/** Throws the 413 problem when its record would be larger than the topic takes. */
export const refuseOversize = (submission: Submission, sentBytes: number): void => {
  const oversize = findOversize(submission, sentBytes)
  if (oversize)
    throw new ProblemError({
      status: 413,
      code: 'NEWSWIRE_ARTICLE_TOO_LARGE',
      title: 'The article is too large',
      detail: `it takes ${oversize.bytes} bytes once mapped; the limit is ${oversize.limit}`,
    })
}

const reused = () =>
  new ProblemError({
    status: 409,
    code: 'NEWSWIRE_IDEMPOTENCY_REUSED',
    title: 'This Idempotency-Key was used for something else',
    detail: 'the same key came before with another body or address; use a new key for a new request',
  })

const full = () =>
  new ProblemError({
    status: 429,
    code: 'NEWSWIRE_BACKFILL_FULL',
    title: 'As many imports are under way as there may be',
    detail: 'live news goes first: how many may go at once changes all the time, and is 64 at most; send this one again in a second',
    headers: { 'retry-after': '1' },
  })

const toAnswer = (submissionId: string, articleId: string, warnings: readonly Warning[]): Answer => ({
  submissionId,
  articleId,
  trace: `/v1/submissions/${submissionId}`,
  ...(warnings.length === 0 ? {} : { warnings }),
})

/** From an authenticated request to the 202's body. Throws every refusal as a problem; `UnavailableError` when store or log are away. */
export const createTake = ({ objects, publish, now, configuration, trace, backfill, onAccepted }: TakeNeeds) => {
  /** A doubt is never worth a refusal: beside what cannot be read, for whatever reason, nothing is doubted. */
  const findDoubtsOfReleased = async (submission: Submission): Promise<readonly Warning[]> => {
    if (!dependsOnReleased(submission)) return []
    try {
      return findReleasedDoubts(submission, await getReleased(objects, submission.articleId), now())
    } catch {
      return []
    }
  }

  const findDoubtOfFirst = async (submission: Submission): Promise<readonly Warning[]> => {
    const { publishers } = configuration.current()
    if (!dependsOnSubmitted(submission, publishers)) return []
    try {
      return (await wasSubmitted({ objects, trace }, submission.articleId)) ? [] : [toNeverSubmitted(submission, publishers)]
    } catch {
      return []
    }
  }

  const findWarnings = async ({ submission, warnings: found = [] }: ReturnType<ToAsked>): Promise<readonly Warning[]> => {
    const first = await findDoubtOfFirst(submission)
    const besideReleased = await findDoubtsOfReleased(submission)
    if (submission.command === 'retract')
      return [...first, ...besideReleased, ...(await findMissingSubstitute(objects, submission.retraction, submission.publisher))]
    if (submission.command !== 'publish') return [...first, ...besideReleased]
    const { article, publisher, lane } = submission
    const contradictions = lane === 'backfill' ? findContradictions(article, publisher) : []
    const doubts = findDoubts(article, configuration.current().categories, now())
    return [...first, ...found, ...contradictions, ...besideReleased, ...doubts].slice(0, MAX_WARNINGS)
  }

  const refuseConflict = async (submission: Submission): Promise<void> => {
    if (submission.command !== 'publish' || submission.article.sourceVersion === undefined) return
    const conflict = findConflict(submission, await getReleased(objects, submission.articleId), now())
    if (conflict) throw conflict
  }

  /** What was logged under a key before is answered again, also when it has become old since; a first request may be refused and not take the key. */
  const claim = async (request: ClaimRequest, asked: ReturnType<ToAsked>): Promise<Claim> => {
    const found = await findClaim(objects, request)
    if (found === null) await refuseConflict(asked.submission)
    const claimed = found ?? (await claimKey(objects, request, await findWarnings(asked)))
    if (!claimed.ok) throw reused()
    return claimed.claim
  }

  /**
   * Whether a submission that was claimed before has passed the log, although its mark does not say so. Its own acceptance in the trace is no proof, that is
   * another record; what a later stage says is. Published again it would have a new position, and after enough other causes the desk no longer knows it:
   * old content would take the place of newer.
   */
  const hasPassed = async (submissionId: string): Promise<boolean> => {
    try {
      const told = await trace()
      await told.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch(() => undefined)
      const state = told.submission(submissionId)?.state
      return state !== undefined && state !== 'accepted'
    } catch (error) {
      if (error instanceof UnavailableError) return false
      throw error
    }
  }

  /** The log has it: whether the mark can be written now decides only whether a repeat publishes again, under the same id. */
  const mark = async (request: ClaimRequest): Promise<void> => {
    try {
      await markLogged(objects, request)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  return async (
    request: HttpRequest,
    /** `key`: in place of the request's `Idempotency-Key`. */
    { publisher, articleId, key: given, ...way }: Readonly<{ publisher: string; articleId: string; key?: string }> & Way,
    toAsked: ToAsked,
  ): Promise<Answer> => {
    const beganMs = performance.now()
    const body = request.rawBody ?? new Uint8Array()
    const native = { bytes: body, contentType: 'application/json' }
    const fresh = { submissionId: newId(), receivedAt: new Date(now()).toISOString() }
    const key = given ?? idempotencyKeyOf(request)
    const asked = toAsked({ ...fresh, publisher, articleId, ...way }, body)
    const { submission, pictures } = asked
    refuseOversize(submission, body.byteLength)
    const log = async ({ submissionId, receivedAt }: Pick<Claim, 'submissionId' | 'receivedAt'>, warnings: readonly Warning[]) => {
      const isImport = way.lane === 'backfill'
      if (isImport && !(await backfill.admit(submissionId))) throw full()
      try {
        const stamped = { ...submission, submissionId, receivedAt }
        const taken = { ...stamped, native: nativeReference(stamped, native) }
        const traced = traceOf(request)
        for (const picture of pictures) await keepPicture({ objects, now }, picture)
        await accept({ objects, publish }, { submission: taken, native, traceparent: traced.traceparent, warnings })
        const { method, routeOptions } = request
        onAccepted({ submission: taken, ...traced, method, route: routeOptions.url ?? '', durationMs: performance.now() - beganMs })
      } catch (error) {
        if (isImport) backfill.failed(submissionId)
        throw error
      }
    }
    if (key === null) {
      await refuseConflict(submission)
      const warnings = await findWarnings(asked)
      await log(fresh, warnings)
      return toAnswer(fresh.submissionId, articleId, warnings)
    }
    const claimRequest = { publisher, key, requestSha256: sha256Hex(`${request.method} ${request.url} ${sha256Hex(body)}`), ...fresh }
    const claimed = await claim(claimRequest, asked)
    const warnings = claimed.warnings ?? (await findWarnings(asked))
    if (!claimed.logged) {
      const isRepeat = claimed.submissionId !== fresh.submissionId
      if (!isRepeat || !(await hasPassed(claimed.submissionId))) await log(claimed, warnings)
      await mark(claimRequest)
    }
    return toAnswer(claimed.submissionId, articleId, warnings)
  }
}
