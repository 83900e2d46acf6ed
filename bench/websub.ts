/**
 * A thousand WebSub subscribers of one feed, each on a host of its own and with a secret of its own; every tenth reads and never answers. The
 * clock runs from the 202 of the article, so the article's way through the pipeline and the build are in it.
 */
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { type Subscription, subscriptionIdOf } from '@newswire/events/subscription'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createSealing, makeSealingKey, parseSealingKey } from '@newswire/objects/sealed'
import type { Benchmark } from './benchmark.ts'
import { articleOf, sendOpenLoop } from './load.ts'
import { cpuSeconds, quantile, round, treePssMb } from './measure.ts'
import { startReceivers, type Taken } from './receivers.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

const SUBSCRIBERS = 1_000
const HANGING_EVERY = 10
const ITEMS = 75
const PUBLIC_URL = 'http://127.0.0.1:8080'
const FEED = 'c0'

const pathOf = (index: number): string => `/${index % HANGING_EVERY === 0 ? 'hang' : 'ok'}/${index}`
/** 127.1.0.0 upwards: each is another host to the hub. */
const callbackOf = (index: number, port: number): string => `http://127.1.${index >> 8}.${index & 255}:${port}${pathOf(index)}`

/** Straight into the store of a system that does not run: a thousand requests from one address are more than the hub takes in a minute. */
const subscribeAll = async (dataDir: string, port: number, key: string) => {
  const objects = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  const sealing = createSealing(objects, parseSealingKey(key) ?? new Uint8Array())
  const now = new Date()
  for (let index = 0; index < SUBSCRIBERS; index++) {
    const callback = callbackOf(index, port)
    const id = subscriptionIdOf(PUBLIC_URL, FEED, 'rss', callback)
    const [topicSha256 = '', callbackSha256 = ''] = id.split('-')
    await sealing.put(`hub-${index}`, Buffer.from(`secret number ${index}`))
    const one: Subscription = {
      n: 1,
      nonce: '',
      id,
      feedId: FEED,
      format: 'rss',
      topic: `${PUBLIC_URL}/feeds/${FEED}/rss.xml`,
      callback,
      lease: {
        secretId: `hub-${index}`,
        seconds: 864_000,
        verifiedAt: now.toISOString(),
        until: new Date(now.getTime() + 864_000_000).toISOString(),
        since: Number.MAX_SAFE_INTEGER,
      },
      errand: null,
      changedAt: now.toISOString(),
      swept: false,
    }
    await objects.put(keys.subscription(topicSha256, callbackSha256), Buffer.from(JSON.stringify(one)))
  }
  await objects.close()
}

