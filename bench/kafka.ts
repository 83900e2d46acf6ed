/** Eight processes on Kafka and S3: 202 → visible in RSS at a steady rate, with the times of every hop. */
import type { ArticleTrace } from '@newswire/trace/queries'
import type { Benchmark } from './benchmark.ts'
import { kafkaFloor } from './floors.ts'
import { type Sent, sendOpenLoop, startPartner, startPoller } from './load.ts'
import { quantile, round, treePssMb } from './measure.ts'
import { withRealParts } from './real-parts.ts'
import { benchConfig, runNewswire, type Started, startNewswire, TOKEN, temporaryFolder } from './system.ts'

export type KafkaOptions = Readonly<{
  rate: number
  seconds: number
  feeds: number
  limit: number
  parts: Readonly<Record<string, string>>
  grouped: boolean
}>

const EIGHT = [['ingest'], ['images'], ['desk'], ['feeds'], ['archive'], ['outlets'], ['gateway'], ['console']]
const until = async (condition: () => boolean, timeoutMs: number) => {
  const deadline = performance.now() + timeoutMs
  while (!condition() && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 50))
}

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

export const measureKafka = async ({ rate, seconds, feeds, limit, parts, grouped }: KafkaOptions) => {
  const folder = temporaryFolder()
  const partner = await startPartner()
  const unique = `bench-${process.pid}-`
  const env = {
    ...parts,
    KAFKA_TOPIC_PREFIX: unique,
    S3_PREFIX: unique,
    NEWSWIRE_DATA: folder.path,
    NEWSWIRE_GATEWAY_PORT: '0',
    NEWSWIRE_INGEST_PORT: '0',
    NEWSWIRE_CONSOLE_PORT: '0',
    NEWSWIRE_LOG_LEVEL: 'warn',
  }
  const config = folder.file('newswire.yaml', benchConfig({ feeds, limit, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }))
  await runNewswire(['topics', 'apply'], env)
  await runNewswire(['apply', config], env)
  const started: Started[] = []
  try {
    const groups = grouped ? [['outlets', 'archive', 'feeds', 'desk', 'images', 'gateway', 'console', 'ingest']] : EIGHT
    started.push(...(await Promise.all(groups.map(names => startNewswire(['run', ...names], env)))))
    const urls = Object.assign({}, ...started.map(one => one.urls)) as Record<string, string>
    const { ingest = '', gateway = '' } = urls
    await sendOpenLoop({ ingest, token: TOKEN, rate, seconds: 10, clients: 16, feeds, prefix: 'w' })
    const poller = startPoller({
      gateway,
      feeds: Array.from({ length: feeds }, (_, index) => `c${index}`),
      formats: ['rss'],
      prefix: 'a',
      everyMs: 5,
    })
    const sent = await sendOpenLoop({ ingest, token: TOKEN, rate, seconds, clients: 16, feeds, prefix: 'a' })
    const accepted = sent.filter(one => one.status === 202)
    await until(() => accepted.every(one => poller.seen.rss.has(one.id)), 60_000)
    await until(() => accepted.every(one => partner.received.has(`bench.${one.id}`)), 60_000)
    await poller.stop()
    const visible = accepted
      .filter(one => poller.seen.rss.has(one.id))
      .map(one => Math.max(0, (poller.seen.rss.get(one.id) ?? 0) - one.answeredAt))
    const answers = accepted.map(one => one.answeredAt - one.dueAt)
    return {
      asked: { rate, seconds, feeds, limit, processes: groups.length },
      accepted: accepted.length,
      refused: sent.length - accepted.length,
      visible: visible.length,
      atPartner: accepted.filter(one => partner.received.has(`bench.${one.id}`)).length,
      answerMs: { p50: round(quantile(answers, 0.5)), p99: round(quantile(answers, 0.99)) },
      visibleAfter202Ms: { p50: round(quantile(visible, 0.5)), p95: round(quantile(visible, 0.95)), p99: round(quantile(visible, 0.99)) },
      pollEveryMs: round((seconds * 1000) / (poller.polls() / feeds), 1),
      hopsMs: await readHops(urls.console ?? '', accepted),
      pssMb: Object.fromEntries(started.map((one, index) => [groups[index]?.join('+') ?? '', round(treePssMb(one.pid), 0)])),
    }
  } finally {
    await Promise.all(started.map(one => one.stop()))
    partner.stop()
    folder.remove()
  }
}

const TO_REACH = 'p50 ≤ 60 ms, p99 ≤ 150 ms'

export const benchKafka: Benchmark = ({ kafkaRate, seconds }) =>
  withRealParts({ what: 'Kafka', toReach: TO_REACH }, async (env, labels) => {
    const floor = await kafkaFloor((env.KAFKA_BROKERS ?? '').split(','))
    const load = await measureKafka({ rate: kafkaRate, seconds, feeds: 3, limit: 50, parts: env, grouped: false })
    const hops = Object.entries(load.hopsMs).map(([hop, { p50, p99 }]) => ({
      what: `  ${hop}`,
      measured: `p50 ${p50} p99 ${p99} ms`,
      toReach: '',
      floor: '',
    }))
    return {
      result: { parts: labels, floor, load },
      lines: [
        {
          what: `Kafka + S3, eight processes, ${kafkaRate}/s for ${seconds} s`,
          measured: `202 → visible in RSS p50 ${load.visibleAfter202Ms.p50} p99 ${load.visibleAfter202Ms.p99} ms (202 p50 ${load.answerMs.p50} p99 ${load.answerMs.p99} ms; ${load.visible} of ${load.accepted} seen)`,
          toReach: TO_REACH,
          floor: `Kafka round trip p50 ${floor.roundTrip.p50Ms} p99 ${floor.roundTrip.p99Ms} ms`,
        },
        ...hops,
      ],
    }
  })
