/**
 * Signed webhooks: Standard Webhooks 1.0 headers and signature, the body of contract §6. One version has one body and one `webhook-id`
 * for one outlet, whatever happens in between; only the timestamp and so the signature differ from attempt to attempt.
 */
import { createHash, type KeyObject } from 'node:crypto'
import type { OutletConfig, SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { isSameForAllOutlets, toFactForOutlet } from '@newswire/events/outlet-article'
import { articleUrl, toPublicArticle } from '@newswire/events/public-article'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import { classify, failed, MAX_ANSWER_BYTES } from './answers.ts'
import { type Categories, type Due, dueTo } from './entitled.ts'
import type { Kind } from './kind.ts'
import type { Outcome } from './machine.ts'
import { sign, toKey } from './signing.ts'
import { type Tell, toSinkMilestone } from './tell.ts'
import type { ReadReleased } from './view.ts'

/** A longer body becomes thin: a link in place of the content, where the outlet can open it. Bytes. */
export const MAX_BODY_BYTES = 256 * 1024
const encoder = new TextEncoder()

export type Parcel = Readonly<{
  outlet: OutletConfig
  fact: Fact
  due: Exclude<Due, 'nothing'>
  /** Position of the intent: rises per outlet. */
  sequence: number
  /** The repeat of a kill that goes under a new id. */
  settling: boolean
}>

/** Stable over attempts, replays and restarts; no dots, because the signature joins with dots. */
export const webhookId = (outletId: string, articleId: string, version: number, settling: boolean): string =>
  createHash('sha256')
    .update([outletId, articleId, version, ...(settling ? ['settle'] : [])].join('\0'))
    .digest('base64url')

const head = (fact: Fact) => ({
  id: fact.articleId,
  version: fact.version,
  ...(fact.sourceVersion === undefined ? {} : { sourceVersion: fact.sourceVersion }),
  ...(fact.supersedes === undefined ? {} : { supersedes: fact.supersedes }),
})

/** Why the article is taken back, in what partners may read. A purge by law and a narrowed audience keep their reasons to themselves. */
const retractionOf = (fact: Fact) => {
  if (fact.state === 'live') return { mode: 'withdraw', reason: 'no longer available to this outlet' }
  if (fact.state === 'purged') return { mode: 'gone', reason: 'removed' }
  return fact.retraction
}

const envelope = (type: string, fact: Fact, data: unknown) => encoder.encode(JSON.stringify({ type, timestamp: fact.releasedAt, data }))

const toThin = (fact: LiveFact, publicUrl: string) => ({
  ...head(fact),
  title: fact.article.title,
  thin: true,
  url: `${articleUrl(publicUrl, fact.articleId)}/article.json`,
})

export const actionOf = (fact: Fact, due: Parcel['due']): 'published' | 'updated' | 'corrected' | 'retracted' =>
  fact.state === 'live' && due === 'content' ? fact.action : 'retracted'

/** The bytes that are signed and sent: made from the version alone, so they are the same for every attempt. */
export const toBody = (
  { fact, due, outlet }: Pick<Parcel, 'fact' | 'due' | 'outlet'>,
  { id: siteId, publicUrl }: Pick<SiteConfig, 'id' | 'publicUrl'>,
): Uint8Array => {
  const type = `article.${actionOf(fact, due)}`
  if (fact.state !== 'live' || due === 'retraction') return envelope(type, fact, { article: head(fact), retraction: retractionOf(fact) })
  const whole = envelope(type, fact, { article: toPublicArticle(toFactForOutlet(fact, { outletId: outlet.id, siteId }), publicUrl) })
  // An editorial article has no public address: a link would lead nowhere.
  const canBeThin = fact.article.audience === 'public'
  return whole.byteLength <= MAX_BODY_BYTES || !canBeThin ? whole : envelope(type, fact, { article: toThin(fact, publicUrl) })
}

/** A request header takes printable ASCII only: anything else is a permanent fault of this one article. */
const isHeaderSafe = (value: string): boolean => /^[!-~]+$/.test(value)

type Signing = Readonly<{ key: KeyObject; body: Uint8Array; nowMs: number }>

/** `null` when the article cannot be named in a header. */
export const toWebhook = ({ outlet, fact, due, sequence, settling }: Parcel, { key, body, nowMs }: Signing): OutboundRequest | null => {
  if (!isHeaderSafe(fact.articleId)) return null
  const id = webhookId(outlet.id, fact.articleId, fact.version, settling)
  const timestamp = Math.floor(nowMs / 1000)
  return {
    method: 'POST',
    url: outlet.deliver.url,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign(key, id, timestamp, body),
      'x-newswire-article': fact.articleId,
      'x-newswire-version': String(fact.version),
      'x-newswire-action': actionOf(fact, due),
      'x-newswire-sequence': String(sequence),
    },
    body,
    maxBytes: MAX_ANSWER_BYTES,
    overflow: 'cut',
  }
}

