/** Tries of several pictures at once: each counts by itself, so one that hangs does not cost the article the others. */
import type { Picture } from '@newswire/events/article'
import type { Settled } from './settle-picture.ts'

type Gathered = Readonly<{
  settled: readonly Picture[]
  /** Every try has ended; else `enough` came first, and the rest still run. */
  isWhole: boolean
}>

/** What was settled until all tries ended, or until `enough`. Rejects as soon as one of them does. */
export const gather = async (tries: readonly Promise<Settled>[], enough: Promise<unknown>): Promise<Gathered> => {
  const ended: Settled[] = []
  const all = Promise.all(tries.map(async one => ended.push(await one)))
  // Whoever awaits it gets its failure; after `enough` nobody does.
  all.catch(() => undefined)
  await Promise.race([all, enough])
  return {
    settled: ended.flatMap(one => (one.outcome === 'settled' ? [one.picture] : [])),
    isWhole: ended.length === tries.length,
  }
}
