/** Plain files outside the store, for copies and exports: whole or not at all. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, RejectError } from '@newswire/events/errors'

/** What cannot be written, and where: the disk is full, or it is somebody else's folder. */
export const notWritten = (file: string, cause: unknown): RejectError =>
  new RejectError(
    'NEWSWIRE_ARCHIVE_FILE',
    `${file} cannot be written: ${messageOf(cause)}. Make room there, or see who may write there, and run it again.`,
    { cause },
  )

/** Where a file is until it is whole: a name that nobody else has, because two may make the same file at once. */
export const partOf = (file: string): string => `${file}.${randomUUID()}.part`

/** Makes the folders on the way. Throws `RejectError` `NEWSWIRE_ARCHIVE_FILE`, and leaves no half file then. */
export const putFile = async (file: string, bytes: Uint8Array | string): Promise<void> => {
  const part = partOf(file)
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(part, bytes)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined) // the first error tells more
    throw notWritten(file, error)
  }
}
