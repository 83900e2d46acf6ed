/** Publish → every one of ten partners has it, on Kafka and S3 at a steady rate; receivers in a process of their own. */
import type { Benchmark, Line } from './benchmark.ts'
import { kafkaFloor } from './floors.ts'
import { deploymentEnv, type KafkaOptions, perArticle, readCpu, startDeployment, summary, WARM_SECONDS } from './kafka.ts'
import { sendOpenLoop } from './load.ts'
import { withRealParts } from './real-parts.ts'
import { startReceivers, type Taken } from './receivers.ts'
import { benchConfig, runNewswire, type Started, TOKEN, temporaryFolder } from './system.ts'

const OUTLETS = 10
const FEEDS = 3
const TO_REACH = 'publish → partner p99 ≤ 150 ms'
const ALL_WITHIN_MS = 60_000

const deployments: Readonly<Record<string, KafkaOptions['processes']>> = {
  'eight processes': [['ingest'], ['images'], ['desk'], ['feeds'], ['archive'], ['outlets'], ['gateway'], ['console']],
  '`newswire up`': [['up']],
}

const configFor = (port: number): string => {
  const config = JSON.parse(
    benchConfig({ feeds: FEEDS, limit: 50, partner: `http://127.0.0.1:${port}/ok/0`, publicUrl: 'http://127.0.0.1:8080' }),
  )
  const [outlet] = config.outlets
  const outlets = Array.from({ length: OUTLETS }, (_, n) => ({
    ...outlet,
    id: `partner-${n}`,
    deliver: { ...outlet.deliver, url: `http://127.0.0.1:${port}/ok/${n}` },
  }))
  return JSON.stringify({ ...config, outlets })
}

/** By outlet and article, when it first came. */
const collect = async (receivers: Awaited<ReturnType<typeof startReceivers>>, articles: string, count: number) => {
  const came = new Map<string, Taken>()
  for (const end = performance.now() + ALL_WITHIN_MS; came.size < count && performance.now() < end; ) {
    for (const one of await receivers.taken()) {
      const key = `${one.path} ${one.article}`
      if (one.article.startsWith(articles) && !came.has(key)) came.set(key, one)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return came
}

const measure = async ({ rate, seconds, parts, processes }: Pick<KafkaOptions, 'rate' | 'seconds' | 'parts' | 'processes'>) => {
  const folder = temporaryFolder()
  const receivers = await startReceivers()
  const env = deploymentEnv(parts, folder.path)
  const config = folder.file('newswire.yaml', configFor(receivers.port))
  const started: Started[] = []
  try {
    await runNewswire(['topics', 'apply'], env)
    await runNewswire(['apply', config], env)
    started.push(...(await startDeployment(processes, env)))
    const { ingest = '' } = Object.assign({}, ...started.map(one => one.urls)) as Record<string, string>
    const load = { ingest, token: TOKEN, rate, clients: 16, feeds: FEEDS }
    const send = async (prefix: string, forSeconds: number) => {
      const sent = await sendOpenLoop({ ...load, seconds: forSeconds, prefix })
      const accepted = sent.filter(one => one.status === 202)
      return { sent, accepted, came: await collect(receivers, `bench.${prefix}`, accepted.length * OUTLETS) }
    }
    // All of it has come before anything is measured: what waits for groups to form is no part of the speed.
    await send('w', WARM_SECONDS)
    const cpuBefore = readCpu(started, processes, parts)
    const { sent, accepted, came } = await send('a', seconds)
    const cpuMsPerArticle = perArticle(cpuBefore, readCpu(started, processes, parts), accepted.length)
    const sentOf = new Map(accepted.map(one => [`bench.${one.id}`, one]))
    const waits = [...came.values()].flatMap(({ article, at }) => {
      const of = sentOf.get(article)
      return of === undefined
        ? []
        : [{ publish: at - performance.timeOrigin - of.dueAt, answer: at - performance.timeOrigin - of.answeredAt }]
    })
    return {
      asked: { rate, seconds, outlets: OUTLETS, processes: processes.length },
      accepted: accepted.length,
      refused: sent.length - accepted.length,
      delivered: waits.length,
      publishToPartnerMs: summary(waits.map(one => one.publish)),
      answerToPartnerMs: summary(waits.map(one => one.answer)),
      answerMs: summary(accepted.map(one => one.answeredAt - one.dueAt)),
      cpuMsPerArticle,
    }
  } finally {
    await Promise.all(started.map(one => one.stop()))
    receivers.stop()
    folder.remove()
  }
}

type Load = Awaited<ReturnType<typeof measure>>

const toLine = (what: string, load: Load, floor: string): Line => ({
  what: `Kafka + S3, ${what}, ${load.asked.rate}/s × ${OUTLETS} outlets for ${load.asked.seconds} s, after ${WARM_SECONDS} s of the same`,
  measured: `publish → partner p50 ${load.publishToPartnerMs.p50} p99 ${load.publishToPartnerMs.p99} ms, 202 → partner p50 ${load.answerToPartnerMs.p50} p99 ${load.answerToPartnerMs.p99} ms (${load.delivered} of ${load.accepted * OUTLETS} delivered; ${load.cpuMsPerArticle.all} CPU-ms an article)`,
  toReach: TO_REACH,
  floor,
})

export const benchKafkaDeliveries: Benchmark = ({ kafkaRate, seconds }) =>
  withRealParts({ what: 'Kafka deliveries', toReach: TO_REACH }, async (env, labels) => {
    const { roundTrip } = await kafkaFloor((env.KAFKA_BROKERS ?? '').split(','))
    const floor = `Kafka round trip p50 ${roundTrip.p50Ms} p99 ${roundTrip.p99Ms} ms`
    const loads: Record<string, Load> = {}
    for (const [what, processes] of Object.entries(deployments))
      loads[what] = await measure({ rate: kafkaRate, seconds, parts: env, processes })
    return { result: { parts: labels, loads }, lines: Object.entries(loads).map(([what, load]) => toLine(what, load, floor)) }
  })
