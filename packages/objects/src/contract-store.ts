/** What the contract is run on: a fresh, empty store that can be opened again, here and in a child process. */
import type { TestContext } from 'node:test'
import type { Objects } from './objects.ts'

export type StoreSettings =
  | Readonly<{ kind: 'disk'; root: string; fsync: 'full' | 'normal' }>
  | Readonly<{ kind: 's3'; bucket: string; prefix: string; endpoint: string }>

type Made = Readonly<{
  settings: StoreSettings
  /** An open store whose storage is away. */
  openBroken(): Promise<Objects>
}>

/** Cleans up after itself with `t.after`. */
export type Make = (t: TestContext) => Promise<Made>

export const openStore = async (settings: StoreSettings): Promise<Objects> =>
  settings.kind === 'disk' ? (await import('./disk.ts')).createDiskObjects(settings) : (await import('./s3.ts')).createS3Objects(settings)

/** A fresh store, open until the test ends. */
export const opened = async (t: TestContext, make: Make): Promise<Objects> => {
  const { settings } = await make(t)
  const objects = await openStore(settings)
  t.after(() => objects.close())
  return objects
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)
/** The body as text; `null` when there is no object. */
export const textAt = async (objects: Objects, key: string): Promise<string | null> => {
  const found = await objects.get(key)
  return found === null ? null : decoder.decode(found.bytes)
}
