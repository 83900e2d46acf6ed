/** What each CMS's webhook says that happened. It never throws, whatever the body is. Pure. */
import type { HookField, HookMapping } from '@newswire/events/hook-config'
import type { Warning } from '@newswire/events/warnings'
import type { Around } from './places.ts'
import { findAllAt, findTexts, firstText } from './pointers.ts'
import { readStanding, wordsOf } from './status.ts'

/**
 * What a webhook says that happened. `document`: what of, as much as is left of it. `around`: what it lies in. `draft`: what is passed over because it is not
 * ready, in place of which something may be out. `refuse`: it is not known whether it may go out.
 */
export type Notice =
  | Readonly<{ act: 'publish'; document: unknown; around: Around; warnings: readonly Warning[] }>
  | Readonly<{ act: 'unpublish' | 'delete'; id: string; document: unknown }>
  | Readonly<{ act: 'ignore'; reason: string; draft?: unknown }>
  | Readonly<{ act: 'refuse'; errors: readonly Warning[] }>

export type Headers = Readonly<Record<string, string | undefined>>
export type Fields = Readonly<Record<HookField, readonly string[]>>

export type ReadNotice = (body: unknown, headers: Headers, mapping: HookMapping, fields: Fields) => Notice

const ignore = (reason: string): Notice => ({ act: 'ignore', reason })
const at = (body: unknown, pointer: string): unknown => findAllAt(body, pointer)[0]
const publish = (document: unknown): Notice => ({ act: 'publish', document, around: [], warnings: [] })
const takeBack = (act: 'unpublish' | 'delete', document: unknown, fields: Fields): Notice => {
  const id = firstText(document, fields.id)
  return id === '' ? ignore('it names no document') : { act, id, document }
}

/** Whatever has happened: a document that says of itself that it is not for everybody does not go out, and what is out of it goes. */
const publishOpen = (document: unknown, fields: Fields, mapping: HookMapping, around: Around = []): Notice => {
  const standing = readStanding(document, around, fields, mapping)
  switch (standing.is) {
    case 'publish':
      return { act: 'publish', document, around, warnings: standing.warnings }
    case 'draft':
      return { act: 'ignore', reason: standing.why, draft: document }
    case 'unpublish':
      return takeBack('unpublish', document, fields)
    case 'unknown':
      return { act: 'refuse', errors: standing.errors }
    default:
      return standing satisfies never
  }
}

// --- Ghost -------------------------------------------------------------------------------------------------------------------------

/**
 * Where a part of a post begins and ends that Ghost itself shows to those alone whom its first comment names (`content-gating.js` of Ghost): the webhook
 * has them all. Ghost's own expression looks for every end from every beginning, which a stranger makes the square of megabytes.
 */
const GATED_BEGIN = /(?=<!--\s*kg-gated-block:begin\s)/
const GATED_END = /<!--\s*kg-gated-block:end\s*-->/

/** HTML without what is not for somebody who is no member. A part without an end has the rest, and so have those inside of it. */
const withoutGated = (html: string): string => {
  let isGated = false
  const [before = '', ...parts] = ` ${html}`.split(GATED_BEGIN)
  const open = parts.map(part => {
    const [whom = '', ...rest] = part.split('-->', 2)
    isGated ||= rest.length === 0 || !/\bnonMember:true\b/.test(whom)
    if (!isGated) return part
    const end = GATED_END.exec(part)
    isGated = end === null
    return end === null ? '' : part.slice(end.index + end[0].length)
  })
  return [before.slice(1), ...open].join('')
}

/** The post as somebody sees it who is no member. */
const toOpenPost = (post: unknown): unknown => {
  const html = firstText(post, ['/html'])
  const open = withoutGated(html)
  // Its plain text has them as well.
  return open === html ? post : { ...(post as object), html: open, plaintext: '' }
}

/** Ghost does not say what happened: it sends the post as it is, and of before what has changed. A deleted one is nothing now. */
export const readGhost: ReadNotice = (body, _headers, _mapping, fields) => {
  const post = at(body, '/post') ?? at(body, '/page')
  const [current, previous] = [at(post, '/current'), at(post, '/previous')]
  const [status, before] = [firstText(current, ['/status']), firstText(previous, ['/status'])]
  if (firstText(current, ['/id']) === '') {
    if (firstText(previous, ['/id']) === '') return ignore('it has no post and no page')
    return ['', 'published'].includes(before) ? takeBack('delete', previous, fields) : ignore(`a ${before} was deleted`)
  }
  const isPublic = ['', 'public'].includes(firstText(current, ['/visibility']))
  if (status === 'published' && isPublic) return publish(toOpenPost(current))
  const wasPublic = before === 'published' || (status === 'published' && firstText(previous, ['/visibility']) === 'public')
  if (wasPublic) return takeBack('unpublish', current, fields)
  return status === 'published' ? ignore('it is for members only') : { act: 'ignore', reason: `its status is ${status}`, draft: current }
}

// --- WordPress ---------------------------------------------------------------------------------------------------------------------

/** A post as the REST API gives it; a deleted one as its answer to DELETE, with the post under `previous`. */
export const readWordpress: ReadNotice = (body, _headers, _mapping, fields) => {
  if (at(body, '/deleted') === true) {
    const status = firstText(body, ['/previous/status'])
    return ['publish', 'trash', ''].includes(status) ? takeBack('delete', at(body, '/previous'), fields) : ignore(`a ${status} was deleted`)
  }
  const status = firstText(body, ['/status'])
  if (status === '') return ignore('its status is not said')
  const isOpen = firstText(body, ['/content/protected', '/password']) === '' && at(body, '/content/protected') !== true
  // Plugins have statuses of their own, and a post that was public may be planned anew.
  return status === 'publish' && isOpen ? publish(body) : takeBack('unpublish', body, fields)
}