type Needs = Readonly<{
  request: (request: OutboundRequest) => Promise<OutboundResult>
  secret: (name: string) => string | undefined
  site: () => Pick<SiteConfig, 'id' | 'publicUrl'>
  now: () => number
}>

/** Delivers parcels as webhooks. A body is made once for all outlets that get the same. Never throws for what the outlet does. */
export const createWebhook = ({ request, secret, site, now }: Needs) => {
  const bodies = new WeakMap<Fact, Uint8Array>()
  // Making a key costs more than signing with it. By the name of its variable: one each, remade when the value changes.
  const signingKeys = new Map<string, Readonly<{ value: string; key: KeyObject }>>()
  const keyOf = (name: string): KeyObject | null => {
    const value = secret(name)
    if (value === undefined || value === '') return null
    const known = signingKeys.get(name)
    if (known?.value === value) return known.key
    const key = toKey(value)
    signingKeys.set(name, { value, key })
    return key
  }
  const bodyOf = (parcel: Parcel): Uint8Array => {
    const { fact, due } = parcel
    const isShared = due === 'content' && fact.state === 'live' && isSameForAllOutlets(fact)
    const made = isShared ? bodies.get(fact) : undefined
    if (made !== undefined) return made
    const body = toBody(parcel, site())
    if (isShared) bodies.set(fact, body)
    return body
  }

  /** `mayStill`: asked right before the first byte goes out. */
  return async (parcel: Parcel, mayStill: () => boolean): Promise<Outcome> => {
    const { secretEnv } = parcel.outlet.deliver
    const key = keyOf(secretEnv)
    if (key === null) return failed(`the environment variable ${secretEnv} with its secret is not set`, { alarm: true })
    const webhook = toWebhook(parcel, { key, body: bodyOf(parcel), nowMs: now() })
    if (webhook === null) return { kind: 'refused', reason: 'its article id cannot be a header' }
    if (!mayStill()) return { kind: 'own', reason: 'this process may not own the outlet any more' }
    return classify(await request(webhook), now())
  }
}
export type SendWebhook = ReturnType<typeof createWebhook>

export type Attempted = Readonly<{ outletId: string; outcome: Outcome['kind']; fact: Fact; sinceIntentMs: number }>

type KindNeeds = Readonly<{
  /** The outlet as it is configured now, and the categories; `null` when the configuration does not know it. */
  configured: () => Readonly<{ outlet: OutletConfig; categories: Categories }> | null
  read: ReadReleased
  send: SendWebhook
  tell: Tell
  now: () => number
  onAttempt?: (attempted: Attempted) => void
}>

/** The articles of one outlet: its subjects are their ids, its versions theirs. */
export const webhookKind = (outletId: string, { configured, read, send, tell, now, onAttempt }: KindNeeds): Kind => ({
  target: () => configured()?.outlet ?? null,
  read: async (articleId, want) => {
    const fact = await read(articleId, want)
    const known = configured()
    if (fact === null || known === null) return null
    const { outlet } = known
    const due = dueTo(outlet, fact, known.categories)
    return {
      version: fact.version,
      kill: due === 'retraction',
      send:
        due === 'nothing'
          ? null
          : async ({ sequence, settling, sinceMs }, mayStill) => {
              const outcome = await send({ outlet, fact, due, sequence, settling }, mayStill)
              onAttempt?.({ outletId, outcome: outcome.kind, fact, sinceIntentMs: now() - sinceMs })
              return outcome
            },
    }
  },
  say: (articleId, news, cause) => {
    const at = new Date(now()).toISOString()
    return tell(news.map(one => toSinkMilestone(outletId, { articleId, ...one }, cause, at)))
  },
  about: { outletId },
  fields: articleId => ({ outletId, articleId }),
  newestOnly: false,
})
