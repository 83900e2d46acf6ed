/** The demo: two articles of our own with our own pictures, published through the front door, and a partner that receives them. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { NewswireConfig } from '@newswire/events/config'
import { toFileArticle } from './article-file.ts'
import type { Client } from './client.ts'
import { parseConfig } from './config-file.ts'
import { sendArticle } from './send-article.ts'

const demoFile = (name: string): string => fileURLToPath(new URL(`../demo/${name}`, import.meta.url))

const demoArticles = ['library', 'ferry'] as const

/** The demo's configuration with the addresses that this run really has. */
export const readDemoConfig = async ({ partnerHook, publicUrl }: { partnerHook: string; publicUrl: string }): Promise<NewswireConfig> => {
  const config = parseConfig(await readFile(demoFile('newswire.yaml'), 'utf8'), 'packages/cli/demo/newswire.yaml')
  const outlets = config.outlets.map(outlet => ({ ...outlet, deliver: { ...outlet.deliver, url: partnerHook } }))
  return { ...config, site: { ...config.site, publicUrl }, outlets }
}

/**
 * Publishes those that were never submitted: at a second start an article that was changed or taken back since stays as it is now.
 */
export const publishDemo = async (client: Client): Promise<void> => {
  await Promise.all(
    demoArticles.map(async name => {
      const known = await client.ingest('GET', `/v1/articles/${name}/trace`).catch(() => null)
      if (known !== null) return
      const file = demoFile(`${name}.json`)
      const article = toFileArticle(file, await readFile(file, 'utf8'), { category: [], image: [], caption: [], credit: [] })
      await sendArticle(client, article)
    }),
  )
}
