/** What nothing ever deletes, and is not there: nothing is made in its place. */
import { RejectError } from '@newswire/events/errors'

/** `stopped`: what is not done without it. */
export const goneFromStore = (key: string, stopped: string): RejectError =>
  new RejectError(
    'NEWSWIRE_ARCHIVE_GONE',
    `${key} is gone from the store: ${stopped} until it is put back from a copy of the archive; \`newswire archive verify\` names what else is wrong`,
  )
