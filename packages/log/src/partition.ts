/**
 * Which partition a key goes to: the same in every adapter and in Kafka's own clients, so that order and ownership survive a move from
 * one log to the other. Java's `Utils.murmur2` over the key's UTF-8 bytes, made positive, modulo the number of partitions.
 */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

const encoder = new TextEncoder()
/** For keys that are not long: written over by each, so nothing is allocated for them. */
const room = new Uint8Array(256)
const MOST_UTF8_BYTES = 3

const toBytes = (key: string): Uint8Array =>
  key.length * MOST_UTF8_BYTES > room.length ? encoder.encode(key) : room.subarray(0, encoder.encodeInto(key, room).written)

/** Murmur 2, 32 bits, as Kafka's Java clients compute it; a signed integer. */
export const murmur2 = (data: Uint8Array): number => {
  const { length } = data
  const view = new DataView(data.buffer, data.byteOffset, length)
  const whole = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), M)
    k ^= k >>> R
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest > 0) {
    let tail = 0
    for (let i = rest - 1; i >= 0; i -= 1) tail = (tail << 8) | view.getUint8(whole + i)
    h = Math.imul(h ^ tail, M)
  }
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

/**
 * The partition of a key, from 0 to `partitions` − 1. The empty key is a key like any other; a `null` key has no partition of its own and
 * is spread by whoever publishes.
 */
export const partitionOf = (key: string, partitions: number): number => {
  if (!Number.isSafeInteger(partitions) || partitions < 1)
    throw new RangeError(`a topic has 1 partition or more, got ${partitions}; look at how the topic was made`)
  return (murmur2(toBytes(key)) & 0x7fffffff) % partitions
}
