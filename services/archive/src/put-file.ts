/** Plain files outside the store, for copies and exports: whole or not at all. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf, RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'

/** What cannot be written, and where: the disk is full, or it is somebody else's folder. */
export const notWritten = (file: string, cause: unknown): RejectError =>
  new RejectError(
    'NEWSWIRE_ARCHIVE_FILE',
    `${file} cannot be written: ${messageOf(cause)}. Make room there, or see who may write there, and run it again.`,
    { cause },
  )

/** Of this process alone: a machine that starts again, and a container, give the same numbers to others. */
const RUN = randomBytes(4).toString('hex')
const HOST = sha256Hex(hostname()).slice(0, 6)
const PART = /\.([0-9a-f]{6})-(\d+)-([0-9a-f]{8})-\d+\.part$/
let parts = 0

/** Where a file is until it is whole: a name that nobody else has, because two may make the same file at once, and that says whose it is. */
export const partOf = (file: string): string => {
  parts += 1
  return `${file}.${HOST}-${process.pid}-${RUN}-${parts}.part`
}

/** Whether whoever made it was killed; nothing is known of another machine's. */
const isLeft = (name: string): boolean => {
  const [, host, pid, run] = PART.exec(name) ?? []
  if (host !== HOST || run === RUN) return false
  if (Number(pid) === process.pid) return true
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Removes what was killed with `kill -9` while it made `file`, or any file in the folder of that name. What cannot be removed stays. */
export const sweepParts = async (folder: string, file = ''): Promise<void> => {
  const names = await readdir(folder).catch(() => []) // who writes there tells why it cannot
  const left = names.filter(name => isLeft(name) && (file === '' || name.replace(PART, '') === file))
  for (const name of left) await rm(join(folder, name), { force: true }).catch(() => undefined)
}

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
