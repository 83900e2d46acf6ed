/**
 * One held partition, of `deliveries` or of `feeds`: the actors for the intents it carries, from the take-over to the hand-over. Nothing is sent before the
 * owner before can have nothing in flight any more: it said so with its mark, or 20 s have passed. On the embedded log there is nobody else.
 */
import { UnavailableError } from '@newswire/events/errors'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { Actor } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import type { Clock } from './clock.ts'
import type { Handover, TakeOver } from './handover.ts'
import { OWN_FAULT_MS } from './schedule.ts'

/**
 * Longer than a zombie can still be sending (architecture §6.16). One that lives, cut off from the brokers, begins nothing 15 s after its last good heartbeat and is done
 * 15 s later: well within its session of 45 s, before which nobody has its partitions. Where that is not waited for, because the next process took its member out,
 * it is dead for sure (the lock of its folder, since the machine was started), and these 20 s are for what the system and the partner still have of it.
 */
export const TAKE_OVER_WAIT_MS = 20_000
const LOOK_AGAIN_MS = 500
/** So many are looked at together at a take-over: of ten thousand that have nothing left each would have an actor for a moment, 150 MB of them. */
const LOOKED_AT_ONCE = 8

export type Partition = Readonly<{
  /** Resolves when intents may be handled; `clean`: whoever was here before had come to an end, and all of it is written down. Rejects when it is lost first. */
  ready: Promise<Readonly<{ clean: boolean }>>
  isHeld(): boolean
  /** Gives the actor of an outlet or a subscription, loaded, for as long as `act` takes. */
  use<T>(id: string, act: (actor: Actor) => Promise<T>): Promise<T>
  actors(): Iterable<readonly [id: string, actor: Actor]>
  /** Those whose actor was let go of, because it had nothing to do. */
  rested(): Iterable<string>
  /** Whether there is an actor of it, or was one. */
  isKnown(id: string): boolean
  /** Nothing is left for it to do, and nothing will be. */
  forget(id: string): void
  /** Sends no more, waits for what is in flight, hands over. Never throws. */
  release(): Promise<void>
}>

export type PartitionNeeds = Readonly<{
  handover: Handover
  clock: Clock
  scale: number
  /** False: no other process can be an owner. */
  shared: boolean
  /** What is loaded at the take-over: whatever may have something pending. */
  ids: () => readonly string[]
  /** Whether anything is left of one from before: of the others nothing is loaded until something comes (default: of all). */
  isLeft?: (id: string) => Promise<boolean>
  /** `onIdle` hears when it may have become idle. */
  createActor: (id: string, owns: () => boolean, onIdle: () => void) => Actor
  /** So many actors that are idle are kept, those that were used last; the others are made anew when they are wanted (default: all are kept). */
  keepIdle?: number
  onError: (error: unknown) => void
}>

const lost = (partition: number) =>
  new UnavailableError('NEWSWIRE_OUTLETS_LOST', `partition ${partition} is no longer this process's; its new owner goes on with it`)

type Entry = {
  readonly actor: Actor
  /** It was let go of before, so nothing lies in the store. */
  readonly isBack: boolean
  loaded: Promise<Actor> | null
  isLoaded: boolean
  /** Who waits for it to be loaded, and comes before whoever finds it so. */
  entering: number
  /** Who has been given it. */
  users: number
}

