/**
 * A submission that waits for a slow picture, as an object (`images/pending/…`), and what happens to it next. Pure: the phases and their times.
 *
 *   parked ──all settled, or 30 s──▶ announcing ──published──▶ late ──a picture came──▶ arriving ──published──▶ late … ──▶ done
 *
 * `announcing` and `arriving` hold what is about to be published, so that a crash between swap and publish publishes just that again.
 *
 * What a republish brings back and could not be made again in time is one that begins as `late`: its pictures are made until they are there, and
 * announced when they are other files than the article says.
 */
import { article, type Picture, picture } from '@newswire/events/article'
import { withOutcome } from '@newswire/events/picture-outcome'
import { type Submission, submission } from '@newswire/events/submission'
import { z } from 'zod'
import type { SettleFor } from './settle-picture.ts'

export const parkedDocument = z.object({
  n: z.int(),
  phase: z.enum(['parked', 'announcing', 'late', 'arriving', 'done']),
  submission,
  position: z.int(),
  /** Envelope of the accepted submission that the announcement follows from. */
  cause: z.object({ id: z.string(), correlationid: z.string().optional(), traceparent: z.string().optional() }),
  pictures: z.array(picture),
  /** Addresses of pictures that the announcement went without and that have not come yet. */
  missing: z.array(z.string()),
  /** Pictures in the `arriving` phase. */
  arriving: z.array(picture),
  /** Of pictures that are brought back: the content that they are of. They are made from their originals, with the rights of then. */
  restoring: z.object({ submissionId: z.string(), rights: article.shape.rights }).optional(),
  parkedAt: z.string(),
  attempts: z.int(),
})
export type Parked = z.output<typeof parkedDocument>

/** How long an article waits for its pictures; a flash (urgency 1–2) does not wait at all. */
const PARK_MS = 30_000
export const patienceMs = (urgency: number): number => (urgency <= 2 ? 0 : PARK_MS)

const PARKED_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 15_000]
/** After the article went out: a day of tries, then the picture is given up. The first come soon, because a flash went out without waiting at all. */
const LATE_DELAYS_MS = [3_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000]

/** The wait before the next try, ms; `null` when there are no more. `attempts` counts tries of this phase. */
export const nextDelayMs = (phase: 'parked' | 'late', attempts: number): number | null =>
  phase === 'parked'
    ? (PARKED_DELAYS_MS[Math.min(attempts, PARKED_DELAYS_MS.length) - 1] ?? PARKED_DELAYS_MS[0] ?? 1_000)
    : (LATE_DELAYS_MS[attempts] ?? null)

const isWaiting = (one: Picture) => one.state === 'waiting'

/** All that the publisher says of a picture: one address may stand twice in an article with other words, and the words are written into the renditions. */
const saidOf = ({ url, caption, credit, focus, copyright, usageTerms, digitalSourceType, dataMining }: Picture): string =>
  JSON.stringify([url, caption, credit, focus, copyright, usageTerms, digitalSourceType, dataMining])
const isSame = (a: Picture, b: Picture) => saidOf(a) === saidOf(b)

/** Whether it is the same files that are shown. */
export const isSameFiles = (a: Picture, b: Picture): boolean =>
  a.renditions.map(one => one.key).join() === b.renditions.map(one => one.key).join()

/** What the pictures of a submission are settled for. */
export const toSettleFor = (value: Submission): SettleFor => ({
  articleId: value.articleId,
  lane: value.lane,
  rights: value.command === 'publish' ? value.article.rights : undefined,
})

/** Addresses of pictures that the desk may show earlier ones in place of. */
export const missingOf = (pictures: readonly Picture[]): readonly string[] =>
  pictures.filter(one => one.state !== 'ready').map(one => one.url)

/** Settles those that wait and were settled; the rest stay as they are. */
export const withSettled = (pictures: readonly Picture[], settled: readonly Picture[]): Picture[] =>
  pictures.map(one => {
    const found = isWaiting(one) ? settled.find(other => isSame(one, other)) : undefined
    return found === undefined ? one : withOutcome(one, found)
  })

/** What a parked document becomes when its tries end: announced whole, or at its deadline without what is missing. */
export const toAnnouncing = (parked: Parked): Parked => ({
  ...parked,
  n: parked.n + 1,
  phase: 'announcing',
  missing: parked.pictures.filter(isWaiting).map(one => one.url),
})

/** After an announcement or an arrival was published. */
export const afterPublished = (parked: Parked): Parked => ({
  ...parked,
  n: parked.n + 1,
  phase: parked.missing.length === 0 ? 'done' : 'late',
  arriving: [],
  attempts: 0,
})

/** Late pictures that were settled: announced as an arrival when one of them can be shown that was not, else only struck off. */
export const toArriving = (parked: Parked, settled: readonly Picture[]): Parked => {
  const missing = parked.missing.filter(url => !settled.some(one => one.url === url))
  const isAsBefore = (one: Picture) =>
    parked.pictures.some(other => other.state === 'ready' && isSame(one, other) && isSameFiles(one, other))
  const shown = settled.filter(one => one.state === 'ready' && !isAsBefore(one))
  return {
    ...parked,
    n: parked.n + 1,
    phase: shown.length > 0 ? 'arriving' : missing.length === 0 ? 'done' : 'late',
    arriving: [...shown],
    missing,
  }
}
