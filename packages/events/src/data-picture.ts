/**
 * A picture inside its own address: `data:image/png;base64,…` (RFC 2397), as exports of publishing systems have them. It is taken out at the front
 * door and goes on as an upload; no record carries one. Pure.
 */

type DataPicture = Readonly<{ ok: true; bytes: Buffer<ArrayBuffer> }> | Readonly<{ ok: false; reason: string }>

const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif', 'image/jpg']
/** A type and its encoding are short; what has no comma by then is no such address. */
const MAX_HEAD = 64

export const isDataAddress = (url: unknown): url is string => typeof url === 'string' && /^data:/i.test(url)

const refuse = (reason: string): DataPicture => ({ ok: false, reason })

/**
 * The bytes of a `data:` address that says it is a picture, in base64 without anything else in it (RFC 4648 §4). What the bytes are is for
 * whoever looks at them: a name is not believed. Never throws; takes time and memory in proportion to what was sent.
 */
export const readDataPicture = (url: string, maxBytes: number): DataPicture => {
  const comma = url.slice(0, MAX_HEAD).indexOf(',')
  const [type = '', ...parameters] = comma < 0 ? [] : url.slice('data:'.length, comma).toLowerCase().split(';')
  if (!TYPES.includes(type) || parameters.join() !== 'base64')
    return refuse(`expected data:<type>;base64,… with one of ${TYPES.slice(0, -1).join(', ')}`)
  const characters = url.length - comma - 1
  if ((characters / 4) * 3 > maxBytes + 2) return refuse(`the picture in it has more than ${maxBytes} bytes`)
  const text = url.slice(comma + 1)
  // Looked for rather than matched whole, which would remember every place to come back to.
  if (
    characters === 0 ||
    characters % 4 !== 0 ||
    /[^A-Za-z0-9+/]/.test(text.slice(0, -2)) ||
    !/^[A-Za-z0-9+/]{2}$|^[A-Za-z0-9+/]=$|^==$/.test(text.slice(-2))
  )
    return refuse('what follows the comma is not base64: letters, digits, + and /, with = at the end to a multiple of four')
  return { ok: true, bytes: Buffer.from(text, 'base64') }
}
