/** SQLite's variable-length integers (https://sqlite.org/fileformat2.html#varint), up to 2⁵³. */
const GROUP = 0x10000000

/** Gives the place behind it. */
export const putVarint = (into: Uint8Array, at: number, value: number): number => {
  if (value < 0x80) {
    into[at] = value
    return at + 1
  }
  if (value >= GROUP) {
    const end = putVarint(into, at, Math.floor(value / GROUP))
    into[end - 1] = (into[end - 1] as number) | 0x80
    const low = value % GROUP
    into[end] = (low >>> 21) | 0x80
    into[end + 1] = (low >>> 14) | 0x80
    into[end + 2] = (low >>> 7) | 0x80
    into[end + 3] = low & 0x7f
    return end + 4
  }
  const bytes = value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4
  for (let left = bytes - 1, place = at; left > 0; left -= 1, place += 1) into[place] = (value >>> (7 * left)) | 0x80
  into[at + bytes - 1] = value & 0x7f
  return at + bytes
}

/** Reads one after the other. */
export const readVarints = (from: Uint8Array, start: number): (() => number) => {
  let at = start
  return () => {
    let value = 0
    for (;;) {
      if (at >= from.length) throw new Error('a record of FTS5 ends within a number')
      const byte = from[at] as number
      at += 1
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
  }
}

/** Numbers one after the other. */
export const toVarints = (values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(8 * values.length)
  let end = 0
  for (const value of values) end = putVarint(bytes, end, value)
  return bytes.slice(0, end)
}
