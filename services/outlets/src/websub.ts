/**
 * WebSub content distribution (W3C Recommendation 2018, §7): the feed as it stands, to one callback, signed when the subscriber gave a secret.
 * The subject is the subscription, its versions are the counters of the feed's builds. Nothing goes out after its lease, its end, or the end of
 * the feed's being public.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { feedFiles } from '@newswire/events/feed'
import { isLive, type Subscription, toHub } from '@newswire/events/subscription'
import type { OutboundResult } from '@newswire/outbound/outbound'
import { classify, failed, own } from './answers.ts'
import type { Bodies, FeedBody, FeedView } from './feed-view.ts'
import type { Kind } from './kind.ts'
import type { Outcome } from './machine.ts'
import type { Post } from './signing.ts'

/** A callback is asked for one thing at a time; it never changes, it is another subscription then. */
const TARGET = { concurrency: 1, deliver: null } as const

/** Of the subscription and the bytes, so that one id always stands for the same bytes. */
const distributionId = (subscriptionId: string, sha256: string): string =>
  createHash('sha256').update(`${subscriptionId}\0${sha256}`).digest('base64url')

type Signing = Readonly<{ key: KeyObject | null; publicUrl: string; nowMs: number }>

/**
 * §7: the content with its own type, links to hub and topic. §7.1: `X-Hub-Signature` over exactly the bytes of the body. Signatures of the
 * protocol do not cover time, so Standard Webhooks headers are there as well: a replay can be told.
 */
export const toDistribution = (one: Subscription, body: FeedBody, { key, publicUrl, nowMs }: Signing): Post => {
  const link = `<${toHub(publicUrl)}>; rel="hub", <${new URL(one.topic).href}>; rel="self"`
  return {
    url: one.callback,
    id: distributionId(one.id, body.sha256),
    nowMs,
    keys: key === null ? [] : [key],
    contentType: feedFiles[one.format].type,
    body: body.bytes,
    more: { link, ...(key && { 'x-hub-signature': `sha256=${createHmac('sha256', key).update(body.bytes).digest('hex')}` }) },
  }
}

/** `unknown`: it is not there or cannot be opened, so nothing may go out unsigned. */
export type KeyOf = (secretId: string) => Promise<KeyObject | 'unknown'>

export type Distributed = Readonly<{ feedId: string; outcome: Outcome['kind']; sinceIntentMs: number }>

type Needs = Readonly<{
  /** The subscription as it is known now. */
  find: (id: string) => Subscription | null
  /** Whether the subscriber may have the feed now: a private one's token may have been withdrawn. Asked before every request. */
  isServed: (one: Subscription) => boolean
  publicUrl: () => string
  view: FeedView
  bodies: Bodies
  keyOf: KeyOf
  post: (post: Post) => Promise<OutboundResult>
  /** Ends a subscription whose callback is gone (§7: 410). Throws `UnavailableError`. */
  end: (id: string) => Promise<unknown>
  now: () => number
  onAttempt: (distributed: Distributed) => void
}>

export const websubKind = (feedId: string, subscriptionId: string, needs: Needs): Kind => {
  const { find, isServed, publicUrl, view, bodies, keyOf, post, end, now, onAttempt } = needs
  /** What it surely has, and under which lease it got it. */
  let has: Readonly<{ sha256: string; verifiedAt: string }> | null = null

  const current = (): Subscription | null => {
    const one = find(subscriptionId)
    return one !== null && isLive(one, now()) && isServed(one) ? one : null
  }
  const hasAlready = ({ lease }: Subscription, body: FeedBody): boolean =>
    has !== null && has.sha256 === body.sha256 && has.verifiedAt === lease?.verifiedAt

  const distribute = async (one: Subscription, body: FeedBody, mayStill: () => boolean): Promise<Outcome> => {
    const secretId = one.lease?.secretId ?? null
    const key = secretId === null ? null : await keyOf(secretId)
    if (key === 'unknown') return failed('its secret cannot be opened')
    const letGo = bodies.hold(body)
    if (letGo === null) return own('as many bytes are in flight as may be')
    try {
      // Renewed, ended or taken away meanwhile: looked at again.
      if (!mayStill() || current()?.lease?.verifiedAt !== one.lease?.verifiedAt) return own('this may not be sent any more')
      return classify(await post(toDistribution(one, body, { key, publicUrl: publicUrl(), nowMs: now() })), now())
    } finally {
      letGo()
    }
  }

  return {
    target: () => TARGET,
    read: async (_subject, want) => {
      const one = current()
      const body = one === null ? null : await view.read(one.feedId, one.format, want)
      if (one === null || body === null || hasAlready(one, body))
        return { version: Math.max(want, body?.version ?? 0), kill: false, send: null }
      return {
        version: body.version,
        kill: false,
        send: async ({ sinceMs }, mayStill) => {
          const outcome = await distribute(one, body, mayStill)
          onAttempt({ feedId, outcome: outcome.kind, sinceIntentMs: now() - sinceMs })
          if (outcome.kind === 'accepted') has = { sha256: body.sha256, verifiedAt: one.lease?.verifiedAt ?? '' }
          // §7: whatever is neither 2xx nor 410 is worth another try; a feed is not one article that its receiver cannot take.
          if (outcome.kind === 'refused') return failed(outcome.reason)
          if (outcome.kind !== 'gone') return outcome
          await end(subscriptionId)
          return own('it wants nothing any more (410), so the subscription has ended')
        },
      }
    },
    // A milestone for each subscriber of each build would drown the articles': they are counted, and what is pending is in the store.
    say: async () => undefined,
    about: { feedId, subscriptionId },
    fields: () => ({ feedId, subscriptionId }),
    newestOnly: true,
  }
}
