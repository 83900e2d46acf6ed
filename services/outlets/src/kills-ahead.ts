/**
 * Retractions that wait in the log behind more intents than are fetched: of a partition whose outlets are stuck nothing more is fetched for a while (`intents.ts`). They are looked for
 * ahead, and told to their outlets before their turn. Nothing is committed by that: each comes once more in its turn, and is known then.
 */
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord, Position } from '@newswire/log/log'
import { createKeyedLimit } from '@newswire/runtime/limit'
import { INTENTS_AT_ONCE } from './engine.ts'
import { isKill } from './intents.ts'

type Needs = Readonly<{
  log: Pick<Log, 'lag' | 'read'>
  /** Partitions held now. */
  held: () => readonly number[]
  /** Intents fetched that are not done. */
  waiting: () => number
  /** Tells an outlet of a retraction. What it throws is of no account: the retraction comes again. */
  tell: (event: NewswireEvent<'delivery.wanted'>, record: LogRecord) => Promise<unknown>
  onError: (error: unknown) => void
}>

const GROUP = 'outlets'
const PAGE = 500
/** At each look; a partition may have three hundred thousand behind it. */
const MOST_PAGES = 20
/** Of one outlet: those of a strict one are written down one after the other. */
const TOLD_AT_ONCE = 16
const MOST_UNTOLD = 1_000

type KillsAhead = Readonly<{
  /** Looks once at what came since the last look, in partitions that are far behind; nothing while none can be. */
  look(): Promise<void>
}>

export const createKillsAhead = ({ log, held, waiting, tell, onError }: Needs): KillsAhead => {
  /** Up to where each partition was looked at. */
  const seen = new Map<number, Position>()
  const inTurn = createKeyedLimit(TOLD_AT_ONCE)
  let untold = 0

  const tellOf = (record: LogRecord) => {
    untold += 1
    inTurn(record.key ?? '', async () => {
      const event = fromRecord(record)
      if (event?.type === 'delivery.wanted' && event.data.kill === true) await tell(event, record)
    })
      .catch(() => undefined)
      .finally(() => {
        untold -= 1
      })
  }

  const lookAt = async (partition: number, from: Position): Promise<void> => {
    let at = from
    for (let page = 0; page < MOST_PAGES && untold < MOST_UNTOLD; page++) {
      const { records, next, end } = await log.read({
        topic: topics.deliveries.name,
        partition,
        from: { positions: { [partition]: at } },
        limit: PAGE,
      })
      for (const record of records) if (isKill(record)) tellOf(record)
      seen.set(partition, Math.max(next, at))
      if (next >= end || next <= at) return
      at = next
    }
  }

  const look = async (): Promise<void> => {
    if (waiting() < INTENTS_AT_ONCE) return seen.clear()
    const mine = new Set(held())
    for (const { topic, partition, committed, records } of await log.lag(GROUP)) {
      if (topic !== topics.deliveries.name || !mine.has(partition) || records <= INTENTS_AT_ONCE) continue
      await lookAt(partition, Math.max(seen.get(partition) ?? 0, committed ?? 0))
    }
  }

  let looking: Promise<void> | null = null
  return {
    look: () => {
      looking ??= look()
        .catch(onError)
        .finally(() => {
          looking = null
        })
      return looking
    },
  }
}
