/** `newswire up` on the embedded log: start, idle memory, and articles accepted and visible in three formats under open-loop load. */

import { spawn } from 'node:child_process'
import type { Benchmark } from './benchmark.ts'
import { type Format, sendOpenLoop, startPartner, startPoller } from './load.ts'
import { cpuSeconds, quantile, round, treePssMb, until } from './measure.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

type EmbeddedOptions = Readonly<{
  rate: number
  seconds: number
  clients: number
  feeds: number
  limit: number
  fsync: 'full' | 'normal'
}>

const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']

/** What Node alone takes. */
const bareNode = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 60_000)'], { stdio: 'ignore' })
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const mb = treePssMb(child.pid ?? 0)
  child.kill()
  return round(mb)
}

/** Start on an empty folder, and memory of an idle system. */
const measureStart = async (runs: number) => {
  const ready: number[] = []
  let idleMb = 0
  for (let run = 0; run < runs; run++) {
    const folder = temporaryFolder()
    const config = folder.file(
      'newswire.yaml',
      benchConfig({ feeds: 3, limit: 50, partner: 'http://127.0.0.1:9/hook', publicUrl: 'http://127.0.0.1:8080' }),
    )
    const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], {
      NEWSWIRE_FSYNC: 'full',
      NEWSWIRE_LOG_LEVEL: 'warn',
    })
    ready.push(system.readyMs)
    if (run === runs - 1) {
      await new Promise(resolve => setTimeout(resolve, 10_000))
      idleMb = treePssMb(system.pid)
    }
    await system.stop()
    folder.remove()
  }
  return {
    startMs: { best: round(Math.min(...ready), 0), median: round(quantile(ready, 0.5), 0), worst: round(Math.max(...ready), 0) },
    idlePssMb: round(idleMb),
    bareNodePssMb: await bareNode(),
  }
}

const measureLoad = async ({ rate, seconds, clients, feeds, limit, fsync }: EmbeddedOptions) => {
  const folder = temporaryFolder()
  const partner = await startPartner()
  const config = folder.file('newswire.yaml', benchConfig({ feeds, limit, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }))
  const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], {
    NEWSWIRE_FSYNC: fsync,
    NEWSWIRE_LOG_LEVEL: 'warn',
  })
  const { ingest = '', gateway = '' } = system.urls
  const formats: readonly Format[] = ['rss', 'atom', 'json']
  try {
    const warm = await sendOpenLoop({ ingest, token: TOKEN, rate: 50, seconds: 2, clients, feeds, prefix: 'w' })
    const poller = startPoller({
      gateway,
      feeds: Array.from({ length: feeds }, (_, index) => `c${index}`),
      formats,
      prefix: 'a',
      everyMs: 1_000,
    })
    const cpuBefore = cpuSeconds(system.pid)
    const began = performance.now()
    const sent = await sendOpenLoop({ ingest, token: TOKEN, rate, seconds, clients, feeds, prefix: 'a' })
    const accepted = sent.filter(one => one.status === 202)
    const everywhere = () => accepted.every(one => formats.every(format => poller.seen[format].has(one.id)))
    const complete = await until(everywhere, 60_000)
    const allSeenAt = Math.max(...formats.flatMap(format => [...poller.seen[format].values()]))
    await until(() => accepted.every(one => partner.received.has(`bench.${one.id}`)), 60_000)
    const cpu = cpuSeconds(system.pid) - cpuBefore
    const peakMb = treePssMb(system.pid)
    await poller.stop()
    const visible = accepted.filter(one => formats.every(format => poller.seen[format].has(one.id)))
    const lateness = visible.map(one => Math.max(...formats.map(format => poller.seen[format].get(one.id) ?? 0)) - one.dueAt)
    const answers = accepted.map(one => one.answeredAt - one.dueAt)
    return {
      asked: { rate, seconds, clients, feeds, limit, fsync },
      acceptedPerSecond: round(accepted.length / ((Math.max(...sent.map(one => one.answeredAt)) - began) / 1000)),
      visiblePerSecond: round(visible.length / ((allSeenAt - began) / 1000)),
      accepted: accepted.length,
      refused: sent.length - accepted.length + warm.filter(one => one.status !== 202).length,
      visibleInAllThree: visible.length,
      complete,
      atPartner: accepted.filter(one => partner.received.has(`bench.${one.id}`)).length,
      answerMs: { p50: round(quantile(answers, 0.5)), p99: round(quantile(answers, 0.99)) },
      visibleMs: { p50: round(quantile(lateness, 0.5), 0), p99: round(quantile(lateness, 0.99), 0) },
      cpuMsPerArticle: round((cpu * 1000) / Math.max(1, accepted.length), 2),
      polls: poller.polls(),
      pssMb: round(peakMb),
      errors: system
        .stderr()
        .split('\n')
        .filter(line => line.includes('"error"'))
        .slice(0, 5),
    }
  } finally {
    await system.stop()
    partner.stop()
    folder.remove()
  }
}

export const benchStart: Benchmark = async ({ diskFloor }) => {
  const start = await measureStart(5)
  return {
    result: start,
    lines: [
      {
        what: 'start on an empty folder',
        measured: `median ${start.startMs.median} ms, worst ${start.startMs.worst} ms`,
        toReach: '≤ 3 000 ms',
        floor: diskFloor,
      },
      {
        what: 'memory, idle',
        measured: `${start.idlePssMb} MB PSS`,
        toReach: '≤ 200 MB',
        floor: `bare Node ${process.version}: ${start.bareNodePssMb} MB`,
      },
    ],
  }
}

export const benchEmbedded: Benchmark = async ({ rate, seconds, diskFloor }) => {
  const load = await measureLoad({ rate, seconds, clients: 16, feeds: 40, limit: 50, fsync: 'full' })
  return {
    result: load,
    lines: [
      {
        what: `embedded, ${rate}/s asked for ${seconds} s`,
        measured: `${load.visiblePerSecond}/s accepted and visible in three formats (202 p50 ${load.answerMs.p50} p99 ${load.answerMs.p99} ms, visible p50 ${load.visibleMs.p50} p99 ${load.visibleMs.p99} ms, ${load.cpuMsPerArticle} CPU-ms each, ${load.pssMb} MB)`,
        toReach: '≥ 400/s',
        floor: diskFloor,
      },
    ],
  }
}
