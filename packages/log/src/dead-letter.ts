/**
 * Records that could not be handled, kept byte for byte in `dead-letters` with the reason, and the way back. The original's key, value and
 * headers stay as they were (its `ce_*` headers included), so a redrive is the same record again; everything of ours is a header of its own. Where a handler did part of one, the letter names what is left.
 */
import { type ErrorCode, RejectError } from '@newswire/events/errors'
import { deriveId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Failure } from './lane-partition.ts'
import type { LogRecord, NewRecord, Position, Published, PublishOptions } from './log.ts'

/** A record given up by a group. */
export type DeadRecord = Readonly<{
  record: LogRecord
  group: string
  attempts: number
  firstFailedAt: string
  lastFailedAt: string
  error: Readonly<{ code: string; message: string }>
  /** The latest failed tries, oldest first. */
  failures: readonly Failure[]
  /** What of it is left, where its handler named that; absent: all of it. */
  left?: readonly string[]
}>

/** What a dead letter says about itself, read back from its headers. */
export type DeadLetter = Readonly<{
  id: string
  /** The group, which is the service, that failed. */
  service: string
  topic: string
  partition: number
  position: Position
  attempts: number
  firstFailedAt: string
  lastFailedAt: string
  errorCode: string
  errorMessage: string
  failures: readonly Failure[]
  /** Where the bytes are when they were too many for the record; else the record's value has them. */
  pointer: string | null
  /** How often it has been redriven already. */
  redriven: number
}>

/** Keeps bytes that are too many for a record and gives back a pointer to them. Storing the same twice must be harmless. */
export type StoreBytes = (id: string, bytes: Uint8Array) => Promise<string>

type Publish = (records: readonly NewRecord[], options?: PublishOptions) => Promise<readonly Published[]>

const MAX_INLINE_BYTES = 1_048_576
const MAX_MESSAGE_BYTES = 1024
const MAX_ERRORS_BYTES = 8192
const PREFIX = 'newswire-dead-'
const REDRIVE_GROUP = 'newswire-redrive-group'
const REDRIVE_LEFT = 'newswire-redrive-left'
const FIRST_POSITION = 'newswire-first-position'
const REDRIVEN = 'newswire-dead-redriven'

