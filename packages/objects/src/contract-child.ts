/** A process that writes under load until it is killed, and prints each key once its put was acknowledged. Started by `contract-crash.ts`. */
import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openStore, type StoreSettings } from './contract-store.ts'
import type { Objects } from './objects.ts'

const LANES = 8

/** The body that belongs to a key, so that a torn one is told from a whole one: 100 bytes to 40 kB, and now and then 400 kB. */
export const bodyOf = (key: string): Uint8Array => {
  const digest = hash('sha256', key, 'buffer')
  const size = (digest[0] ?? 0) < 12 ? 400_000 : 100 + (digest.readUInt16LE(1) % 40_000)
  return Buffer.alloc(size, digest)
}

export const counterBody = (lane: number, n: number): Uint8Array => Buffer.from(JSON.stringify({ n, pad: `${lane}`.repeat((n % 7) * 900) }))

/** At once and in order. The pipe takes some 300 lines that were not read yet; then it is tried again until the reader has made room. */
const acknowledge = (line: string): void => {
  for (;;)
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
}

/** One lane: a new key, then a swap of the lane's own counter, again and again. */
const writeLane = async (objects: Objects, lane: number): Promise<never> => {
  let etag: string | null = null
  for (let n = 0; ; n++) {
    const key = `new/${lane}/${n}`
    const created = await objects.put(key, bodyOf(key), { ifNoneMatch: '*' })
    if (!created.ok) throw new Error(`${key}: ${created.reason}`)
    acknowledge(key)
    const swapped = await objects.put(
      `counter/${lane}.json`,
      counterBody(lane, n),
      etag === null ? { ifNoneMatch: '*' } : { ifMatch: etag },
    )
    if (!swapped.ok) throw new Error(`counter ${lane}: ${swapped.reason}`)
    acknowledge(`counter ${lane} ${n}`)
    etag = swapped.etag
  }
}

if (import.meta.main) {
  const objects = await openStore(JSON.parse(process.argv[2] ?? '') as StoreSettings)
  await Promise.all(Array.from({ length: LANES }, (_, lane) => writeLane(objects, lane)))
}
