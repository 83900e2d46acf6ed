/**
 * A flash (urgency 1) alone, and while an archive is imported as fast as it is taken; then whether the import moves under steady live load. Alone and
 * beside the import take turns within one run, so that both see the same machine; a p99 is that of all rounds together, and how sure the ratio is
 * says a bootstrap over rounds: a run whose draws lie on both sides of what is to be reached says so instead of an answer. What others took of the
 * machine meanwhile stands beside it: with little left, an import makes a flash wait for a core, which no order within the process can mend.
 * The embedded log, everything in one process.
 */
import { Agent } from 'node:http'
import type { Benchmark } from './benchmark.ts'
import { articleOf, send, startPartner, startPoller } from './load.ts'
import { cpuSeconds, machineCpuSeconds, ownCpuMs, quantile, round, until } from './measure.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

/** The first half is the flashes' own, one after the other: a flash comes to a feed at rest. */
const FEEDS = 16
const FLASH_FEEDS = FEEDS / 2
const FLASHES_PER_S = 16
/** A p99 of one in a hundred needs some hundreds; of few rounds one that met a collection or a sync of the disk is the answer. */
const ROUNDS = 10
const MOST = 1.5
/** How many times rounds are drawn anew, to see how far the ratio depends on which they were. */
const DRAWS = 2_000
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

/** Open loop: each is sent when it is due, which is anywhere within its share of a second. Resolves with when that was. */
const sendLive = async (ingest: string, of: { prefix: string; rate: number; seconds: number; urgency: number }): Promise<Sent> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const due = new Map<string, number>()
  const began = performance.now()
  const answers: Promise<unknown>[] = []
  for (let index = 0; index < of.rate * of.seconds; index++) {
    const dueAt = began + ((index + Math.random()) / of.rate) * 1000
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
const of = (all: readonly number[]) => ({
  p50: round(quantile(all, 0.5)),
  p95: round(quantile(all, 0.95)),
  p99: round(quantile(all, 0.99)),
  max: round(Math.max(...all)),
  samples: all.length,
})

type Rounds = readonly (readonly number[])[]
const p99Of = (rounds: Rounds) => quantile(rounds.flat(), 0.99)

/** Between which ratios nine of ten lie when the same number of pairs of rounds is drawn from those that were. */
const ratioOf = (alone: Rounds, beside: Rounds) => {
  const drawn = Array.from({ length: DRAWS }, () => {
    const picks = alone.map(() => Math.floor(Math.random() * alone.length))
    return p99Of(picks.map(at => beside[at] ?? [])) / p99Of(picks.map(at => alone[at] ?? []))
  })
  const [from, to] = [quantile(drawn, 0.05), quantile(drawn, 0.95)]
  const verdict = to <= MOST ? 'met' : from > MOST ? 'not met' : 'not told by this run'
  return { ratio: round(p99Of(beside) / p99Of(alone), 2), from: round(from, 2), to: round(to, 2), verdict }
}

/** How late the event loop was, ms, since it was asked last. */
const loopLagMs = async (console: string): Promise<Readonly<{ p99: number; max: number }>> => {
  const text = await (await fetch(`${console}/metrics`)).text()
  const of = (name: string) => round(Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)`, 'm').exec(text)?.[1]) * 1000)
  return { p99: of('p99'), max: of('max') }
}

const measure = async (seconds: number) => {
  const folder = temporaryFolder()
  const partner = await startPartner()
  const config = folder.file(
    'newswire.yaml',
    benchConfig({ feeds: FEEDS, limit: 50, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }),
  )
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], { NEWSWIRE_LOG_LEVEL: 'warn' })
  const { ingest = '', gateway = '', console = '' } = system.urls
  const flashFeeds = Array.from({ length: FLASH_FEEDS }, (_, index) => `c${index}`)
  const poller = startPoller({ gateway, feeds: flashFeeds, formats: ['rss'], prefix: 'f', everyMs: 40 })
  const ours = () => {
    const taken = cpuSeconds(system.pid)
    return { system: taken, all: taken + ownCpuMs() / 1_000 }
  }
  const flashes = async (prefix: string) => {
    await loopLagMs(console)
    const [before, began] = [ours(), performance.now()]
    const machineBefore = machineCpuSeconds()
    const sent = await sendLive(ingest, { prefix, rate: FLASHES_PER_S, seconds, urgency: 1 })
    const lagMs = await loopLagMs(console)
    const after = ours()
    const lasted = (performance.now() - began) / 1000
    const cores = (after.system - before.system) / lasted
    const others = (machineCpuSeconds() - machineBefore - (after.all - before.all)) / lasted
    const isThere = (id: string) => partner.received.has(`bench.${id}`) && poller.seen.rss.has(id)
    await until(() => [...sent.keys()].every(isThere), 60_000)
    return {
      partner: inMs(sent, id => partner.received.get(`bench.${id}`)),
      feed: inMs(sent, id => poller.seen.rss.get(id)),
      lagMs,
      cores,
      others,
    }
  }
  const alone: Awaited<ReturnType<typeof flashes>>[] = []
  const beside: Awaited<ReturnType<typeof flashes>>[] = []
  const perSecond: number[] = []
  try {
    await sendLive(ingest, { prefix: 'warm', rate: LIVE_PER_S, seconds: 4, urgency: 4 })
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
    const underLive = (archive.taken() * 1000) / (performance.now() - began)
    await archive.stop()
    const summary = (where: 'partner' | 'feed') => {
      const rounds = { alone: alone.map(one => one[where]), beside: beside.map(one => one[where]) }
      return { alone: of(rounds.alone.flat()), beside: of(rounds.beside.flat()), ...ratioOf(rounds.alone, rounds.beside) }
    }
    const busy = (runs: typeof alone) =>
      runs.map(({ lagMs, cores, others }) => ({ lagMs, cores: round(cores, 2), others: round(others, 2) }))
    return {
      partner: summary('partner'),
      feed: summary('feed'),
      process: { alone: busy(alone), beside: busy(beside) },
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
  const result = await measure(Math.max(4, Math.round(seconds / ROUNDS)))
  const { alone, beside } = result.process
  const others = quantile(
    [...alone, ...beside].map(one => one.others),
    0.5,
  )
  const told = ({ p50, p95, p99, max, samples }: ReturnType<typeof of>) => `p50 ${p50} p95 ${p95} p99 ${p99} max ${max} ms (${samples})`
  const toLine = (where: 'partner' | 'feed') => {
    const { alone, beside, ratio, from, to, verdict } = result[where]
    return {
      what: `a flash until it is ${where === 'partner' ? "at the partner's" : 'in RSS'}, beside an import of ${round(quantile(result.importPerSecond, 0.5), 0)}/s`,
      measured: `${told(beside)}: ${ratio} × its p99 alone (${from} to ${to}: ${verdict}); others took ${round(others, 1)} cores`,
      toReach: `≤ ${MOST} ×`,
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
