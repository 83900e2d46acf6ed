import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toFactForAll } from '@newswire/events/public-article'
import type { Cause } from './cause.ts'
import { type Story, stories } from './stories.cases.ts'
import { checkInvariants, checkReleasedMilestones, deliver, endOf, fireHolds, free, Killed } from './stories.laws.ts'
import { createWorld, type Gate, at as time, type World } from './stories.world.ts'

const permutations = (names: readonly string[]): readonly (readonly string[])[] =>
  names.length <= 1
    ? [names]
    : names.flatMap((first, index) => permutations([...names.slice(0, index), ...names.slice(index + 1)]).map(rest => [first, ...rest]))

const orderOf = (names: readonly string[]) => ({ before: (first: string, second: string) => names.indexOf(first) < names.indexOf(second) })

const ordersOf = (story: Story) => permutations(Object.keys(story.causes)).filter(names => story.allowed?.(orderOf(names)) ?? true)

/** Disturbed runs take this many orders of a story, another set for each kind of disturbance: all of them take minutes and found no more. */
const ORDERS = 12
const shardOf = (story: Story, shard: number) => {
  const orders = ordersOf(story)
  const step = Math.ceil(orders.length / ORDERS)
  return orders.filter((_, index) => index % step === shard % step)
}

const checkEnd = async (world: World, story: Story, names: readonly string[], told: string) => {
  if (story.until !== undefined) world.advance(time(story.until))
  await fireHolds(world)
  await world.mend()
  const order = orderOf(names)
  assert.equal(endOf(world), story.end(order), told)
  const fact = world.current().released?.fact
  if (story.pictured && fact?.state === 'live')
    assert.equal(toFactForAll(fact).article.images[0]?.state === 'ready', story.pictured(order), `${told}: its picture`)
  checkInvariants(world, Object.values(story.causes), told)
}

/** Counts the gates of an undisturbed run. */
const countGates = async (causes: readonly Cause[], lagging: boolean): Promise<number> => {
  const world = createWorld({ lagging })
  let gates = 0
  const handle = world.openDesk(() => {
    gates += 1
  })
  for (const cause of causes) await deliver(world, handle, cause)
  return gates
}

/** What comes again after a crash: the cause in hand, that and the one before it, all; or it went to dead letters and is redriven last. */
const returns = ['none back', 'one back', 'all back', 'a redrive'] as const

/** Dies at gate `at`, then goes on in a new process. */
const runKilled = async (causes: readonly Cause[], at: number, back: (typeof returns)[number], lagging: boolean): Promise<World> => {
  const world = createWorld({ lagging })
  let gates = 0
  const doomed = world.openDesk(() => {
    gates += 1
    if (gates === at) throw new Killed()
  })
  let reached = 0
  try {
    for (; reached < causes.length; reached += 1) await deliver(world, doomed, causes[reached] as Cause)
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
  const handle = world.openDesk(free)
  const inHand = causes[reached]
  const isDead = back === 'a redrive' && world.current().seen.some(one => one.id === inHand?.id) // before its swap it was never there
  const from = back === 'all back' ? 0 : back === 'one back' ? Math.max(0, reached - 1) : isDead ? reached + 1 : reached
  for (const cause of causes.slice(from)) await deliver(world, handle, cause)
  if (isDead && inHand) await deliver(world, handle, inHand)
  return world
}

/** A stops at its gate `at` while B, who got the partition, does all from the cause in hand; then A wakes up and goes on as if nothing were. */
const runTwoDesks = async (causes: readonly Cause[], at: number): Promise<World> => {
  const world = createWorld({ lagging: false })
  const stopped = Promise.withResolvers<void>()
  const wake = Promise.withResolvers<void>()
  let gates = 0
  let reached = 0
  const slow = world.openDesk(async (_: Gate) => {
    gates += 1
    if (gates !== at) return
    stopped.resolve()
    await wake.promise
  })
  const first = (async () => {
    for (; reached < causes.length; reached += 1) {
      const inHand = reached
      await deliver(world, slow, causes[reached] as Cause)
      if (gates >= at) return inHand // it has lost the partition: what was in hand is its last
    }
    return reached
  })()
  await stopped.promise
  const second = world.openDesk(free)
  for (const cause of causes.slice(reached)) await deliver(world, second, cause)
  wake.resolve()
  await first
  return world
}

describe('every story ends right in every order', () => {
  for (const [name, story] of Object.entries(stories))
    it(`${name}: undisturbed, and delivered a second time to no effect`, async () => {
      for (const names of ordersOf(story)) {
        const causes = names.map(one => story.causes[one] as Cause)
        const world = createWorld({ lagging: false })
        const handle = world.openDesk(free)
        for (const cause of causes) await deliver(world, handle, cause)
        await checkEnd(world, story, names, names.join(', '))
        checkReleasedMilestones(world, names.join(', '))
        const swaps = world.swaps.length
        const landed = world.landed.length
        for (const cause of causes) await deliver(world, world.openDesk(free), cause)
        assert.equal(world.swaps.length, swaps, `${names.join(', ')}: delivered again, the state changed`)
        assert.equal(world.landed.length, landed, `${names.join(', ')}: delivered again, something was published`)
      }
    })
})

describe('a crash at any gate changes no end', () => {
  for (const [name, story] of Object.entries(stories))
    for (const [shard, back] of returns.entries())
      it(`${name}: with ${back}`, async () => {
        for (const names of shardOf(story, shard)) {
          const causes = names.map(one => story.causes[one] as Cause)
          const lagging = back === 'one back'
          const gates = await countGates(causes, lagging)
          for (let at = 1; at <= gates; at += 1) {
            const told = `${names.join(', ')}, killed at gate ${at}`
            const world = await runKilled(causes, at, back, lagging)
            await checkEnd(world, story, names, told)
            checkReleasedMilestones(world, told)
          }
        }
      })
})

describe('two desks at once change no end', () => {
  for (const [name, story] of Object.entries(stories))
    it(`${name}: one overtaken at any gate`, async () => {
      for (const names of shardOf(story, 3)) {
        const causes = names.map(one => story.causes[one] as Cause)
        const gates = await countGates(causes, false)
        for (let at = 1; at <= gates; at += 1)
          await checkEnd(await runTwoDesks(causes, at), story, names, `${names.join(', ')}, overtaken at gate ${at}`)
      }
    })
})
