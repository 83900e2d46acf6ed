/** Stories that nobody thought of, from a seed: what is done to one article, in which order it arrives, and what goes wrong meanwhile. */
import type { Cause } from './cause.ts'
import { due, isTurn, late, publish, purge, republish, retract, turn } from './stories.world.ts'

/** mulberry32: small, seeded, good enough to choose with. */
export const createRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Random = () => number
const below = (random: Random, limit: number): number => Math.floor(random() * limit)
const maybe = <T extends object>(random: Random, chance: number, value: () => T): T | Record<string, never> =>
  random() < chance ? value() : {}

const LETTERS = 'ABCDEFGH'
/** Minutes at which embargoes, expiries and rights end. */
const MINUTES = [5, 10, 15] as const
/** Other articles of the same publisher, and what becomes of them. */
const OTHERS = ['kia', 'do'] as const
const STANDINGS = ['gone', 'here', 'narrowed'] as const
const CAUSES = { least: 3, most: 9 } as const

/** One article in all lives of it: a story's causes in the order in which they arrive. Positions of the two lanes are two counts of their own. */
export const randomStory = (seed: number): readonly Cause[] => {
  const random = createRandom(seed)
  const minute = () => MINUTES[below(random, MINUTES.length)] ?? 10
  const other = () => OTHERS[below(random, OTHERS.length)] ?? 'kia'
  const isVersioned = random() < 0.3
  const causes: { cause: Cause; rank: number }[] = []
  const count = CAUSES.least + below(random, CAUSES.most - CAUSES.least)
  for (let index = 0; index < count; index += 1) {
    const position = (index + 1) * 10
    // Most arrive in order; some are overtaken by all that come within a while.
    const rank = position + (random() < 0.35 ? below(random, 60) : 0)
    const kind = random()
    const content = LETTERS[below(random, LETTERS.length)] ?? 'A'
    if (kind < 0.55) {
      const id = `${content}${position}`
      const lane = random() < 0.3 ? ('backfill' as const) : ('live' as const)
      const pictured = random() < 0.3
      causes.push({
        rank,
        cause: publish(position, {
          content,
          id,
          lane,
          ...maybe(random, isVersioned ? 0.8 : 0.1, () => ({ sourceVersion: 1 + below(random, 4) })),
          ...maybe(random, 0.4, () => ({ related: OTHERS.slice(below(random, 2)) })),
          ...maybe(random, 0.25, () => ({ embargo: minute() })),
          ...maybe(random, 0.2, () => ({ expires: minute() + 5 })),
          ...(pictured
            ? { picture: random() < 0.5 ? ('waiting' as const) : ('ready' as const), ...maybe(random, 0.5, () => ({ right: minute() })) }
            : {}),
        }),
      })
      if (pictured && random() < 0.6) causes.push({ rank: rank + 1 + below(random, 40), cause: late(id) })
    } else if (kind < 0.75) causes.push({ rank, cause: retract(position, random() < 0.4 ? other() : undefined) })
    else if (kind < 0.9) causes.push({ rank, cause: republish(position) })
    else if (kind < 0.91) causes.push({ rank, cause: purge(position) })
    else if (kind < 0.95) causes.push({ rank, cause: turn(rank, other(), STANDINGS[below(random, 3)] ?? 'gone', random() < 0.5) })
    else causes.push({ rank, cause: { ...due(minute()), id: `due-${position}` } })
  }
  return causes.sort((a, b) => a.rank - b.rank).map(({ cause }) => cause)
}

/** A cause as a line of a story. */
export const toLine = (cause: Cause): string => {
  switch (cause.kind) {
    case 'publish': {
      const { article, lane, position } = cause
      const said = [
        ['sourceVersion', article.sourceVersion],
        ['embargo', article.embargoUntil],
        ['expires', article.expiresAt],
        ['picture', article.images[0]?.state],
        ['right', article.images[0]?.rights?.until],
        ['related', article.related.length === 0 ? undefined : article.related],
      ].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
      return [`${lane} ${position}: publish ${article.title}`, ...said].join(', ')
    }
    case 'pictures':
      return `pictures of ${cause.submissionId} arrive`
    case 'due':
      return `it is ${cause.at}`
    case 'references':
      return isTurn(cause) ? `${cause.turn.target} is ${cause.turn.standing}${cause.turn.isTold ? '' : ', unnoticed'}` : 'references'
    case 'retract':
      return [`${cause.lane} ${cause.position}: retract`, cause.retraction.redirectTo ?? []].flat().join(', substitute ')
    default:
      return `${cause.lane} ${cause.position}: ${cause.kind}`
  }
}
