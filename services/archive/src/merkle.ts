/** The Merkle tree of a manifest (RFC 9162 §2.1.1): leaves and nodes are hashed under different first bytes, so that neither passes for the other. */
import { hash } from 'node:crypto'

const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')

/** The root of the tree over `leaves` in their order; of none, the hash of nothing. */
export const merkleRoot = (leaves: readonly Uint8Array[]): string => {
  let level = leaves.map(leaf => sha256(LEAF, leaf))
  if (level.length === 0) return hash('sha256', '')
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]] as [Buffer, Buffer | undefined]
      // The last of an odd level goes up as it is: the same tree as the RFC's split at the largest power of two.
      above.push(right === undefined ? left : sha256(NODE, left, right))
    }
    level = above
  }
  return (level[0] as Buffer).toString('hex')
}
