/** How far each group is, in memory and, a moment later, in the file. An offset is never on disk before what it stands for. */
import { type LogFile, type PartitionState, tpOf } from './embedded-file.ts'
import type { Position } from './log.ts'
import { inTransaction } from './transaction.ts'

export type Groups = Readonly<{
  committed(group: string, partition: PartitionState): Position | null
  knows(group: string): boolean
  commit(group: string, partition: PartitionState, position: Position): void
  /** Rows for a transaction that is open, when it is time; returns what to call once it is committed. */
  write(): () => void
  /** Writes what is new in a transaction of its own. */
  save(): void
  close(): void
}>

/** How much is handled again after a kill, at the most: against a page in every transaction. */
const COMMIT_EVERY_MS = 200

type Offset = { readonly group: string; readonly tp: number; position: Position }
type Row = { grp: string; tp: number; off: number }

/** `onDue` is called when a transaction would be welcome. */
export const createGroups = (file: LogFile, now: () => number, onDue: () => void): Groups => {
  const upsert = file.db.prepare(
    'INSERT INTO grp (grp, tp, off, ts) VALUES (?, ?, ?, ?) ON CONFLICT (grp, tp) DO UPDATE SET off = excluded.off, ts = excluded.ts',
  )
  const groups = new Map<string, Map<number, Offset>>()
  const fresh = new Set<Offset>()
  let timer: NodeJS.Timeout | null = null
  let isDue = false

  const place = (group: string, tp: number, position: Position): Offset => {
    const offset = { group, tp, position }
    const known = groups.get(group) ?? new Map<number, Offset>()
    groups.set(group, known.set(tp, offset))
    return offset
  }
  for (const { grp, tp, off } of file.db.prepare('SELECT grp, tp, off FROM grp').all() as Row[]) place(grp, tp, off)

  const writeFresh = (): (() => void) => {
    const written = [...fresh].map(offset => [offset, offset.position] as const)
    const at = Math.floor(now())
    for (const [{ group, tp }, position] of written) upsert.run(group, tp, position, at)
    return () => {
      isDue = false
      for (const [offset, position] of written) if (offset.position === position) fresh.delete(offset)
    }
  }
  const nothing = () => undefined

  return {
    committed: (group, partition) => groups.get(group)?.get(tpOf(partition))?.position ?? null,
    knows: group => groups.has(group),
    commit: (group, partition, position) => {
      const tp = tpOf(partition)
      const offset = groups.get(group)?.get(tp) ?? place(group, tp, -1)
      if (offset.position === position) return
      offset.position = position
      fresh.add(offset)
      timer ??= setTimeout(() => {
        timer = null
        isDue = true
        if (fresh.size > 0) onDue()
      }, COMMIT_EVERY_MS).unref()
    },
    write: () => (isDue && fresh.size > 0 ? writeFresh() : nothing),
    save: () => {
      if (fresh.size > 0) inTransaction(file.db, writeFresh)()
    },
    close: () => {
      if (timer) clearTimeout(timer)
    },
  }
}
