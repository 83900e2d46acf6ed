/** The folder that everything kept on this machine is in. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/**
 * Level by level: `mkdir` with `recursive` never ends where a parent is there and takes no folders (`/proc`), because it takes the `ENOENT` of
 * that for a missing parent and begins again.
 */
const makeLevel = async (path: string): Promise<void> => {
  try {
    await mkdir(path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    const parent = dirname(path)
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error
    await makeLevel(parent)
    await mkdir(path).catch(again => {
      if (codeOf(again) !== 'EEXIST') throw again
    })
  }
}

/** Makes it with its parents; safe to repeat, and beside another process. Throws with what to do when it cannot be made. */
export const makeDataFolder = async (path: string): Promise<void> => {
  try {
    await makeLevel(resolve(path))
    if (!(await stat(resolve(path))).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR')
      throw new Error(`The data folder ${path} is a file, or lies under one. Name a folder with --data or NEWSWIRE_DATA.`, { cause: error })
    throw new Error(
      `The data folder ${path} cannot be made (${codeOf(error) || String(error)}). Name one on a disk that can be written to with --data or NEWSWIRE_DATA.`,
      { cause: error },
    )
  }
}
