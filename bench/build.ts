/**
 * What a new item costs the builder, and how soon it is everywhere: one article into a full 50-item feed through the real builder and the disk
 * store (CPU of all threads: rendering, checking, joining, hashing, window and four files), and one article into 100 feeds of a running
 * `newswire up`, seen from outside over HTTP.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeedConfig } from '@newswire/events/config'
import { createBuilder } from '@newswire/feeds/build'
import { createFragmentCache } from '@newswire/feeds/fragments'
import { createProfiles } from '@newswire/feeds/profile'
import { createStates } from '@newswire/feeds/states'
import { createDiskObjects } from '@newswire/objects/disk'
import { getBundled } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import { unpack } from '@newswire/objects/packed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { Benchmark, Line } from './benchmark.ts'
import { articleOf } from './load.ts'
import { cpuSeconds, ownCpuMs, quantile, round } from './measure.ts'
import { factOf, ITEMS, LONG, site } from './serving-feeds.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

const feed: FeedConfig = { id: 'bench', title: 'Bench', description: '', match: {}, limit: ITEMS, content: 'full', profile: 'standard' }
const TIMES = 60
const WARM = 20

const measureBuild = async () => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-bench-'))
  const objects = await createDiskObjects({ root, fsync: 'full' })
  try {
    const states = createStates({ objects })
    const builder = createBuilder({ objects, states, fragments: createFragmentCache(), profileOf: createProfiles() })
    const snapshot: ConfigSnapshot = {
      site,
      network: { allow: [], allowHttp: false },
      publishers: new Map(),
      categories: new Map(),
      feeds: new Map([[feed.id, feed]]),
      outlets: new Map(),
    }
    const times: number[] = []
    const walls: number[] = []
    for (let index = 0; index < ITEMS + WARM + TIMES; index++) {
      const fact = factOf(index + 1, LONG)
      await objects.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
      // As the fan-out does for every fact that passes by.
      states.offer(fact)
      const before = ownCpuMs()
      const began = performance.now()
      const wanted = { feedId: feed.id, articles: new Map([[fact.articleId, 1]]), lookedAt: null, position: index }
      await builder.build(wanted, snapshot, new AbortController().signal)
      const cpuMs = ownCpuMs() - before
      if (index < ITEMS + WARM) continue
      times.push(cpuMs)
      walls.push(performance.now() - began)
    }
    const rss = await getBundled(objects)(keys.feed(feed.id, 'rss.xml'))
    return {
      cpuMs: { p50: round(quantile(times, 0.5), 2), p90: round(quantile(times, 0.9), 2) },
      wallMs: { p50: round(quantile(walls, 0.5), 2) },
      rssBytes: rss === null ? 0 : (await unpack('rss.xml', rss.bytes)).length,
      keptBytes: rss?.bytes.length ?? 0,
    }
  } finally {
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  }
}

const FEEDS = 100
const PAUSE_MS = 20
/** Asked side by side; a look ends with the first such group of which most are still as they were. */
const GROUP = 10
const FILES = ['rss.xml', 'atom.xml', 'feed.json'] as const

const ask = (agent: Agent, method: string, url: string, headers: Record<string, string> = {}, body?: string) =>
  new Promise<{ status: number; etag: string; body: string }>((resolve, reject) => {
    const outgoing = request(url, { method, agent, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk as Buffer))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, etag: String(response.headers.etag ?? ''), body: Buffer.concat(chunks).toString() }),
      )
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** Every feed matches everything, as a hundred partners' own feeds of one newsroom would. */
const hundredFeeds = (publicUrl: string): string => {
  const config = JSON.parse(benchConfig({ feeds: FEEDS, limit: ITEMS, partner: 'http://127.0.0.1:9/hook', publicUrl })) as {
    feeds: { match: object }[]
    outlets: unknown[]
  }
  for (const one of config.feeds) one.match = {}
  config.outlets = []
  return JSON.stringify(config)
}

