/**
 * Messages between the service and the process that decodes, over a pipe: a JSON head and bytes. Lengths come first, so nothing is searched for,
 * and what is longer than agreed is refused before it is kept: the other side decodes what strangers send, and is not trusted either.
 *
 *   4 bytes length of the head · 4 bytes length of the body (both little endian) · head (UTF-8 JSON) · body
 */
import type { Writable } from 'node:stream'

export type Frame = Readonly<{ head: unknown; body: Buffer }>
type Limits = Readonly<{ head: number; body: number }>

const PREFIX = 8
const MAX_HEAD = 1_000_000

/** The body goes out as it is, not copied. */
export const writeFrame = (out: Writable, head: unknown, body: Uint8Array = Buffer.alloc(0)): void => {
  const text = Buffer.from(JSON.stringify(head))
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt32LE(text.byteLength, 0)
  prefix.writeUInt32LE(body.byteLength, 4)
  out.cork()
  out.write(prefix)
  out.write(text)
  if (body.byteLength > 0) out.write(body)
  out.uncork()
}

/** Takes chunks as they come; joined once, when a frame is whole. Throws when a frame is longer than agreed or its head is no JSON. */
export const createFrameReader = ({ body: maxBody }: Pick<Limits, 'body'>, onFrame: (frame: Frame) => void) => {
  let chunks: Buffer[] = []
  let held = 0
  let wanted = PREFIX
  const take = (): Buffer => {
    const whole = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)
    chunks = []
    held = 0
    return whole
  }
  const lengthsOf = (bytes: Buffer): Limits => {
    const [head, body] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
    if (head > MAX_HEAD || body > maxBody) throw new Error(`a frame of ${head} and ${body} bytes is longer than agreed`)
    return { head, body }
  }
  const keep = (bytes: Buffer) => {
    if (bytes.byteLength === 0) return
    chunks.push(bytes)
    held += bytes.byteLength
  }
  return (chunk: Buffer): void => {
    keep(chunk)
    while (held >= wanted) {
      const bytes = take()
      const { head, body } = lengthsOf(bytes)
      const end = PREFIX + head + body
      if (bytes.byteLength < end) {
        keep(bytes)
        wanted = end
        return
      }
      wanted = PREFIX
      keep(bytes.subarray(end))
      onFrame({ head: JSON.parse(bytes.toString('utf8', PREFIX, PREFIX + head)), body: bytes.subarray(PREFIX + head, end) })
    }
  }
}
