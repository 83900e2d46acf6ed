/** A gateway over the embedded log and the disk, on a port of its own: what the tests of serving share. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { FeedConfig } from '@newswire/events/config'
import { toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { feedFiles, feedOutputs } from '@newswire/events/feed'
import { deriveId } from '@newswire/events/ids'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createFastPath } from './fast-path.ts'
import { openFeedCache } from './feed-cache.ts'
import { chargeUnroutable, createLimits } from './limits.ts'
import { createReaders } from './readers.ts'
import { addRoutes } from './routes.ts'
import { categories, site, toFactRecord } from './sample-facts.ts'
import { sampleFeed } from './sample-feeds.ts'
import { openView } from './view.ts'

const feed = { title: 'Tất cả', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' } as const
export const FEED_TOKEN = 'nw_a-token-of-the-private-feed'
const snapshot: ConfigSnapshot = {
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map([
    ['all', { ...feed, id: 'all' }],
    ['other', { ...feed, id: 'other' }],
    [
      'closed',
      { ...feed, id: 'closed', access: { tokens: [{ id: 'partner', sha256: createHash('sha256').update(FEED_TOKEN).digest('hex') }] } },
    ],
  ]),
  outlets: new Map(),
}

type SampleOptions = Readonly<{
  fastPath?: boolean
  perMinute?: number
  proxies?: number
  silenceMs?: number
  keepAliveMs?: number
  publicUrl?: string
}>

export const openGateway = async (t: TestContext, options: SampleOptions = {}) => {
  const { fastPath = true, perMinute = 0, proxies = 0, publicUrl = snapshot.site.publicUrl, ...silence } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-serving-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const objects = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  const view = await openView({ log, dataDir, onPoison: () => undefined })
  const feeds = await openFeedCache({ log, objects, dataDir, onPoison: () => undefined, quietMs: 3_600_000 })
  const lines: string[] = []
  const logger = createLogger({ service: 'gateway', level: 'trace', destination: { write: line => void lines.push(line) } })
  const limits = createLimits({ perMinute, proxies })
  const server = createHttpServer({ name: 'gateway', logger, host: '127.0.0.1', port: 0, onUnroutable: chargeUnroutable(limits) })
  let current: ConfigSnapshot = { ...snapshot, site: { ...snapshot.site, publicUrl } }
  const configuration = { current: () => current, onChange: () => () => undefined, close: async () => undefined }
  const readers = createReaders()
  addRoutes(server.app, { view, feeds, objects, configuration, now: Date.now, readers, limits })
  if (fastPath) server.putInFront(createFastPath({ feeds, configuration, readers, limits, ...silence }))
  await server.listen()
  let counter = 0
  const until = async (what: string, isSo: () => boolean) => {
    const deadline = Date.now() + 60_000
    while (!isSo()) {
      if (Date.now() > deadline) throw new Error(`${what} was not seen`)
      await setTimeout(5)
    }
  }
  t.after(async () => {
    await server.close({ drainMs: 100 })
    await view.stop()
    await feeds.stop()
    await log.close()
    await objects.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  /** Writes all files of a feed and announces them. */
  const build = async (feedId: string, texts: readonly string[], updatedAt: string) => {
    counter += 1
    for (const output of feedOutputs) await objects.put(`feeds/${feedId}/${feedFiles[output].name}`, Buffer.from(sampleFeed(output, texts)))
    const output = { key: `feeds/${feedId}/rss.xml`, sha256: 'a'.repeat(64), bytes: 1 }
    const data = { feedId, counter, updatedAt, items: texts.length, outputs: { rss: output, atom: output, json: output } }
    const id = deriveId('built', counter)
    await log.publish([toRecord({ id, type: 'feed.built', source: '/services/feeds', subject: feedId, time: updatedAt, data })])
    await until('the build', () => feeds.built(feedId)?.counter === counter)
  }
  const release = async (fact: Fact) => {
    await log.publish([toFactRecord(fact)])
    await until('the article', () => (view.article(fact.articleId)?.fact.version ?? 0) >= fact.version)
  }
  /** What `apply` would do to one feed. */
  const reconfigure = (feedId: string, change: Partial<FeedConfig>) => {
    const before = current.feeds.get(feedId)
    if (before !== undefined) current = { ...current, feeds: new Map([...current.feeds, [feedId, { ...before, ...change }]]) }
  }
  return { port: (server.app.server.address() as AddressInfo).port, reconfigure, build, release, feeds, readers, server, objects, lines }
}
