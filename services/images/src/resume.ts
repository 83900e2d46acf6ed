/** Going on with a transfer that broke off (RFC 9110 §14): only when the server says that the rest is of the same picture. Pure. */
import type { OutboundResponse } from '@newswire/outbound/outbound'

/** A tag that stands for the bytes themselves; a date says too little (RFC 9110 §13.1.5). */
const strongTag = ({ headers }: OutboundResponse): string | null => {
  const tag = headers['etag']
  return tag !== undefined && /^"[\x21\x23-\x7e]*"$/.test(tag) ? tag : null
}

const lengthOf = ({ headers }: OutboundResponse): number | null => {
  const said = headers['content-length']
  return said !== undefined && /^\d{1,15}$/.test(said) && headers['content-encoding'] === undefined ? Number(said) : null
}

/** As many bytes as were said, or nothing was said. */
export const isWhole = (response: OutboundResponse): boolean => {
  const length = lengthOf(response)
  return length === null || response.status !== 200 || response.body.byteLength >= length
}

/** What asks for the rest; `null` when it cannot be asked for: nothing came, or the server named nothing to hold it to. */
export const rangeHeaders = (had: OutboundResponse): Record<string, string> | null => {
  const tag = strongTag(had)
  if (had.status !== 200 || tag === null || had.body.byteLength === 0) return null
  return { range: `bytes=${had.body.byteLength}-`, 'if-range': tag }
}

/** What had come with what came now: the rest of it, or the whole again when it has changed or ranges are not known there. */
export const withRest = (had: OutboundResponse, answer: OutboundResponse): OutboundResponse => {
  if (answer.status !== 206) return answer
  const { headers } = answer
  const from = /^bytes (\d{1,15})-/.exec(headers['content-range'] ?? '')?.[1]
  if (from === undefined || Number(from) !== had.body.byteLength || strongTag(answer) !== strongTag(had))
    return { status: 502, headers, body: answer.body }
  return { status: had.status, headers: had.headers, body: Buffer.concat([had.body, answer.body]) }
}
