/** What the proof of a retraction comes to: a verdict, and a sentence for people. Pure. */
import type { ExitResult, OutletResult, RetractionProof, Verdict } from '@newswire/events/retraction-proof'

export type Findings = Readonly<{
  retractedAt: string
  outlets: readonly OutletResult[]
  /** `null`: not looked for yet. */
  exits: readonly ExitResult[] | null
  /** Earlier versions that are not in the archive: what they showed is not known. */
  missing: readonly number[]
  /** When it was proved, perhaps by another process or before a restart. */
  provedAt: string | null
}>

/** Acknowledged, or nothing of it was ever due there. */
const HOLDS_NOTHING: ReadonlySet<string> = new Set(['done', 'skipped'])
export const openOutlets = (outlets: readonly OutletResult[]): readonly OutletResult[] =>
  outlets.filter(one => !HOLDS_NOTHING.has(one.state))

const toVerdict = ({ outlets, exits, missing, provedAt }: Findings): Verdict => {
  if (exits === null && provedAt !== null) return 'gone'
  if (exits?.some(one => one.state === 'visible')) return 'visible'
  if (exits === null || missing.length > 0 || exits.some(one => one.state === 'unknown')) return 'unproved'
  return openOutlets(outlets).length > 0 ? 'waiting' : 'gone'
}

const MOST_NAMED = 5
const list = (names: readonly string[]): string =>
  names.length <= MOST_NAMED ? names.join(', ') : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`

const outletWords = ({ id, state, attempts, lastError }: OutletResult): string => {
  const tries = attempts === null ? '' : `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  return `${id} (${state}${tries}${lastError === null ? '' : `: ${lastError}`})`
}

export const toSentence = (findings: Findings): Pick<RetractionProof, 'verdict' | 'sentence'> => {
  const { retractedAt, outlets, exits, missing, provedAt } = findings
  const verdict = toVerdict(findings)
  const at = (state: ExitResult['state']) => (exits ?? []).filter(one => one.state === state).map(one => one.address)
  const [visible, unknown, open] = [at('visible'), at('unknown'), openOutlets(outlets)]
  const parts = [
    ...(visible.length === 0 ? [] : [`still at ${list(visible)} since ${retractedAt}`]),
    ...(open.length === 0 ? [] : [`not acknowledged since ${retractedAt} by ${list(open.map(outletWords))}`]),
    ...(unknown.length === 0 ? [] : [`could not be asked: ${list(unknown)}`]),
    ...(missing.length === 0
      ? []
      : [`what version ${list(missing.map(String))} showed is not known, because it is not in the archive (yet)`]),
    ...(exits === null ? ['not looked for yet'] : []),
  ]
  if (exits === null && provedAt !== null) return { verdict, sentence: `Gone everywhere: so it was proved at ${provedAt}.` }
  if (verdict === 'gone')
    return {
      verdict,
      sentence: `Gone everywhere: ${exits?.length ?? 0} exits looked at, ${outlets.filter(one => one.state !== 'skipped').length} outlets acknowledged.`,
    }
  const isGonePublicly = verdict === 'waiting' ? 'Gone from every public exit; ' : ''
  const [first = '', ...rest] = parts
  const opening = isGonePublicly === '' ? first.charAt(0).toUpperCase() + first.slice(1) : isGonePublicly + first
  return { verdict, sentence: `${[opening, ...rest].join('; ')}.` }
}
