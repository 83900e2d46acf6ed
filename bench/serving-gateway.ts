/**
 * A gateway alone in a process, with feeds that are built already: what `serving.ts` measures. `node serving-gateway.ts build <folder> <feeds>` makes
 * them and ends; `… serve <folder> <feeds>` prints its address and stays.
 */
import { gzipSync } from 'node:zlib'
import { newswireConfig } from '@newswire/events/config'
import { toRecord } from '@newswire/events/events'
import { type FeedFormat, feedFiles, feedFormats } from '@newswire/events/feed'
import { deriveId, sha256Hex } from '@newswire/events/ids'
import { bundleType, toBundle } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import { composeAlone, serveAlone } from './serve-alone.ts'
import { renderFeed, site } from './serving-feeds.ts'

const [what = 'serve', folder = '', count = '0'] = process.argv.slice(2)
const feedIds = Array.from({ length: Number(count) }, (_, index) => `f${index}`)
const config = newswireConfig.parse({ site, feeds: feedIds.map(id => ({ id, title: id })) })
const composition = await composeAlone(folder, config)
const { context, close } = composition
const build = async () => {
  const updatedAt = '2026-03-01T08:00:00.000Z'
  for (const [index, feedId] of feedIds.entries()) {
    const files = renderFeed(index)
    const parts = feedFormats.map(format => ({
      name: feedFiles[format].name,
      pieces: [gzipSync(files[format])],
      sha256: sha256Hex(files[format]),
    }))
    await context.objects.put(keys.feed(feedId, 'feed.bundle'), toBundle(parts), { contentType: bundleType, durable: false })
    const output = (format: FeedFormat) => ({
      key: keys.feed(feedId, feedFiles[format].name),
      sha256: sha256Hex(files[format]),
      bytes: files[format].length,
    })
    const data = { feedId, counter: 1, updatedAt, items: 50, outputs: { rss: output('rss'), atom: output('atom'), json: output('json') } }
    const id = deriveId('bench.built', feedId)
    await context.log.publish([toRecord({ id, type: 'feed.built', source: '/services/feeds', subject: feedId, time: updatedAt, data })])
  }
}

if (what === 'build') {
  await build()
  await close()
  process.exit(0)
}
await serveAlone(composition)
