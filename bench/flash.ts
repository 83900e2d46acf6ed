/**
 * A flash (urgency 1) alone, and while an archive is imported as fast as it is taken; then whether the import moves under steady live load. Alone and
 * beside the import take turns within one run, so that both see the same machine. The embedded log, everything in one process.
 */
import { Agent } from 'node:http'
import type { Benchmark } from './benchmark.ts'
import { articleOf, send, startPartner, startPoller } from './load.ts'
import { cpuSeconds, quantile, round, until } from './measure.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

/** The first half is the flashes' own, one after the other: a flash comes to a feed at rest. */
const FEEDS = 16
const FLASH_FEEDS = FEEDS / 2
const FLASHES_PER_S = 4
const ROUNDS = 2
/** As many as an import may have under way. */
const AT_ONCE = 64
const LIVE_PER_S = 50
const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

const textOf = (index: number, category: number, urgency: number): string =>
  JSON.stringify({
    ...JSON.parse(articleOf(index, 1)),
    categories: [`c${category}`],
    urgency,
    publishedAt: new Date(index * 60_000).toISOString(),
  })

/** Sends the next one whenever one was taken, until it is stopped. */
const startImport = (ingest: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  let isOver = false
  let begun = 0
  let taken = 0
  const one = async () => {
    while (!isOver) {
      const index = begun++
      const body = textOf(index, FLASH_FEEDS + (index % FLASH_FEEDS), 4)
      const url = `${ingest}/v1/articles/import-${index}?lane=backfill`
      while (!isOver && (await send(agent, 'PUT', url, headers, body)).status !== 202) await new Promise(resolve => setTimeout(resolve, 50))
      taken += isOver ? 0 : 1
    }
  }
  const running = Promise.all(Array.from({ length: AT_ONCE }, one))
  return {
    taken: () => taken,
    stop: async () => {
      isOver = true
      await running
      agent.destroy()
    },
  }
}

/** What an import leaves behind is done: pages, search, the archive. */
const isIdle = async (pid: number): Promise<void> => {
  const deadline = performance.now() + 60_000
  for (let before = cpuSeconds(pid); performance.now() < deadline; ) {
    await new Promise(resolve => setTimeout(resolve, 1_000))
    const now = cpuSeconds(pid)
    if (now - before < 0.1) return
    before = now
  }
}

type Sent = ReadonlyMap<string, number>

/** Open loop: each is sent when it is due. Resolves with when that was. */
const sendLive = async (ingest: string, of: { prefix: string; rate: number; seconds: number; urgency: number }): Promise<Sent> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const due = new Map<string, number>()
  const began = performance.now()
  const answers: Promise<unknown>[] = []
  for (let index = 0; index < of.rate * of.seconds; index++) {
    const dueAt = began + (index / of.rate) * 1000
    await new Promise(resolve => setTimeout(resolve, Math.max(0, dueAt - performance.now())))
    const id = `${of.prefix}${index}`
    answers.push(
      send(agent, 'PUT', `${ingest}/v1/articles/${id}`, headers, textOf(index, index % FLASH_FEEDS, of.urgency)).then(({ status }) => {
        if (status === 202) due.set(id, dueAt)
      }),
    )
  }
  await Promise.all(answers)
  agent.destroy()
  return due
}

const inMs = (sent: Sent, arrivedAt: (id: string) => number | undefined): readonly number[] =>
  [...sent].map(([id, dueAt]) => (arrivedAt(id) ?? Number.POSITIVE_INFINITY) - dueAt)
const of = (all: readonly number[]) => ({ p50: round(quantile(all, 0.5)), p99: round(quantile(all, 0.99)), samples: all.length })

const measure = async (seconds: number) => {
  const folder = temporaryFolder()
  const partner = await startPartner()
  const config = folder.file(
    'newswire.yaml',
    benchConfig({ feeds: FEEDS, limit: 50, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }),
  )
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], { NEWSWIRE_LOG_LEVEL: 'warn' })
  const { ingest = '', gateway = '' } = system.urls
  const flashFeeds = Array.from({ length: FLASH_FEEDS }, (_, index) => `c${index}`)
  const poller = startPoller({ gateway, feeds: flashFeeds, formats: ['rss'], prefix: 'f', everyMs: 40 })
  const flashes = async (prefix: string) => {
    const sent = await sendLive(ingest, { prefix, rate: FLASHES_PER_S, seconds, urgency: 1 })
    const isThere = (id: string) => partner.received.has(`bench.${id}`) && poller.seen.rss.has(id)
    await until(() => [...sent.keys()].every(isThere), 60_000)
    return { partner: inMs(sent, id => partner.received.get(`bench.${id}`)), feed: inMs(sent, id => poller.seen.rss.get(id)) }
  }
  const alone: Awaited<ReturnType<typeof flashes>>[] = []
  const beside: Awaited<ReturnType<typeof flashes>>[] = []
  const perSecond: number[] = []
  try {
    await sendLive(ingest, { prefix: 'warm', rate: LIVE_PER_S, seconds: 4, urgency: 4 })
    let imported = 0
    for (let turn = 0; turn < ROUNDS; turn++) {
      await isIdle(system.pid)
      alone.push(await flashes(`f${turn}0`))
      const archive = startImport(ingest)
      await until(() => archive.taken() > 2 * AT_ONCE, 60_000)
      const [before, began] = [archive.taken(), performance.now()]
      beside.push(await flashes(`f${turn}1`))
      perSecond.push(((archive.taken() - before) * 1000) / (performance.now() - began))
      await archive.stop()
    }
    const archive = startImport(ingest)
    const began = performance.now()
    await sendLive(ingest, { prefix: 'live', rate: LIVE_PER_S, seconds, urgency: 4 })
    imported = archive.taken()
    const underLive = (imported * 1000) / (performance.now() - began)
    await archive.stop()
    const all = (runs: typeof alone, where: 'partner' | 'feed') => of(runs.flatMap(one => one[where]))
    return {
      partner: { alone: all(alone, 'partner'), beside: all(beside, 'partner') },
      feed: { alone: all(alone, 'feed'), beside: all(beside, 'feed') },
      importPerSecond: perSecond.map(one => round(one, 0)),
      importPerSecondUnderLive: round(underLive, 0),
    }
  } finally {
    await poller.stop()
    await system.stop()
    partner.stop()
    folder.remove()
  }
}

export const benchFlash: Benchmark = async ({ seconds, diskFloor }) => {
  const result = await measure(Math.max(5, Math.round(seconds / 3)))
  const told = ({ p50, p99, samples }: ReturnType<typeof of>) => `p50 ${p50} p99 ${p99} ms (${samples})`
  const toLine = (where: 'partner' | 'feed') => {
    const { alone, beside } = result[where]
    return {
      what: `a flash until it is ${where === 'partner' ? "at the partner's" : 'in RSS'}, beside an import of ${result.importPerSecond.join(' and ')}/s`,
      measured: `${told(beside)}: ${round(beside.p99 / alone.p99, 2)} × its p99 alone`,
      toReach: '≤ 1.5 ×',
      floor: `alone ${told(alone)}`,
    }
  }
  return {
    result,
    lines: [
      toLine('partner'),
      toLine('feed'),
      {
        what: `the import beside ${LIVE_PER_S} live articles a second`,
        measured: `${result.importPerSecondUnderLive}/s`,
        toReach: '> 0',
        floor: diskFloor,
      },
    ],
  }
}
