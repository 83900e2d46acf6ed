/**
 * The broker is lost: `newswire rebuild all` from a packed archive, then a start on what it made, until feeds, pages and search hold every article.
 * How fast articles go from the archive into empty sinks, with every process's CPU time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { closeOnce } from '@newswire/archive/close'
import { archivedFact, openSampleArchive } from '@newswire/archive/sample-archive'
import type { LiveFact } from '@newswire/events/fact'
import { createDiskObjects } from '@newswire/objects/disk'
import { makeSealingKey } from '@newswire/objects/sealed'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { Benchmark } from './benchmark.ts'
import { cpuSeconds, round } from './measure.ts'
import { createRandom, prose } from './prose.ts'
import { benchConfig, startNewswire, temporaryFolder } from './system.ts'

const ARTICLES = Number(process.env['BENCH_REPLAY_ARTICLES'] ?? 60_000)
const DAYS = 50
const DAY_MS = 86_400_000
const LAST_MS = Date.parse('2026-03-01T08:00:00.000Z')
const AT_ONCE = 64
const FEEDS = 5
const LIMIT = 50
const TICK_MS = 20
const DEADLINE_MS = 120_000
const bin = fileURLToPath(new URL('../packages/cli/src/bin.ts', import.meta.url))

/** A title, a summary and a body as a newspaper has them, 2.3 kB of archived JSON; every fifth article has a second version. */
const fill = async (root: string, secretKey: string): Promise<void> => {
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  const archive = await openSampleArchive({ objects, secretKey })
  const random = createRandom(11)
  const add = async (at: number) => {
    const day = Math.floor((at * DAYS) / ARTICLES)
    const title = prose(55, random)
    const firstReleasedAt = new Date(LAST_MS - (DAYS - day) * DAY_MS).toISOString()
    const { article, facetsEver } = archivedFact('bench.any', 1, { text: title, atMs: 0 }) as LiveFact
    const categories = [`c${at % FEEDS}`]
    const written = {
      ...article,
      summary: prose(160, random),
      body: { html: Array.from({ length: 5 }, () => `<p>${prose(290, random)}.</p>`).join('\n') },
      categories,
    }
    const more = { firstReleasedAt, article: written, facetsEver: { ...facetsEver, categories } }
    for (let version = 1; version <= (at % 5 === 0 ? 2 : 1); version++)
      await archive.add(`bench.bai-${at}`, version, title, more as Partial<LiveFact>)
  }
  await sideBySide([...Array(ARTICLES).keys()], AT_ONCE, add)
  while ((await closeOnce(archive.needs)).hasMore);
  await archive.close()
}

type Spent = Readonly<{ ms: number; cpuMs: number }>

/** Runs a command to its end. CPU time is looked at while it lives: what it spends after the last look is not counted. */
const run = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Spent> => {
  const begun = performance.now()
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], {
    env: {
      ...process.env,
      ...(process.env['BENCH_PROF'] ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.env['BENCH_PROF']}` } : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout?.resume()
  let cpu = 0
  const look = setInterval(() => {
    cpu = cpuSeconds(child.pid ?? 0)
  }, TICK_MS)
  const code = await new Promise(resolve => child.once('close', resolve)).finally(() => clearInterval(look))
  if (code !== 0) throw new Error(`newswire ${args.join(' ')} ended with ${code}`)
  return { ms: performance.now() - begun, cpuMs: cpu * 1000 }
}

const json = async (url: string): Promise<unknown> => {
  const response = await fetch(url)
  return response.ok ? response.json() : null
}

/** The newest day of each feed that has its page: passes go through the days from the oldest on, so all before have theirs. */
const hasPages = async (gateway: string): Promise<boolean> => {
  const day = new Date(LAST_MS - 2 * DAY_MS).toISOString().slice(0, 10)
  const pages = Array.from({ length: FEEDS }, (_, feed) => fetch(`${gateway}/feeds/c${feed}/pages/${day}.rss.xml`, { method: 'HEAD' }))
  return (await Promise.all(pages)).every(({ status }) => status === 200)
}

/** Each feed shows as many as it may, and leads to its pages: the link is what comes last. */
const hasFeeds = async (gateway: string): Promise<boolean> => {
  const feeds = await Promise.all(Array.from({ length: FEEDS }, (_, feed) => json(`${gateway}/feeds/c${feed}/feed.json`)))
  return (feeds as ({ items: unknown[]; next_url?: string } | null)[]).every(
    feed => feed?.items.length === LIMIT && feed.next_url !== undefined,
  )
}

/**
 * The pages of all feeds are written, and the feeds lead to them; search answers once its index has reached the log's end; nothing is behind. What costs least
 * is asked first, and the lag last: the console keeps that answer for a second, and one from before the last link was built would be waited for.
 */
const isFull = async ({ console, gateway }: Readonly<Record<string, string>>): Promise<boolean> => {
  if (!(await hasPages(String(gateway))) || !(await hasFeeds(String(gateway)))) return false
  const found = (await json(`${gateway}/v1/search?publisher=bench`)) as { total: number } | null
  if (found === null || found.total === 0) return false
  const stages = (await json(`${console}/v1/lag`)) as { lag: number }[] | null
  return stages?.every(stage => stage.lag === 0) === true
}

const startUntilFull = async (folder: ReturnType<typeof temporaryFolder>, env: Readonly<Record<string, string>>): Promise<Spent> => {
  const config = folder.file(
    'newswire.yaml',
    benchConfig({ feeds: FEEDS, limit: LIMIT, partner: 'http://127.0.0.1:9/hook', publicUrl: 'http://127.0.0.1:8080' }),
  )
  const begun = performance.now()
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const system = await startNewswire(['up', '--data', join(folder.path, 'data'), '--config', config, ...ports], env)
  try {
    while (!(await isFull(system.urls))) {
      if (performance.now() - begun > DEADLINE_MS) throw new Error(`not full within ${DEADLINE_MS / 1000} s:\n${system.stderr()}`)
      await setTimeout(5 * TICK_MS)
    }
    return { ms: performance.now() - begun, cpuMs: cpuSeconds(system.pid) * 1000 }
  } finally {
    await system.stop()
  }
}

const perSecond = (ms: number) => round((ARTICLES * 1000) / ms, 0)

export const benchReplay: Benchmark = async () => {
  const folder = temporaryFolder()
  const data = join(folder.path, 'data')
  const secretKey = makeSealingKey()
  const env = { NEWSWIRE_SECRET_KEY: secretKey, NEWSWIRE_FSYNC: 'full', NEWSWIRE_LOG_LEVEL: 'warn' }
  try {
    await fill(join(data, 'objects'), secretKey)
    const rebuilt = await run(['rebuild', 'all', '--data', data, '--json'], env)
    const started = await startUntilFull(folder, env)
    const [ms, cpuMs] = [rebuilt.ms + started.ms, rebuilt.cpuMs + started.cpuMs]
    return {
      result: { articles: ARTICLES, rebuilt, started },
      lines: [
        {
          what: 'archive: replay into empty sinks, end to end',
          measured: `${perSecond(ms)} articles/s by the clock, ${round(cpuMs / ARTICLES, 2)} CPU-ms each (rebuild all ${perSecond(rebuilt.ms)}/s, ${round(rebuilt.cpuMs / ARTICLES, 2)} ms; then feeds, pages, search, trace ${perSecond(started.ms)}/s, ${round(started.cpuMs / ARTICLES, 2)} ms)`,
          toReach: '≥ 2 000 articles/s',
          floor: '–',
        },
      ],
    }
  } finally {
    folder.remove()
  }
}
