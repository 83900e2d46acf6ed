/** Pictures inside of an article's own addresses: taken out before anything else looks at the article. */
import { isDataAddress, readDataPicture } from '@newswire/events/data-picture'
import { sha256Hex } from '@newswire/events/ids'
import { type FieldError, ProblemError } from '@newswire/http/problem'
import { summarize } from '@newswire/http/validate'
import { MAX_PICTURE_BYTES, typeOf } from './uploads.ts'

type Found = Readonly<{ value: unknown; pictures: readonly Uint8Array[] }>

const readOne = (url: string): Readonly<{ ok: true; bytes: Uint8Array }> | Readonly<{ ok: false; reason: string }> => {
  const found = readDataPicture(url, MAX_PICTURE_BYTES)
  if (!found.ok || typeOf(found.bytes) !== null) return found
  return { ok: false, reason: 'the picture in it is none that can be shown: JPEG, PNG, WebP, AVIF and GIF are, by their first bytes' }
}

/**
 * The article with `newswire:<sha256>` where pictures lay in it, and those pictures, each once, which are to be kept before the article goes on. The
 * rest of the value is as it was, whatever it is. Throws the 422 problem that names every address that holds no picture.
 */
export const takeOutPictures = (value: unknown): Found => {
  const { images } = (value ?? {}) as { images?: unknown }
  if (!Array.isArray(images)) return { value, pictures: [] }
  const pictures = new Map<string, Uint8Array>()
  const errors: FieldError[] = []
  const taken = images.map((image: unknown, index) => {
    const { url } = (image ?? {}) as { url?: unknown }
    if (!isDataAddress(url)) return image
    const found = readOne(url)
    if (!found.ok) {
      errors.push({ pointer: `/images/${index}/url`, detail: found.reason })
      return image
    }
    const sha256 = sha256Hex(found.bytes)
    pictures.set(sha256, found.bytes)
    return { ...(image as object), url: `newswire:${sha256}` }
  })
  if (errors.length > 0)
    throw new ProblemError({
      status: 422,
      code: 'NEWSWIRE_PICTURE_DATA',
      title: 'A data: address holds no picture',
      detail: summarize(errors),
      errors: errors.slice(0, 50),
    })
  return pictures.size === 0
    ? { value, pictures: [] }
    : { value: { ...(value as object), images: taken }, pictures: [...pictures.values()] }
}
