/** Large bodies as files of their own: written once under a random name, never changed, so the table stays small and commits stay short. */
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { constants, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'

type BodyFiles = Readonly<{
  /**
   * Durable when it resolves, with the file's name. Nothing refers to it until the table does. Synced also for what may be lost: its row may be put on
   * disk by anybody's commit, and a row whose file a power cut has lost can never be read again.
   */
  write(bytes: Uint8Array): Promise<string>
  /** `null` when there is no such file. */
  read(name: string, signal?: AbortSignal): Promise<Uint8Array | null>
  remove(name: string): Promise<void>
  /** Removes what no name in `used` stands for: bodies whose put never came to its commit. */
  sweep(used: ReadonlySet<string>): Promise<void>
}>

const syncFolder = async (folder: string) => {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const writeNew = async (path: string, bytes: Uint8Array) => {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644)
  try {
    await handle.writeFile(bytes)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

const isMissing = (error: unknown) => (error as { code?: unknown }).code === 'ENOENT'

export const openBodyFiles = (folder: string): BodyFiles => {
  mkdirSync(folder, { recursive: true })
  /** Not by `rm`, which looks at the file and takes it away on the calling thread. */
  const remove = async (name: string) => {
    try {
      await unlink(join(folder, name))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return {
    write: async bytes => {
      const name = randomUUID()
      try {
        await writeNew(join(folder, name), bytes)
        await syncFolder(folder)
      } catch (error) {
        await remove(name).catch(() => undefined) // the first error tells more; a rest is swept at the next start
        throw error
      }
      return name
    },
    read: async (name, signal) => {
      try {
        return await readFile(join(folder, name), {
          flag: constants.O_RDONLY | constants.O_NOFOLLOW,
          ...(signal === undefined ? {} : { signal }),
        })
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    remove,
    sweep: async used => {
      for (const name of await readdir(folder)) if (!used.has(name)) await remove(name)
    },
  }
}
