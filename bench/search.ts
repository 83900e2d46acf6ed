/**
 * Search over 100 000 Vietnamese articles, as people use it: a gateway in a process of its own, 16 clients that each ask again as soon as they are
 * answered. And how fast its index is made from the log, while it serves.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Benchmark } from './benchmark.ts'
import { cpuSeconds, quantile, round } from './measure.ts'
import { makeSearches } from './search-queries.ts'
import { temporaryFolder } from './system.ts'

const ARTICLES = Number(process.env['BENCH_SEARCH_ARTICLES'] ?? 100_000)
const CLIENTS = 16
const SECONDS = 15
/** Asked for again at once it was 700 times a second, which is no reader and took a tenth of the processors from what is measured. */
const PAGE_EVERY_MS = 50
const IDLE_WITHIN_MS = 90_000
const script = fileURLToPath(new URL('search-gateway.ts', import.meta.url))

const run = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [script, ...args], { env: { ...process.env, NEWSWIRE_GATEWAY_RATE: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })

const ended = (child: ChildProcess): Promise<void> => new Promise(resolve => void child.once('exit', () => resolve()))

type Gateway = Readonly<{ url: string; pid: number; indexedMs: number; cpu: number; stop(): Promise<void> }>

/** Resolves once its search index has reached the log's end; `cpu`: seconds until then, of all its threads. */
const startGateway = (folder: string): Promise<Gateway> =>
  new Promise((resolve, reject) => {
    const child = run(['serve', folder])
    let url = ''
    child.once('exit', code => reject(new Error(`the gateway ended with ${code}`)))
    child.stdout?.on('data', chunk => {
      url = /gateway=(\S+)/.exec(String(chunk))?.[1] ?? url
      const indexedMs = Number(/indexed=(\S+)/.exec(String(chunk))?.[1])
      const pid = child.pid ?? 0
      if (!(indexedMs > 0)) return
      const stop = async () => {
        child.kill('SIGTERM')
        await ended(child)
      }
      resolve({ url, pid, indexedMs, cpu: cpuSeconds(pid), stop })
    })
  })

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 1 })
const ask = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    get(url, { agent }, response => {
      response.resume()
      response.once('end', () =>
        response.statusCode === 200 ? resolve(performance.now() - begun) : reject(new Error(`${url}: ${response.statusCode}`)),
      )
    }).once('error', reject)
  })

/** Merging begins five seconds after the index is there. */
const MERGES_AFTER_MS = 6_000
/** After much was written the index is merged for a while, beside serving: what is measured is how it is on any other day. */
const waitUntilIdle = async ({ pid }: Gateway): Promise<number> => {
  const begun = performance.now()
  await setTimeout(MERGES_AFTER_MS)
  for (let before = cpuSeconds(pid); performance.now() - begun < IDLE_WITHIN_MS; before = cpuSeconds(pid)) {
    await setTimeout(2_000)
    if (cpuSeconds(pid) - before < 0.1) break
  }
  return performance.now() - begun
}

type Loaded = Readonly<{ times: readonly number[]; pages: readonly number[]; perSecond: number; cpuMs: number }>

/** `pages`: what somebody who reads the list of feeds meanwhile waits for. */
const load = async ({ url, pid }: Gateway): Promise<Loaded> => {
  const searches = makeSearches(20_000, 9)
  const times: number[] = []
  const pages: number[] = []
  const until = performance.now() + SECONDS * 1000
  const cpu = cpuSeconds(pid)
  let next = 0
  const client = async () => {
    while (performance.now() < until) {
      next += 1
      times.push(await ask(`${url}/v1/search?${searches[next % searches.length]}`))
    }
  }
  const reader = async () => {
    for (; performance.now() < until; await setTimeout(PAGE_EVERY_MS)) pages.push(await ask(`${url}/opml.xml`))
  }
  await Promise.all([...Array.from({ length: CLIENTS }, client), reader()])
  return { times, pages, perSecond: times.length / SECONDS, cpuMs: ((cpuSeconds(pid) - cpu) * 1000) / times.length }
}

export const benchSearch: Benchmark = async () => {
  const temporary = temporaryFolder()
  const folder = temporary.path
  try {
    await ended(run(['fill', folder, String(ARTICLES)]))
    // Once for the view of articles, which is not what is measured.
    await (await startGateway(folder)).stop()
    rmSync(join(folder, 'views', 'gateway-search-1.db'))
    const gateway = await startGateway(folder)
    const mergedMs = await waitUntilIdle(gateway)
    const loaded = await load(gateway)
    await gateway.stop()
    const perSecond = Math.round(ARTICLES / (gateway.indexedMs / 1000))
    const perCpuSecond = Math.round(ARTICLES / gateway.cpu)
    const p = (values: readonly number[], q: number) => round(quantile(values, q))
    const result = {
      articles: ARTICLES,
      index: { perSecond, perCpuSecond, mergedMs: Math.round(mergedMs) },
      searches: loaded.times.length,
      perSecond: round(loaded.perSecond),
      cpuMs: round(loaded.cpuMs, 2),
      p50Ms: p(loaded.times, 0.5),
      p95Ms: p(loaded.times, 0.95),
      p99Ms: p(loaded.times, 0.99),
      pageP99Ms: p(loaded.pages, 0.99),
    }
    return {
      lines: [
        {
          what: `search over ${ARTICLES} articles, ${CLIENTS} clients`,
          measured: `p50 ${result.p50Ms}, p95 ${result.p95Ms}, p99 ${result.p99Ms} ms; ${result.perSecond}/s, ${result.cpuMs} ms CPU each (process whole); a page meanwhile p99 ${result.pageP99Ms} ms`,
          toReach: 'p95 ≤ 50 ms',
          floor: '–',
        },
        {
          what: 'search index made from the log',
          measured: `${perSecond} articles/s, ${perCpuSecond} a CPU second (all threads and the start)`,
          toReach: '≥ 3000/s',
          floor: '–',
        },
      ],
      result,
    }
  } finally {
    temporary.remove()
  }
}
