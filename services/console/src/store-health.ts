/**
 * Whether what comes in can be kept. Services that only read go on when a store takes no more, and nobody waits for what was never
 * accepted: no lag and no dead letter tells of it. So it is asked, by a write.
 */
import { randomBytes } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { messageOf } from '@newswire/events/errors'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

/** Below this the disk of the data folder is told of, before it is full. */
export const SPARE_BYTES = 256 * 1024 * 1024
/** Larger than what a full disk may still find room for in pages that are free. */
const PROBE_BYTES = 64 * 1024

type Needs = Readonly<{
  objects: Pick<Objects, 'put'>
  dataDir: string
  /** Bytes that are left for this process where `path` is. */
  freeBytes?: (path: string) => Promise<number>
}>

const freeOn = async (path: string): Promise<number> => {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** What is wrong, as a part of a sentence; `null` when all is well. Never rejects. Writes one small object, over itself. */
export const checkStore = async ({ objects, dataDir, freeBytes = freeOn }: Needs): Promise<string | null> => {
  try {
    await objects.put(keys.probeWrite, randomBytes(PROBE_BYTES), { durable: false })
  } catch (error) {
    return `nothing can be kept, and publishers are refused: ${messageOf(error)}`
  }
  const free = await freeBytes(dataDir).catch(() => Number.POSITIVE_INFINITY)
  return free < SPARE_BYTES ? `the disk of ${dataDir} has ${Math.floor(free / 1024 / 1024)} MB left` : null
}
