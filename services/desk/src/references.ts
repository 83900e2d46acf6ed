/**
 * What an article may name of others: related ones, and a retraction's substitute. A version says which of them were taken back when it was
 * released; one more is released when that is not so any more. Two that name each other come to rest, because a version never changes for a version of the
 * other, only for its end and its return. Pure.
 */
import { type Fact, isPublic } from '@newswire/events/fact'
import { idsMeantBy, referencesOf } from '@newswire/events/references'

/** Of a released article. `narrowed`: the public had it and does not any more, editors still do. */
export type Standing = 'here' | 'narrowed' | 'gone'
/** `null` when nothing was released of it, as far as is known. */
export type StandingOf = (articleId: string) => Standing | null

export const nothingKnown: StandingOf = () => null

export const toStanding = (fact: Pick<Fact, 'state' | 'narrowed'>): Standing =>
  fact.state !== 'live' ? 'gone' : fact.narrowed === undefined ? 'here' : 'narrowed'

/** What has to be known of a version to say which of its names are gone. */
export type Naming = Readonly<{
  articleId: string
  publisher: string
  names: readonly string[]
  isForEditors: boolean
  told: readonly string[]
}>

export const toNaming = (fact: Fact): Naming => ({
  articleId: fact.articleId,
  publisher: fact.publisher,
  names: referencesOf(fact),
  isForEditors: fact.state === 'live' && !isPublic(fact),
  told: fact.goneReferences ?? [],
})

/** Articles that a name may mean, without the one that names: nobody sends readers to where they are. */
export const targetsOf = (name: string, { articleId, publisher }: Pick<Naming, 'articleId' | 'publisher'>): readonly string[] =>
  idsMeantBy(name, publisher).filter(id => id !== articleId)

/** What nothing is known of stays as it was told: a view that is made again brings nothing back. */
const isGone = (name: string, naming: Naming, standingOf: StandingOf): boolean => {
  const known = targetsOf(name, naming)
    .map(standingOf)
    .filter(one => one !== null)
  if (known.length === 0) return naming.told.includes(name)
  return !known.some(one => one === 'here' || (one === 'narrowed' && naming.isForEditors))
}

/** The names that no exit may show, each once, in the order in which they were given. */
export const goneNames = (naming: Naming, standingOf: StandingOf): readonly string[] => [
  ...new Set(naming.names.filter(name => isGone(name, naming, standingOf))),
]

export const isSameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, index) => name === b[index])

/** Whether the version should be released once more. */
export const isOutdated = (naming: Naming, standingOf: StandingOf): boolean => !isSameNames(naming.told, goneNames(naming, standingOf))

/** `before`: the version before, whose word counts where nothing is known. */
export const goneReferencesOf = (fact: Fact, before: Fact | null, standingOf: StandingOf): readonly string[] =>
  goneNames({ ...toNaming(fact), told: before?.goneReferences ?? [] }, standingOf)

/** The fact with what it may not name; the same one when it may name everything. */
export const withGoneReferences = (fact: Fact, before: Fact | null, standingOf: StandingOf): Fact => {
  const gone = goneReferencesOf(fact, before, standingOf)
  return gone.length === 0 ? fact : { ...fact, goneReferences: [...gone] }
}

const NAMED_AT_MOST = 5
const listed = (names: readonly string[]): string =>
  names.length > NAMED_AT_MOST ? `${names.slice(0, NAMED_AT_MOST).join(', ')} and ${names.length - NAMED_AT_MOST} more` : names.join(', ')

/** Why there is such a version, for a person. */
export const toReferencesDetail = (told: readonly string[], gone: readonly string[]): string => {
  const [left, back] = [gone.filter(name => !told.includes(name)), told.filter(name => !gone.includes(name))]
  return [
    ...(left.length === 0 ? [] : [`it no longer names ${listed(left)}, taken back`]),
    ...(back.length === 0 ? [] : [`it names ${listed(back)} again`]),
  ].join('; ')
}
