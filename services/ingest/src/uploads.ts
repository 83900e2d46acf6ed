/** A picture sent by the publisher: kept under its content's hash, and named by it. The same picture again is the same answer. */
import { sha256Hex } from '@newswire/events/ids'
import { ProblemError, problem } from '@newswire/http/problem'
import type { HttpRequest } from '@newswire/http/server'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { takePicture } from '@newswire/objects/picture-use'

export const MAX_PICTURE_BYTES = 25_000_000

/** First bytes of what the images service can show; the rest is refused here already, so that the publisher hears it at once. */
const SIGNATURES: ReadonlyArray<{ type: string; at: number; bytes: readonly number[] }> = [
  { type: 'image/jpeg', at: 0, bytes: [0xff, 0xd8, 0xff] },
  { type: 'image/png', at: 0, bytes: [0x89, 0x50, 0x4e, 0x47] },
  { type: 'image/webp', at: 8, bytes: [0x57, 0x45, 0x42, 0x50] },
  { type: 'image/gif', at: 0, bytes: [0x47, 0x49, 0x46, 0x38] },
  { type: 'image/avif', at: 4, bytes: [0x66, 0x74, 0x79, 0x70, 0x61, 0x76, 0x69] },
]

/** `null` for what is none of these. */
export const typeOf = (bytes: Uint8Array): string | null =>
  SIGNATURES.find(one => one.bytes.every((byte, index) => bytes[one.at + index] === byte))?.type ?? null

/** Keeps a picture under its hash. Throws the 422 problem for what cannot be shown, and a 503 when it is being removed. Safe to repeat. */
export const keepPicture = async (
  { objects, now }: Readonly<{ objects: Pick<Objects, 'get' | 'put'>; now: () => number }>,
  bytes: Uint8Array,
): Promise<{ sha256: string; type: string }> => {
  const type = typeOf(bytes)
  if (type === null)
    throw problem(422, 'NEWSWIRE_PICTURE_TYPE', 'This is not a picture that can be shown', 'JPEG, PNG, WebP, AVIF and GIF are')
  const sha256 = sha256Hex(bytes)
  // It may lie here from before, unused for so long that it is being removed at this very moment.
  if (!(await takePicture(objects, sha256, now())))
    throw new ProblemError({
      status: 503,
      code: 'NEWSWIRE_PICTURE_BEING_REMOVED',
      title: 'This picture cannot be taken now',
      detail: 'it was here before, unused, and is just being removed; send it again in a moment',
      headers: { 'retry-after': '1' },
    })
  await objects.put(keys.original(sha256), bytes, { contentType: type, ifNoneMatch: '*' })
  return { sha256, type }
}

const EXPECTED_FORM = 'expected multipart/form-data with one file in the field "picture", as `curl -F picture=@photo.jpg` sends it'

/** Before the body is read, which no other parser here takes. Throws the 415 problem. */
export const refuseNoForm = (request: HttpRequest): void => {
  const type = request.headers['content-type'] ?? 'no Content-Type'
  if (/^multipart\/form-data\b/i.test(type)) return
  throw problem(415, 'NEWSWIRE_PICTURE_FORM', 'Send the picture as a form', `${EXPECTED_FORM}; found ${type.slice(0, 80)}`)
}

/** What the form's parser says by a code, in words for a person; a sender that goes away hears nothing of it, but our log does. */
const OF_PARSER: Readonly<Record<string, string>> = {
  ECONNRESET: 'it was broken off by whoever sent it',
  FST_FIELDS_LIMIT: 'more than 10 fields beside the file',
  FST_PARTS_LIMIT: 'more than 10 fields beside the file',
  FST_PROTO_VIOLATION: 'a field whose name is not taken',
}

/** The parser's other errors have no code: a body without its boundary, one that ends too early, a header of a part that is none. */
const toFormProblem = (error: unknown): unknown => {
  if (!(error instanceof Error) || error instanceof ProblemError) return error
  const found = 'code' in error ? OF_PARSER[String(error.code)] : error.message
  return found === undefined
    ? error
    : new ProblemError(
        { status: 400, code: 'NEWSWIRE_PICTURE_FORM', title: 'The form cannot be read', detail: `${EXPECTED_FORM}; found: ${found}` },
        { cause: error },
      )
}

/** The one file of a multipart body, which is read to its end: what is behind the file may be another. */
const readFile = async (request: HttpRequest): Promise<Uint8Array> => {
  const files = request.files({ limits: { fileSize: MAX_PICTURE_BYTES, files: 1 }, throwFileSizeLimit: false })
  const first = await files.next()
  if (first.done === true) throw problem(422, 'NEWSWIRE_PICTURE_FORM', 'There is no picture in the form', EXPECTED_FORM)
  const bytes = await first.value.toBuffer()
  if (first.value.file.truncated)
    throw problem(413, 'NEWSWIRE_PICTURE_TOO_LARGE', 'The picture is too large', `the limit is ${MAX_PICTURE_BYTES} bytes`)
  await files.next()
  return bytes
}

/** Keeps the one picture of a form. Throws the 400, 413 or 422 problem. */
export const keepUpload = async (
  needs: Parameters<typeof keepPicture>[0],
  request: HttpRequest,
): Promise<{ url: string; sha256: string; bytes: number; type: string }> => {
  const bytes = await readFile(request).catch(error => {
    throw toFormProblem(error)
  })
  const { sha256, type } = await keepPicture(needs, bytes)
  return { url: `newswire:${sha256}`, sha256, bytes: bytes.byteLength, type }
}
