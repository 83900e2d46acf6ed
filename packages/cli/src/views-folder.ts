/**
 * Where a process keeps its local views when log and store are shared with others: a folder that it finds again after a restart, so that a
 * view goes on where it stood and is not built anew from the whole topic. Processes of the same services on one machine take the first
 * folder that no living process has. The lock is the operating system's, taken through SQLite: it ends with the process, however that ends.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import type { Settings } from '@newswire/runtime/settings'

export type ViewsFolder = Readonly<{ path: string; release(): void }>

export class ViewsFolderError extends Error {
  readonly code = 'NEWSWIRE_VIEWS_FOLDER'
}

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5
/** More processes of the same services than one machine will run. */
const MAX_FOLDERS = 256

/** Views of one installation say nothing about another: each has its own, told apart by what its topics and objects are called. */
const installationOf = ({ kafkaTopicPrefix, s3 }: Settings): string =>
  sha256Hex(JSON.stringify([kafkaTopicPrefix, s3?.endpoint ?? '', s3?.bucket ?? '', s3?.prefix ?? ''])).slice(0, 12)

/** `null` when a living process has it. */
const take = (path: string): ViewsFolder | null => {
  mkdirSync(path, { recursive: true })
  const lock = new DatabaseSync(join(path, 'lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) return null
    throw error
  }
  return {
    path,
    release: () => {
      if (lock.isOpen) lock.close()
    },
  }
}

/** `name`: what runs, like `desk` or `desk+images`. Throws `ViewsFolderError` when the data folder cannot be used. */
export const takeViewsFolder = (settings: Settings, name: string): ViewsFolder => {
  const parent = join(settings.dataDir, 'shared', installationOf(settings))
  try {
    for (let number = 0; number < MAX_FOLDERS; number += 1) {
      const folder = take(join(parent, `${name}-${number}`))
      if (folder !== null) return folder
    }
  } catch (cause) {
    throw new ViewsFolderError(
      `The folder for local views in ${parent} cannot be used: ${messageOf(cause)}. NEWSWIRE_DATA must be a local folder that can be written.`,
      { cause },
    )
  }
  throw new ViewsFolderError(`All ${MAX_FOLDERS} folders of ${name} in ${parent} are taken. Give this process a NEWSWIRE_DATA of its own.`)
}
