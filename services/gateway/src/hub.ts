/**
 * The WebSub hub of all feeds, but for the distribution, which is the outlets' (W3C Recommendation 2018). A request is an object before it is
 * answered with 202, so it survives this process; what the callback does shows in the object and never in the answer (§5.1.2).
 */
import { randomUUID } from 'node:crypto'
import { messageOf } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { isLive, isOver, type Subscription, toSubscriptionId } from '@newswire/events/subscription'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import { createFeedHub } from '@newswire/runtime/feed-hub'
import type { ServiceContext } from '@newswire/runtime/service'
import { openSubscriptions } from '@newswire/runtime/subscriptions'
import { createErrands, type Errands, GONE, unreferenced } from './hub-errands.ts'
import { createHubLimits, findCrowd, MOST_ERRANDS } from './hub-limits.ts'
import { findMoved } from './hub-moves.ts'
import { type HubPolicy, type HubRequest, readHubRequest } from './hub-request.ts'

/** Everything is looked over so often: errands of gateways that are gone, feeds that are gone, what is over. */
const ROUND_MS = 15_000
const LEAST_ROUND_MS = 500
/** Longer than any process that could still write it lives on unseen. */
const SWEEP_AFTER_MS = 600_000
/** Sealed secrets that nothing refers to are what a crash left; looked for so often, and only when they are old. */
const ORPHANS_EVERY_MS = 3_600_000

type HubAnswer = Readonly<{ status: number; text: string; retryAfterSeconds: number | null }>
export type Hub = Readonly<{
  /** Never throws for what is asked; throws `UnavailableError` when the store is away. `client`: whose allowance it is. */
  take(body: Uint8Array, client: string): Promise<HubAnswer>
  stop(): Promise<void>
}>

type Needs = Pick<
  ServiceContext,
  'log' | 'objects' | 'outbound' | 'configuration' | 'sealing' | 'logger' | 'metrics' | 'now' | 'settings'
> &
  Readonly<{
    /** The counter of the newest build of a feed that is known; 0 when there is none. */
    counterOf: (feedId: string) => number
  }>

/** One for all ways of writing the same topic. */
const idOf = (topic: string, callback: string): string => toSubscriptionId(sha256Hex(new URL(topic).href), sha256Hex(callback))

const answer = (status: number, text: string, retryAfterSeconds: number | null = null): HubAnswer => ({ status, text, retryAfterSeconds })

