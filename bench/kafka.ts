/** Eight processes on Kafka and S3: 202 → visible in RSS at a steady rate, with the times of every hop. */
import type { ArticleTrace } from '@newswire/trace/queries'
import type { Benchmark, Line } from './benchmark.ts'
import { kafkaFloor } from './floors.ts'
import { type Sent, sendOpenLoop, startPartner, startPoller } from './load.ts'
import { cpuSeconds, listenerPid, quantile, round, treePssMb } from './measure.ts'
import { withRealParts } from './real-parts.ts'
import { benchConfig, runNewswire, type Started, startNewswire, TOKEN, temporaryFolder } from './system.ts'

export type KafkaOptions = Readonly<{
  rate: number
  seconds: number
  feeds: number
  limit: number
  parts: Readonly<Record<string, string>>
  /** What each process runs: services, or `up` for all of them. */
  processes: readonly (readonly string[])[]
}>

/** Of the same load before anything is counted: broker, store and processes were started a moment ago, and are seldom so in a newsroom. */
export const WARM_SECONDS = 30

/** How a user may run it: contract §1 names the first; the others are `newswire run` with several names, for machines with few cores. */
const deployments = [
  {
    name: 'eight',
    what: 'eight processes',
    processes: [['ingest'], ['images'], ['desk'], ['feeds'], ['archive'], ['outlets'], ['gateway'], ['console']],
  },
  {
    name: 'two',
    what: 'two processes',
    processes: [
      ['outlets', 'archive', 'desk', 'images', 'console', 'ingest'],
      ['feeds', 'gateway'],
    ],
  },
  { name: 'up', what: '`newswire up`', processes: [['up']] },
] as const
/** What `--processes` may name. */
export const deploymentNames: readonly string[] = deployments.map(({ name }) => name)

/** CPU milliseconds so far of every process that has a part in it: ours, the broker and the store where they are on this machine, and the load. */
export const readCpu = (
  started: readonly Started[],
  processes: KafkaOptions['processes'],
  parts: KafkaOptions['parts'],
): Record<string, number> => {
  const { user, system } = process.cpuUsage()
  const pids: Record<string, number | null> = {
    ...Object.fromEntries(started.map((one, index) => [processes[index]?.join('+') ?? '', one.pid])),
    broker: listenerPid(Number(parts.KAFKA_BROKERS?.split(',')[0]?.split(':').at(-1))),
    store: listenerPid(Number(parts.S3_ENDPOINT?.split(':').at(-1)?.replaceAll(/\D/g, ''))),
  }
  const read = Object.entries(pids).flatMap(([name, pid]) => (pid === null ? [] : [[name, cpuSeconds(pid) * 1000] as const]))
  return { ...Object.fromEntries(read), 'load and poller': (user + system) / 1000 }
}

export const perArticle = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>, articles: number) => {
  const each = Object.entries(after).map(([name, ms]): [string, number] => [name, round((ms - (before[name] ?? 0)) / articles, 2)])
  return Object.fromEntries([
    ...each,
    [
      'all',
      round(
        each.reduce((sum, [, ms]) => sum + ms, 0),
        2,
      ),
    ],
  ])
}
const until = async (condition: () => boolean, timeoutMs: number) => {
  const deadline = performance.now() + timeoutMs
  while (!condition() && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 50))
}

export const summary = (ms: readonly number[]) => ({
  p50: round(quantile(ms, 0.5)),
  p95: round(quantile(ms, 0.95)),
  p99: round(quantile(ms, 0.99)),
})

type Hop = { name: string; ms: number[] }

/** From the trace of each article: when each stage said that it was done with it. */
const readHops = async (consoleUrl: string, sent: readonly Sent[]): Promise<Record<string, { p50: number; p99: number }>> => {
  const hops = new Map<string, Hop>()
  const add = (name: string, from: string | undefined, to: string | null | undefined) => {
    if (from === undefined || !to) return
    const hop = hops.get(name) ?? { name, ms: [] }
    hop.ms.push(Date.parse(to) - Date.parse(from))
    hops.set(name, hop)
  }
  for (const { id } of sent.filter((_, index) => index % 5 === 0)) {
    const answer = await fetch(`${consoleUrl}/v1/articles/bench.${id}/trace`)
    if (!answer.ok) continue
    const trace = (await answer.json()) as ArticleTrace
    const [version] = trace.versions
    if (version === undefined) continue
    const at = (stage: string, outcome: string) => version.stages.find(one => one.stage === stage && one.outcome === outcome)?.at
    const accepted = at('ingest', 'accepted')
    const released = at('desk', 'released')
    const fannedOut = at('feeds', 'fanned-out')
    const done = (kind: string) => version.sinks.find(one => one.kind === kind)?.doneAt
    add('ingest accepted → desk released', accepted, released)
    add('desk released → feeds fanned out', released, fannedOut)
    add('feeds fanned out → feed built', fannedOut, done('feed'))
    add('desk released → archived', released, done('archive'))
    add('desk released → delivered', released, done('outlet'))
    add('ingest accepted → feed built', accepted, done('feed'))
  }
  return Object.fromEntries([...hops.values()].map(({ name, ms }) => [name, { p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) }]))
}

/** For all processes of one deployment: topics and objects of its own, so that the second does not find what the first one left. */
export const deploymentEnv = (parts: KafkaOptions['parts'], dataDir: string): Record<string, string> => {
  const unique = `bench-${process.pid}-${Date.now()}-`
  return {
    ...parts,
    KAFKA_TOPIC_PREFIX: unique,
    S3_PREFIX: unique,
    NEWSWIRE_DATA: dataDir,
    NEWSWIRE_GATEWAY_PORT: '0',
    NEWSWIRE_INGEST_PORT: '0',
    NEWSWIRE_CONSOLE_PORT: '0',
    NEWSWIRE_LOG_LEVEL: 'warn',
  }
}

