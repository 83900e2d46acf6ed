/** How each outlet stands, by the milestones: what the console lists. */
import type { DatabaseSync } from 'node:sqlite'
import { OPEN } from './overview.ts'

export type OutletTrace = Readonly<{
  /** Versions that the outlet has still to get, by state. */
  open: Readonly<Record<string, number>>
  /** When the oldest of them was fanned out; `null` when there are none. */
  oldestOpenAt: string | null
  lastDoneAt: string | null
}>

const OPEN_BY_OUTLET = `SELECT s.id, s.state, count(*) AS n, min(coalesce(f.at, s.at)) AS oldest FROM sink s
  LEFT JOIN fan_out f ON f.article = s.article AND f.version = s.version AND f.stage = 'outlets'
  WHERE s.kind = 'outlet' AND ${OPEN} GROUP BY s.id, s.state`
const LAST_DONE = "SELECT max(done_at) AS at FROM sink WHERE kind = 'outlet' AND done_at IS NOT NULL AND id = ?"

const nothing: OutletTrace = { open: {}, oldestOpenAt: null, lastDoneAt: null }

export const readOutlets = (db: DatabaseSync, outletIds: Iterable<string>): ReadonlyMap<string, OutletTrace> => {
  const lastDone = db.prepare(LAST_DONE)
  const found = new Map<string, OutletTrace>()
  for (const id of outletIds) found.set(id, { ...nothing, lastDoneAt: (lastDone.get(id) as { at: string | null }).at })
  for (const row of db.prepare(OPEN_BY_OUTLET).iterate() as Iterable<{ id: string; state: string; n: number; oldest: string }>) {
    const known = found.get(row.id)
    if (known === undefined) continue
    const oldestOpenAt = known.oldestOpenAt === null || row.oldest < known.oldestOpenAt ? row.oldest : known.oldestOpenAt
    found.set(row.id, { ...known, open: { ...known.open, [row.state]: row.n }, oldestOpenAt })
  }
  return found
}

/** What an outlet said of a version. */
type ToldDelivery = Readonly<{ state: string; attempts: number | null }>
export type ToldDeliveries = (articleId: string, version: number) => ToldDelivery | null

/** Of versions at one outlet: what was said of each. `null`: nobody said anything here, or too long ago. */
export const readDeliveries = (db: DatabaseSync, outletId: string): ToldDeliveries => {
  const told = db.prepare("SELECT state, attempts FROM sink WHERE article = ? AND version = ? AND kind = 'outlet' AND id = ?")
  return (articleId, version) => (told.get(articleId, version, outletId) as ToldDelivery | undefined) ?? null
}
