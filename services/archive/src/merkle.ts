/** The Merkle tree of a manifest (RFC 9162 §2.1.1): leaves and nodes are hashed under different first bytes, so that neither passes for the other. */
import { hash } from 'node:crypto'
import { inTurns } from '@newswire/objects/in-turns'

const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')

/** The root of the tree over `leaves` in their order; of none, the hash of nothing. Gives way to others meanwhile. */
export const merkleRoot = async (leaves: readonly Uint8Array[]): Promise<string> => {
  let level = await inTurns(leaves, leaf => sha256(LEAF, leaf))
  if (level.length === 0) return hash('sha256', '')
  while (level.length > 1) {
    const below: readonly Buffer[] = level
    const pairs = Array.from(
      { length: Math.ceil(below.length / 2) },
      (_, index) => [below[2 * index] as Buffer, below[2 * index + 1]] as const,
    )
    // The last of an odd level goes up as it is: the same tree as the RFC's split at the largest power of two.
    level = await inTurns(pairs, ([left, right]) => (right === undefined ? left : sha256(NODE, left, right)))
  }
  return (level[0] as Buffer).toString('hex')
}
