/**
 * The outlets service alone on a log and a store that lie in a folder, in a process of its own: `node bench/outlets-process.ts <folder> <receivers' port> <outlets>`. Ends when
 * its parent lets go of it.
 */
import type { TestContext } from 'node:test'
import { outletAt, startWorld } from '@newswire/outlets/partner'

const [folder = '', port, count] = process.argv.slice(2)
const cleanups: (() => unknown)[] = []
const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as unknown as TestContext
const outlets = Array.from({ length: Number(count) }, (_, n) => outletAt(`o${n}`, { url: `http://127.0.0.1:${port}/ok/${n}` }))
await startWorld(context, outlets, { retryScale: 1, folder })
process.send?.('started')
process.on('disconnect', async () => {
  for (const cleanup of cleanups) await cleanup()
  process.exit(0)
})
