/** A decision in words that people read. Pure: every value of it is said, and nothing that is not in it. */
import type { Decision, LeftOut, MetList } from '@newswire/events/decision'
import type { SinkTrace } from '@newswire/trace/queries'

const LIST = { categories: 'category', languages: 'language', publishers: 'publisher', types: 'type' } as const
const quote = (text: string) => JSON.stringify(text)
const either = (words: readonly string[]) => (words.length === 0 ? 'none' : words.map(quote).join(' or '))

const met = (lists: readonly MetList[]): string =>
  lists.length === 0
    ? 'its match names nothing, so it takes everything'
    : `its match is met: ${lists
        .map(
          ({ list, value, rule }) =>
            `${LIST[list]} ${quote(rule ?? value)}${rule === undefined ? '' : ` (${list === 'languages' ? 'wider than' : 'a parent of'} ${quote(value)})`}`,
        )
        .join(', ')}`

export type Unmet = Readonly<{ list: MetList['list']; wanted: readonly string[]; had: readonly string[] }>

const unmet = (lists: readonly Unmet[]): string =>
  lists
    .map(({ list, wanted, had }) => `it wants ${LIST[list]} ${either(wanted)}, and the article has ${had.map(quote).join(', ') || 'none'}`)
    .join('; ')

type Explained = Readonly<{ decision: Decision; unmet: readonly Unmet[]; createdAt: string | null; releasedAt: string }>

/** Follows "Version 3 of press.a was sent to city-desk: …". */
export const toReason = ({ decision, unmet: missing, createdAt, releasedAt }: Explained): string => {
  switch (decision.why) {
    case 'matches':
      return met(decision.met ?? [])
    case 'had-before':
      return `it had an earlier version, and who had an article gets its updates, although it no longer matches (${unmet(missing) || 'its match was changed since'})`
    case 'takes-picture':
      return 'this version no longer shows a picture that the one before showed, or may have, and a cache would keep it'
    case 'taken-back':
      return 'the article was taken back, and it may have had an earlier version'
    case 'audience-narrowed':
      return 'the article became editorial, this outlet takes what is public only, and it may have had an earlier version'
    case 'left-match':
      return `it no longer matches (${unmet(missing) || 'its match was changed since'}) and withdraws what leaves it (onLeave: withdraw)`
    case 'no-match':
      return unmet(missing) || 'its match was not met'
    case 'audience':
      return 'the article is editorial, and this outlet does not ask for that (audience: editorial)'
    case 'retired':
      return 'the outlet had left the configuration: it gets nothing new'
    case 'created-later':
      return `the version was released at ${releasedAt}, before the outlet was made${createdAt === null ? '' : ` at ${createdAt}`}`
    case 'import':
      return 'the article was imported, and an import goes to nobody who does not have the article'
    case 'loop':
      return 'the article came from this partner (origin), and is not sent back'
    case 'never-had':
      return 'it never had any version, so there is nothing to take back'
    case 'takes-nothing':
      return 'it is a cache that is told of what is taken back alone (on: retractions), and this version takes nothing back'
    case 'never-public':
      return 'nothing of the article was ever public, so no cache shows it'
    default:
      return decision.why satisfies never
  }
}

const SENT = { content: 'was sent to', retraction: 'was sent as a retraction to' } as const
const MEANT = { content: 'is meant for', retraction: 'is meant, as a retraction, for' } as const

/** `delivery`: what came of it; "was sent" is said of what the outlet acknowledged, and of what is so old that nobody remembers. */
export const toHeadline = (
  of: Readonly<{ articleId: string; version: number; outletId: string; due: Decision['due'] }>,
  delivery: Pick<SinkTrace, 'state' | 'version'> | null,
): string => {
  const isSent = delivery === null || (delivery.state === 'done' && delivery.version === of.version)
  const verb = of.due === 'nothing' ? 'was not sent to' : (isSent ? SENT : MEANT)[of.due]
  return `Version ${of.version} of ${of.articleId} ${verb} ${of.outletId}`
}

const pictureName = ({ picture, url }: LeftOut & { url?: string }) => `picture ${picture}${url === undefined ? '' : ` (${url})`}`

export const toLeftOutWords = (left: readonly (LeftOut & { url?: string })[], more: number): string[] => [
  ...left.map(one =>
    one.why === 'right-ended'
      ? `Left out: ${pictureName(one)}: its right ended at ${one.endedAt ?? 'an earlier time'}.`
      : `Left out: ${pictureName(one)}: its rights name other outlets.`,
  ),
  ...(more === 0 ? [] : [`Left out as well: ${more} more pictures.`]),
]

/** What came of it. */
export const toDeliveryWords = (
  sink: Pick<SinkTrace, 'state' | 'version' | 'attempts' | 'nextAt' | 'lastError' | 'reason' | 'doneAt'>,
): string => {
  const tries = sink.attempts === null ? '' : ` after ${sink.attempts} ${sink.attempts === 1 ? 'attempt' : 'attempts'}`
  const why = sink.lastError ?? sink.reason
  const because = why === null ? '' : `: ${why}`
  switch (sink.state) {
    case 'done':
      return `The outlet acknowledged version ${sink.version}${sink.doneAt === null ? '' : ` at ${sink.doneAt}`}.`
    case 'superseded':
      return 'A newer version took its place before it got there.'
    case 'retrying':
      return `It has not got there${tries}${because}${sink.nextAt === null ? '' : `; next at ${sink.nextAt}`}.`
    case 'pending':
      return 'It is on its way.'
    default:
      return `It is ${sink.state}${tries}${because}.`
  }
}
