/** How `newswire publish` and its like get in where `up` runs: a token made here, and a file that says where and with what (0600). */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, realpath, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256Hex } from '@newswire/events/ids'
import { publishEvents } from '@newswire/log/events'
import { issueToken } from '@newswire/runtime/apply-config'
import type { ServiceContext } from '@newswire/runtime/service'
import { type ClientDocument, clientDocument, clientFile, readClientFile } from './client.ts'

const PRIVATE = 0o600
/** Its id among the publisher's tokens. */
const LOCAL = 'local'

/** `null` when it is not there, or empty: nothing was ever kept so, and a power cut or a copy to a full disk can leave it. */
export const readPrivate = async (file: string): Promise<string | null> => {
  try {
    return (await readFile(file, 'utf8')).trim() || null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** On the disk when it returns: what a power cut would take back, nobody may have been given. */
const sync = async (path: string, flags: string, write: (opened: FileHandle) => Promise<void> = async () => undefined): Promise<void> => {
  const opened = await open(path, flags, PRIVATE)
  try {
    await write(opened)
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** Whole or not at all, readable by its owner alone, and there after a power cut. */
export const writePrivate = async (file: string, text: string): Promise<void> => {
  await sync(`${file}.new`, 'w', async opened => {
    await opened.chmod(PRIVATE)
    await opened.writeFile(`${text}\n`)
  })
  await rename(`${file}.new`, file)
  // Windows has no folders that can be opened.
  if (process.platform !== 'win32') await sync(dirname(file), 'r')
}

/** A secret made once and kept. */
export const keepPrivate = async (file: string, make: () => string): Promise<string> => {
  const held = await readPrivate(file)
  if (held !== null) return held
  const made = make()
  await writePrivate(file, made)
  return made
}

/**
 * Lets the local token in for the first publisher of the configuration, the same one at every start, and writes where everything is. It is
 * an object of its own, so `newswire apply` does not undo it.
 */
export const giveLocalAccess = async (
  context: Pick<ServiceContext, 'settings' | 'configuration' | 'objects' | 'log' | 'now'>,
  urls: Pick<ClientDocument, 'gateway' | 'ingest' | 'console'>,
): Promise<ClientDocument> => {
  const { settings, configuration, objects, log, now } = context
  const publishers = [...configuration.current().publishers.keys()].sort()
  const before = await readClientFile(settings.dataDir)
  const publisher = publishers.find(id => id === before?.publisher) ?? publishers[0] ?? ''
  const token = await keepPrivate(join(settings.dataDir, 'token'), () => `nw_${randomBytes(32).toString('base64url')}`)
  if (publisher !== '')
    await issueToken(
      { objects, publish: publishEvents(log), now },
      { publisher, id: LOCAL, sha256: sha256Hex(token), scopes: ['publish', 'retract', 'republish', 'read'] },
    )
  const { consoleToken } = settings
  const folder = await realpath(settings.dataDir)
  const document = clientDocument.parse({ ...urls, publisher, token, folder, ...(consoleToken === null ? {} : { consoleToken }) })
  await writePrivate(clientFile(settings.dataDir), JSON.stringify(document))
  return document
}
