/**
 * A cache in front of us, as an outlet: what shows an article is forgotten there when it is taken back, or changes. Twice each time: at once, and again
 * when our own pages and feeds have surely followed, because a cache that asked in between got what was there before. Safe to repeat.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { OutboundResult } from '@newswire/outbound/outbound'
import { classify, failed, NO_LONGER_OURS, own } from './answers.ts'
import type { Delivery, DeliveryNeeds } from './delivery.ts'
import type { Outcome } from './machine.ts'
import type { OutletBy } from './parcel.ts'
import { toPurgeRequests } from './purge-dialects.ts'
import { findTouched } from './touched.ts'

/** From the first round to the second, at least; times the retry scale. Milliseconds. */
const FOLLOWED_AFTER_MS = 5_000
/** First rounds that are remembered; one that is forgotten is done again. */
const MOST_ROUNDS = 10_000

const ONCE_MORE = own('it is forgotten once more when our own pages have followed')

/** 404 and 405 of a cache that has no such thing; Cloudflare says in the body whether it went well. */
const judge = ({ dialect }: OutletBy<'purge'>['deliver'], result: OutboundResult, nowMs: number): Outcome => {
  if (!result.ok) return classify(result, nowMs)
  const { status, body } = result.response
  if (dialect.startsWith('varnish') && status === 404) return { kind: 'accepted' }
  if (dialect === 'cloudflare' && status === 200 && /"success"\s*:\s*false/.test(Buffer.from(body).toString('utf8')))
    return failed('it answered that it did not succeed', { alarm: true })
  return classify(result, nowMs)
}

export const createPurge = ({ request, secret, objects, context, feeds, scale, now }: DeliveryNeeds): Delivery<'purge'> => {
  const firstRounds = new Map<string, number>()
  const isSecond = (round: string): boolean => now() - (firstRounds.get(round) ?? Number.POSITIVE_INFINITY) >= FOLLOWED_AFTER_MS * scale
  const noteFirst = (round: string) => {
    if (firstRounds.has(round)) return
    firstRounds.set(round, now())
    const [oldest] = firstRounds.keys()
    if (firstRounds.size > MOST_ROUNDS && oldest !== undefined) firstRounds.delete(oldest)
  }
  const ask = async ({ deliver }: OutletBy<'purge'>, names: readonly string[]): Promise<Outcome> => {
    const token = deliver.tokenEnv === undefined ? '' : (secret(deliver.tokenEnv) ?? '')
    if (deliver.tokenEnv !== undefined && token === '')
      return failed(`the environment variable ${deliver.tokenEnv} with its token is not set`, { alarm: true })
    for (const one of toPurgeRequests(deliver, names, token)) {
      const outcome = judge(deliver, await request(one), now())
      if (outcome.kind !== 'accepted') return outcome
    }
    return { kind: 'accepted' }
  }
  return {
    deliver: async ({ outlet, fact }, mayStill) => {
      const round = `${outlet.id}/${fact.articleId}/${fact.version}`
      try {
        const second = isSecond(round)
        if (firstRounds.has(round) && !second) return ONCE_MORE
        const touched = await findTouched(fact, { objects, context: context(), feeds: feeds() })
        if (!mayStill()) return NO_LONGER_OURS
        const outcome = await ask(outlet, touched[outlet.deliver.by])
        if (outcome.kind !== 'accepted') return outcome
        if (second) {
          firstRounds.delete(round)
          return outcome
        }
        noteFirst(round)
        return ONCE_MORE
      } catch (error) {
        if (error instanceof UnavailableError) return own(`our own store: ${messageOf(error)}`)
        throw error
      }
    },
    test: outlet => ask(outlet, outlet.deliver.by === 'keys' ? ['newswire-test'] : [`${context().site.publicUrl}/newswire-test`]),
  }
}
