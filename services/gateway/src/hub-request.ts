/** What a subscriber asks of the hub (WebSub §5.1): pure. Every refusal is a sentence for whoever wrote the subscriber. */
import type { FeedConfig } from '@newswire/events/config'
import type { FeedFormat } from '@newswire/events/feed'
import { parseCapability, parseTopic, toHub } from '@newswire/events/subscription'

/** Characters; a question to a callback holds both, the topic with three for each. */
const MAX_CALLBACK_LENGTH = 2_048
const MAX_TOPIC_LENGTH = 1_024
/** §5.1: less than 200 bytes. */
const MAX_SECRET_BYTES = 199
/** Ten days, as the Recommendation suggests; never perpetual (§5.3.1). Seconds. */
const DEFAULT_LEASE_SECONDS = 864_000
const LEAST_LEASE_SECONDS = 3_600
const MOST_LEASE_SECONDS = 2_592_000

export type HubRequest = Readonly<{
  mode: 'subscribe' | 'unsubscribe'
  feedId: string
  format: FeedFormat
  /** Of a private feed: the token that the topic was made for. */
  tokenId?: string
  /** As it was written. */
  topic: string
  callback: string
  secret: Uint8Array | null
  leaseSeconds: number
}>

type Refusal = Readonly<{ status: 400 | 403 | 404 | 422 | 503; reason: string }>
type Read<T> = Readonly<{ ok: true; value: T }> | Readonly<{ ok: false; refusal: Refusal }>

const refuse = (reason: string, status: Refusal['status'] = 400) => ({ ok: false, refusal: { status, reason } }) as const

/** What the hub knows when it decides; asked anew for every request. */
export type HubPolicy = Readonly<{
  publicUrl: string
  feeds: ReadonlyMap<string, Pick<FeedConfig, 'access'>>
  /** Why an address may not be called (`outbound`); `null` when it may. */
  findUrlOffence: (url: string) => string | null
  /** The feed of a topic that this callback is subscribed to: its address may be one that the feed had before. */
  known: (topic: string, callback: string) => Readonly<{ feedId: string; format: FeedFormat }> | null
  /** The token of a private feed that a capability was made for; `null` when it is none in force. */
  tokenOf: (feedId: string, capability: string) => string | null
  /** Whether there is a key to seal secrets with. */
  canSeal: boolean
}>

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** The parameters of a form; `null` when it is none (broken escapes, broken UTF-8). Of a repeated name all values. */
const readForm = (body: Uint8Array): ReadonlyMap<string, readonly string[]> | null => {
  const form = new Map<string, string[]>()
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    for (const pair of text.split('&')) {
      const [name = '', ...value] = pair.split('=')
      if (pair !== '') form.set(decode(name), [...(form.get(decode(name)) ?? []), decode(value.join('='))])
    }
  } catch {
    // Not UTF-8, or a `%` that begins no escape: the sender hears which.
    return null
  }
  return form
}

/** Names that mean one thing each; everything else is ignored (§5.1). */
const NAMES = ['hub.mode', 'hub.topic', 'hub.callback', 'hub.secret', 'hub.lease_seconds'] as const

const checkCallback = (callback: string, { publicUrl, findUrlOffence }: HubPolicy): Refusal | null => {
  const is = (reason: string, status: Refusal['status'] = 400): Refusal => ({ status, reason: `hub.callback ${reason}` })
  if (callback === '') return is('is missing: the address that distributions are to be sent to')
  if (callback.length > MAX_CALLBACK_LENGTH) return is(`is longer than ${MAX_CALLBACK_LENGTH} characters`)
  if (!/^[\x21-\x7e]+$/.test(callback) || !URL.canParse(callback)) return is('is no absolute address (percent-encode what is not ASCII)')
  if (new URL(callback).host === new URL(publicUrl).host) return is('must not be an address of this server', 422)
  const offence = findUrlOffence(callback)
  return offence === null ? null : is(`cannot be called: ${offence}`, 422)
}

const toLease = (text: string): number | null => {
  if (text === '') return DEFAULT_LEASE_SECONDS
  return /^\d{1,15}$/.test(text) ? Math.min(Math.max(Number(text), LEAST_LEASE_SECONDS), MOST_LEASE_SECONDS) : null
}

const toSecret = (text: string, canSeal: boolean): Read<Uint8Array | null> => {
  if (text === '') return { ok: true, value: null }
  const secret = Buffer.from(text)
  if (secret.byteLength > MAX_SECRET_BYTES) return refuse(`hub.secret must be less than 200 bytes, it has ${secret.byteLength}`)
  if (!canSeal) return refuse('this hub has no key to keep secrets with, so it takes no hub.secret; subscribe without one', 503)
  return { ok: true, value: secret }
}

/** `publish`: a ping that there is news, which this hub needs from nobody. */
export const readHubRequest = (body: Uint8Array, policy: HubPolicy): Read<HubRequest | 'publish'> => {
  const form = readForm(body)
  if (form === null) return refuse('the body is no form in UTF-8 (application/x-www-form-urlencoded)')
  const twice = NAMES.find(name => (form.get(name)?.length ?? 0) > 1)
  if (twice !== undefined) return refuse(`${twice} is given more than once`)
  const of = (name: (typeof NAMES)[number]) => form.get(name)?.[0] ?? ''
  const mode = of('hub.mode')
  if (mode === 'publish') return { ok: true, value: 'publish' }
  if (mode !== 'subscribe' && mode !== 'unsubscribe') return refuse('hub.mode must be subscribe or unsubscribe')

  const topic = of('hub.topic')
  if (topic === '') return refuse('hub.topic is missing: the address that the feed names as its rel=self')
  const callback = of('hub.callback')
  const found = topic.length > MAX_TOPIC_LENGTH ? null : (parseTopic(policy.publicUrl, topic) ?? policy.known(topic, callback))
  const feed = found === null ? undefined : policy.feeds.get(found.feedId)
  const capability = parseCapability(topic)
  const tokenId = found === null || capability === null ? null : policy.tokenOf(found.feedId, capability)
  // A private feed is not told from one that there is not, nor one token from another.
  const isOpen = feed !== undefined && (feed.access === undefined ? capability === null : tokenId !== null)
  if (found === null || !isOpen)
    return refuse(`hub.topic is no feed of this hub; use the rel=self of a feed that names ${toHub(policy.publicUrl)} as its hub`, 404)

  const offence = checkCallback(callback, policy)
  if (offence !== null) return { ok: false, refusal: offence }
  const leaseSeconds = toLease(of('hub.lease_seconds'))
  if (leaseSeconds === null) return refuse('hub.lease_seconds must be a whole number of seconds')
  const secret = mode === 'subscribe' ? toSecret(of('hub.secret'), policy.canSeal) : ({ ok: true, value: null } as const)
  if (!secret.ok) return secret
  const { feedId, format } = found
  const asked: HubRequest = { mode, feedId, format, topic, callback, secret: secret.value, leaseSeconds }
  return { ok: true, value: tokenId === null ? asked : { ...asked, tokenId } }
}
