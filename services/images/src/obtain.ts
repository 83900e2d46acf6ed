/** The bytes of a picture: from an upload that is in the store already, or from where the publisher says it is. */
import type { Picture } from '@newswire/events/article'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Outbound } from '@newswire/outbound/outbound'

/** `later`: it may work at another time. `never`: it will not. */
export type Obtained =
  | Readonly<{ outcome: 'here'; bytes: Uint8Array }>
  | Readonly<{ outcome: 'later'; reason: string }>
  | Readonly<{ outcome: 'never'; reason: string }>

const MAX_BYTES = 25_000_000
const TIMEOUT_MS = 20_000
const MAX_REDIRECTS = 3
/** Statuses that say "not now". A 404 is one: many a CMS announces an article before its picture is there. */
const PASSING = new Set([404, 408, 425, 429])

const isPassing = (status: number) => status >= 500 || PASSING.has(status)

/** Never throws for what the other side does; throws `UnavailableError` when our own store is away. */
export const obtainPicture = async (
  { objects, outbound }: { objects: Objects; outbound: Outbound },
  { url }: Pick<Picture, 'url'>,
  signal: AbortSignal,
): Promise<Obtained> => {
  if (url.startsWith('newswire:')) {
    const upload = await objects.get(keys.original(url.slice('newswire:'.length)))
    return upload === null
      ? { outcome: 'never', reason: 'no such upload: send the picture to …/pictures first and use the address it answers' }
      : { outcome: 'here', bytes: upload.bytes }
  }
  const result = await outbound.request({
    method: 'GET',
    url,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
    redirects: MAX_REDIRECTS,
    headers: { accept: 'image/*' },
    signal,
  })
  if (!result.ok) return { outcome: result.kind === 'refused' || result.kind === 'too-large' ? 'never' : 'later', reason: result.message }
  const { status, body } = result.response
  if (status === 200) return { outcome: 'here', bytes: body }
  return { outcome: isPassing(status) ? 'later' : 'never', reason: `its server answered ${status}` }
}