const publish = async (ingest: string, id: string, index: number): Promise<number> => {
  const response = await fetch(`${ingest}/v1/articles/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: articleOf(index, 1),
  })
  if (response.status !== 202) throw new Error(`${id}: ${response.status} ${await response.text()}`)
  return Date.now()
}

/** What was taken after one article, until every subscriber that is well was told, or `forMs` are over. */
const collect = async (receivers: Awaited<ReturnType<typeof startReceivers>>, since: number, forMs: number, watch: () => void) => {
  const first = new Map<string, Taken>()
  const well = SUBSCRIBERS - SUBSCRIBERS / HANGING_EVERY
  while (Date.now() - since < forMs) {
    for (const one of await receivers.taken()) if (!first.has(one.path)) first.set(one.path, one)
    watch()
    if ([...first.keys()].filter(path => path.startsWith('/ok/')).length >= well) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const times = [...first.values()].filter(one => one.path.startsWith('/ok/')).map(one => Math.round(one.at - since))
  return {
    told: times.length,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    lastMs: Math.max(...times),
    bytes: [...first.values()][0]?.bytes ?? 0,
  }
}

/** The same bytes to those that answer, 200 at once, unsigned, by nothing but Node: what the machine gives. */
const measureFloor = async (port: number, body: Buffer): Promise<number> => {
  const agent = new Agent({ keepAlive: true, maxTotalSockets: 200 })
  const began = Date.now()
  const post = (url: string) =>
    new Promise<void>((resolve, reject) => {
      const outgoing = request(url, { method: 'POST', agent, headers: { 'content-length': body.length } }, response => {
        response.resume()
        response.once('end', resolve)
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  const indexes = Array.from({ length: SUBSCRIBERS }, (_, index) => index).filter(index => index % HANGING_EVERY !== 0)
  await Promise.all(indexes.map(index => post(callbackOf(index, port))))
  agent.destroy()
  return Date.now() - began
}

const measureWebSub = async () => {
  const folder = temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const receivers = await startReceivers()
  const key = makeSealingKey()
  const config = folder.file(
    'newswire.yaml',
    benchConfig({ feeds: 1, limit: ITEMS, partner: 'http://127.0.0.1:9/hook', publicUrl: PUBLIC_URL }),
  )
  const start = () =>
    startNewswire(['up', '--data', dataDir, '--config', config, '--gateway-port', '0', '--ingest-port', '0', '--console-port', '0'], {
      NEWSWIRE_FSYNC: 'full',
      NEWSWIRE_LOG_LEVEL: 'warn',
      NEWSWIRE_SECRET_KEY: key,
    })
  try {
    const first = await start()
    await sendOpenLoop({
      ingest: first.urls['ingest'] ?? '',
      token: TOKEN,
      rate: 25,
      seconds: ITEMS / 25,
      clients: 8,
      feeds: 1,
      prefix: 'fill',
    })
    await new Promise(resolve => setTimeout(resolve, 2_000))
    await first.stop()
    await subscribeAll(dataDir, receivers.port, key)
    const system = await start()
    try {
      await new Promise(resolve => setTimeout(resolve, 3_000))
      await receivers.taken()
      const idleMb = treePssMb(system.pid)
      let peakMb = idleMb
      const watch = () => {
        peakMb = Math.max(peakMb, treePssMb(system.pid))
      }
      const rounds = []
      for (let round = 0; round < 4; round++) {
        const cpu = cpuSeconds(system.pid)
        const receiverCpu = cpuSeconds(receivers.pid)
        const at = await publish(system.urls['ingest'] ?? '', `news-${round}`, 1_000 + round)
        const told = await collect(receivers, at, 20_000, watch)
        rounds.push({ ...told, cpuSeconds: cpuSeconds(system.pid) - cpu, receiverCpuSeconds: cpuSeconds(receivers.pid) - receiverCpu })
        // The second round meets requests that still hang, the third those that have failed by now.
        await new Promise(resolve => setTimeout(resolve, round === 1 ? 16_000 : 3_000))
        await receivers.taken()
      }
      const bytes = rounds[0]?.bytes ?? 0
      const floorMs = await measureFloor(receivers.port, Buffer.alloc(bytes, 'a'))
      return {
        subscribers: SUBSCRIBERS,
        hanging: SUBSCRIBERS / HANGING_EVERY,
        feedBytes: bytes,
        rounds,
        idleMb: round(idleMb),
        peakMb: round(peakMb),
        floorMs,
      }
    } finally {
      await system.stop()
    }
  } finally {
    receivers.stop()
    folder.remove()
  }
}

export const benchWebSub: Benchmark = async () => {
  const found = await measureWebSub()
  const worst = found.rounds.reduce((a, b) => (b.lastMs > a.lastMs ? b : a))
  return {
    result: found,
    lines: [
      {
        what: `${found.subscribers} WebSub subscribers of one feed (${round(found.feedBytes / 1024, 0)} KB), ${found.hanging} of them hanging`,
        measured: `the ${worst.told} others told ${worst.lastMs} ms after the 202 (p50 ${worst.p50Ms}, p99 ${worst.p99Ms} ms; the worst of ${found.rounds.length} builds); ${round(worst.cpuSeconds, 2)} CPU-s, receivers ${round(worst.receiverCpuSeconds, 2)}; memory ${found.idleMb} → ${found.peakMb} MB`,
        toReach: 'all within 2 s of the build',
        floor: `the same bytes by bare Node, unsigned: ${found.floorMs} ms`,
      },
    ],
  }
}
