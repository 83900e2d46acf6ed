/** One question to a callback, and what its answer means (WebSub §5.2, §5.3): pure. */
import type { Errand } from '@newswire/events/subscription'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'

/** Of an answer that should be 43 characters. */
const MAX_ANSWER_BYTES = 1_024
const CALLBACK_MS = 10_000

/**
 * A callback with parameters added behind its own, which stay as they were written: none is overwritten, none is encoded anew (§5.1.1). A
 * fragment is no part of a request.
 */
export const withParameters = (callback: string, parameters: Readonly<Record<string, string>>): string => {
  const [address = ''] = callback.split('#', 1)
  const added = Object.entries(parameters).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const join = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&'
  return `${address}${join}${added.join('&')}`
}

/** `challenge`: new for every question. */
export const toQuestion = (callback: string, topic: string, errand: Errand, challenge: string): OutboundRequest => {
  const common = { 'hub.mode': errand.mode === 'deny' ? 'denied' : errand.mode, 'hub.topic': topic }
  const parameters = {
    ...common,
    ...(errand.mode === 'deny' ? { 'hub.reason': errand.reason ?? '' } : { 'hub.challenge': challenge }),
    ...(errand.mode === 'subscribe' ? { 'hub.lease_seconds': String(errand.seconds) } : {}),
  }
  return { method: 'GET', url: withParameters(callback, parameters), timeoutMs: CALLBACK_MS, maxBytes: MAX_ANSWER_BYTES }
}

/** `agreed`: it wants this. `disagreed`: it does not, or what answers is no subscriber. `unclear`: nobody was there to answer; worth another try. */
export type Answer = 'agreed' | 'disagreed' | 'unclear'

const isUnclear = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429

/** What the callback said. A denial is no question: it was heard or it was not. */
export const toAnswer = (mode: Errand['mode'], result: OutboundResult, challenge: string): Answer => {
  if (!result.ok) return result.kind === 'refused' || result.kind === 'too-large' ? 'disagreed' : 'unclear'
  const { status, body } = result.response
  if (status < 200 || status > 299) return isUnclear(status) ? 'unclear' : 'disagreed'
  return mode === 'deny' || Buffer.from(challenge).equals(body) ? 'agreed' : 'disagreed'
}
