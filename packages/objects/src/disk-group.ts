/**
 * A group of changes on its way to the writing thread: all bodies in one piece of memory, which changes hands whole. A piece for each body cost
 * more than copying the bytes twice.
 */
import type { Change } from './disk-table.ts'

/** Where a body lies in `bodies`; `null` for a change without one here. */
type Place = Readonly<{ from: number; to: number }> | null
export type PackedGroup = Readonly<{ changes: readonly Change[]; places: readonly Place[]; bodies: Uint8Array<ArrayBuffer> }>

const NONE = new Uint8Array()
const bodyOf = (change: Change): Uint8Array | null => (change.kind === 'put' && 'bytes' in change.body ? change.body.bytes : null)
const withBody = (change: Change, bytes: Uint8Array): Change =>
  change.kind === 'put' && 'bytes' in change.body ? { ...change, body: { ...change.body, bytes } } : change

export const packGroup = (group: readonly Change[]): PackedGroup => {
  const sizes = group.map(change => bodyOf(change)?.byteLength ?? 0)
  const bodies = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  const places = group.map((change, index): Place => {
    const body = bodyOf(change)
    if (body === null) return null
    const from = at
    bodies.set(body, from)
    at += sizes[index] ?? 0
    return { from, to: at }
  })
  return { changes: group.map((change, index) => (places[index] ? withBody(change, NONE) : change)), places, bodies }
}

/** The changes as they were packed; their bodies are views of the one piece. */
export const unpackGroup = ({ changes, places, bodies }: PackedGroup): readonly Change[] =>
  changes.map((change, index) => {
    const place = places[index]
    return place ? withBody(change, bodies.subarray(place.from, place.to)) : change
  })
