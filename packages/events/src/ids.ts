/** Every identifier of the pipeline: how it looks, how it is checked, how it is derived from its cause. */
import { hash } from 'node:crypto'
import { v7 } from 'uuid'

const PUBLISHER = /^[a-z0-9][a-z0-9-]{0,31}$/
const LOCAL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const SLUG_ID = /^[a-z0-9][a-z0-9-]{0,63}$/

export const isPublisherId = (value: string): boolean => PUBLISHER.test(value)
/** A publisher's own article id: no `..`, so that it is safe in paths and URLs. */
export const isLocalId = (value: string): boolean => LOCAL.test(value) && !value.includes('..')
/** Ids of categories, feeds, outlets, tokens. */
export const isConfigId = (value: string): boolean => SLUG_ID.test(value)
export const isSha256 = (value: string): boolean => /^[0-9a-f]{64}$/.test(value)

/** `<publisher>.<localId>`; the publisher has no dot, so the first dot always splits it. */
export const toArticleId = (publisher: string, localId: string): string => `${publisher}.${localId}`

export const parseArticleId = (articleId: string): { publisher: string; localId: string } | null => {
  const dot = articleId.indexOf('.')
  if (dot < 1) return null
  const publisher = articleId.slice(0, dot)
  const localId = articleId.slice(dot + 1)
  return isPublisherId(publisher) && isLocalId(localId) ? { publisher, localId } : null
}

export const isArticleId = (value: string): boolean => parseArticleId(value) !== null

/** A new fact's id: rises with time (RFC 9562 §5.7). */
export const newId = (): string => v7()
/** When it was made, RFC 3339 UTC, for one of `newId`; `null` for any other, which does not tell. */
export const timeOfId = (id: string): string | null =>
  isEventId(id) && id.charAt(14) === '7' ? new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString() : null
export const isEventId = (value: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value)

/** Namespace of all derived ids; fixed for ever, or a replay would announce everything under new ids. */
const NAMESPACE = Buffer.from('6f3f4b523c555f0b9f5a2d1b8f1a7c11', 'hex')
/**
 * The id of something that follows from its causes: the same parts give the same id (UUIDv5, RFC 9562 §5.5). Written out because a dozen
 * are made for every article, and the one-shot hash takes a third of the library's time.
 */
export const deriveId = (...parts: readonly (string | number)[]): string => {
  const digest = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(parts.join('\0'))]), 'hex')
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}

export const sha256Hex = (data: Uint8Array | string): string => hash('sha256', data, 'hex')

/** `tag:<site.id>:<articleId>` (RFC 4151): the one identity of an article in every feed, for its whole life. */
export const toTagUri = (siteId: string, articleId: string): string => `tag:${siteId}:${articleId}`
