/** What becomes of subscriptions when the public address changes: they stay, and may be renewed and ended, until their callback has one under the new address. */
import { sha256Hex } from '@newswire/events/ids'
import { isLive, type Subscription, splitSubscriptionId, toTopic } from '@newswire/events/subscription'

const readerOf = ({ feedId, format, callback }: Subscription): string => `${feedId} ${format} ${callback}`

/** Those under an address from before whose callback has subscribed to the same feed under today's: it would be told of everything twice. */
export const findMoved = (all: Iterable<Subscription>, publicUrl: string, nowMs: number): readonly Subscription[] => {
  const hashes = new Map<string, string>()
  const isOfToday = ({ id, feedId, format }: Subscription): boolean => {
    const hash = hashes.get(`${feedId} ${format}`) ?? sha256Hex(toTopic(publicUrl, feedId, format))
    hashes.set(`${feedId} ${format}`, hash)
    return splitSubscriptionId(id).topicSha256 === hash
  }
  const live = [...all].filter(one => isLive(one, nowMs))
  const before = live.filter(one => !isOfToday(one))
  if (before.length === 0) return []
  const today = new Set(live.filter(isOfToday).map(readerOf))
  return before.filter(one => today.has(readerOf(one)))
}
