/** `--wait`: follows an article until every feed, the archive and every outlet has it. */
import { setTimeout } from 'node:timers/promises'
import type { ArticleTrace, SinkTrace, SubmissionStatus, VersionTrace } from '@newswire/trace/queries'
import type { Client } from './client.ts'
import { isSetAside } from './show.ts'

const FINAL = new Set(['released', 'duplicate', 'superseded', 'refused'])
const FAILED = new Set(['rejected', 'dead', 'suspended'])
const POLL_MS = 150
/** Sinks that are named of those that have not got it. */
const MAX_NAMED = 5
/** It has it, or has something newer, or is not to have it. */
const DONE = new Set(['done', 'skipped', 'superseded'])
/** A version is fanned out by two services; until both have said so, more sinks may come. */
const FAN_OUTS = 2

/** What the trace says of pictures that are not there: an article without its picture is out, but not as it was meant. */
const picturesOf = (version: VersionTrace | undefined): string | undefined => {
  const detail = version?.stages.find(one => one.stage === 'images' && one.outcome === 'accepted')?.detail
  return detail?.includes(';') ? detail : undefined
}
const describePictures = (missing: string | undefined): string => (missing === undefined ? '' : `, with ${missing.split(';', 1)[0]}`)

const describeAside = (aside: readonly SinkTrace[]): string =>
  aside.map(({ id, lastError, reason }) => `by feed ${id}: ${lastError ?? reason ?? 'it breaks a rule there'}`).join('; ')

const describe = ({ kind, id, state, lastError, reason }: SinkTrace): string =>
  [`${kind} ${id}: ${state}`, lastError ?? reason ?? ''].join(' ').trimEnd()

/** Not due at an outlet of its terms (`embargoOffsetHours`) until a time that the trace names: nobody is late, and it may be a day. */
const isHeld = ({ state, nextAt }: SinkTrace): boolean => state === 'pending' && nextAt !== null && Date.parse(nextAt) > Date.now()
const describeHeld = (held: readonly SinkTrace[]): string =>
  held.map(({ kind, id, nextAt }) => `; ${kind} ${id} gets it at ${nextAt}`).join('')

const describeLate = (late: readonly SinkTrace[]): string => {
  const more = late.length > MAX_NAMED ? [`and ${late.length - MAX_NAMED} more`] : []
  return late.length === 0 ? '' : ` (${[...late.slice(0, MAX_NAMED).map(describe), ...more].join('; ')})`
}

/** Whoever published it has to do something first, so a script must not take it for done. */
const AWAITS_REPUBLISH = 'NEWSWIRE_DESK_AWAITS_REPUBLISH'

/** `warning`: it is out, but not as it was meant. */
type Waited = Readonly<{ ok: boolean; state: string; detail: string; warning?: string }>
const warningOf = (warning: string | undefined): Pick<Waited, 'warning'> => (warning === undefined ? {} : { warning })

/** Polls until it is decided, at most `timeoutMs`. `report` is called when something changed. */
export const waitForSinks = async (
  client: Client,
  submissionId: string,
  articleId: string,
  options: { timeoutMs: number; report: (line: string) => void },
): Promise<Waited> => {
  const deadline = performance.now() + options.timeoutMs
  let said = ''
  let late: readonly SinkTrace[] = []
  let missing: string | undefined
  const report = (line: string) => {
    if (line !== said) options.report(line)
    said = line
  }
  while (performance.now() < deadline) {
    const submission = (await client.ingest('GET', `/v1/submissions/${submissionId}`)) as SubmissionStatus
    if (submission.state === 'held')
      return { ok: submission.code !== AWAITS_REPUBLISH, state: 'held', detail: submission.detail ?? 'it waits for its time' }
    if (FINAL.has(submission.state) && submission.state !== 'released')
      return { ok: submission.state === 'duplicate', state: submission.state, detail: submission.detail ?? '' }
    if (submission.state === 'released') {
      if (submission.version === undefined)
        return { ok: true, state: 'released', detail: submission.detail ?? 'nothing of it was ever out' }
      const trace = (await client.console('GET', `/v1/articles/${articleId}/trace`)) as ArticleTrace
      const version = trace.versions.find(one => one.version === submission.version)
      // Subscribers of feeds are strangers: one that hangs must not make a publication late.
      const sinks = (version?.sinks ?? []).filter(one => one.kind !== 'hub')
      const done = sinks.filter(one => DONE.has(one.state))
      const held = sinks.filter(isHeld)
      const aside = sinks.filter(isSetAside)
      late = sinks.filter(one => !done.includes(one) && !held.includes(one) && !aside.includes(one))
      const failed = late.filter(one => FAILED.has(one.state))
      missing = picturesOf(version)
      report(`version ${submission.version}: ${done.length} of ${sinks.length} sinks have it`)
      if (failed.length > 0)
        return {
          ok: false,
          state: 'failed',
          detail: failed.map(describe).join('; '),
          ...warningOf(missing),
        }
      const fannedOut = (version?.stages ?? []).filter(one => one.outcome === 'fanned-out').length
      if (fannedOut >= FAN_OUTS && late.length === 0) {
        const where = `version ${submission.version} is in ${done.length} ${done.length === 1 ? 'sink' : 'sinks'}${describePictures(missing)}${describeHeld(held)}`
        const end =
          aside.length === 0
            ? { ok: true, state: 'released', detail: where }
            : { ok: false, state: 'set aside', detail: `${describeAside(aside)}; ${where}` }
        return { ...end, ...warningOf(missing) }
      }
    } else report(submission.state)
    await setTimeout(POLL_MS)
  }
  return {
    ok: false,
    state: 'late',
    detail: `not everywhere within ${options.timeoutMs / 1000} s${describeLate(late)}; \`newswire trace ${articleId}\` says where it is`,
    ...warningOf(missing),
  }
}
