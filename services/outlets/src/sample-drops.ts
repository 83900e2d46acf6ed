/** For tests: a drop's store in memory that can be cut off before or after any of its writes. */

import { sha256Hex } from '@newswire/events/ids'
import type { DropFile, DropStore } from './drop.ts'

/** The process ends here. */
export class Cut extends Error {}

export type MemoryStore = DropStore &
  Readonly<{
    files: Map<string, DropFile>
    /** Paths in the order in which they were written. */
    written: string[]
    /** Cut off before (`done: false`) or after (`done: true`) the write with this number, from 0. */
    cutAt(write: number, done: boolean): void
    /** Done right before the write of a path: what somebody else does meanwhile. */
    meanwhile: (path: string) => void
  }>

export const createMemoryStore = (): MemoryStore => {
  const files = new Map<string, DropFile>()
  const written: string[] = []
  let cut: Readonly<{ write: number; done: boolean }> | null = null
  let writes = 0
  const write = (path: string, file: DropFile, mayWrite: () => boolean): boolean => {
    const now = writes++
    if (cut?.write === now && !cut.done) throw new Cut()
    store.meanwhile(path)
    if (!mayWrite()) return false
    files.set(path, file)
    written.push(path)
    if (cut?.write === now) throw new Cut()
    return true
  }
  const tagOf = (path: string) => sha256Hex(files.get(path)?.bytes ?? new Uint8Array())
  const store: MemoryStore & { meanwhile: (path: string) => void } = {
    files,
    written,
    cutAt: (at, done) => {
      cut = { write: at, done }
      writes = 0
    },
    meanwhile: () => undefined,
    read: async (path, maxBytes) => {
      const file = files.get(path)
      return file === undefined ? null : { bytes: file.bytes.subarray(0, maxBytes), tag: tagOf(path) }
    },
    has: async path => files.has(path),
    create: async (path, file) => write(path, file, () => !files.has(path)),
    replace: async (path, file, tag) => write(path, file, () => files.has(path) && tagOf(path) === tag),
  }
  return store
}
