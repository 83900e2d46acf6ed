/** What both adapters refuse, in the same words: who calls cannot tell which one it is. */
import { RejectError, UnavailableError } from '@newswire/events/errors'

export const closed = (): UnavailableError => new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'the log is closed')

export const tooLarge = (topic: string, bytes: number, limit: number): RejectError =>
  new RejectError(
    'NEWSWIRE_LOG_TOO_LARGE',
    `a record of ${bytes} bytes is too large for ${topic}, which takes ${limit}; store the body as an object and send its key`,
  )

export const groupActive = (group: string, cause?: unknown): RejectError =>
  new RejectError('NEWSWIRE_LOG_GROUP_ACTIVE', `the group ${group} has members; stop them, then set where it goes on`, { cause })

/** What an operator is told when a group was away longer than its topic keeps records. */
export const retentionGap = (group: string, partition: string, at: number | string, start: number): UnavailableError =>
  new UnavailableError(
    'NEWSWIRE_LOG_GAP',
    `${group} was at ${at} of ${partition}, which begins at ${start}: what lay between was removed by retention before it was handled`,
  )
