/**
 * How the segments of an index become fewer (https://sqlite.org/fts5.html#the_merge_command). It makes searches cheaper, and none needs it: what the disk
 * refuses for a while is tried again, and meanwhile what there is stays found.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isPassing } from '@newswire/log/projection'

export type Merging = Readonly<{
  /** Before much is written: segments are merged by the dozen. */
  bulk(): void
  /** From now on by and by, with every write; what there is becomes one, so that everything is written again once and not level by level. */
  live(): void
  /** Nothing is begun any more. */
  stop(): void
}>

/** Crisis merges stay as late: one takes seconds. */
const AUTOMERGE = { bulk: 0, live: 4 } as const
export const CRISIS = 64
/** Pages written by one step of merging, some tens of milliseconds: what is published meanwhile comes between two. */
const PAGES = 128
/** Everything else of the process reads the past at the same time: what can be searched already may stay in some more pieces for as long. */
const AFTER_MS = 5_000

type Needs = Readonly<{
  db: DatabaseSync
  /** Told whenever FTS5 is about to be asked for something. */
  onAsk: () => void
  /** Told of what does not pass. */
  onFailed: (error: unknown) => void
  /** Before it begins, and before what was refused is tried again, ms (default 5 000). */
  afterMs?: number
}>

export const createMerging = ({ db, onAsk, onFailed, afterMs = AFTER_MS }: Needs): Merging => {
  let automerge: number = AUTOMERGE.live
  let isStopped = false

  const attempt = (act: () => void): void => {
    if (isStopped) return
    try {
      act()
    } catch (error) {
      if (isPassing(error)) later(act)
      else onFailed(error)
    }
  }
  const later = (act: () => void): void => {
    setTimeout(() => attempt(act), afterMs).unref()
  }
  const ask = (command: 'automerge' | 'crisismerge' | 'merge', rank: number): void => {
    onAsk()
    db.exec(`INSERT INTO everywhere (everywhere, rank) VALUES ('${command}', ${rank})`)
  }
  const set = (): void => {
    ask('automerge', automerge)
    ask('crisismerge', CRISIS)
  }
  const changes = (): number => (db.prepare('SELECT total_changes() AS n').get() as { n: number }).n
  const mergeOn = (pages: number): void => {
    const before = changes()
    ask('merge', pages)
    // Fewer than two changes mean that there was nothing to merge.
    if (changes() - before >= 2) setImmediate(() => attempt(() => mergeOn(PAGES)))
  }
  return {
    bulk: () => {
      automerge = AUTOMERGE.bulk
      attempt(set)
    },
    live: () => {
      automerge = AUTOMERGE.live
      attempt(set)
      // Below zero: all of them into one.
      later(() => mergeOn(-PAGES))
    },
    stop: () => {
      isStopped = true
    },
  }
}
