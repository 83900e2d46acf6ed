/**
 * The outlets service alone on a log and a store that lie in a folder, in a process of its own: `node bench/outlets-process.ts <folder> <receivers' port> <outlets>`. Releases
 * so many articles when its parent says a number, and says `released`. Ends when its parent lets go of it.
 */
import { keepCompiled } from '@newswire/cli/compile-cache'
import { holdYoungGeneration } from '@newswire/cli/young-generation'

// As `newswire run outlets` begins.
const compiled = keepCompiled()
if (compiled !== null) process.env.NODE_COMPILE_CACHE = compiled
const letGrow = holdYoungGeneration()
const { outletAt } = await import('@newswire/outlets/partner')
const { article, openWorld } = await import('./outlets-world.ts')
const [folder = '', port, count] = process.argv.slice(2)
const outlets = Array.from({ length: Number(count) }, (_, n) => outletAt(`o${n}`, { url: `http://127.0.0.1:${port}/ok/${n}` }))
const { world, close } = await openWorld(outlets, folder)
letGrow()
process.send?.('started')
/** As a desk does: one after another would be a commit of the store for each, which is none of what is measured. */
const AT_ONCE = 16
let released = 0
process.on('message', async (articles: number) => {
  for (let left = articles; left > 0; left -= AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, () => world.release(article(`press.burst-${released++}`))))
  process.send?.('released')
})
process.on('disconnect', async () => {
  await close()
  process.exit(0)
})
