/**
 * How intents come in: how many outlets they are in hand for at once, and whom they keep waiting. Each waits up to two seconds for its outlet, and longer where a
 * strict line is written down, so an outlet has a quarter of the places at most, those of a partition that is being taken over have none,
 * and a retraction has places of its own.
 */
import type { LogRecord, SubscribeOptions } from '@newswire/log/log'
import { INTENTS_AT_ONCE } from './engine.ts'
import type { Worker } from './worker.ts'

const OUTLET_SHARE = 0.25

/**
 * Each intent is told to its actor when it comes, whatever those before it wait for: the actor alone knows what goes first. One that waited here for the
 * version before it would be unknown to a strict line, which then hands over what was wanted later.
 */
export const laneOf = ({ position }: LogRecord): string => String(position)

/** Each is looked at when it is fetched, a thousand of each partition: what they are parsed to would take more memory than they do. */
const bytesOf = ({ value }: LogRecord): Buffer =>
  value === null ? Buffer.alloc(0) : Buffer.from(value.buffer, value.byteOffset, value.byteLength)

/** As JSON has it, and inside a text it cannot stand so. Whose record says it and is none has a place sooner, no more. */
const isKill = (record: LogRecord): boolean => bytesOf(record).includes('"kill":true')

const MORE_OUTLETS = Buffer.from('"also":[')
const QUOTE = 0x22
/** What names more is refused; until it is it must not take all there are. */
const MOST_PLACES = 64
/** So many outlets it names: each has an actor while it waits. */
const outletsOf = (record: LogRecord): number => {
  const bytes = bytesOf(record)
  const begin = bytes.indexOf(MORE_OUTLETS)
  if (begin < 0) return 1
  let quotes = 0
  for (let at = begin + MORE_OUTLETS.length; at < bytes.length && bytes[at] !== 0x5d; at++) if (bytes[at] === QUOTE) quotes += 1
  return Math.min(1 + quotes / 2, MOST_PLACES)
}

/** The part of the subscription that says so. */
export const intentsOf = (worker: Pick<Worker, 'ready'>) =>
  ({
    concurrency: INTENTS_AT_ONCE,
    maxBuffered: INTENTS_AT_ONCE,
    lane: laneOf,
    keyShare: OUTLET_SHARE,
    places: outletsOf,
    urgent: isKill,
    ready: worker.ready,
  }) satisfies Partial<SubscribeOptions>
