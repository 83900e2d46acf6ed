/** Facts from elsewhere than the log, one batch after the other: one that the disk refuses for a while keeps those behind it waiting. */
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { isPassing } from '@newswire/log/projection'
import { inTransaction } from '@newswire/log/transaction'

export type Seeding = Readonly<{
  /** Resolves once they are written, or nothing is written any more; rejects with what does not pass. */
  put(facts: readonly string[]): Promise<void>
  /** Resolves once all that was put is written. */
  written(): Promise<void>
  /** Nothing is written any more. */
  stop(): void
}>

type Needs = Readonly<{
  db: DatabaseSync
  /** What writes them inside a transaction, made once and called until it went. */
  prepare: (facts: readonly string[]) => () => void
  /** Told when the turn of a batch comes: the next may be put. */
  onTurn: () => void
  onWritten: (facts: number) => void
  /** Before what was refused is tried again, ms (default 1 000). */
  againMs?: number
}>

const AGAIN_MS = 1_000

export const createSeeding = ({ db, prepare, onTurn, onWritten, againMs = AGAIN_MS }: Needs): Seeding => {
  let last = Promise.resolve()
  let isStopped = false

  const putNow = async (facts: readonly string[]): Promise<void> => {
    if (isStopped) return
    onTurn()
    const write = prepare(facts)
    while (!isStopped) {
      try {
        inTransaction(db, write)
        return onWritten(facts.length)
      } catch (error) {
        if (!isPassing(error)) throw error
      }
      await setTimeout(againMs, undefined, { ref: false })
    }
  }
  return {
    put: facts => {
      const mine = last.then(() => putNow(facts))
      last = mine.catch(() => undefined)
      return mine
    },
    written: () => last,
    stop: () => {
      isStopped = true
    },
  }
}
