/** A submission into the log, a publisher's at ingest and an operator's at the console alike. */
import { UnavailableError } from '@newswire/events/errors'
import type { Submission } from '@newswire/events/submission'
import { toAccepted, toShortcut, toTaken } from '@newswire/events/submission-events'
import type { Warning } from '@newswire/events/warnings'
import type { Publish } from '@newswire/log/events'

/** The answer must not wait for a shortcut when there is another way. */
const SHORTCUT_MS = 2_000

type Taking = Readonly<{
  /** Who asked: `/publishers/<id>`, `/services/console`. */
  source: string
  /** Who takes it: `/services/ingest`. */
  service: string
  traceparent?: string | undefined
  warnings?: readonly Warning[]
}>

/** Durable when it resolves. Throws `UnavailableError` when the log cannot take it. Repeating with the same submission writes the same events. */
export const takeSubmission = async (
  publish: Publish,
  submission: Submission,
  { source, service, traceparent, warnings = [] }: Taking,
): Promise<void> => {
  const accepted = toAccepted(submission, source, traceparent)
  const [published] = await publish([accepted, toTaken(accepted, service, warnings)], { synced: true })
  if (submission.command !== 'retract' || published === undefined) return
  try {
    await publish([toShortcut(accepted, published.position, service)], { timeoutMs: SHORTCUT_MS })
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    // The log has the retraction, so it is accepted; it now comes by way of the images service alone.
  }
}
