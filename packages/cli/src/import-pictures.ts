/**
 * What became of the pictures of what an import has sent. They are fetched and read once their article was taken, so no answer can say: whoever imports is told
 * at the end, and not left to look at the trace of every article.
 */
import { setTimeout } from 'node:timers/promises'
import type { SubmissionStatus } from '@newswire/trace/queries'
import type { Client } from './client.ts'
import { FailedError } from './usage-error.ts'

/** An article with pictures, as it was taken. `where`: file and line, for a person. */
export type Pictured = Readonly<{ where: string; articleId: string; submissionId: string }>
/** `detail`: how many of its pictures are ready, and which are not and why. */
export type Pictureless = Readonly<{ where: string; articleId: string; detail: string }>

const AT_ONCE = 16
const PAUSE_MS = 500
/** A picture that does not come is waited for half a minute (`services/images`), and what is told of that needs a moment: so long after the last that was told. */
const PATIENCE_MS = 45_000
/** Nobody sits before a shell for longer, however many there are. */
const LONGEST_MS = 300_000
/** Nothing is told of the pictures of what ends so. */
const ENDED = new Set(['refused', 'dead'])

type Told = Pictureless | 'ready' | 'unknown' | 'waiting'

const ask = async ({ ingest }: Pick<Client, 'ingest'>, { submissionId, articleId, where }: Pictured): Promise<Told> => {
  const { pictures, state } = (await ingest('GET', `/v1/submissions/${submissionId}`)) as Partial<SubmissionStatus>
  if (pictures !== undefined) return pictures.includes(';') ? { where, articleId, detail: pictures } : 'ready'
  return state === undefined || ENDED.has(state) ? 'unknown' : 'waiting'
}

/** Only what the trace does not know yet is asked again. */
const toTold = (error: unknown): Told =>
  error instanceof FailedError && error.code === 'NEWSWIRE_SUBMISSION_UNKNOWN' ? 'waiting' : 'unknown'

/** `unknown`: of these nobody said it in time, or they may not be asked about (the token has no scope `read`). It never throws: an import is no failure because its pictures cannot be asked about. */
export const findPictureless = async (
  client: Pick<Client, 'ingest'>,
  sent: readonly Pictured[],
  { patienceMs = PATIENCE_MS, onWaiting = () => undefined }: Readonly<{ patienceMs?: number; onWaiting?: (articles: number) => void }> = {},
): Promise<Readonly<{ missing: readonly Pictureless[]; unknown: readonly Pictured[] }>> => {
  const missing: Pictureless[] = []
  const unknown: Pictured[] = []
  const longest = performance.now() + LONGEST_MS
  let until = performance.now() + patienceMs
  const mayAsk = () => performance.now() < Math.min(until, longest)
  const askOf = async (waiting: readonly Pictured[]): Promise<readonly Pictured[]> => {
    const still: Pictured[] = []
    const rest = waiting.values()
    const work = async () => {
      for (const one of rest) {
        const told = mayAsk() ? await ask(client, one).catch(toTold) : 'waiting'
        if (told === 'waiting') {
          still.push(one)
          continue
        }
        until = performance.now() + patienceMs
        if (told === 'unknown') unknown.push(one)
        else if (told !== 'ready') missing.push(told)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return still
  }
  let waiting = await askOf(sent)
  if (waiting.length > 0) onWaiting(waiting.length)
  while (waiting.length > 0 && mayAsk()) {
    await setTimeout(PAUSE_MS)
    waiting = await askOf(waiting)
  }
  return { missing, unknown: [...unknown, ...waiting] }
}