/** Starts every process of a deployment side by side. Rejects when one of them ends before it is ready. */
export const startDeployment = (processes: KafkaOptions['processes'], env: Record<string, string>): Promise<Started[]> =>
  Promise.all(processes.map(names => startNewswire(names[0] === 'up' ? ['up'] : ['run', ...names], env)))

const measureKafka = async ({ rate, seconds, feeds, limit, parts, processes }: KafkaOptions) => {
  const folder = temporaryFolder()
  const partner = await startPartner()
  const env = deploymentEnv(parts, folder.path)
  const config = folder.file('newswire.yaml', benchConfig({ feeds, limit, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }))
  await runNewswire(['topics', 'apply'], env)
  await runNewswire(['apply', config], env)
  const started: Started[] = []
  try {
    started.push(...(await startDeployment(processes, env)))
    const urls = Object.assign({}, ...started.map(one => one.urls)) as Record<string, string>
    const { ingest = '', gateway = '' } = urls
    const poller = startPoller({
      gateway,
      feeds: Array.from({ length: feeds }, (_, index) => `c${index}`),
      formats: ['rss'],
      prefix: 'a',
      everyMs: 10,
    })
    await sendOpenLoop({ ingest, token: TOKEN, rate, seconds: WARM_SECONDS, clients: 16, feeds, prefix: 'w' })
    const pollsBefore = poller.polls()
    const cpuBefore = readCpu(started, processes, parts)
    const sent = await sendOpenLoop({ ingest, token: TOKEN, rate, seconds, clients: 16, feeds, prefix: 'a' })
    const accepted = sent.filter(one => one.status === 202)
    await until(() => accepted.every(one => poller.seen.rss.has(one.id)), 60_000)
    await until(() => accepted.every(one => partner.received.has(`bench.${one.id}`)), 60_000)
    const cpuMsPerArticle = perArticle(cpuBefore, readCpu(started, processes, parts), accepted.length)
    await poller.stop()
    const shown = accepted.flatMap(one => {
      const at = poller.seen.rss.get(one.id)
      return at === undefined ? [] : [{ after202: Math.max(0, at - one.answeredAt), afterPublish: at - one.dueAt }]
    })
    return {
      asked: { rate, seconds, warmSeconds: WARM_SECONDS, feeds, limit, processes: processes.length },
      accepted: accepted.length,
      refused: sent.length - accepted.length,
      visible: shown.length,
      atPartner: accepted.filter(one => partner.received.has(`bench.${one.id}`)).length,
      answerMs: summary(accepted.map(one => one.answeredAt - one.dueAt)),
      visibleAfter202Ms: summary(shown.map(one => one.after202)),
      visibleAfterPublishMs: summary(shown.map(one => one.afterPublish)),
      pollEveryMs: round((seconds * 1000) / ((poller.polls() - pollsBefore) / feeds), 1),
      cpuMsPerArticle,
      hopsMs: await readHops(urls.console ?? '', accepted),
      pssMb: Object.fromEntries(started.map((one, index) => [processes[index]?.join('+') ?? '', round(treePssMb(one.pid), 0)])),
    }
  } finally {
    await Promise.all(started.map(one => one.stop()))
    partner.stop()
    folder.remove()
  }
}

const TO_REACH = '202 → RSS p50 ≤ 60 ms, p99 ≤ 150 ms; publish → RSS p99 ≤ 100 ms'

type Load = Awaited<ReturnType<typeof measureKafka>>

const toLines = (what: string, load: Load, floor: string): Line[] => [
  {
    what: `Kafka + S3, ${what}, ${load.asked.rate}/s for ${load.asked.seconds} s, after ${load.asked.warmSeconds} s of the same`,
    measured: `202 → RSS p50 ${load.visibleAfter202Ms.p50} p99 ${load.visibleAfter202Ms.p99} ms, publish → RSS p50 ${load.visibleAfterPublishMs.p50} p99 ${load.visibleAfterPublishMs.p99} ms (202 p50 ${load.answerMs.p50} p99 ${load.answerMs.p99} ms; ${load.visible} of ${load.accepted} seen; ${load.cpuMsPerArticle.all} CPU-ms each)`,
    toReach: TO_REACH,
    floor,
  },
  ...Object.entries(load.hopsMs).map(([hop, { p50, p99 }]) => ({
    what: `  ${hop}`,
    measured: `p50 ${p50} p99 ${p99} ms`,
    toReach: '',
    floor: '',
  })),
  {
    what: '  CPU-ms an article',
    measured: Object.entries(load.cpuMsPerArticle)
      .map(([name, ms]) => `${name} ${ms}`)
      .join(', '),
    toReach: '',
    floor: '',
  },
]

export const benchKafka: Benchmark = ({ kafkaRate, seconds, processes: wanted }) =>
  withRealParts({ what: 'Kafka', toReach: TO_REACH }, async (env, labels) => {
    const floor = await kafkaFloor((env.KAFKA_BROKERS ?? '').split(','))
    const floorText = `Kafka round trip p50 ${floor.roundTrip.p50Ms} p99 ${floor.roundTrip.p99Ms} ms`
    const loads: Record<string, Load> = {}
    for (const { what, processes } of deployments.filter(({ name }) => wanted?.includes(name) ?? true))
      loads[what] = await measureKafka({ rate: kafkaRate, seconds, feeds: 3, limit: 50, parts: env, processes })
    return {
      result: { parts: labels, floor, loads },
      lines: Object.entries(loads).flatMap(([what, load]) => toLines(what, load, floorText)),
    }
  })