const measureHundred = async (times: number) => {
  const folder = temporaryFolder()
  const config = folder.file('newswire.yaml', hundredFeeds('http://127.0.0.1:8080'))
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], {
    NEWSWIRE_FSYNC: 'full',
    NEWSWIRE_LOG_LEVEL: 'warn',
    NEWSWIRE_GATEWAY_RATE: '0',
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const { ingest = '', gateway = '' } = system.urls
  const urls = Array.from({ length: FEEDS }, (_, index) => FILES.map(file => `${gateway}/feeds/c${index}/${file}`)).flat()
  const tags = new Map<string, string>()

  const publish = async (id: string, index: number) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const { status, body } = await ask(agent, 'PUT', `${ingest}/v1/articles/${id}`, headers, articleOf(index, 1))
    if (status !== 202) throw new Error(`the article was refused with ${status}: ${body}`)
  }
  /** Whether a file is other than before; then its new tag is noted. */
  const isNew = async (url: string): Promise<boolean> => {
    const { status, etag } = await ask(agent, 'HEAD', url)
    if (status !== 200 || etag === tags.get(url)) return false
    tags.set(url, etag)
    return true
  }
  /**
   * Until every file was seen to be other than before, milliseconds from `began`. Looking takes from the same two cores: it pauses between looks, and
   * goes on only as long as it finds what is new; those that were not come last the next time.
   */
  const allNew = async (began: number): Promise<{ rssMs: number; allMs: number }> => {
    let waiting = urls
    let rssMs = 0
    while (waiting.length > 0) {
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
      if (performance.now() - began > 20_000) throw new Error(`${waiting.length} of ${urls.length} files are as they were after 20 s`)
      for (let going = true; going && waiting.length > 0; ) {
        const asked = waiting.slice(0, GROUP)
        const news = await Promise.all(asked.map(isNew))
        const old = asked.filter((_, index) => !news[index])
        if (asked.some((url, index) => news[index] && url.endsWith('rss.xml'))) rssMs = performance.now() - began
        waiting = [...waiting.slice(GROUP), ...old]
        going = old.length * 2 < asked.length
      }
    }
    return { rssMs, allMs: performance.now() - began }
  }
  const quiet = async () => {
    for (let last = ''; ; ) {
      await new Promise(resolve => setTimeout(resolve, 1_500))
      const now = (await Promise.all(urls.map(async url => (await ask(agent, 'HEAD', url)).etag))).join()
      if (now === last) return
      last = now
    }
  }
  try {
    for (let index = 0; index < ITEMS + 10; index++) await publish(`w${index}`, index)
    await quiet()
    for (const url of urls) tags.set(url, (await ask(agent, 'HEAD', url)).etag)
    const found: { rssMs: number; allMs: number; cpuMs: number }[] = []
    for (let index = 0; index < times; index++) {
      const cpu = cpuSeconds(system.pid)
      const began = performance.now()
      await publish(`a${index}`, 1000 + index)
      found.push({ ...(await allNew(began)), cpuMs: 1000 * (cpuSeconds(system.pid) - cpu) })
      const { body } = await ask(agent, 'GET', `${gateway}/feeds/c${FEEDS - 1}/rss.xml`)
      if (!body.includes(`bench.a${index}<`)) throw new Error(`the new bytes of the last feed do not have article a${index}`)
      await quiet()
      for (const url of urls) tags.set(url, (await ask(agent, 'HEAD', url)).etag)
    }
    const of = (pick: (one: (typeof found)[number]) => number) => ({
      p50: round(quantile(found.map(pick), 0.5), 0),
      worst: round(Math.max(...found.map(pick)), 0),
    })
    return { rssMs: of(one => one.rssMs), allThreeMs: of(one => one.allMs), cpuMs: of(one => one.cpuMs) }
  } finally {
    agent.destroy()
    await system.stop()
    folder.remove()
  }
}

export const benchBuild: Benchmark = async () => {
  const build = await measureBuild()
  const hundred = await measureHundred(6)
  const lines: Line[] = [
    {
      what: 'builder: one new item of 50, three formats and sitemap written',
      measured: `p50 ${build.cpuMs.p50} ms CPU, p90 ${build.cpuMs.p90} ms (${build.rssBytes} B RSS, kept as ${build.keptBytes})`,
      toReach: 'part of ≤ 15 ms CPU',
      floor: 'see `feed`: whole',
    },
    {
      what: '100 feeds touched by one article, sent to served new',
      measured: `RSS p50 ${hundred.rssMs.p50} worst ${hundred.rssMs.worst} ms, all three formats p50 ${hundred.allThreeMs.p50} worst ${hundred.allThreeMs.worst} ms, ${hundred.cpuMs.p50} CPU-ms`,
      toReach: '≤ 500 ms',
      floor: `builder alone ${round(FEEDS * build.cpuMs.p50, 0)} CPU-ms`,
    },
  ]
  return { lines, result: { build, hundred } }
}
