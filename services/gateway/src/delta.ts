/**
 * What is new since the state that a reader holds: `A-IM: feed` (RFC 3229, with the instance manipulation that feed readers and servers agreed
 * on). The feed as it is now with those items only that the reader does not have as they are: new, changed, or taken back.
 */
import { gzipSync } from 'node:zlib'
import { type FeedState, itemOf } from './feed-state.ts'

/** Above this part of the whole a delta saves too little to be worth an answer that nobody may keep. */
const WORTH = 0.8

type Delta = Readonly<{ plain: Buffer; gzip: () => Buffer; items: number }>

/** Whether `A-IM` takes the manipulation `feed`; a weight of 0 refuses it. */
export const takesDelta = (header: string | string[] | undefined): boolean =>
  header !== undefined &&
  String(header)
    .toLowerCase()
    .split(',')
    .some(one => /^\s*feed\s*(?:;\s*q=(?:1(?:\.0{0,3})?|0\.\d*[1-9]\d*))?\s*$/.test(one))

/** `null` when there is no use in one. `sequence`: that of the state the reader holds. */
export const createDelta = (state: FeedState, sequence: number): Delta | null => {
  const { bytes, cuts, since, output } = state
  if (output === 'sitemap' || cuts.items === 0) return null
  const fresh = since.flatMap((one, index) => (one > sequence ? [itemOf(state, index)] : []))
  const separated = output === 'json' ? fresh.flatMap((item, index) => (index === 0 ? [item] : [Buffer.from(','), item])) : fresh
  const head = bytes.subarray(0, cuts.bounds[1])
  const foot = bytes.subarray(cuts.bounds.at(-2))
  const plain = Buffer.concat([head, ...separated, foot])
  if (plain.length > bytes.length * WORTH) return null
  let zipped: Buffer | undefined
  return {
    plain,
    items: fresh.length,
    gzip: () => {
      zipped ??= gzipSync(plain)
      return zipped
    },
  }
}
