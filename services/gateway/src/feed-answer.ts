/**
 * What a request for a feed is answered with (RFC 9110 §12–14, RFC 3229): conditions first, then the delta, then the range, then the whole.
 * Sends nothing, so that everything that answers feeds answers alike.
 */
import { feedFiles } from '@newswire/events/feed'
import { type Coding, chooseCoding } from '@newswire/http/accept'
import { evaluateConditions, findEtag, mayRange, parseRange } from '@newswire/http/conditional'
import { createDelta, takesDelta } from './delta.ts'
import type { AnyCoding, FeedState, Variant } from './feed-state.ts'
import { bodyHeaders, DELTA_CACHE, feedHeaders } from './headers.ts'
import type { PastStates } from './past-states.ts'

type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>
export type Outcome = 'full' | 'unchanged' | 'delta' | 'part' | 'refused'
type FeedAnswer = Readonly<{
  status: 200 | 206 | 226 | 304 | 412 | 416
  outcome: Outcome
  headers: Readonly<Record<string, string>>
  body: Buffer | null
}>

/** When nothing is ready that the reader takes: the cheapest to make first. */
const TO_MAKE = ['gzip', 'br', 'zstd'] as const

/** The coding to answer in: what is ready and smallest, or what has to be made first. */
export const pickCoding = (state: FeedState, acceptEncoding: string | string[] | undefined): AnyCoding => {
  if (acceptEncoding === undefined) return 'identity'
  const ready = state.ready()
  return chooseCoding(acceptEncoding, [...ready, ...TO_MAKE.filter(one => !ready.includes(one))])
}

/** The codings worth making for whoever sends this: zstd only for those who do not take brotli, which is smaller. */
export const wantedCodings = (acceptEncoding: string | string[] | undefined): readonly Coding[] => {
  const takes = (coding: Coding) => chooseCoding(acceptEncoding, [coding]) === coding
  const br = takes('br')
  return [...(takes('gzip') ? ['gzip' as const] : []), ...(br ? ['br' as const] : takes('zstd') ? ['zstd' as const] : [])]
}

/**
 * The tag of a 304: the one the client named where we gave it, because that names the bytes the client has (RFC 9110 §15.4.5, RFC 9111 §4.3.3); else that
 * of the coding it would have got. One that anybody may have made up is never said back.
 */
export const tagOfUnchanged = (state: FeedState, ifNoneMatch: string | undefined, variant: Variant): string => {
  const named = findEtag(ifNoneMatch, state.hasGiven)
  return named === null || named === '*' ? variant.tag : named
}

type Options = Readonly<{
  /** Parts and deltas are of a GET alone (RFC 9110 §14.2, RFC 3229 §10.1). */
  method: string
  state: FeedState
  past: PastStates | null
  headers: RequestHeaders
  publicUrl: string
  isPrivate: boolean
  /** As for `feedHeaders`. */
  capability?: string | null
  /** ms since 1970 */
  now: number
}>

const toDelta = (options: Options, variant: Variant): FeedAnswer | null => {
  const { state, past, headers } = options
  if (past === null || !takesDelta(headers['a-im'])) return null
  const held = findEtag(headers['if-none-match'] as string | undefined, opaque => past.find(opaque) !== null)
  const base = held === null ? null : past.find(held)
  const delta = base === null ? null : createDelta(state, base.sequence)
  if (delta === null) return null
  const zipped = chooseCoding(headers['accept-encoding'], ['gzip']) === 'gzip'
  const body = zipped ? delta.gzip() : delta.plain
  return {
    status: 226,
    outcome: 'delta',
    // The tag is of the whole: what the reader has once it has added these items to what it had (RFC 3229 §10.5.3).
    headers: {
      ...feedHeaders(state, variant.tag, options),
      im: 'feed',
      'cache-control': DELTA_CACHE,
      vary: 'a-im, if-none-match, accept-encoding',
      'content-type': feedFiles[state.output].type,
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      'content-length': String(body.length),
    },
    body,
  }
}

const toPart = (options: Options, variant: Variant): FeedAnswer | null => {
  const { state, headers, now } = options
  if (!mayRange(headers['if-range'] as string | undefined, variant.tag, state.lastModified, now)) return null
  const range = parseRange(headers['range'] as string | undefined, variant.bytes.length)
  if (range === null) return null
  const common = feedHeaders(state, variant.tag, options)
  if (range === 'unsatisfiable')
    return {
      status: 416,
      outcome: 'refused',
      headers: { ...common, 'content-range': `bytes */${variant.bytes.length}`, 'content-length': '0' },
      body: Buffer.alloc(0),
    }
  const body = variant.bytes.subarray(range.first, range.last + 1)
  return {
    status: 206,
    outcome: 'part',
    headers: {
      ...common,
      ...bodyHeaders(state, variant),
      'content-range': `bytes ${range.first}-${range.last}/${variant.bytes.length}`,
      'content-length': String(body.length),
    },
    body,
  }
}

export const answerFeed = async (options: Options): Promise<FeedAnswer> => {
  const { method, state, headers } = options
  const picked = pickCoding(state, headers['accept-encoding'])
  const selected = headers['if-match'] === undefined ? null : await state.variant(picked)
  const outcome = evaluateConditions(headers, state.isNamed, state.lastModified, selected === null ? [] : [selected.tag])
  if (outcome === 'failed')
    return {
      status: 412,
      outcome: 'refused',
      headers: feedHeaders(state, selected?.tag ?? `"${state.content}"`, options),
      body: Buffer.alloc(0),
    }
  // A 304 must not wait for a compression that nobody will get.
  const variant = outcome === 'not-modified' ? (state.find(picked) ?? (state.find('identity') as Variant)) : await state.variant(picked)
  if (outcome === 'not-modified')
    return {
      status: 304,
      outcome: 'unchanged',
      headers: feedHeaders(state, tagOfUnchanged(state, headers['if-none-match'] as string | undefined, variant), options),
      body: null,
    }
  const some = method === 'GET' ? (toDelta(options, variant) ?? toPart(options, variant)) : null
  return (
    some ?? {
      status: 200,
      outcome: 'full',
      headers: { ...feedHeaders(state, variant.tag, options), ...bodyHeaders(state, variant) },
      body: variant.bytes,
    }
  )
}
