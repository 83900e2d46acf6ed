/**
 * An article as it stands once more to outlets: a replay of one article, by the same intents. Only to outlets that it was routed to, so nobody gets it
 * by this who did not have it; whether each may have it, when, and with which pictures is decided when it is sent, as always.
 */
import type { OutletConfig } from '@newswire/events/config'
import { type Categories, type Decision, decideFor } from '@newswire/events/decision'
import { toAgain } from '@newswire/events/delivery-again'
import type { NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'

export type Resend = Readonly<{ id: string; articleId: string; at: string /** `null`: all. */; outletId: string | null }>
type World = Readonly<{
  fact: Fact
  /** Outlets that any version was ever routed to. */
  routed: ReadonlySet<string>
  outlets: ReadonlyMap<string, OutletConfig>
  categories: Categories
}>

/** Who is sent it; `excluded`: who was routed it once and is due nothing now. */
export type ResendPlan = Readonly<{
  wanted: readonly Readonly<{ outletId: string; kill: boolean }>[]
  excluded: readonly Readonly<{ outletId: string; why: Decision['why'] }>[]
}>

const SERVICE = '/services/console'
/** Names told in a trace; of more it is said how many. */
const MOST_NAMES = 20

export const planResend = ({ outletId }: Pick<Resend, 'outletId'>, { fact, routed, outlets, categories }: World): ResendPlan => {
  const decide = decideFor(fact, categories)
  const asked = outletId === null ? [...outlets.values()] : [...outlets.values()].filter(one => one.id === outletId)
  const decided = asked.filter(one => routed.has(one.id)).map(one => ({ outletId: one.id, ...decide(one, { createdAtMs: 0, had: true }) }))
  return {
    wanted: decided.filter(({ due }) => due !== 'nothing').map(({ outletId, due }) => ({ outletId, kill: due === 'retraction' })),
    excluded: decided.filter(({ due }) => due === 'nothing').map(({ outletId, why }) => ({ outletId, why })),
  }
}

const toNames = (names: readonly string[]): string => {
  const told = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${told} and ${names.length - MOST_NAMES} more` : told
}

/** To whom, for people, and for `askedOutletOf`: no id of an outlet has a space. */
const toDetail = ({ outletId }: Pick<Resend, 'outletId'>, { wanted }: ResendPlan): string =>
  outletId === null ? `to ${toNames(wanted.map(one => one.outletId))}` : `to ${outletId} alone`

/** The one outlet that a resend was asked for, read from its milestone's detail; `null`: all. */
export const askedOutletOf = (detail: string | null): string | null => /^to (\S+) alone$/.exec(detail ?? '')?.[1] ?? null

/** The same request of the same version gives the same intents. */
export const toIntents = ({ id, articleId, at }: Resend, version: number, { wanted }: ResendPlan): readonly NewswireEvent[] =>
  wanted.map(({ outletId, kill }) => toAgain({ id, outletId, at, source: SERVICE }, { articleId, version, kill }))

/** That the intents stand in the log: told before they do, it would keep a retry from writing those that failed. */
export const toResent = (resend: Resend, version: number, plan: ResendPlan): NewswireEvent => {
  const { id, articleId, at } = resend
  return {
    type: 'milestone.reached',
    id: deriveId('resent', articleId, version, id),
    source: SERVICE,
    subject: articleId,
    time: at,
    data: { kind: 'resent', articleId, version, at, requestId: id, outlets: plan.wanted.length, detail: toDetail(resend, plan) },
  }
}
