/** What is done to an article: the causes that the desk decides on, made from the records of `prepared`. */
import { type Article, findBadInstant, findForeignKey, isInstant, type Picture } from '@newswire/events/article'
import { RejectError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { parseArticleId } from '@newswire/events/ids'
import { findMarkupOffence } from '@newswire/events/markup'
import type { Prepared, Retraction } from '@newswire/events/submission'
import type { Position } from '@newswire/log/log'

type Common = Readonly<{
  /** What a repeat is known by: the submission's id for a command (its copies differ in their own), else the event's. */
  id: string
  articleId: string
  publisher: string
  /** The cause's own time, RFC 3339. */
  at: string
  traceparent?: string | undefined
}>
type Asked = Common & Readonly<{ submissionId: string; lane: 'live' | 'backfill'; position: Position; receivedAt: string }>

export type SubmissionCause = Asked & Readonly<{ kind: 'publish'; article: Article; contentSha256: string; deliver?: boolean | undefined }>
export type RetractCause = Asked & Readonly<{ kind: 'retract'; retraction: Retraction }>
export type RepublishCause = Asked & Readonly<{ kind: 'republish' }>
export type PurgeCause = Asked & Readonly<{ kind: 'purge'; reason: string; by?: string | undefined }>
export type PicturesCause = Common & Readonly<{ kind: 'pictures'; submissionId: string; pictures: readonly Picture[] }>
export type DueCause = Common & Readonly<{ kind: 'due' }>
export type ReferencesCause = Common & Readonly<{ kind: 'references' }>
export type Cause = SubmissionCause | RetractCause | RepublishCause | PurgeCause | PicturesCause | DueCause | ReferencesCause

/** What may be part of a key, and of an address. */
export const SUBMISSION_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/

const publisherOf = (articleId: string, key: string | null): string => {
  const parsed = parseArticleId(articleId)
  if (parsed === null)
    throw new RejectError(
      'NEWSWIRE_DESK_ARTICLE_ID',
      `${JSON.stringify(articleId.slice(0, 200))} is no article id (<publisher>.<local id>)`,
    )
  if (key !== articleId)
    throw new RejectError(
      'NEWSWIRE_DESK_KEY',
      `the record's key must be its article, ${articleId}, got ${JSON.stringify(key?.slice(0, 200) ?? null)}`,
    )
  return parsed.publisher
}

const checkSubmission = ({ articleId, publisher, submissionId, receivedAt }: Prepared, owner: string): void => {
  if (publisher !== owner)
    throw new RejectError(
      'NEWSWIRE_DESK_PUBLISHER',
      `${articleId} belongs to ${owner}, but the submission says ${JSON.stringify(publisher.slice(0, 200))}`,
    )
  if (!SUBMISSION_ID.test(submissionId))
    throw new RejectError('NEWSWIRE_DESK_SUBMISSION_ID', `${JSON.stringify(submissionId.slice(0, 200))} is no submission id`)
  if (!isInstant(receivedAt)) throw badInstant('receivedAt', receivedAt)
}

const badInstant = (name: string, value: string): RejectError =>
  new RejectError(
    'NEWSWIRE_DESK_INSTANT',
    `${name} must be an RFC 3339 time of the years 1 to 9999, got ${JSON.stringify(value.slice(0, 100))}`,
  )

const checkInstants = (article: Article): void => {
  const bad = findBadInstant(article)
  if (bad !== undefined) throw badInstant(...bad)
}

const checkPictures = (pictures: readonly Picture[]): void => {
  const key = findForeignKey(pictures)
  if (key !== undefined)
    throw new RejectError(
      'NEWSWIRE_DESK_RENDITION',
      `${JSON.stringify(key.slice(0, 200))} is no key of a rendition (renditions/<sha256>/<file>)`,
    )
}

/**
 * The cause in a `submission.prepared`. Its position is that of its first delivery in `submissions`, also after a redrive: the data carries
 * it, and a header would tell a place in `prepared`, which orders nothing.
 * Throws `RejectError`: `NEWSWIRE_DESK_ARTICLE_ID`, `_KEY`, `_PUBLISHER`, `_SUBMISSION_ID`, `_INSTANT`, `_RENDITION`.
 */
export const submissionCause = ({ data, time, traceparent }: NewswireEvent<'submission.prepared'>, key: string | null): Cause => {
  const owner = publisherOf(data.articleId, key)
  checkSubmission(data, owner)
  const asked = {
    id: data.submissionId,
    articleId: data.articleId,
    publisher: owner,
    at: new Date(time).toISOString(),
    traceparent,
    submissionId: data.submissionId,
    lane: data.lane,
    position: data.firstPosition ?? data.position,
    receivedAt: data.receivedAt,
  }
  switch (data.command) {
    case 'publish':
      checkInstants(data.article)
      checkPictures(data.article.images)
      return { ...asked, kind: 'publish', article: data.article, contentSha256: data.contentSha256, deliver: data.deliver }
    case 'retract':
      return { ...asked, kind: 'retract', retraction: data.retraction }
    case 'republish':
      return { ...asked, kind: 'republish' }
    case 'purge':
      return { ...asked, kind: 'purge', reason: data.reason, by: data.by }
    default:
      return data satisfies never
  }
}

/** What a body holds that may not be there, named for a person: what a topic carries is not believed. `null` for a clean one. */
export const findOffence = (cause: Cause): string | null => (cause.kind === 'publish' ? findMarkupOffence(cause.article.body.html) : null)

/** The cause in a `pictures.arrived`. Throws `RejectError` as `submissionCause` does. */
export const picturesCause = (event: NewswireEvent<'pictures.arrived'>, key: string | null): PicturesCause => {
  const { articleId, submissionId, pictures } = event.data
  const publisher = publisherOf(articleId, key)
  checkPictures(pictures)
  const at = new Date(event.time).toISOString()
  return { kind: 'pictures', id: event.id, articleId, publisher, at, traceparent: event.traceparent, submissionId, pictures }
}

/** The cause in a `hold.due`. Its time is when the hold was due, by the clock of whoever fired it. */
export const dueCause = (event: NewswireEvent<'hold.due'>, key: string | null): DueCause => {
  const { articleId, dueAt } = event.data
  const publisher = publisherOf(articleId, key)
  const due = Date.parse(dueAt)
  if (Number.isNaN(due)) throw new RejectError('NEWSWIRE_DESK_DUE', `${JSON.stringify(dueAt.slice(0, 100))} is no RFC 3339 time`)
  return { kind: 'due', id: event.id, articleId, publisher, at: new Date(due).toISOString(), traceparent: event.traceparent }
}

/** The cause in a `references.changed`. What changed is not in it: the view of `articles` is asked when it is handled. */
export const referencesCause = (event: NewswireEvent<'references.changed'>, key: string | null): ReferencesCause => {
  const { articleId } = event.data
  const publisher = publisherOf(articleId, key)
  return { kind: 'references', id: event.id, articleId, publisher, at: new Date(event.time).toISOString(), traceparent: event.traceparent }
}