/** At most `max` bytes of UTF-8, without half a character at the end. */
const cut = (text: string, max: number): string => {
  const bytes = Buffer.from(text)
  if (bytes.length <= max) return bytes.toString()
  let end = max - 3
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${bytes.toString('utf8', 0, end)}…`
}

/** The newest failures that fit, oldest first: messages are shortened before a failure is left out. */
const listFailures = (failures: readonly Failure[]): string => {
  const short = failures.map(failure => ({ ...failure, message: cut(failure.message, 300) }))
  let text = JSON.stringify(short)
  while (short.length > 0 && Buffer.byteLength(text) > MAX_ERRORS_BYTES) {
    short.shift()
    text = JSON.stringify(short)
  }
  return text
}

/** The same record given up by the same group has the same id, however often it is written. */
const deadLetterId = (group: string, record: Pick<LogRecord, 'topic' | 'partition' | 'position'>): string =>
  deriveId('dead-letter', group, record.topic, record.partition, record.position)

const withoutOurs = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === REDRIVEN || !name.startsWith(PREFIX)))

/** The record for `dead-letters`. With a `pointer` the bytes are elsewhere and the value is empty. */
export const toDeadLetter = (dead: DeadRecord, pointer: string | null): NewRecord => {
  const { record, group } = dead
  return {
    topic: topics.deadLetters.name,
    key: record.key,
    value: pointer === null ? record.value : new Uint8Array(),
    headers: {
      ...withoutOurs(record.headers),
      ...(dead.left === undefined ? {} : { [REDRIVE_LEFT]: JSON.stringify(dead.left) }),
      [`${PREFIX}id`]: deadLetterId(group, record),
      [`${PREFIX}service`]: group,
      [`${PREFIX}topic`]: record.topic,
      [`${PREFIX}partition`]: String(record.partition),
      [`${PREFIX}position`]: String(record.position),
      [`${PREFIX}attempts`]: String(dead.attempts),
      [`${PREFIX}first-failed-at`]: dead.firstFailedAt,
      [`${PREFIX}last-failed-at`]: dead.lastFailedAt,
      [`${PREFIX}error-code`]: cut(dead.error.code, 200),
      [`${PREFIX}error-message`]: cut(dead.error.message, MAX_MESSAGE_BYTES),
      [`${PREFIX}errors`]: listFailures(dead.failures),
      ...(pointer === null ? {} : { [`${PREFIX}pointer`]: pointer }),
    },
  }
}

/**
 * Makes a dead letter durable, bytes above 1 MiB through `storeBytes` first. Safe to repeat: a repeat has the same id and bytes.
 * Without `storeBytes` all bytes stay in the record.
 */
export const buryWith =
  (publish: Publish, storeBytes?: StoreBytes): ((dead: DeadRecord) => Promise<void>) =>
  async dead => {
    const { value } = dead.record
    const isLarge = value !== null && value.length > MAX_INLINE_BYTES
    const pointer = isLarge && storeBytes ? await storeBytes(deadLetterId(dead.group, dead.record), value) : null
    await publish([toDeadLetter(dead, pointer)], { synced: true })
  }

const unreadable = (what: string): RejectError =>
  new RejectError('NEWSWIRE_LOG_DEAD_LETTER_UNREADABLE' satisfies ErrorCode, `not a dead letter: ${what}`)

const parseFailures = (text: string): Failure[] => {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? (parsed as Failure[]) : []
  } catch {
    // The list is for people; a dead letter without it can still be redriven.
    return []
  }
}

/** Throws `RejectError` (`NEWSWIRE_LOG_DEAD_LETTER_UNREADABLE`) for a record that does not say where it came from. */
export const parseDeadLetter = (record: Pick<LogRecord, 'headers'>): DeadLetter => {
  const header = (name: string): string => {
    const value = record.headers[PREFIX + name]
    if (value === undefined) throw unreadable(`header ${PREFIX}${name} is missing`)
    return value
  }
  const number = (name: string): number => {
    const value = Number(header(name))
    if (!Number.isSafeInteger(value) || value < 0)
      throw unreadable(`header ${PREFIX}${name} is no position or count: "${cut(header(name), 100)}"`)
    return value
  }
  return {
    id: header('id'),
    service: header('service'),
    topic: header('topic'),
    partition: number('partition'),
    position: number('position'),
    attempts: number('attempts'),
    firstFailedAt: header('first-failed-at'),
    lastFailedAt: header('last-failed-at'),
    errorCode: header('error-code'),
    errorMessage: header('error-message'),
    failures: parseFailures(record.headers[`${PREFIX}errors`] ?? '[]'),
    pointer: record.headers[`${PREFIX}pointer`] ?? null,
    redriven: Number(record.headers[REDRIVEN] ?? 0) || 0,
  }
}

/**
 * The original record again, for the group that failed only, with its first position (what orders it among its article's others).
 * `bytes` are those of a pointer, which is then required. Throws `RejectError` for a record that is no dead letter.
 */
export const toRedrive = (record: Pick<LogRecord, 'key' | 'value' | 'headers'>, bytes?: Uint8Array): NewRecord => {
  const letter = parseDeadLetter(record)
  if (letter.pointer !== null && bytes === undefined)
    throw unreadable(`its bytes are at "${letter.pointer}"; read them from there and pass them to toRedrive`)
  return {
    topic: letter.topic,
    key: record.key,
    value: letter.pointer === null ? record.value : (bytes ?? null),
    headers: {
      ...withoutOurs(record.headers),
      [REDRIVE_GROUP]: letter.service,
      [FIRST_POSITION]: record.headers[FIRST_POSITION] ?? String(letter.position),
      [REDRIVEN]: String(letter.redriven + 1),
    },
  }
}

/** False for a record that was redriven for another group: it is committed unhandled. */
export const isForGroup = (record: Pick<LogRecord, 'headers'>, group: string): boolean => {
  const wanted = record.headers[REDRIVE_GROUP]
  return wanted === undefined || wanted === group
}

/** What of a redriven record is left to do, as the handler named it that gave it up; `null`: all of it, as of every other record. */
export const leftOf = (record: Pick<LogRecord, 'headers'>): readonly string[] | null => {
  try {
    const left: unknown = JSON.parse(record.headers[REDRIVE_LEFT] ?? 'null')
    return Array.isArray(left) && left.every(name => typeof name === 'string') ? left : null
  } catch {
    // Nobody of ours wrote it: nothing is left out for its sake.
    return null
  }
}

/** The position that orders a record: that of its first appearance when it was redriven, else its own. */
export const firstPosition = (record: Pick<LogRecord, 'headers' | 'position'>): Position => {
  const text = record.headers[FIRST_POSITION] ?? ''
  const first = /^\d{1,16}$/.test(text) ? Number(text) : record.position
  return first <= record.position ? first : record.position
}
