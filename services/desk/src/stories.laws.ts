/** What holds at the end of every story, and how one is played. */
import assert from 'node:assert/strict'
import { relatedOf, retractionTold } from '@newswire/events/references'
import type { Cause } from './cause.ts'
import type { End } from './stories.cases.ts'
import { due, isSound, isTurn, type Pass, references, type World } from './stories.world.ts'

/** The process died at a gate. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

export const free: Pass = () => undefined

export const deliver = async (world: World, handle: (cause: Cause) => Promise<void>, cause: Cause) => {
  if (cause.kind === 'due') world.advance(cause.at)
  if (isTurn(cause)) world.turn(cause.turn)
  if (!isTurn(cause) || cause.turn.isTold) await handle(cause)
}

/** As the timers of `holds.ts` do: whatever is due is fired until nothing is. */
export const fireHolds = async (world: World) => {
  const handle = world.openDesk(free)
  for (let round = 0; round < 4 && world.dueNow().length > 0; round += 1) {
    const one = due(0)
    await handle({ ...one, id: `round-${round}`, at: new Date(world.nowMs()).toISOString() })
  }
  assert.deepEqual(world.dueNow(), [], 'something is due and firing its hold changes nothing')
}

/** As `reference-sweep.ts` does: what differs is asked for until nothing does. */
export const sweepReferences = async (world: World) => {
  const handle = world.openDesk(free, 'has caught up')
  for (let round = 0; round < 2 && world.isOutdated(); round += 1) await handle(references(`sweep-${world.newestLanded()}`))
}

/** What is named is there, what is taken back is not named. */
export const checkReferences = (world: World, told: string) => {
  const fact = world.current().released?.fact
  const named = fact?.state === 'live' ? relatedOf(fact) : fact?.state === 'retracted' ? [retractionTold(fact).redirectTo ?? []].flat() : []
  const asked = fact?.state === 'live' ? fact.article.related : fact?.state === 'retracted' ? [fact.retraction.redirectTo ?? []].flat() : []
  const isThere = (name: string) => !['gone', 'narrowed'].includes(world.standingOf(`baoqk.${name}`) ?? 'unknown')
  assert.deepEqual(named, asked.filter(isThere), `${told}: what is named is what can be read`)
}

export const endOf = (world: World): End => {
  const { released, held } = world.current()
  const fact = released?.fact
  const gone = fact?.goneReferences === undefined ? '' : ` without ${fact.goneReferences}`
  const shown = fact === undefined ? 'nothing' : fact.state === 'live' ? (`live ${fact.article.title}` as const) : fact.state
  return held ? `${shown}${gone}, held ${held.article.title}` : (`${shown}${gone}` as End)
}

export const checkInvariants = (world: World, causes: readonly Cause[], told: string) => {
  const versions = new Map<number, string>()
  for (const { fact, bytes, clockMs } of world.landed) {
    assert.equal(versions.get(fact.version) ?? bytes, bytes, `${told}: version ${fact.version} was published with two contents`)
    versions.set(fact.version, bytes)
    if (fact.state === 'live' && fact.article.embargoUntil)
      assert.ok(clockMs >= Date.parse(fact.article.embargoUntil), `${told}: ${fact.article.title} went out before its embargo ended`)
  }
  const newest = world.current().released?.fact.version ?? 0
  assert.deepEqual(
    [...versions.keys()].sort((a, b) => a - b),
    Array.from({ length: newest }, (_, index) => index + 1),
    `${told}: versions are dense and all of them were published`,
  )
  assert.equal(world.landed.at(-1)?.fact.version ?? 0, newest, `${told}: the newest version is the last in the log`)
  for (const state of world.swaps) assert.ok(isSound(state), `${told}: retracted and live at once`)
  checkOutcomes(world, causes, told)
}

const checkOutcomes = (world: World, causes: readonly Cause[], told: string) => {
  const waiting = world.current().held
  const stillHeld = new Set(waiting ? [waiting.submissionId, ...waiting.alongside] : [])
  const states = new Set(world.landed.map(({ fact }) => fact.submissionId))
  for (const cause of causes) {
    if (cause.kind === 'pictures' || cause.kind === 'due' || cause.kind === 'references') continue
    const all = world.milestones.filter(one => one.kind === 'submission' && one.submissionId === cause.submissionId)
    const final = all.find(one => one.kind === 'submission' && one.state !== 'held')
    const isHeld = stillHeld.has(cause.submissionId)
    assert.ok(final !== undefined || (isHeld && all.length > 0), `${told}: ${cause.submissionId} ended without an outcome`)
    assert.ok(final === undefined || !isHeld, `${told}: ${cause.submissionId} has a final outcome and is still held`)
    if (cause.kind === 'publish' && final?.kind === 'submission')
      assert.equal(final.state === 'released', states.has(cause.submissionId), `${told}: ${cause.submissionId} was told ${final.state}`)
  }
}

export const checkReleasedMilestones = (world: World, told: string) => {
  for (const { fact } of world.landed)
    assert.ok(
      world.milestones.some(one => one.kind === 'released' && one.version === fact.version),
      `${told}: nobody was told of version ${fact.version}`,
    )
}