// --- Sanity, Contentful, Superdesk ---------------------------------------------------------------------------------------------------

const withId = (fields: Fields, document: unknown, id: string | undefined): string => firstText(document, fields.id) || (id ?? '')

/** The document is the webhook's projection; what happened is a header, and so is the id of one that is gone. */
export const readSanity: ReadNotice = (body, headers, mapping, fields) => {
  const documentId = headers['sanity-document-id']
  const id = withId(fields, body, documentId)
  // Wherever the mapping has the article's id: a slug says of no draft that it is one.
  if ([id, documentId ?? '', ...findTexts(body, '/_id'), ...findTexts(body, '/_originalId')].some(one => /^(drafts|versions)\./.test(one)))
    return ignore('it is a draft')
  if (headers['sanity-operation'] === 'delete') return id === '' ? ignore('it names no document') : { act: 'delete', id, document: null }
  return publishOpen(body, fields, mapping)
}

export const readContentful: ReadNotice = (body, headers, mapping, fields) => {
  const topic = headers['x-contentful-topic'] ?? ''
  const [, happened] = /^ContentManagement\.Entry\.([a-z_]+)$/.exec(topic) ?? []
  if (happened === 'publish') return publishOpen(body, fields, mapping)
  if (happened === 'unpublish' || happened === 'archive') return takeBack('unpublish', body, fields)
  return happened === 'delete' ? takeBack('delete', body, fields) : ignore(`${topic.slice(0, 100) || 'no topic'} publishes nothing`)
}

/** ninjs, as Superdesk pushes it: a kill is a version that cannot be used any more. */
export const readSuperdesk: ReadNotice = (body, _headers, _mapping, fields) => {
  const [type, status] = [firstText(body, ['/type']), firstText(body, ['/pubstatus', '/pubStatus'])]
  if (type !== 'text' && type !== 'composite') return ignore(`a ${type || 'thing without a type'} is no article`)
  if (status === 'canceled') return takeBack('delete', body, fields)
  return ['', 'usable'].includes(status) ? publish(body) : takeBack('unpublish', body, fields)
}

// --- those that say what happened in a word -----------------------------------------------------------------------------------------

const WORDS = {
  publish: ['publish', 'published', 'create', 'created', 'update', 'updated', 'corrected'],
  unpublish: [
    'unpublish',
    'unpublished',
    'depublish',
    'depublished',
    'withdraw',
    'withdrawn',
    'retract',
    'retracted',
    'archive',
    'archived',
  ],
  delete: ['delete', 'deleted', 'remove', 'removed'],
} as const

type Act = keyof typeof WORDS

/** Before a word that counts as published: it is not so yet. */
const NOT_YET = new Set('draft drafts scheduled schedule pending preview autosave not pre before will ready request requested'.split(' '))

/** What an event of this name does; `null`: it is none that is read. */
export const actOf = (event: string, { events }: HookMapping): Act | null => {
  const acts = Object.keys(WORDS) as Act[]
  const named = acts.find(act => events[act]?.includes(event))
  if (named !== undefined) return named
  const words = wordsOf(event)
  // What is named replaces our own words for that.
  const act = acts.find(one => events[one] === undefined && (WORDS[one] as readonly string[]).includes(words.at(-1) ?? '')) ?? null
  return act === 'publish' && words.slice(-3, -1).some(word => NOT_YET.has(word)) ? null : act
}

type Places = Readonly<{
  event: readonly string[]
  /** The header that says it in their place; the body is the document then. Only where headers are as good as the body. */
  header?: string
  document: string
  /** What else is told of by the same address is passed over. */
  only?: RegExp
  isDraft?: (body: unknown, event: string) => boolean
}>

/** The objects on the way to the document, which may say something of it as well. */
const aroundOf = (body: unknown, pointer: string): Around => {
  const parts = pointer.split('/').slice(1)
  return parts.map((_, index) => {
    const way = parts.slice(0, index).map(part => `/${part}`)
    return { pointer: way.join(''), value: at(body, way.join('')) }
  })
}

export const readByWord =
  ({ event: said, header, document: place, only = /^/, isDraft = () => false }: Places): ReadNotice =>
  (body, headers, mapping, fields) => {
    const named = header === undefined ? undefined : headers[header]
    const event = named ?? firstText(body, mapping.event === undefined ? said : [mapping.event])
    const where = mapping.document ?? (named === undefined ? place : '')
    const document = at(body, where)
    const act = only.test(event) ? actOf(event, mapping) : null
    if (act === null)
      return ignore(event === '' ? 'it does not say what happened' : `${event.slice(0, 100)} is none of the events that are read`)
    // Another Newswire says how it was taken back.
    if (act !== 'publish') return takeBack(firstText(body, ['/data/retraction/mode']) === 'gone' ? 'delete' : act, document, fields)
    if (isDraft(body, event)) return ignore('it is a draft')
    return publishOpen(document, fields, mapping, aroundOf(body, where))
  }

/** Strapi tells of drafts, too: only what has been published says when. */
export const isStrapiDraft = (body: unknown, event: string): boolean =>
  event !== 'entry.publish' && firstText(body, ['/entry/publishedAt']) === ''
