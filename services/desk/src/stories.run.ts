/**
 * Plays a story with desks that die and are overtaken between any two effects, as a seed says. A life takes the article's causes one after the
 * other; one that dies is followed by another, which gets the cause in hand again, and perhaps some before it. One that freezes has lost its
 * partition to the next, wakes up some time later and goes on with what it had in hand as if nothing were.
 */
import type { Cause } from './cause.ts'
import { deliver, Killed } from './stories.laws.ts'
import { createRandom } from './stories.random.ts'
import { createWorld, type Gate, type Plant, type World } from './stories.world.ts'

export type Trouble = Readonly<{ seed: number; deaths: number; freezes: number }>
export const calm: Trouble = { seed: 0, deaths: 0, freezes: 0 }
export type Played = Readonly<{ world: World; happened: readonly string[] }>

const CHANCE = { death: 0.08, freeze: 0.08, wake: 0.3 } as const
const MAX_BACK = 2

type Life = Readonly<{
  name: string
  /** Goes on to the next gate; false when it has come to its end. */
  advance(): Promise<boolean>
  kill(): Promise<void>
  freeze(): void
  inHand(): number
  gate(): Gate | null
}>

const begin = (world: World, causes: readonly Cause[], from: number, name: string): Life => {
  let arrival = Promise.withResolvers<boolean>()
  let parked: { gate: Gate; release: PromiseWithResolvers<void> } | null = null
  let inHand = from
  let isFrozen = false
  const handle = world.openDesk(async gate => {
    parked = { gate, release: Promise.withResolvers<void>() }
    const { promise } = parked.release
    arrival.resolve(true)
    await promise
  })
  const live = async () => {
    for (; inHand < causes.length; inHand += 1) {
      await deliver(world, handle, causes[inHand] as Cause)
      if (isFrozen) return
    }
  }
  live().then(
    () => arrival.resolve(false),
    error => (error instanceof Killed ? arrival.resolve(false) : arrival.reject(error)),
  )
  const goOn = (how: (release: PromiseWithResolvers<void>) => void): Promise<boolean> => {
    if (parked === null) return arrival.promise
    const { release } = parked
    parked = null
    arrival = Promise.withResolvers<boolean>()
    how(release)
    return arrival.promise
  }
  return {
    name,
    advance: () => goOn(release => release.resolve()),
    kill: async () => void (await goOn(release => release.reject(new Killed()))),
    freeze: () => {
      isFrozen = true
    },
    inHand: () => inHand,
    gate: () => parked?.gate ?? null,
  }
}

/** The same story and trouble give the same run. */
export const play = async (causes: readonly Cause[], trouble: Trouble, plant?: Plant): Promise<Played> => {
  const random = createRandom(trouble.seed)
  const world = createWorld({ lagging: random() < 0.2, ...(plant === undefined ? {} : { plant }) })
  const happened: string[] = []
  const frozen: Life[] = []
  let [deaths, freezes, lives] = [0, 0, 0]
  const next = (from: number): Life => {
    lives += 1
    return begin(world, causes, from, `desk ${lives}`)
  }
  const after = (life: Life, what: string): Life => {
    const back = Math.floor(random() * (MAX_BACK + 1))
    happened.push(`${life.name} ${what} at ${life.gate()} of cause ${life.inHand() + 1}; the next begins ${back} before that`)
    return next(Math.max(0, life.inHand() - back))
  }
  const wake = async (): Promise<void> => {
    const at = Math.floor(random() * frozen.length)
    const life = frozen[at]
    if (life === undefined) return
    if (!(await life.advance())) frozen.splice(at, 1)
    happened.push(`${life.name} goes on`)
  }
  let active = next(0)
  while (await active.advance()) {
    const chance = random()
    if (deaths < trouble.deaths && chance < CHANCE.death) {
      deaths += 1
      const dying = active
      active = after(dying, 'dies')
      await dying.kill()
    } else if (freezes < trouble.freezes && chance < CHANCE.death + CHANCE.freeze) {
      freezes += 1
      active.freeze()
      frozen.push(active)
      active = after(active, 'freezes')
    }
    while (frozen.length > 0 && random() < CHANCE.wake) await wake()
  }
  while (frozen.length > 0) await wake()
  return { world, happened }
}
