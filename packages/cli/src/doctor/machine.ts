/** What does not depend on any service: the program itself, the folder that everything is in, the room on its disk. */
import { existsSync } from 'node:fs'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SPARE_BYTES } from '@newswire/console/store-health'
import type { Settings } from '@newswire/runtime/settings'
import { type Finding, failed, ok, warning } from './finding.ts'

/** Below it an import may fill the disk within a day. Bytes. */
const ROOMY_BYTES = 2 * 1024 ** 3

/** What the data folder holds that others on this machine must not read. */
const PRIVATE_FILES = ['client.json', 'token', 'secret-key', 'partner-secret'] as const

export const lookAtProgram = (version: string): readonly Finding[] => [
  ok('program', `newswire ${version} on Node ${process.versions.node}`),
]

export const describeSettings = ({ kafkaBrokers, s3, dataDir, fsync }: Settings): Finding => {
  const log = kafkaBrokers.length === 0 ? 'embedded log' : `Kafka at ${kafkaBrokers.join(', ')}`
  const store = s3 === null ? 'disk store' : `S3 bucket ${s3.bucket}${s3.endpoint === null ? '' : ` at ${s3.endpoint}`}`
  const where = kafkaBrokers.length === 0 || s3 === null ? ` in ${dataDir}` : ''
  const crash = kafkaBrokers.length === 0 && fsync === 'normal'
  return crash
    ? warning(
        'settings',
        `${log} and ${store}${where}; NEWSWIRE_FSYNC=normal: what was acknowledged survives a kill, not a power cut`,
        'Leave NEWSWIRE_FSYNC out where a power cut must lose nothing.',
      )
    : ok('settings', `${log} and ${store}${where}`)
}

const roomIn = async (dataDir: string): Promise<Finding> => {
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  const detail = `${Math.floor(free / 1024 ** 2)} MiB free under ${dataDir}`
  if (free < SPARE_BYTES)
    return failed(
      'disk-space',
      `${detail}: publishers are refused once it is full`,
      'Make room on that disk, or move the folder to a larger one.',
    )
  return free < ROOMY_BYTES ? warning('disk-space', detail, 'Make room on that disk before it fills.') : ok('disk-space', detail)
}

/** Files that let in whoever reads them. Windows has no such modes. */
const readableByOthers = async (dataDir: string): Promise<readonly string[]> => {
  if (process.platform === 'win32') return []
  const modes = await Promise.all(
    PRIVATE_FILES.map(async name => ({ name, mode: (await stat(join(dataDir, name)).catch(() => null))?.mode ?? 0 })),
  )
  return modes.filter(({ mode }) => (mode & 0o077) !== 0).map(({ name }) => name)
}

/** Looks and writes nothing. */
export const lookAtFolder = async ({ dataDir }: Settings): Promise<readonly Finding[]> => {
  if (!existsSync(dataDir))
    return [
      warning(
        'data-folder',
        `${dataDir} is not there: nothing was ever started with it`,
        'Name the folder with --data, or start `newswire up`.',
      ),
    ]
  if (!(await stat(dataDir)).isDirectory())
    return [failed('data-folder', `${dataDir} is no folder`, 'Name a folder with --data or NEWSWIRE_DATA.')]
  const user = process.getuid?.() ?? null
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return [
      failed(
        'data-folder',
        `${dataDir} cannot be read and written by this user${user === null ? '' : ` (uid ${user})`}`,
        'Run this as the user that runs Newswire, or give that user the folder.',
      ),
    ]
  }
  const open = await readableByOthers(dataDir)
  const folder =
    open.length === 0
      ? ok('data-folder', dataDir)
      : warning(
          'data-folder',
          `others on this machine can read ${open.join(', ')} in ${dataDir}, which let in whoever has them`,
          `chmod 600 ${open.map(name => join(dataDir, name)).join(' ')}`,
        )
  return [folder, await roomIn(dataDir)]
}
