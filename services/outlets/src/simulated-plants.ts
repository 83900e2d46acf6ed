/** Faults planted on purpose in `simulation.ts`, to see that the checks see them. */
import type { OutletConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import type { Kind } from './kind.ts'
import type { Deliver, Parcel } from './parcel.ts'
import type { PendingStore } from './pending.ts'

export const plants = [
  'version-of-the-intent',
  'forgets-pending',
  'commits-early',
  'settles-under-the-same-id',
  'loses-an-intent',
  'swaps-versions',
  'ignores-the-fence',
  'acknowledges-early',
  'reads-nothing-again',
  'believes-any-intent',
] as const
/** Of a strict line, and only after a crash: seen with two articles and more. */
export const strictPlants = ['forgets-the-line', 'forgets-its-place'] as const
export type Plant = (typeof plants)[number] | (typeof strictPlants)[number]

/** More than all sequences of a story. */
const ELSEWHERE = 1_000_000

export const plantInStore = (stored: PendingStore, plant: Plant | undefined): PendingStore => {
  switch (plant) {
    case 'forgets-pending':
      return { ...stored, save: async () => ({ etag: '', n: 0 }) }
    case 'reads-nothing-again':
      return { ...stored, read: async () => null }
    case 'forgets-its-place':
      return {
        ...stored,
        save: (owner, { delivery, ...pending }, ...rest) =>
          stored.save(owner, { ...pending, delivery: { ...delivery, sequence: ELSEWHERE - delivery.sequence } }, ...rest),
      }
    default:
      return stored
  }
}

/** `isLater`: not the first process. */
export const plantInOutlet = (outlet: OutletConfig, plant: Plant | undefined, isLater: boolean): OutletConfig =>
  plant === 'forgets-the-line' && isLater ? { ...outlet, order: 'article' } : outlet

export const plantInKind = (kind: Kind, plant: Plant | undefined): Kind =>
  plant === 'believes-any-intent' ? { ...kind, isThere: () => true } : kind

type Delivering = Readonly<{ random: () => number; olderOf: (fact: Fact) => Fact | undefined }>

export const plantInDeliver =
  (deliver: Deliver<'webhook'>, plant: Plant | undefined, { random, olderOf }: Delivering): Deliver =>
  async (one, mayStill) => {
    const parcel = one as Parcel<'webhook'>
    if (plant === 'settles-under-the-same-id') return deliver({ ...parcel, settling: false }, mayStill)
    const older = olderOf(parcel.fact)
    if (plant === 'swaps-versions' && older !== undefined && random() < 0.1) return deliver({ ...parcel, fact: older }, mayStill)
    const outcome = deliver(parcel, mayStill)
    return plant === 'acknowledges-early' ? { kind: 'accepted' } : outcome
  }
