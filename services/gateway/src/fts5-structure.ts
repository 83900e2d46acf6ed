/** FTS5's record of which segments an index has, of a table with `contentless_delete=1`. */
import { readVarints, toVarints } from './fts5-varint.ts'

/** In the order in which they lie in the record. `origin`: the writings that its rows came with, by which deletions find them. */
type SegmentEntry = Readonly<{
  id: number
  first: number
  last: number
  lowestOrigin: number
  highestOrigin: number
  tombstonePages: number
  tombstones: number
  rows: number
}>
type Level = Readonly<{ merging: number; segments: readonly SegmentEntry[] }>
type Structure = Readonly<{ cookie: Uint8Array; written: number; levels: readonly Level[] }>

const VERSION_2 = [0xff, 0, 0, 1] as const
const BEGIN = 8

/** Throws when it is of another kind. */
export const readStructure = (bytes: Uint8Array): Structure => {
  if (VERSION_2.some((byte, at) => bytes[4 + at] !== byte)) throw new Error('the index is of a kind that its segments are not known of')
  const read = readVarints(bytes, BEGIN)
  const [levelCount, , written] = [read(), read(), read()]
  const readSegment = (): SegmentEntry => ({
    id: read(),
    first: read(),
    last: read(),
    lowestOrigin: read(),
    highestOrigin: read(),
    tombstonePages: read(),
    tombstones: read(),
    rows: read(),
  })
  const levels = Array.from({ length: levelCount }, (): Level => {
    const [merging, count] = [read(), read()]
    return { merging, segments: Array.from({ length: count }, readSegment) }
  })
  return { cookie: bytes.slice(0, 4), written, levels }
}

export const segmentsOf = ({ levels }: Pick<Structure, 'levels'>): readonly SegmentEntry[] => levels.flatMap(level => level.segments)

export const toStructureBytes = ({ cookie, written, levels }: Structure): Uint8Array => {
  const numbers = [levels.length, segmentsOf({ levels }).length, written]
  for (const { merging, segments } of levels) {
    numbers.push(merging, segments.length)
    for (const one of segments)
      numbers.push(one.id, one.first, one.last, one.lowestOrigin, one.highestOrigin, one.tombstonePages, one.tombstones, one.rows)
  }
  return Buffer.concat([cookie, Uint8Array.from(VERSION_2), toVarints(numbers)])
}

/** The number and the origin of the next segment. */
export const nextOf = (structure: Structure): Readonly<{ id: number; origin: number }> => {
  const all = segmentsOf(structure)
  const taken = new Set(all.map(one => one.id))
  let id = 1
  while (taken.has(id)) id += 1
  return { id, origin: 1 + all.reduce((most, one) => Math.max(most, one.highestOrigin), 0) }
}

/** With one more segment on the lowest level, which is where the newest are. What was written is counted by FTS5 for merging by and by alone. */
export const withSegment = (structure: Structure, { id, origin }: ReturnType<typeof nextOf>, pages: number, rows: number): Structure => {
  const [lowest = { merging: 0, segments: [] }, ...higher] = structure.levels
  const added = { id, first: 1, last: pages, lowestOrigin: origin, highestOrigin: origin, tombstonePages: 0, tombstones: 0, rows }
  const levels = [{ ...lowest, segments: [...lowest.segments, added] }, ...higher]
  return { ...structure, levels }
}
