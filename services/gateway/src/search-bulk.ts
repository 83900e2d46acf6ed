/** Many new rows of the index at once: a segment of their terms, put where FTS5 has its own (docs/adr/0013-search-by-tiers.md). */
import type { DatabaseSync } from 'node:sqlite'
import { createSegment } from './fts5-segment.ts'
import { nextOf, readStructure, segmentsOf, toStructureBytes, withSegment } from './fts5-structure.ts'
import { readVarints, toVarints } from './fts5-varint.ts'
import { countTerms, eachTerm, type Vocabulary } from './search-vocabulary.ts'

export type BulkRow = Readonly<{ place: number; terms: Uint32Array }>

/** Of one segment: what one term's rows are indexed with must fit into a page. */
export const MOST_ROWS = 100_000

/** Where FTS5 keeps what in its table of data. */
const [AVERAGES, STRUCTURE] = [1, 10] as const
const SEGMENT = 2 ** 37
const ROW_INDEX = 2 ** 36

type BulkWriter = Readonly<{
  /** How many segments there are: FTS5 merges what becomes too much, and must be asked for it. */
  segments(): number
  /**
   * Inside a transaction of the caller's, in which FTS5 was asked for nothing yet, nor since `forget`: it keeps in mind which segments there are. Places rise,
   * and none is taken; at most `MOST_ROWS`.
   */
  write(rows: readonly BulkRow[], vocabulary: Vocabulary): void
}>

/** Has the connection forget what FTS5 knows of the file. Outside a transaction. */
export const forgetSegments = (db: DatabaseSync): void => db.exec('PRAGMA writable_schema = RESET')

/** For a table with one column, `detail=none` and `contentless_delete=1`. The connection may write to the tables behind it from now on. */
export const createBulkWriter = (db: DatabaseSync, table: string): BulkWriter => {
  db.enableDefensive(false)
  const get = db.prepare(`SELECT block FROM ${table}_data WHERE id = ?`)
  const put = db.prepare(`INSERT OR REPLACE INTO ${table}_data (id, block) VALUES (?, ?)`)
  const split = db.prepare(`INSERT INTO ${table}_idx (segid, term, pgno) VALUES (?, ?, ?)`)
  const size = db.prepare(`INSERT INTO ${table}_docsize (id, sz, origin) VALUES (?, ?, ?)`)
  const read = (id: number): Uint8Array => (get.get(id) as { block: Uint8Array }).block
  const structure = () => readStructure(read(STRUCTURE))

  const addToAverages = (rows: number, terms: number) => {
    const before = read(AVERAGES)
    const next = readVarints(before, 0)
    const [rowsBefore, termsBefore] = before.length === 0 ? [0, 0] : [next(), next()]
    put.run(AVERAGES, toVarints([rowsBefore + rows, termsBefore + terms]))
  }
  return {
    segments: () => segmentsOf(structure()).length,
    write: (rows, vocabulary) => {
      const before = structure()
      const next = nextOf(before)
      const segment = createSegment({
        page: (pgno, bytes) => put.run(next.id * SEGMENT + pgno, bytes),
        split: (term, place) => split.run(next.id, term, place),
        rowIndex: (pgno, bytes) => put.run(next.id * SEGMENT + ROW_INDEX + pgno, bytes),
      })
      eachTerm(
        rows.map(one => one.terms),
        vocabulary,
        { term: segment.term, row: at => segment.row((rows[at] as BulkRow).place) },
      )
      const pages = segment.end()
      let terms = 0
      for (const one of rows) {
        const count = countTerms(one.terms)
        terms += count
        size.run(one.place, toVarints([count]), next.origin)
      }
      put.run(STRUCTURE, toStructureBytes(withSegment(before, next, pages, rows.length)))
      addToAverages(rows.length, terms)
    },
  }
}
