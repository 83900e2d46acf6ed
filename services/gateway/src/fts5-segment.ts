/**
 * A segment of an FTS5 index with `detail=none`, made from terms that are sorted already: pages as FTS5 itself would write them in merging, byte for byte
 * (https://sqlite.org/fts5.html, "FTS5 internals"; the format is part of SQLite's file format, which stays). FTS5 comes to them through a hash table that is
 * mostly misses of the processor's memory.
 */
import { putVarint } from './fts5-varint.ts'

/** Where the pieces of a segment go. */
type SegmentOut = Readonly<{
  page(pgno: number, bytes: Uint8Array): void
  /** The first page that has terms from `term` on; `place` is twice its number, and one more when rows of its last term have an index. */
  split(term: Uint8Array, place: number): void
  /** The index of the rows of a page's last term. */
  rowIndex(pgno: number, bytes: Uint8Array): void
}>

/** As FTS5 has it without being told. */
const PAGE = 4050
/** A term and what stands before it may be as long behind a full page. */
const BEYOND = 1024
const HEADER = 4
/** Rows of a term have an index from so many pages without another term on. */
const MIN_EMPTY = 4

/** The first rows of the pages that one term's rows take. One page of them, which is enough for half a million. */
const createRowIndex = (out: SegmentOut) => {
  const bytes = new Uint8Array(PAGE + BEYOND)
  let [end, pgno, last] = [0, 0, 0]
  const put = (value: number) => {
    if (end >= PAGE) throw new Error('more rows have one term than a segment of its own is made for')
    end = putVarint(bytes, end, value)
  }
  return {
    isBegun: () => end > 0,
    /** `page`: the one that has the term. */
    begin: (page: number) => {
      pgno = page
    },
    /** A page without a row of its own. */
    empty: () => put(0),
    add: (row: number, page: number) => {
      if (end > 0) put(row - last)
      else for (const value of [0, page, row]) put(value)
      last = row
    },
    end: (isKept: boolean) => {
      if (isKept) out.rowIndex(pgno, bytes.slice(0, end))
      end = 0
    },
  }
}

type Segment = Readonly<{
  /** Terms rise by their bytes, the first of which is FTS5's own (`0`); up to 500 of them. */
  term(bytes: Uint8Array, length: number): void
  /** Rows of a term rise. */
  row(row: number): void
  /** Writes what is left; gives how many pages there are. */
  end(): number
}>

const commonOf = (one: Uint8Array, other: Uint8Array, most: number): number => {
  let same = 0
  while (same < most && one[same] === other[same]) same += 1
  return same
}

export const createSegment = (out: SegmentOut): Segment => {
  const page = new Uint8Array(2 * PAGE + BEYOND)
  const footer = new Uint8Array(PAGE + BEYOND)
  const rows = createRowIndex(out)
  let [end, footerEnd, lastTermAt, pgno] = [HEADER, 0, 0, 1]
  let [hasTerm, hasRow, isFirstRow] = [false, false, false]
  let last = 0
  const term = new Uint8Array(BEYOND)
  let termLength = 0
  /** The page with terms that was begun last, and from which term on it is; 0: it was told. */
  let [splitPage, splitTerm, empty] = [1, new Uint8Array(), 0]

  const tellSplit = () => {
    if (splitPage === 0) return
    const isKept = rows.isBegun() && empty >= MIN_EMPTY
    rows.end(isKept)
    empty = 0
    out.split(splitTerm, 2 * splitPage + (isKept ? 1 : 0))
    splitPage = 0
  }
  const endPage = () => {
    page[2] = end >>> 8
    page[3] = end & 0xff
    if (!hasTerm) {
      if (!hasRow && rows.isBegun()) rows.empty()
      empty += 1
    }
    page.set(footer.subarray(0, footerEnd), end)
    out.page(pgno, page.slice(0, end + footerEnd))
    page.fill(0, 0, HEADER)
    ;[end, footerEnd, lastTermAt, pgno, hasTerm, hasRow] = [HEADER, 0, 0, pgno + 1, false, false]
  }
  return {
    term: (bytes, length) => {
      if (end + footerEnd + length + 2 >= PAGE && end > HEADER) endPage()
      footerEnd = putVarint(footer, footerEnd, end - lastTermAt)
      lastTermAt = end
      const common = commonOf(term, bytes, Math.min(termLength, length))
      if (hasTerm) end = putVarint(page, end, common)
      else if (pgno !== 1) {
        tellSplit()
        splitTerm = bytes.slice(0, termLength > 0 ? common + 1 : length)
        splitPage = pgno
      }
      const from = hasTerm ? common : 0
      end = putVarint(page, end, length - from)
      for (let at = from; at < length; at += 1) page[end++] = bytes[at] as number
      for (let at = common; at < length; at += 1) term[at] = bytes[at] as number
      termLength = length
      ;[hasTerm, hasRow, isFirstRow] = [true, true, true]
      rows.begin(pgno)
    },
    row: row => {
      if (end + footerEnd >= PAGE) endPage()
      const isAlone = isFirstRow || !hasRow
      if (!hasRow) {
        page[0] = end >>> 8
        page[1] = end & 0xff
        rows.add(row, pgno)
      }
      end = putVarint(page, end, isAlone ? row : row - last)
      last = row
      isFirstRow = false
      hasRow = true
    },
    end: () => {
      if (end > HEADER) endPage()
      if (pgno > 1) tellSplit()
      return pgno - 1
    },
  }
}
