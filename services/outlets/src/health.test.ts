import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHealth } from './health.ts'
import type { Outcome } from './machine.ts'
import { neverOurSide } from './own-side.ts'

const TARGET = { concurrency: 8, deliver: null } as never
const accepted = { kind: 'accepted' } as Outcome
const failed = { kind: 'failed', reason: 'it answered 500', connect: false, alarm: false } as unknown as Outcome

/** What the log says of an outlet that answers so, a second apart; `since`: an owner before wrote down that it fails. */
const saidOf = async (answers: readonly Outcome[], since: number | null = null): Promise<readonly string[]> => {
  const said: string[] = []
  const say = (_: object, message: string) => void said.push(message)
  const health = createHealth('partner', {
    about: {},
    states: { load: async () => null, save: async () => undefined, failingSinceMs: () => since },
    ownSide: neverOurSide,
    scale: 1,
    logger: { info: say, warn: say, error: say } as never,
    untilAvailable: act => act(),
  })
  await health.load()
  let nowMs = 1_000_000
  for (const outcome of answers) {
    nowMs += 1_000
    const passage = health.passage(false, nowMs)
    await health.note(outcome, passage.way === 'no' ? 'probe' : passage.way, TARGET, nowMs)
  }
  return said
}
const times = (count: number, one: Outcome) => Array.from({ length: count }, () => one)

test('an outlet that refuses one in three is not said to have recovered each time: it was never said to fail', async () =>
  assert.deepEqual(await saidOf(Array.from({ length: 9 }, () => [accepted, failed, accepted]).flat()), []))

test('one that was said to fail is said to have recovered, once', async () => {
  assert.deepEqual(await saidOf([...times(5, failed), ...times(3, accepted)]), ['outlet.failing', 'outlet.recovered'])
  assert.deepEqual(await saidOf(times(3, accepted), 1), ['outlet.recovered'], 'also by an owner before')
})
