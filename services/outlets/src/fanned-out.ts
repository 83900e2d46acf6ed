/**
 * What is told of a version that was routed: whom it goes to, and the record of decisions. In parts where there are many outlets, because ten
 * thousand of them would not fit into a record; each part has an id that a repeat has too.
 */
import type { Decided } from '@newswire/events/decision'
import { type ArticleEvent, follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { RoutePlan } from './routes.ts'

/** Names in one part. */
const MOST_NAMES = 1_000

const inParts = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / MOST_NAMES) }, (_, part) => all.slice(part * MOST_NAMES, (part + 1) * MOST_NAMES))

/** A group that is longer than what a part has room for goes on in the next one. */
const splitDecisions = (decisions: readonly Decided[]): Decided[][] => {
  const counted = decisions.filter(one => one.outlets.length === 0)
  const named = inParts(decisions.flatMap(group => group.outlets.map(outletId => ({ group, outletId })))).map(part => {
    const groups = new Map<Decided, string[]>()
    for (const { group, outletId } of part) {
      const names = groups.get(group)
      if (names === undefined) groups.set(group, [outletId])
      else names.push(outletId)
    }
    return [...groups].map(([group, outlets]) => ({ ...group, outlets, count: outlets.length }))
  })
  const [first = [], ...rest] = named
  return [[...counted, ...first], ...rest]
}

export const toFannedOut = (
  event: ArticleEvent,
  { wanted, decisions }: Pick<RoutePlan, 'wanted' | 'decisions'>,
  at: string,
): NewswireEvent<'milestone.reached'>[] => {
  const { articleId, version } = event.data
  const sinks = inParts((wanted ?? []).map(({ outletId }) => ({ kind: 'outlet' as const, id: outletId })))
  const groups = splitDecisions(decisions)
  return Array.from({ length: Math.max(sinks.length, groups.length) }, (_, part) =>
    follow(event, {
      type: 'milestone.reached',
      id: deriveId('routed', articleId, version, ...(part === 0 ? [] : [part])),
      source: '/services/outlets',
      subject: articleId,
      time: at,
      data: {
        kind: 'fanned-out',
        articleId,
        version,
        at,
        stage: 'outlets',
        sinks: sinks[part] ?? [],
        decisions: groups[part] ?? [],
        ...(part === 0 ? {} : { part }),
      },
    }),
  )
}
