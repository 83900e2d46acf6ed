/** Proactive negotiation: which coding, which type (RFC 9110 §12.4.2, §12.5.1, §12.5.3). */

type Weighted = Readonly<{ value: string; q: number }>

/** A weight that cannot be read counts as 0: nothing is sent on a guess. */
const parseWeight = (parameters: readonly string[]): number => {
  const q = parameters.find(one => /^q\s*=/.test(one))
  const weight = q === undefined ? 1 : Number(q.slice(q.indexOf('=') + 1))
  return Number.isNaN(weight) ? 0 : Math.min(1, Math.max(0, weight))
}

/** The members of a weighted list, in lower case, without parameters but their weight. */
const parseList = (header: string): readonly Weighted[] =>
  header
    .toLowerCase()
    .split(',')
    .map(part => part.split(';').map(one => one.trim()))
    .flatMap(([value = '', ...parameters]) => (value === '' ? [] : [{ value, q: parseWeight(parameters) }]))

export type Coding = 'br' | 'gzip' | 'zstd'

/** Below every weight that can be written (three digits): plain bytes go to who did not speak of them only when nothing else does. */
const UNSPOKEN = 0.000_5

/**
 * The coding to send. `available` is in our order, the one we like best first; it decides between equal weights. Without the header, or when
 * even the plain bytes are refused, it is `identity`: an answer is better than none.
 */
export const chooseCoding = <T extends Coding>(header: string | string[] | undefined, available: readonly T[]): T | 'identity' => {
  if (header === undefined) return 'identity'
  const weights = new Map(parseList(String(header)).map(({ value, q }) => [value === 'x-gzip' ? 'gzip' : value, q]))
  const rest = weights.get('*')
  const identity = weights.get('identity') ?? rest ?? UNSPOKEN
  let best: { coding: T | 'identity'; q: number } = { coding: 'identity', q: 0 }
  for (const coding of available) {
    const q = weights.get(coding) ?? rest ?? 0
    if (q > best.q) best = { coding, q }
  }
  return best.q >= identity ? best.coding : 'identity'
}

/** How closely a range of `Accept` names a type: exactly, by its family, by `*`, or not at all. */
const closeness = (range: string, type: string): number =>
  range === type ? 3 : range === `${type.split('/', 1)[0]}/*` ? 2 : range === '*/*' ? 1 : 0

/**
 * The one of `offers` that `Accept` likes best: the closest range decides a type's weight, our order between equal ones. Without the header
 * the first. `null` when none is acceptable.
 */
export const chooseType = <T extends string>(header: string | undefined, offers: readonly T[]): T | null => {
  if (header === undefined || header.trim() === '') return offers[0] ?? null
  const ranges = parseList(header)
  let best: { offer: T | null; q: number } = { offer: null, q: 0 }
  for (const offer of offers) {
    const [closest] = ranges
      .filter(one => closeness(one.value, offer) > 0)
      .sort((a, b) => closeness(b.value, offer) - closeness(a.value, offer))
    if (closest !== undefined && closest.q > best.q) best = { offer, q: closest.q }
  }
  return best.offer
}

const PAGES = ['text/html', 'application/xhtml+xml']
const DOCUMENTS = ['application/problem+json', 'application/json']

/** The weight of the best of these types that is named; what only a wildcard takes was not asked for. */
const weightOf = (accepted: readonly Weighted[], types: readonly string[]): number =>
  Math.max(0, ...accepted.filter(one => types.includes(one.value)).map(one => one.q))

/** Whether a page is asked for by name, and not liked less than JSON: browsers do, programs that take anything do not. */
export const prefersPage = (header: string | undefined): boolean => {
  if (header === undefined) return false
  const accepted = parseList(header)
  const page = weightOf(accepted, PAGES)
  return page > 0 && page >= weightOf(accepted, DOCUMENTS)
}

/** Whether JSON is asked for by name and liked better than a page. */
export const prefersJson = (header: string | undefined): boolean => {
  if (header === undefined) return false
  const accepted = parseList(header)
  return weightOf(accepted, DOCUMENTS) > weightOf(accepted, PAGES)
}
