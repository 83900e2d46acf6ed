/** What plain requests are answered with: found once for each head and state of a feed, and kept for the many that are the same. */
import { createAttached } from '@newswire/events/attached'
import { isPrivate } from '@newswire/events/config'
import { evaluateConditions } from '@newswire/http/conditional'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { pickCoding, tagOfUnchanged, wantedCodings } from './feed-answer.ts'
import type { FeedCache } from './feed-cache.ts'
import type { FeedState, Variant } from './feed-state.ts'
import { createFrame, type Frame, type FrameParts } from './frame.ts'
import { bodyHeaders, feedHeaders, securityHeaders, toldUntil } from './headers.ts'
import { type PlainRequest, parsePlainRequest } from './plain-request.ts'
import type { Tally } from './readers.ts'

export type Sender = Readonly<{
  peer: string
  userAgent: string | undefined
  /** As far as it is believed. */
  forwarded: string | undefined
  reader: number
  clientKey: string
}>

/** What a head was found to ask for, kept for the many that are the same. */
export type Asked = {
  readonly plain: PlainRequest
  readonly peek: () => FeedState | null
  /** Once it was answered: names that strangers make up are not counted. */
  tally: Tally | null
  /** Who sent it last. */
  sender: Sender | null
  /** The configuration under which the feed was last seen to be public. */
  snapshot: ConfigSnapshot | null
}
export type Answer = Readonly<{
  frame: Frame
  outcome: 'full' | 'unchanged'
  absence: boolean
  revision: number
  snapshot: ConfigSnapshot
  /** As `toldUntil`. */
  until: number
}>

/** Heads that are remembered: about 1 KiB each, without what they are answered with. When it is full it begins again. */
const MAX_HEADS = 4_096

/** `null` for what the parser is to have. */
const createHeads = (feeds: Pick<FeedCache, 'watch'>) => {
  let heads = new Map<string, Asked>()
  return (head: string): Asked | null => {
    const known = heads.get(head)
    if (known !== undefined) return known
    const plain = parsePlainRequest(head)
    // What is not plain ends on the other way, and mostly comes once.
    if (plain === null) return null
    const { feedId, output } = plain
    const asked: Asked = {
      plain,
      peek: feeds.watch(feedId, output),
      tally: null,
      sender: null,
      snapshot: null,
    }
    if (heads.size >= MAX_HEADS) heads = new Map()
    heads.set(head, asked)
    return asked
  }
}

/** Of a variant under a configuration: one for its bytes, and one for each tag by which it can be unchanged. */
type Frames = { readonly snapshot: ConfigSnapshot; readonly until: number; whole?: Frame; readonly unchanged: Map<string, Frame> }

const createFrames = (policy: FrameParts['policy']) => {
  const made = createAttached<Variant, Frames>('frames')
  const of = (variant: Variant, snapshot: ConfigSnapshot, state: FeedState, now: number): Frames => {
    const known = made.get(variant)
    if (known?.snapshot === snapshot && now < known.until) return known
    const fresh: Frames = { snapshot, until: toldUntil(state, now), unchanged: new Map() }
    made.set(variant, fresh)
    return fresh
  }
  return (snapshot: ConfigSnapshot, state: FeedState, variant: Variant, unchangedTag: string | null, now: number): Frame => {
    const { publicUrl } = snapshot.site
    const frames = of(variant, snapshot, state, now)
    const common = (tag: string) => ({ ...feedHeaders(state, tag, { publicUrl, isPrivate: false, now }), ...securityHeaders(publicUrl) })
    if (unchangedTag === null) {
      frames.whole ??= createFrame({
        status: '200 OK',
        headers: { ...common(variant.tag), ...bodyHeaders(state, variant) },
        policy,
        body: variant.bytes,
      })
      return frames.whole
    }
    const found =
      frames.unchanged.get(unchangedTag) ?? createFrame({ status: '304 Not Modified', headers: common(unchangedTag), policy, body: null })
    frames.unchanged.set(unchangedTag, found)
    return found
  }
}

type FastAnswers = Readonly<{
  /** What a head asks for; `null` for what the parser is to have. */
  headOf(head: string): Asked | null
  /** Whether everybody may have the feed under this configuration. */
  isOpen(asked: Asked, snapshot: ConfigSnapshot): boolean
  /** `null` when it has to be made first. */
  answerOf(asked: Asked, state: FeedState, snapshot: ConfigSnapshot): Answer | null
}>

/** `clock`: ms since 1970. */
export const createFastAnswers = (
  feeds: Pick<FeedCache, 'watch' | 'want'>,
  policy: FrameParts['policy'],
  clock: () => number = Date.now,
): FastAnswers => {
  const frameOf = createFrames(policy)

  /** The tag that a 304 says, which is always one of few; `null` when it is no 304. */
  const unchangedTag = (state: FeedState, headers: PlainRequest['headers'], variant: Variant): string | null =>
    evaluateConditions(headers, state.isNamed, state.lastModified) === 'not-modified'
      ? tagOfUnchanged(state, headers['if-none-match'], variant)
      : null

  /** Held by the state and gone with it: a head that polls by the rules names another tag each time, and must not keep what it was answered with. */
  const answers = createAttached<FeedState, Map<Asked, Answer>>('answers')

  const decide = (asked: Asked, state: FeedState, snapshot: ConfigSnapshot, now: number): Answer | null => {
    const { headers } = asked.plain
    for (const coding of wantedCodings(headers['accept-encoding'])) feeds.want(state, coding)
    const picked = pickCoding(state, headers['accept-encoding'])
    const ready = state.find(picked)
    const variant = ready ?? (state.find('identity') as Variant)
    const tag = unchangedTag(state, headers, variant)
    if (tag === null && ready === undefined) return null
    const isConditional = headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
    return {
      frame: frameOf(snapshot, state, variant, tag, now),
      until: toldUntil(state, now),
      outcome: tag === null ? 'full' : 'unchanged',
      absence: tag === null && isConditional,
      revision: state.revision(),
      snapshot,
    }
  }

  const answerOf = (asked: Asked, state: FeedState, snapshot: ConfigSnapshot): Answer | null => {
    const made = answers.get(state) ?? new Map<Asked, Answer>()
    const known = made.get(asked)
    const now = clock()
    if (known !== undefined && known.revision === state.revision() && known.snapshot === snapshot && now < known.until) return known
    const answer = decide(asked, state, snapshot, now)
    if (answer === null) made.delete(asked)
    else made.set(asked, answer)
    if (made.size > MAX_HEADS) made.clear()
    answers.set(state, made)
    return answer
  }

  /** Whether everybody may have the feed under this configuration. Looked up once for each. */
  const isOpen = (asked: Asked, snapshot: ConfigSnapshot): boolean => {
    if (asked.snapshot === snapshot) return true
    const feed = snapshot.feeds.get(asked.plain.feedId)
    if (feed === undefined || isPrivate(feed)) return false
    asked.snapshot = snapshot
    return true
  }

  return { headOf: createHeads(feeds), isOpen, answerOf }
}
