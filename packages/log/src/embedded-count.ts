/**
 * How many records lie between two positions, which is asked every second by whoever looks at how far groups are behind. Positions have holes, so records
 * are counted; but what is written stays as it is, so a block of positions that is full is counted once. What time removes makes it forget.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { PartitionState } from './embedded-file.ts'
import type { Position } from './log.ts'

/** Positions. Up to two blocks are counted in every answer, those that the range begins and ends in. */
const BLOCK = 512
/** What one answer counts anew, on the thread that everything else waits for: some 10 ms of large records. */
const MOST = { records: 2048, blocks: 512 } as const

type CountRecords = (partition: PartitionState, from: Position, to: Position) => number

/** Exact for what was counted by now. Blocks beyond what one answer may count are taken to be full, and counted by the next ones. */
export const createCount = (db: DatabaseSync): CountRecords => {
  const select = db.prepare('SELECT count(*) AS records FROM rec WHERE id >= ? AND id < ?')
  const nextFrom = db.prepare('SELECT id FROM rec WHERE id >= ? AND id < ? ORDER BY id LIMIT 1')
  /** The block of the next record; `last` when there is none before it. */
  const nextBlock = ({ base }: PartitionState, from: number, last: number): number => {
    const found = nextFrom.get(base + from * BLOCK, base + last * BLOCK) as { id: number } | undefined
    return found === undefined ? last : Math.floor((found.id - base) / BLOCK)
  }
  const between = ({ base }: PartitionState, from: Position, to: Position): number =>
    from >= to ? 0 : (select.get(base + from, base + to) as { records: number }).records

  return (partition, from, to) => {
    const first = Math.ceil(from / BLOCK)
    const last = Math.floor(to / BLOCK)
    if (first >= last) return between(partition, from, to)
    let records = between(partition, from, first * BLOCK) + between(partition, last * BLOCK, to)
    const left = { ...MOST } as { records: number; blocks: number }
    for (let block = first; block < last; ) {
      let counted = partition.blocks.get(block)
      if (counted === undefined && left.records > 0 && left.blocks > 0) {
        counted = between(partition, block * BLOCK, (block + 1) * BLOCK)
        left.records -= counted
        left.blocks -= 1
        if (counted === 0) {
          // A hole may be of a billion positions: where a log goes on above a lost one.
          block = nextBlock(partition, block + 1, last)
          continue
        }
        partition.blocks.set(block, counted)
      }
      records += counted ?? BLOCK
      block += 1
    }
    return records
  }
}
