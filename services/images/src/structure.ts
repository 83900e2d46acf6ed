/** What a picture's own structure says of it, or why it may not be decoded. */

type RefusalCode = `NEWSWIRE_PICTURE_${string}`
export type Refusal = Readonly<{ ok: false; code: RefusalCode; reason: string }>
export type Structure = Readonly<{
  ok: true
  width: number
  height: number
  frames: number
  /** A progressive JPEG is decoded whole before anything can be left out: four times the memory. */
  progressive: boolean
  /** Where the picture ends; what comes after it is not of the picture. */
  end: number
  /** Bytes of its colour profile, as it lies there. */
  profile: number
}>
export const refusal = (code: RefusalCode, reason: string): Refusal => ({ ok: false, code, reason })
export const truncated = (what: string): Refusal =>
  refusal('NEWSWIRE_PICTURE_TRUNCATED', `the file ends within ${what}: it came only in part`)
export const contradiction = (what: string): Refusal => refusal('NEWSWIRE_PICTURE_STRUCTURE', `its header contradicts itself: ${what}`)
