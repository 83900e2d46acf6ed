/**
 * What happens at its time, told from recorded times: how soon a test asks proves nothing. A machine under load is allowed what any article needs on
 * it at that moment, and a step that did not end before the time that it is about proves nothing, so it is done again with more time.
 */
import assert from 'node:assert/strict'
import { createWriter } from './articles.ts'
import { articleIdOf, type Running } from './system.ts'
import { waitFor } from './wait-for.ts'

/** What is due is out within this. */
const IN_TIME_MS = 1_000
const MOST_ROUNDS = 4

type Version = Readonly<{ version: number; action: string; releasedAt: string; detail?: string }>

export const versionOf = async (running: Running, localId: string, version: number): Promise<Version> =>
  await waitFor(`version ${version} of ${localId}`, async () => {
    const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
    return (body['versions'] as Version[] | undefined)?.find(one => one.version === version)
  })

const write = createWriter(7)
let measured = 0
/** From the front door to its release, of an article that waits for nothing, ms. */
export const measureRelease = async (running: Running): Promise<number> => {
  measured += 1
  const localId = `do-${measured}`
  const beganMs = Date.now()
  const { version } = await running.settled(await running.put(localId, write()))
  return Date.parse((await versionOf(running, localId, Number(version))).releasedAt) - beganMs
}

/** Not a millisecond early, and within a second of its time, or of the moment since when somebody could release it. */
export const assertOnTime = async (
  running: Running,
  localId: string,
  version: number,
  { dueMs, readyMs = 0 }: Readonly<{ dueMs: number; readyMs?: number }>,
): Promise<Version> => {
  await waitFor('its time', () => Date.now() >= dueMs, { deadlineMs: 120_000 })
  const [found, allowedMs] = await Promise.all([versionOf(running, localId, version), measureRelease(running)])
  const releasedMs = Date.parse(found.releasedAt)
  assert.ok(releasedMs >= dueMs, `version ${version} of ${localId} was released ${dueMs - releasedMs} ms before its time`)
  const lateMs = releasedMs - Math.max(dueMs, readyMs)
  assert.ok(
    lateMs <= IN_TIME_MS + allowedMs,
    `version ${version} of ${localId} was released ${lateMs} ms late; any article took ${allowedMs} ms then`,
  )
  return found
}

class TooLateError extends Error {}

type Round = Readonly<{
  /** Different in each round, for ids. */
  name: string
  /** So many ms from now, or a multiple of that. */
  in(ms: number): number
  /** Does something that must end before a time. */
  before(dueMs: number, act: () => Promise<void>): Promise<void>
}>

/** Runs a story with times in it; again with twice as long when something in it did not end before its time. */
export const tellInTime = async (story: (round: Round) => Promise<void>): Promise<void> => {
  for (let round = 0; ; round++) {
    const before: Round['before'] = async (dueMs, act) => {
      const failure = await act().then(
        () => null,
        (error: unknown) => ({ error }),
      )
      if (Date.now() >= dueMs) throw new TooLateError('it did not end before its time', { cause: failure?.error })
      if (failure !== null) throw failure.error
    }
    try {
      return await story({ name: round === 0 ? '' : `-${round}`, in: ms => Date.now() + ms * 2 ** round, before })
    } catch (error) {
      if (!(error instanceof TooLateError) || round + 1 >= MOST_ROUNDS) throw error
    }
  }
}
