/** What goes to an outlet once: a version of an article, as far as this outlet is due it. Pure. */
import type { OutletConfig } from '@newswire/events/config'
import type { Due } from '@newswire/events/decision'
import type { DeliverBy, DeliverKind } from '@newswire/events/deliver'
import type { Fact } from '@newswire/events/fact'
import { isSameForAllOutlets } from '@newswire/events/outlet-article'
import { retractionTold } from '@newswire/events/references'
import type { Outcome } from './machine.ts'

/** An outlet that is delivered to by one kind. */
export type OutletBy<K extends DeliverKind> = Omit<OutletConfig, 'deliver'> & Readonly<{ deliver: DeliverBy<K> }>

export type Parcel<K extends DeliverKind = DeliverKind> = Readonly<{
  outlet: OutletBy<K>
  fact: Fact
  due: Exclude<Due, 'nothing'>
  /** Position of the intent: rises per outlet. */
  sequence: number
  /** The repeat of a kill that goes under a new id. */
  settling: boolean
}>

/**
 * Makes an outlet hold a parcel. Never throws for what the outlet does; safe to repeat: the same parcel twice is one delivery.
 * `mayStill`: asked right before the first byte goes out.
 */
export type Deliver<K extends DeliverKind = DeliverKind> = (parcel: Parcel<K>, mayStill: () => boolean) => Promise<Outcome>

export const actionOf = (fact: Fact, due: Parcel['due']): 'published' | 'updated' | 'corrected' | 'retracted' =>
  fact.state === 'live' && due === 'content' ? fact.action : 'retracted'

/** Why the article is taken back, in what partners may read. A purge by law and a narrowed audience keep their reasons to themselves. */
export const retractionOf = (fact: Fact) => {
  if (fact.state === 'live') return { mode: 'withdraw', reason: 'no longer available to this outlet' }
  if (fact.state === 'purged') return { mode: 'gone', reason: 'removed' }
  return retractionTold(fact)
}

/** Whether every outlet that gets the whole of this gets the same: nothing in it, or in its pictures, is for some of them only. */
export const isForAnyOutlet = ({ fact, due }: Pick<Parcel, 'fact' | 'due'>): boolean =>
  due === 'content' && fact.state === 'live' && fact.article.audience === 'public' && isSameForAllOutlets(fact)
