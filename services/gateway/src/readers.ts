/**
 * Who reads which feed, as far as operating it needs: how often, how many unchanged, how many readers, and how long the slowest stays away.
 * A reader is a number, given out in the order of coming to a hash of its address and its name under a salt that is random for each process. What leaves the
 * process are sums (metrics) and one time a feed (`readers.json`).
 */
import { hash, randomBytes } from 'node:crypto'
import { type FeedReaders, feedOutputs } from '@newswire/events/feed'
import { PROBE_AGENT } from '@newswire/events/retraction-proof'
import { toClientKey } from '@newswire/http/rate'
import type { Outcome } from './feed-answer.ts'

export const outcomes = ['full', 'unchanged', 'delta', 'part', 'refused'] as const satisfies readonly Outcome[]

type Reader = { lastAt: number; slowestMs: number }

/** Of one file: plain numbers, because they are counted on the fastest way there is. */
type Counts = { polls: Record<Outcome, number>; bytes: number; lastAt: number }

/** What is asked for of a feed: one of its files, or one of its archive pages, which are counted together. */
const polledOutputs = [...feedOutputs, 'page'] as const
type PolledOutput = (typeof polledOutputs)[number]

type FeedRecord = {
  counts: Map<PolledOutput, Counts>
  readers: Map<number, Reader>
  /** When somebody came with a validator of unknown age, or of the age `absentMs`: it may have been away that long. */
  absence: { absentMs: number; seenAt: number } | null
}

/** `now`: ms since 1970. */
type Poll = Readonly<{ outcome: Outcome; bytes: number; reader: number; now: number }>

type FeedUse = Readonly<{
  feedId: string
  output: PolledOutput
  polls: Readonly<Record<Outcome, number>>
  bytes: number
  lastAt: number
}>
/** What is to be remembered of a feed's readers: see `mergeReaders`. */
type Seen = Readonly<{ slowestMs: number; seenAt: number; absence: Readonly<{ absentMs: number; seenAt: number }> | null }>

/** Counts the polls of one file; for who asks often, looked up once. */
export type Tally = (poll: Poll) => void

export type Readers = Readonly<{
  /** The number of a reader. */
  identify(address: string, userAgent: string): number
  tally(feedId: string, output: PolledOutput): Tally
  polled(feedId: string, output: PolledOutput, poll: Poll): void
  /** Somebody came with a validator that was current `absentMs` ago at the latest; `Infinity` when that is not known. */
  absent(feedId: string, absentMs: number, now: number): void
  uses(): readonly FeedUse[]
  /** Readers of a feed that were seen since. */
  distinct(feedId: string, since: number): number
  feeds(): readonly string[]
  seen(feedId: string): Seen | null
  /** Forgets readers that have stayed away too long. */
  sweep(now: number): void
}>

/** A reader that was not seen for so long no longer counts. */
const READER_LIFE_MS = 90 * 86_400_000
/** Readers of all feeds that are told apart; about 100 bytes each. Beyond it polls are counted, but new readers are not told apart. */
const MAX_READERS = 100_000

/** Our own looking whether something is gone: no reader, and it comes when it likes. */
export const NOBODY = -1

/** Of one address, or of the /64 of an IPv6 one. */
const MAX_NAMES = 64

const newCounts = (): Counts => ({ polls: { full: 0, unchanged: 0, delta: 0, part: 0, refused: 0 }, bytes: 0, lastAt: 0 })