export const openHub = async (needs: Needs): Promise<Hub> => {
  const { log, objects, outbound, configuration, sealing, logger, metrics, now, settings, counterOf } = needs
  const scale = settings.retryScale
  const requests = metrics.counter('newswire_hub_requests_total', 'Requests to the WebSub hub, by their answer.', ['status'])
  const concluded = metrics.counter('newswire_hub_verifications_total', 'Questions to callbacks, by what came of them.', ['mode', 'answer'])
  const counted = metrics.gauge('newswire_hub_subscriptions', 'WebSub subscriptions.', ['state'])
  const subscriptions = await openSubscriptions({ objects, log, logger, now, source: '/services/gateway' })
  const limits = createHubLimits()
  const { isServed, tokenOf } = createFeedHub({ feeds: () => configuration.current().feeds, sealing })
  const knownOf = (topic: string, callback: string): Subscription | null => {
    const known = URL.canParse(topic) ? subscriptions.get(idOf(topic, callback)) : null
    return known !== null && isLive(known, now()) ? known : null
  }
  const policy = (): HubPolicy => {
    const { site, feeds } = configuration.current()
    return { publicUrl: site.publicUrl, feeds, findUrlOffence: outbound.findUrlOffence, known: knownOf, tokenOf, canSeal: sealing !== null }
  }
  const forget = async (secretIds: readonly string[]): Promise<void> => {
    for (const id of secretIds) await objects.delete(keys.secret(id))
  }
  const errands: Errands = createErrands({
    subscriptions,
    request: outbound.request,
    isServed,
    counterOf,
    forget: ids => forget(ids).catch(error => logger.warn({ reason: messageOf(error) }, 'hub.secret-left')),
    onConcluded: ({ mode, answer }) => concluded.inc({ mode, answer }),
    me: randomUUID(),
    alone: log.kind === 'embedded',
    scale,
    now,
    logger,
  })

  const accept = async (wanted: HubRequest): Promise<HubAnswer> => {
    const { feedId, format, tokenId, topic, callback, mode, secret, leaseSeconds } = wanted
    const id = idOf(topic, callback)
    const known = subscriptions.get(id)
    const isKnown = known !== null && isLive(known, now())
    const crowd = isKnown ? null : findCrowd(subscriptions.all(), wanted, now())
    if (crowd !== null) return answer(503, crowd, 3_600)
    if (errands.inHand() >= MOST_ERRANDS) return answer(503, 'too many subscriptions are being verified; try again', 30)
    const secretId = secret === null ? null : `hub-${randomUUID()}`
    if (secret !== null && secretId !== null) await sealing?.put(secretId, secret)
    const errand = errands.make({ mode, secretId, seconds: leaseSeconds, reason: null })
    let replaced: Subscription | null = null
    const stands = await subscriptions.amend(id, before => {
      replaced = before
      return { id, feedId, format, ...(tokenId !== undefined && { tokenId }), topic, callback, lease: before?.lease ?? null, errand }
    })
    // Not awaited: the answer must not depend on anything that comes now.
    setImmediate(() => {
      if (stands !== null) errands.begin(stands)
      void forget(unreferenced(replaced, stands)).catch(error => logger.warn({ reason: messageOf(error) }, 'hub.secret-left'))
    })
    return answer(202, `accepted; the callback is asked whether it wants this (${mode})`)
  }

  const decide = async (body: Uint8Array, client: string): Promise<HubAnswer> => {
    const read = readHubRequest(body, policy())
    if (!read.ok) return answer(read.refusal.status, read.refusal.reason, read.refusal.status === 503 ? 3_600 : null)
    if (read.value === 'publish') return answer(202, 'there is nothing to do: this hub distributes a feed as soon as it changes')
    const haste = limits.findHaste(client, read.value.callback, now())
    return haste === null ? accept(read.value) : answer(429, haste.reason, haste.retryAfterSeconds)
  }

  /** One look at one subscription: goes on its errand when nobody else can be on it, denies what is not distributed any more. */
  const look = async (one: Subscription): Promise<void> => {
    if (one.swept) return
    if (one.errand !== null) {
      if (errands.isFree(one.errand)) errands.begin(one)
    } else if (isLive(one, now()) && !isServed(one)) {
      const errand = errands.make({ mode: 'deny', secretId: null, seconds: 0, reason: GONE })
      const stands = await subscriptions.amend(one.id, before =>
        before !== null && before.errand === null && isLive(before, now()) ? { ...before, errand } : null,
      )
      if (stands !== null) errands.begin(stands)
    } else if (
      isOver(one, now()) &&
      now() - Math.max(Date.parse(one.changedAt), Date.parse(one.lease?.until ?? one.changedAt)) > SWEEP_AFTER_MS
    ) {
      await subscriptions.sweep(one.id)
      await forget(unreferenced(one, null))
    }
  }

  const end = async (one: Subscription): Promise<void> => {
    const stands = await subscriptions.amend(one.id, before => (before?.lease ? { ...before, lease: null } : null))
    await forget(unreferenced(one, stands))
  }

  const sweepOrphans = async (): Promise<void> => {
    const used = new Set([...subscriptions.all()].flatMap(one => unreferenced(one, null)))
    for await (const page of listPages(objects, `${keys.secretPrefix}hub-`))
      for (const { key, lastModified } of page) {
        const id = key.slice(keys.secretPrefix.length, -'.json'.length)
        if (!used.has(id) && now() - lastModified.getTime() > ORPHANS_EVERY_MS) await forget([id])
      }
  }

  let orphansAtMs = now()
  let rounding: Promise<void> | null = null
  const round = (): Promise<void> => {
    rounding ??= (async () => {
      for (const one of subscriptions.all()) await look(one)
      for (const one of findMoved(subscriptions.all(), configuration.current().site.publicUrl, now())) await end(one)
      if (now() - orphansAtMs < ORPHANS_EVERY_MS) return
      await sweepOrphans()
      orphansAtMs = now()
    })()
      .catch(error => logger.warn({ reason: messageOf(error) }, 'hub.round-failed'))
      .finally(() => {
        rounding = null
      })
    return rounding
  }

  const timer = setInterval(() => void round(), Math.max(ROUND_MS * scale, LEAST_ROUND_MS))
  timer.unref()
  const forgetConfiguration = configuration.onChange(() => void round())
  metrics.onCollect(() => {
    const all = [...subscriptions.all()]
    counted.set(all.filter(one => isLive(one, now())).length, { state: 'live' })
    counted.set(all.filter(one => one.errand !== null).length, { state: 'asked' })
  })
  void round()
  return {
    take: async (body, client) => {
      const given = await decide(body, client)
      requests.inc({ status: String(given.status) })
      return given
    },
    stop: async () => {
      clearInterval(timer)
      forgetConfiguration()
      await rounding
      await errands.stop()
      await subscriptions.close()
    },
  }
}
