/**
 * Where a process keeps its local views when log and store are shared with others: a folder that it finds again after a restart, so that a
 * view goes on where it stood and is not built anew from the whole topic. Processes of the same services on one machine take the first
 * folder that no living process has. The lock is the operating system's, taken through SQLite: it ends with the process, however that ends.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Settings } from '@newswire/runtime/settings'
import { z } from 'zod'

export type ViewsFolder = Readonly<{ path: string; release(): void }>

class ViewsFolderError extends Error {
  readonly code = 'NEWSWIRE_VIEWS_FOLDER'
}

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5
/** More processes of the same services than one machine will run. */
const MAX_FOLDERS = 256

const installationDocument = z.object({ id: z.string() })

/** Made by the first who asks; a store that was emptied is another installation. */
const readInstallation = async (objects: Objects): Promise<string> => {
  for (;;) {
    const found = await getDocument(objects, keys.installation(), installationDocument)
    if (found !== null) return found.value.id
    await swapDocument(objects, keys.installation(), { id: randomUUID() }, null)
  }
}

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

/**
 * `name`: what runs, like `desk`. Views of one installation say nothing about another: each has folders of its own. Throws
 * `ViewsFolderError` when the data folder cannot be used.
 */
export const takeViewsFolder = async (
  objects: Objects,
  { dataDir, kafkaTopicPrefix }: Pick<Settings, 'dataDir' | 'kafkaTopicPrefix'>,
  name: string,
): Promise<ViewsFolder> => {
  const installation = sha256Hex(JSON.stringify([await readInstallation(objects), kafkaTopicPrefix])).slice(0, 12)
  const parent = join(dataDir, 'shared', installation)
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