export const createReaders = ({ maxReaders = MAX_READERS } = {}): Readers => {
  const salt = randomBytes(16).toString('hex')
  const records = new Map<string, FeedRecord>()
  /** Small numbers, because they are looked up for every answer. Forgetting them all at once makes readers new again, no more. */
  const numbers = new Map<string, number>()
  /** Names that came from one place; beyond so many a place is one reader, or made-up names would leave no room for others. */
  const namesFrom = new Map<string, number>()
  let nextNumber = 0
  let known = 0

  const nameOf = (of: string): string => hash('sha256', `${salt}\0${of}`, 'base64').slice(0, 12)
  /** Everybody is new again; what is held in `readers.json` of the slowest stays. */
  const forgetAll = () => {
    numbers.clear()
    namesFrom.clear()
    for (const record of records.values()) record.readers.clear()
    known = 0
  }
  const recordOf = (feedId: string): FeedRecord => {
    let record = records.get(feedId)
    if (record === undefined) {
      record = { counts: new Map(), readers: new Map(), absence: null }
      records.set(feedId, record)
    }
    return record
  }
  const meet = (record: FeedRecord, reader: number, now: number) => {
    const before = record.readers.get(reader)
    if (before === undefined) {
      if (known >= maxReaders) return
      known += 1
      record.readers.set(reader, { lastAt: now, slowestMs: 0 })
      return
    }
    const gap = now - before.lastAt
    if (gap > before.slowestMs) before.slowestMs = gap
    before.lastAt = now
  }
  const tally = (feedId: string, output: PolledOutput): Tally => {
    const record = recordOf(feedId)
    const counts = record.counts.get(output) ?? newCounts()
    record.counts.set(output, counts)
    return ({ outcome, bytes, reader, now }) => {
      if (reader === NOBODY) return
      counts.polls[outcome] += 1
      counts.bytes += bytes
      counts.lastAt = now
      // Who walks back through a feed's past says nothing of how often it looks at what is new, which is what retractions wait for.
      if (output !== 'page') meet(record, reader, now)
    }
  }
  return {
    identify: (address, userAgent) => {
      if (userAgent === PROBE_AGENT) return NOBODY
      const place = nameOf(toClientKey(address))
      const name = nameOf(`${address}\0${userAgent}`)
      const found = numbers.get(name)
      if (found !== undefined) return found
      const names = namesFrom.get(place) ?? 0
      const isCrowd = names >= MAX_NAMES
      const known = isCrowd ? numbers.get(place) : undefined
      if (known !== undefined) return known
      if (numbers.size >= maxReaders) forgetAll()
      namesFrom.set(place, names + 1)
      numbers.set(isCrowd ? place : name, nextNumber)
      return nextNumber++
    },
    tally,
    polled: (feedId, output, poll) => tally(feedId, output)(poll),
    absent: (feedId, absentMs, now) => {
      const record = recordOf(feedId)
      if (record.absence === null || absentMs >= record.absence.absentMs) record.absence = { absentMs, seenAt: now }
    },
    uses: () =>
      [...records].flatMap(([feedId, { counts }]) =>
        polledOutputs.flatMap(output => {
          const found = counts.get(output)
          return found === undefined ? [] : [{ feedId, output, ...found }]
        }),
      ),
    distinct: (feedId, since) => {
      let count = 0
      for (const { lastAt } of records.get(feedId)?.readers.values() ?? []) if (lastAt >= since) count += 1
      return count
    },
    feeds: () => [...records.keys()],
    seen: feedId => {
      const record = records.get(feedId)
      if (record === undefined) return null
      let slowest: Reader | null = null
      for (const reader of record.readers.values()) if (slowest === null || reader.slowestMs > slowest.slowestMs) slowest = reader
      return { slowestMs: slowest?.slowestMs ?? 0, seenAt: slowest?.lastAt ?? 0, absence: record.absence }
    },
    sweep: now => {
      for (const record of records.values()) {
        for (const [reader, { lastAt }] of record.readers)
          if (now - lastAt > READER_LIFE_MS) {
            record.readers.delete(reader)
            known -= 1
          }
        record.absence = null
      }
    },
  }
}

/** A date in `readers.json` is moved only by so much, so that most rounds write nothing. */
const WORTH_WRITING_MS = 86_400_000

/**
 * What `readers.json` says after what was seen; `null` when it stays as it is.
 *
 * A restart forgets every reader, and a reader that comes once a week is then new for a week. So what is held stays held: until its reader
 * has not been seen for 90 days. That it was seen is also believed when somebody came who may have been away that long: with a validator that
 * is so old, or that this process does not know.
 */
export const mergeReaders = (held: FeedReaders | null, seen: Seen, now: number): FeedReaders | null => {
  const n = (held?.n ?? 0) + 1
  const mine = { n, slowestMs: Math.min(seen.slowestMs, READER_LIFE_MS), seenAt: new Date(seen.seenAt).toISOString() }
  if (held === null || !(now - Date.parse(held.seenAt) <= READER_LIFE_MS)) return seen.slowestMs > 0 || held !== null ? mine : null
  const heldSeenAt = Date.parse(held.seenAt)
  if (mine.slowestMs > held.slowestMs) return mine
  const seenAt = Math.max(
    mine.slowestMs === held.slowestMs ? seen.seenAt : 0,
    seen.absence !== null && seen.absence.absentMs >= held.slowestMs ? seen.absence.seenAt : 0,
  )
  return seenAt - heldSeenAt >= WORTH_WRITING_MS ? { ...held, n, seenAt: new Date(seenAt).toISOString() } : null
}
