/** A world of outlets for a benchmark, as `@newswire/outlets/partner` has it for tests, and articles to release in it. */
import type { TestContext } from 'node:test'
import type { OutletConfig } from '@newswire/events/config'
import { startWorld, type World } from '@newswire/outlets/partner'
import { liveFact } from '@newswire/outlets/samples'

/** So that the whole body has 8 KiB. */
const TEXT = `<p>${'The bridge is open again. '.repeat(285)}</p>`
/** `category`: whom it goes to, of outlets that ask for one. */
export const article = (articleId: string, category = 'city') =>
  liveFact({
    articleId,
    version: 1,
    releasedAt: new Date().toISOString(),
    facetsEver: { categories: [category], languages: ['en'], publishers: ['press'], types: ['article'], public: true },
    article: { body: { html: TEXT }, categories: [category] },
  })

type Closing = () => Promise<void>

/** `folder`: where log and store lie, and stay (default: a folder of its own, removed at the end). */
export const openWorld = async (outlets: readonly OutletConfig[], folder?: string): Promise<Readonly<{ world: World; close: Closing }>> => {
  const cleanups: (() => unknown)[] = []
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as unknown as TestContext
  const world = await startWorld(context, outlets, { retryScale: 1, ...(folder === undefined ? {} : { folder }) })
  return {
    world,
    close: async () => {
      for (const cleanup of cleanups) await cleanup()
    },
  }
}

/** A world for the time of `run`. */
export const inWorld = async <T>(outlets: readonly OutletConfig[], run: (world: World) => Promise<T>): Promise<T> => {
  const { world, close } = await openWorld(outlets)
  try {
    return await run(world)
  } finally {
    await close()
  }
}
