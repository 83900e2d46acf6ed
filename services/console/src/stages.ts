/** How far behind every group is: what the console shows as the pipeline, and what `newswire_consumer_lag` says. */
import type { Log } from '@newswire/log/log'
import type { ArchiveTrouble } from '@newswire/objects/archive-wanted'
import type { Overview } from '@newswire/trace/overview'

/** Every group of the pipeline in the order of an article's way. */
const groups = [
  'images',
  'images-backfill',
  'desk',
  'desk-dead-letters',
  'feeds',
  'feeds-build',
  'archive',
  'outlets-route',
  'outlets',
  'outlets-requests',
] as const

export type Stage = Readonly<{ group: string; topic: string; lag: number; oldestMs: number | null }>

/** One line a group and topic. A group that never ran yet is left out. */
export const readStages = async (log: Pick<Log, 'lag'>): Promise<readonly Stage[]> => {
  const lags = await Promise.all(groups.map(async group => ({ group, lags: await log.lag(group) })))
  return lags.flatMap(({ group, lags: found }) =>
    [...new Set(found.map(one => one.topic))].map(topic => {
      const ofTopic = found.filter(one => one.topic === topic)
      const ages = ofTopic.flatMap(one => (one.oldestMs === null ? [] : [one.oldestMs]))
      return {
        group,
        topic,
        lag: ofTopic.reduce((sum, one) => sum + one.records, 0),
        oldestMs: ages.length === 0 ? null : Math.max(...ages),
      }
    }),
  )
}

/** A group is stuck when its oldest record has waited this long. */
export const STUCK_MS = 60_000

/** So many of those that are tried again are named. */
const NAMED = 3

export type PausedOutlet = Readonly<{ id: string; at: string; by: 'operator' | 'partner' }>

type Trouble = Pick<Overview, 'sinks' | 'setAside' | 'overdue' | 'late' | 'overdueHolds' | 'retrying'> &
  Readonly<{
    /** What a store that takes no writes says, or that the disk under it is nearly full; `null` when it is well. */
    store: string | null
    deadLetters: number
    /** Purges by law that an operator must know of: what `toPurgeTrouble` gives. */
    purges: readonly string[]
    /** Outlets to which nothing goes out because somebody paused them. */
    paused: readonly PausedOutlet[]
    /** Why the archive cannot close its days; `null` when it can. */
    archive: ArchiveTrouble | null
  }>

const count = (n: number, one: string, many: string): string[] => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}`])

/** A partner that was away for a moment needs nobody; one that fails from its first delivery on should not have to be waited for. */
const toRetrying = (retrying: Trouble['retrying']): string[] => {
  const named = retrying.slice(0, NAMED).map(({ kind, id, versions, oldestMs }) => {
    const what = count(versions, 'delivery', 'deliveries').join('')
    return `${kind} ${id} has failed ${what} in the last ${Math.max(1, Math.ceil(oldestMs / 1000))} s and is tried again`
  })
  return [...named, ...count(retrying.length - named.length, 'other fails too', 'others fail too')]
}

/** Also while nothing waits for it: what comes next would. */
const toPaused = (paused: Trouble['paused']): string[] => {
  const named = paused
    .slice(0, NAMED)
    .map(({ id, at, by }) => `outlet ${id} is paused by ${by === 'operator' ? 'an operator' : 'the partner'} since ${at}`)
  return [...named, ...count(paused.length - named.length, 'other is paused too', 'others are paused too')]
}

/** Whom the late ones are for, with what says why and what can be done. */
const toLate = (late: Trouble['late']): string[] => {
  const named = late
    .slice(0, NAMED)
    .map(({ kind, id, versions }) => `${versions} for ${kind} ${id}${kind === 'outlet' ? ` (newswire outlets show ${id})` : ''}`)
  return late.length === 0 ? [] : [`late are ${[...named, ...(late.length > NAMED ? ['others'] : [])].join(', ')}`]
}

/** What should be out, since when and which: only the desk lets it out, and by its own clock. */
const toOverdueHolds = ({ articles, oldest }: Trouble['overdueHolds']): string[] => {
  const named = oldest.slice(0, NAMED).map(one => one.articleId)
  const since = `although the time has come, since ${oldest[0]?.until}: ${[...named, ...(articles > NAMED ? ['others'] : [])].join(', ')}`
  return count(articles, 'article is still held', 'articles are still held').map(
    what => `${what} ${since} (is the desk away, or its clock wrong? newswire doctor)`,
  )
}

/**
 * "Is everything all right?" in one sentence. `stages` is `null` while the log is away. Told, and no trouble, is what feeds set aside, which stays until the article or the feed changes, what
 * has failed within the last minute and is tried again, and who is paused.
 */
export const toSentence = (
  stages: readonly Stage[] | null,
  { sinks, setAside, store, overdue, late, overdueHolds, retrying, paused, deadLetters, purges, archive }: Trouble,
): { healthy: boolean; sentence: string } => {
  const stuck = (stages ?? []).filter(stage => (stage.oldestMs ?? 0) > STUCK_MS)
  const failing = (sinks.dead ?? 0) + (sinks.rejected ?? 0) + (sinks.suspended ?? 0)
  const aside = Object.entries(setAside).map(
    ([feed, n]) => `feed ${feed} keeps ${count(n, 'article', 'articles').join('')} out by its rules`,
  )
  const complaints = [
    ...(stages === null ? ['the log does not answer: nothing is taken or moved until it does, and then it goes on by itself'] : []),
    ...(store === null ? [] : [store]),
    ...purges,
    ...(archive === null ? [] : [`the archive cannot be closed since ${archive.since}: ${archive.message.replace(/\.$/, '')}`]),
    ...count(overdue.retractions, 'retraction has not arrived everywhere', 'retractions have not arrived everywhere'),
    ...count(overdue.sinks - overdue.retractions, 'delivery is late by a minute or more', 'deliveries are late by a minute or more'),
    ...toLate(late),
    ...toOverdueHolds(overdueHolds),
    ...count(failing, 'delivery needs a person', 'deliveries need a person'),
    ...count(deadLetters, 'dead letter is open', 'dead letters are open'),
    ...stuck.map(stage => `${stage.group} has waited ${Math.round((stage.oldestMs ?? 0) / 1000)} s`),
  ]
  const fine = retrying.length === 0 ? 'Everything flows' : 'Nothing is late yet'
  const told = [...(complaints.length === 0 ? [fine] : complaints), ...toRetrying(retrying), ...toPaused(paused), ...aside]
  return { healthy: complaints.length === 0, sentence: `${told.join('; ')}.` }
}
