/**
 * The bytes of a picture: from an upload that is in the store already, or from where the publisher says it is. An address that was fetched before
 * is asked whether it has changed; a transfer that breaks goes on where it broke.
 */
import type { Picture } from '@newswire/events/article'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Outbound, OutboundResponse } from '@newswire/outbound/outbound'
import { isWhole, rangeHeaders, withRest } from './resume.ts'
import { createSourceCache } from './source-cache.ts'

/** `later`: it may work at another time. `never`: it will not. */
type Obtained =
  | Readonly<{ outcome: 'here'; bytes: Uint8Array }>
  | Readonly<{ outcome: 'later'; reason: string }>
  | Readonly<{ outcome: 'never'; reason: string }>

type Needs = Readonly<{ objects: Objects; outbound: Outbound; now: () => number }>
type Fetched = Readonly<{ outcome: 'answered'; response: OutboundResponse }> | Exclude<Obtained, { outcome: 'here' }>

const MAX_BYTES = 25_000_000
const TIMEOUT_MS = 20_000
const MAX_REDIRECTS = 3
/** A transfer that broke is taken up again so often. */
const MAX_RESUMES = 3
/** Statuses that say "not now". A 404 is one: many a CMS announces an article before its picture is there. */
const PASSING = new Set([404, 408, 425, 429])

/** Where this many redirects end, another one is the answer. */
const REDIRECTS = new Set([301, 302, 303, 307, 308])

const reasonOf = (status: number): string =>
  REDIRECTS.has(status)
    ? `its server redirects more than ${MAX_REDIRECTS} times, or to nowhere (${status}); send the address where the picture is`
    : `its server answered ${status}`

const isPassing = (status: number) => status >= 500 || PASSING.has(status)

/** The whole answer, in one transfer or several, all within one deadline. */
const fetchWhole = async (
  outbound: Outbound,
  url: string,
  conditions: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Fetched> => {
  const deadline = performance.now() + TIMEOUT_MS
  let had: OutboundResponse | null = null
  for (let resumes = 0; ; resumes++) {
    const rest: Record<string, string> | null = had === null ? null : rangeHeaders(had)
    const result = await outbound.request({
      method: 'GET',
      url,
      timeoutMs: Math.max(1, deadline - performance.now()),
      // Also of the rest: it may be the whole again, when the picture has changed or ranges are not known there.
      maxBytes: MAX_BYTES,
      redirects: MAX_REDIRECTS,
      headers: { accept: 'image/avif,image/webp,image/*', ...(rest ?? conditions) },
      keepPartial: true,
      signal,
    })
    const answer = result.ok ? result.response : (result.partial ?? null)
    const whole: OutboundResponse | null = answer === null ? had : rest === null || had === null ? answer : withRest(had, answer)
    if (whole !== null && whole.body.byteLength > MAX_BYTES)
      return { outcome: 'never', reason: `the picture is longer than ${MAX_BYTES} bytes` }
    if (result.ok && whole !== null && isWhole(whole)) return { outcome: 'answered', response: whole }
    if (!result.ok && (result.kind === 'refused' || result.kind === 'too-large')) return { outcome: 'never', reason: result.message }
    const canResume =
      whole !== null && rangeHeaders(whole) !== null && resumes < MAX_RESUMES && performance.now() < deadline && !signal.aborted
    if (!canResume) return { outcome: 'later', reason: result.ok ? 'the answer ended before the picture did' : result.message }
    had = whole
  }
}

const fetchPicture = async (needs: Needs, url: string, signal: AbortSignal): Promise<Obtained> => {
  const cache = createSourceCache(needs)
  const known = await cache.find(url)
  const fetched = await fetchWhole(needs.outbound, url, known?.conditions ?? {}, signal)
  if (fetched.outcome !== 'answered') return fetched
  const { status, body } = fetched.response
  if (status === 304 && known !== null) {
    const original = await needs.objects.get(keys.original(known.sha256))
    if (original !== null) return { outcome: 'here', bytes: original.bytes }
    // It is gone from our store: fetched as if it had never been.
    await cache.forget(url)
    return fetchPicture(needs, url, signal)
  }
  if (status !== 200) return { outcome: isPassing(status) ? 'later' : 'never', reason: reasonOf(status) }
  await cache.keep(url, fetched.response, known)
  return { outcome: 'here', bytes: body }
}

/** Never throws for what the other side does; throws `UnavailableError` when our own store is away. */
export const obtainPicture = async (needs: Needs, { url }: Pick<Picture, 'url'>, signal: AbortSignal): Promise<Obtained> => {
  if (!url.startsWith('newswire:')) return fetchPicture(needs, url, signal)
  const upload = await needs.objects.get(keys.original(url.slice('newswire:'.length)))
  return upload === null
    ? { outcome: 'never', reason: 'no such upload: send the picture to …/pictures first and use the address it answers' }
    : { outcome: 'here', bytes: upload.bytes }
}
