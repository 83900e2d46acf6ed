/** What becomes of subscriptions when the public address changes: they stay, and may be renewed and ended, until their callback has one under the new address. */
import { isLive, parseTopic, type Subscription } from '@newswire/events/subscription'

const readerOf = ({ feedId, format, callback }: Subscription): string => `${feedId} ${format} ${callback}`

/** Those under an address from before whose callback has subscribed to the same feed under today's: it would be told of everything twice. */
export const findMoved = (all: Iterable<Subscription>, publicUrl: string, nowMs: number): readonly Subscription[] => {
  const feeds = new URL(`${publicUrl}/feeds/`).href
  // Most are written as we write them; reading the address of each costs as much as all else here.
  const isOfToday = ({ topic }: Subscription): boolean => topic.startsWith(feeds) || parseTopic(publicUrl, topic) !== null
  const live = [...all].filter(one => isLive(one, nowMs))
  const before = live.filter(one => !isOfToday(one))
  if (before.length === 0) return []
  const today = new Set(live.filter(isOfToday).map(readerOf))
  return before.filter(one => today.has(readerOf(one)))
}
