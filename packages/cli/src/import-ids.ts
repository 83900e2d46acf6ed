/** What an import tells of ids at its end, where only a person can tell whether it was meant. Pure. */

/** Lines of a kind that are shown; all of them are in `--json`. */
export const SHOWN = 5

/** `where`: file and line of each, in the order of the source. */
type Repeated = Readonly<{ id: string; times: number; where: readonly string[] }>
/** `where`: the last of its id in the source, which was sent in an earlier run. `by`: where that came from which was sent after it, and is in the source no more. */
export type Overtaken = Readonly<{ id: string; where: string; by: string }>
type Places = ReadonlyMap<string, readonly string[]>

export const findRepeated = (places: Places): readonly Repeated[] =>
  [...places].flatMap(([id, where]) => (where.length === 1 ? [] : [{ id, times: where.length, where }]))

/** Ids that differ in capitals alone. */
export const findAlike = (ids: Iterable<string>): readonly (readonly string[])[] =>
  [...Map.groupBy(ids, id => id.toLowerCase()).values()].filter(alike => alike.length > 1)

/** Versions of one article, or an export that gave every story the same id. */
const toRepeatedLine = ({ id, times, where }: Repeated): string => {
  const before = where.slice(-SHOWN, -1)
  const others = times - 1 > before.length ? ` and ${times - 1 - before.length} more` : ''
  return `${id} came ${times} times: ${where.at(-1)} stands, and took the place of ${before.join(', ')}${others}`
}

/** Sent once more by itself, it could put what is old over what is new. */
const toOvertakenLine = ({ id, where, by }: Overtaken): string =>
  `${id}: ${where} was sent before, and what came from ${by} after it took its place; if ${where} is to stand, change it (a later "updatedAt" will do) and import it again`

const toAlikeLine = (alike: readonly string[], places: Places): string =>
  `${alike.map(id => `${id} (${places.get(id)?.at(-1)})`).join(' and ')} differ in capitals alone, and are articles of their own`

const some = <T>(all: readonly T[], toLine: (one: T) => string, what: string): readonly string[] => [
  ...all.slice(0, SHOWN).map(toLine),
  ...(all.length > SHOWN ? [`… and ${all.length - SHOWN} more ${what}; --json has all of them`] : []),
]

type Ids = Readonly<{ repeated: readonly Repeated[]; overtaken: readonly Overtaken[]; alike: readonly (readonly string[])[] }>

export const toIdLines = ({ repeated, overtaken, alike }: Ids, places: Places): readonly string[] => [
  ...some(repeated, toRepeatedLine, 'ids that came more than once'),
  ...some(overtaken, toOvertakenLine, 'that were sent before and do not stand'),
  ...some(alike, one => toAlikeLine(one, places), 'ids that differ in capitals alone'),
]
