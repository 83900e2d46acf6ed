/**
 * Who subscribes to a feed by WebSub, and who is behind: read from the store when somebody asks, so there is no milestone for each subscriber
 * of each build. A callback is a capability, so only its host is shown.
 */
import { feedFiles, feedFormats } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { isLive, type Subscription, subscription, toTopic } from '@newswire/events/subscription'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { z } from 'zod'

/** What the outlets wrote down of a subscriber that has not got the newest feed (`services/outlets`, `pending.ts`). */
const behind = z.object({
  subscriptionId: z.string(),
  delivery: z.object({ phase: z.string(), attempts: z.int(), nextAtMs: z.number(), lastError: z.string().nullable() }).nullable(),
  sinceMs: z.number(),
})

export type Subscribers = Readonly<{
  feedId: string
  /** In force. All of them but the `pending` have the newest feed. */
  live: number
  /** Asked whether they want it, and no answer yet. */
  asked: number
  pending: number
  /** Those pending that were tried and failed. */
  failing: number
  byFormat: Readonly<Record<string, number>>
  /** The most urgent first: failing, pending, the others; at most 100. */
  subscribers: readonly Readonly<Record<string, unknown>>[]
}>

const MOST_SHOWN = 100
const READS_AT_ONCE = 16

/** One that cannot be read is left out: whoever works with it says so in the log. */
const readAll = async <S extends z.ZodType>(objects: Pick<Objects, 'get' | 'list'>, prefix: string, schema: S): Promise<z.output<S>[]> => {
  const found: z.output<S>[] = []
  for await (const page of listPages(objects, prefix)) {
    const documents = await sideBySide(page, READS_AT_ONCE, ({ key }) => getDocument(objects, key, schema).catch(() => null))
    for (const document of documents) if (document !== null) found.push(document.value)
  }
  return found
}

const hostOf = ({ callback }: Subscription): string => (URL.canParse(callback) ? new URL(callback).host : '')

/** `capabilities`: what the tokens of a private feed are subscribed by. */
export const readSubscribers = async (
  objects: Pick<Objects, 'get' | 'list'>,
  { feedId, publicUrl, nowMs, capabilities = [] }: { feedId: string; publicUrl: string; nowMs: number; capabilities?: readonly string[] },
): Promise<Subscribers> => {
  const ways = [null, ...capabilities]
  const topics = feedFormats.flatMap(format => ways.map(capability => sha256Hex(toTopic(publicUrl, feedId, format, capability))))
  const [all, pending] = await Promise.all([
    Promise.all(topics.map(topic => readAll(objects, keys.subscriptionsOf(topic), subscription))).then(lists => lists.flat()),
    readAll(objects, keys.hubPendingPrefix(feedId), behind),
  ])
  const live = all.filter(one => isLive(one, nowMs))
  const open = new Map(
    pending.flatMap(one => (one.delivery === null ? [] : [[one.subscriptionId, { ...one, delivery: one.delivery }] as const])),
  )
  const rank = (id: string) => (open.get(id)?.delivery.lastError ? 0 : open.has(id) ? 1 : 2)
  const shown = live.toSorted((a, b) => rank(a.id) - rank(b.id)).slice(0, MOST_SHOWN)
  const behindNow = live.flatMap(one => open.get(one.id) ?? [])
  return {
    feedId,
    live: live.length,
    asked: all.filter(one => one.errand !== null).length,
    pending: behindNow.length,
    failing: behindNow.filter(one => one.delivery.lastError !== null).length,
    byFormat: Object.fromEntries(feedFormats.map(format => [feedFiles[format].name, live.filter(one => one.format === format).length])),
    subscribers: shown.map(one => {
      const late = open.get(one.id)
      return {
        id: one.id,
        format: one.format,
        callbackHost: hostOf(one),
        signed: one.lease?.secretId !== null,
        verifiedAt: one.lease?.verifiedAt,
        until: one.lease?.until,
        ...(late === undefined
          ? {}
          : {
              pending: {
                since: new Date(late.sinceMs).toISOString(),
                state: late.delivery.phase,
                attempts: late.delivery.attempts,
                nextAt: new Date(late.delivery.nextAtMs).toISOString(),
                lastError: late.delivery.lastError,
              },
            }),
      }
    }),
  }
}
