/** The articles of one outlet, as the engine sees them: its subjects are their ids, its versions theirs, however they are delivered. */
import type { OutletConfig } from '@newswire/events/config'
import type { Categories } from '@newswire/events/decision'
import { dueTo, earliestMs } from '@newswire/events/entitled'
import type { Fact } from '@newswire/events/fact'
import type { Kind, Ready, Send } from './kind.ts'
import type { Outcome, Terms } from './machine.ts'
import type { ReadOlder } from './older-versions.ts'
import type { Deliver } from './parcel.ts'
import type { Tell } from './tell.ts'
import type { ReadReleased } from './view.ts'

export type Attempted = Readonly<{ outletId: string; outcome: Outcome['kind']; fact: Fact; sinceIntentMs: number }>

export type OutletNeeds = Readonly<{
  /** The outlet as it is configured now, and the categories; `null` when the configuration does not know it. */
  configured: () => Readonly<{ outlet: OutletConfig; categories: Categories }> | null
  read: ReadReleased
  readOlder: ReadOlder
  deliver: Deliver
  tell: Tell
  now: () => number
  onAttempt?: (attempted: Attempted) => void
}>

const HOUR_MS = 3_600_000
const NO_TERMS: Terms = {}

/** When an article may go to an outlet at all, counted from its first release. */
const termsOf = (outlet: OutletConfig, fact: Fact): Terms => {
  const { embargoOffsetHours, maxAgeHours } = outlet
  if (embargoOffsetHours <= 0 && maxAgeHours === undefined) return NO_TERMS
  const dueMs = earliestMs(outlet, fact)
  return {
    ...(embargoOffsetHours > 0 ? { notBeforeMs: dueMs } : {}),
    ...(maxAgeHours === undefined ? {} : { staleAfterMs: dueMs + maxAgeHours * HOUR_MS }),
  }
}

/** The desk swaps `current/` before it publishes, so whatever is wanted has been there. */
const isSoNew = (latest: Fact | null, version: number): boolean => latest !== null && latest.version >= version

export const outletKind = (outletId: string, { configured, read, readOlder, deliver, tell, now, onAttempt }: OutletNeeds): Kind => {
  type Known = NonNullable<ReturnType<OutletNeeds['configured']>>

  const readyWith = ({ outlet, categories }: Known, fact: Fact): Ready => {
    const due = dueTo(outlet, fact, categories)
    const sendIt =
      (what: Exclude<typeof due, 'nothing'>): Send =>
      async ({ sequence, settling, sinceMs }, mayStill) => {
        const outcome = await deliver({ outlet, fact, due: what, sequence, settling }, mayStill)
        onAttempt?.({ outletId, outcome: outcome.kind, fact, sinceIntentMs: now() - sinceMs })
        return outcome
      }
    return { ...termsOf(outlet, fact), version: fact.version, kill: due === 'retraction', send: due === 'nothing' ? null : sendIt(due) }
  }

  const toReady = (articleId: string, want: number, latest: Fact | null): Promise<Ready | null> | Ready | null => {
    const known = configured()
    if (latest === null || known === null) return null
    const { outlet, categories } = known
    const isOlder = outlet.versions === 'all' && latest.version > want && dueTo(outlet, latest, categories) === 'content'
    if (!isOlder) return readyWith(known, latest)
    return readOlder(articleId, want, latest.version).then(fact => (fact === null ? null : readyWith(known, fact)))
  }

  return {
    target: () => configured()?.outlet ?? null,
    read: (articleId, want) => {
      const latest = read(articleId, want)
      return latest instanceof Promise ? latest.then(found => toReady(articleId, want, found)) : toReady(articleId, want, latest)
    },
    isThere: (articleId, version) => {
      const latest = read(articleId, version)
      return latest instanceof Promise ? latest.then(found => isSoNew(found, version)) : isSoNew(latest, version)
    },
    say: (articleId, news, cause) => {
      const atMs = now()
      return tell(news.map(one => ({ outletId, told: { articleId, ...one }, cause, atMs })))
    },
    about: { outletId },
    fields: articleId => ({ outletId, articleId }),
    newestOnly: false,
  }
}