export const holdPartition = (number: number, needs: PartitionNeeds): Partition => {
  const { handover, clock, scale, shared, ids, createActor, onError, keepIdle = Number.POSITIVE_INFINITY } = needs
  const { isLeft = async () => true } = needs
  const actors = new Map<string, Entry>()
  const rested = new Set<string>()
  /** The one that was used last is the last. */
  const idle = new Set<string>()
  let held = true
  let taken: (TakeOver & { atMs: number }) | null = null
  let wake: (() => void) | null = null
  let releasing: Promise<void> | null = null

  const pause = (ms: number) =>
    new Promise<void>(resolve => {
      const cancel = clock.after(ms * scale, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })

  const untilAvailable = async <T>(act: () => Promise<T>): Promise<T> => {
    for (;;) {
      if (!held) throw lost(number)
      try {
        return await act()
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        await pause(OWN_FAULT_MS)
      }
    }
  }

  const load = (one: Entry): Promise<Actor> => {
    const begun = () => (one.isBack ? one.actor.begin() : one.actor.load(taken?.clean ?? false))
    // Shared, however often the store is asked: whoever wants something first is first to have the actor.
    one.loaded ??= untilAvailable(begun).then(
      () => {
        one.isLoaded = true
        return one.actor
      },
      error => {
        one.loaded = null
        throw error
      },
    )
    return one.loaded
  }

  const mayRest = (one: Entry | undefined): one is Entry => one !== undefined && one.users === 0 && one.actor.isIdle()

  /** Closed, it begins nothing more: there are never two at work for one target. */
  const letGo = (id: string) => {
    const one = actors.get(id)
    idle.delete(id)
    if (!mayRest(one)) return
    actors.delete(id)
    rested.add(id)
    void one.actor.close().catch(onError)
  }

  const rest = (id: string) => {
    idle.delete(id)
    if (!mayRest(actors.get(id))) return
    idle.add(id)
    for (const oldest of idle) {
      if (idle.size <= keepIdle) return
      letGo(oldest)
    }
  }

  const entryOf = (id: string): Entry => {
    const known = actors.get(id)
    if (known !== undefined) return known
    const made: Entry = {
      actor: createActor(
        id,
        () => held,
        () => rest(id),
      ),
      isBack: rested.delete(id),
      loaded: null,
      isLoaded: false,
      entering: 0,
      users: 0,
    }
    actors.set(id, made)
    return made
  }

  const use = async <T>(id: string, act: (actor: Actor) => Promise<T>): Promise<T> => {
    const one = entryOf(id)
    one.users += 1
    idle.delete(id)
    try {
      if (!one.isLoaded || one.entering > 0) {
        one.entering += 1
        try {
          await load(one)
        } finally {
          one.entering -= 1
        }
      }
      return await act(one.actor)
    } finally {
      one.users -= 1
      if (actors.get(id) === one) rest(id)
    }
  }

  /** What cannot be looked at is loaded, and what cannot be loaded is tried again when something comes: the others are none the worse for it. */
  const takeUp = async (id: string): Promise<void> => {
    try {
      const isAnyLeft = actors.has(id) || (await untilAvailable(() => isLeft(id)))
      if (!isAnyLeft && !actors.has(id)) return void rested.add(id)
    } catch (error) {
      if (!held) throw error
      onError(error)
    }
    await use(id, async () => undefined).catch(error => {
      if (!held) throw error
      onError(error)
    })
  }

  const takeOver = async () => {
    const until = clock.now() + TAKE_OVER_WAIT_MS * scale
    while (shared && clock.now() < until && !(await untilAvailable(() => handover.isClean(number)))) {
      await pause(LOOK_AGAIN_MS)
      if (!held) throw lost(number)
    }
    taken = { ...(await untilAvailable(() => handover.take(number))), atMs: clock.now() }
    await sideBySide(ids(), LOOKED_AT_ONCE, takeUp)
    for (const { actor } of actors.values()) actor.review()
    return { clean: taken.clean }
  }

  const ready = takeOver()
  ready.catch(error => {
    if (held) onError(error)
  })

  const handOver = async () => {
    const ended = await Promise.all([...actors.values()].map(one => one.actor.close()))
    await ready.catch(() => undefined) // lost before it was taken: nothing to hand over
    if (taken === null) return
    // What nobody remembers of the owner before may still arrive in the next one's time.
    const isOfBefore = !taken.clean && clock.now() < taken.atMs + DOUBT_MS
    await handover.release(number, taken.mark, isOfBefore || ended.includes(false))
  }

  return {
    ready,
    isHeld: () => held,
    use,
    actors: () => [...actors].map(([id, one]) => [id, one.actor] as const),
    rested: () => rested,
    isKnown: id => actors.has(id) || rested.has(id),
    forget: id => {
      void actors.get(id)?.actor.close().catch(onError)
      actors.delete(id)
      idle.delete(id)
    },
    release: () => {
      releasing ??= (async () => {
        held = false
        wake?.()
        // Without the mark the next owner waits, which is what it is for.
        await handOver().catch(onError)
      })()
      return releasing
    },
  }
}
