/** Rows of the trace's tables, as they are read. */
import type { DatabaseSync } from 'node:sqlite'

export type Row = Record<string, string | number | null>
export const all = (db: DatabaseSync, sql: string, ...values: (string | number)[]): Row[] => db.prepare(sql).all(...values) as Row[]
export const text = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value)
