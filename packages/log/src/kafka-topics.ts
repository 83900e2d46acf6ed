/** The topics on the brokers: what is known of them while running, how they should be set up, and how they differ from that. */
import { setTimeout as wait } from 'node:timers/promises'
import type { TopicSpec } from '@newswire/events/topics'
import type { Admin } from 'kafkajs'
import { ConfigResourceTypes } from './kafka-client.ts'
import { within } from './kafka-errors.ts'
import type { TopicReport } from './log.ts'

const DAY_MS = 86_400_000
const COMPACTION_SPAN_MS = 7 * DAY_MS
const ADMIN_TIMEOUT_MS = 15_000
const MAX_REPLICAS = 3
const LEADER_PAUSE_MS = 50

type KnownTopic = Readonly<{
  partitions: number
  /** Node ids by partition, as they were when last looked at: a hint. */
  leaders: readonly number[]
  maxRecordBytes: number
}>

/** The settings a topic is created with, as Kafka names them; the rest is the brokers' default. */
export const wantedConfig = (spec: TopicSpec, replicas: number): Readonly<Record<string, string>> => ({
  'cleanup.policy': spec.cleanup,
  'max.message.bytes': String(spec.maxRecordBytes),
  'min.insync.replicas': String(replicas >= MAX_REPLICAS ? 2 : 1),
  ...(spec.cleanup === 'delete'
    ? { 'retention.ms': String(spec.retentionMs) }
    : {
        'min.compaction.lag.ms': String(spec.retentionMs),
        'max.compaction.lag.ms': String(spec.retentionMs + COMPACTION_SPAN_MS),
        'segment.ms': String(DAY_MS),
      }),
})

type FoundTopic = Readonly<{
  partitions: number
  replicas: number
  leaders?: readonly number[]
  config: Readonly<Record<string, string>>
}>

/** What is not as wanted, each as `name: wanted …, found …`. */
export const differencesOf = (spec: TopicSpec, found: FoundTopic, replicas: number): string[] => {
  const differences: string[] = []
  const compare = (name: string, wanted: string | number, is: string | number | undefined) => {
    if (String(wanted) !== String(is)) differences.push(`${name}: wanted ${wanted}, found ${is ?? 'nothing'}`)
  }
  compare('partitions', spec.partitions, found.partitions)
  if (found.replicas < replicas) compare('replicas', replicas, found.replicas)
  for (const [name, value] of Object.entries(wantedConfig(spec, replicas))) compare(name, value, found.config[name])
  return differences
}

/** Partitions, copies and settings of the named topics; those that are not there are not in the map. */
const findTopics = async (admin: Admin, names: readonly string[]): Promise<Map<string, FoundTopic>> => {
  const present = new Set(await admin.listTopics())
  const wanted = names.filter(name => present.has(name))
  if (wanted.length === 0) return new Map()
  const [metadata, configs] = await Promise.all([
    admin.fetchTopicMetadata({ topics: wanted }),
    admin.describeConfigs({ includeSynonyms: false, resources: wanted.map(name => ({ type: ConfigResourceTypes.TOPIC, name })) }),
  ])
  const configOf = new Map(
    configs.resources.map(one => [
      one.resourceName,
      Object.fromEntries(one.configEntries.map(entry => [entry.configName, entry.configValue])),
    ]),
  )
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
        leaders: [...partitions].sort((a, b) => a.partitionId - b.partitionId).map(one => one.leader),
        config: configOf.get(name) ?? {},
      },
    ]),
  )
}

type Setup = Readonly<{ admin: Admin; prefix: string; replication?: number | undefined }>

const replicasFor = async ({ admin, replication }: Setup): Promise<number> =>
  replication ?? Math.min(MAX_REPLICAS, (await admin.describeCluster()).brokers.length)

const createMissing = (setup: Setup, specs: readonly TopicSpec[], replicas: number): Promise<boolean> =>
  setup.admin.createTopics({
    waitForLeaders: false,
    timeout: ADMIN_TIMEOUT_MS,
    topics: specs.map(spec => ({
      topic: setup.prefix + spec.name,
      numPartitions: spec.partitions,
      replicationFactor: replicas,
      configEntries: Object.entries(wantedConfig(spec, replicas)).map(([name, value]) => ({ name, value })),
    })),
  })

/** A new topic is not on every broker at once. */
const findMade = async (admin: Admin, names: readonly string[]): Promise<Map<string, FoundTopic>> => {
  const giveUpMs = performance.now() + ADMIN_TIMEOUT_MS
  for (;;) {
    const found = await findTopics(admin, names).catch(error => {
      if (performance.now() > giveUpMs) throw error
      return new Map<string, FoundTopic>()
    })
    if (found.size === names.length || performance.now() > giveUpMs) return found
    await wait(LEADER_PAUSE_MS)
  }
}

/** See `Log.topics`. Two processes may apply at the same time: a topic that the other one made is compared like any that was there. */
export const setUpTopics = async (setup: Setup, specs: readonly TopicSpec[], apply: boolean): Promise<TopicReport[]> => {
  const replicas = await replicasFor(setup)
  const names = specs.map(spec => setup.prefix + spec.name)
  const before = await findTopics(setup.admin, names)
  const missing = specs.filter(spec => !before.has(setup.prefix + spec.name))
  const made = apply && missing.length > 0 ? await createMissing(setup, missing, replicas) : false
  const found = apply && missing.length > 0 ? await findMade(setup.admin, names) : before
  return specs.map(spec => {
    const topic = found.get(setup.prefix + spec.name)
    if (!topic) return { topic: spec.name, state: 'missing', differences: [] }
    const differences = differencesOf(spec, topic, replicas)
    if (differences.length > 0) return { topic: spec.name, state: 'differs', differences }
    return { topic: spec.name, state: made && missing.includes(spec) ? 'created' : 'as-wanted', differences }
  })
}

export type TopicBook = Readonly<{
  /** By the name on the brokers; looks again, at most every 500 ms, for one it does not know. */
  find(name: string): Promise<KnownTopic | null>
  /** Without looking again. */
  known(name: string): KnownTopic | null
  refresh(): Promise<void>
  /** Refreshes until it knows all of these; gives up after 5 s. */
  expect(names: readonly string[]): Promise<void>
}>

const LOOK_AGAIN_MS = 500
const STALE_AFTER_MS = 60_000
const FORGET_AFTER_MS = 2000
const EXPECT_FOR_MS = 5000
const DEFAULT_MAX_RECORD_BYTES = 1_048_588

const toKnown = (topic: FoundTopic): KnownTopic => ({
  partitions: topic.partitions,
  leaders: topic.leaders ?? [],
  maxRecordBytes: Number(topic.config['max.message.bytes'] ?? DEFAULT_MAX_RECORD_BYTES),
})

/** Remembers partition counts and record limits, so that a publish can be refused before anything is sent. */
export const createTopicBook = ({ admin, prefix }: Setup): TopicBook => {
  let book = new Map<string, KnownTopic>()
  const missedSinceMs = new Map<string, number>()
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null

  /** One broker may not have heard of a new topic yet, so a topic is forgotten only when it is missing for a while. */
  const stillMissed = (nowMs: number, found: ReadonlyMap<string, KnownTopic>): [string, KnownTopic][] =>
    [...book].filter(([name]) => {
      if (found.has(name)) return false
      const sinceMs = missedSinceMs.get(name) ?? nowMs
      missedSinceMs.set(name, sinceMs)
      return nowMs - sinceMs < FORGET_AFTER_MS
    })

  const look = async (): Promise<void> => {
    const names = (await admin.listTopics()).filter(name => name.startsWith(prefix) && !name.startsWith('__'))
    const found = new Map([...(await findTopics(admin, names))].map(([name, topic]) => [name, toKnown(topic)]))
    for (const name of found.keys()) missedSinceMs.delete(name)
    book = new Map([...stillMissed(performance.now(), found), ...found])
    lookedAtMs = performance.now()
  }

  const refresh = (): Promise<void> => {
    looking ??= within(ADMIN_TIMEOUT_MS, 'reading the topics', look()).finally(() => {
      looking = null
    })
    return looking
  }

  return {
    find: async name => {
      const topic = book.get(name)
      if (topic && performance.now() - lookedAtMs > STALE_AFTER_MS) refresh().catch(() => undefined)
      if (topic) return topic
      if (performance.now() - lookedAtMs > LOOK_AGAIN_MS) await refresh()
      return book.get(name) ?? null
    },
    known: name => book.get(name) ?? null,
    refresh,
    expect: async names => {
      const giveUpMs = performance.now() + EXPECT_FOR_MS
      do await refresh()
      while (!names.every(name => book.has(name)) && performance.now() < giveUpMs && (await wait(LEADER_PAUSE_MS, true)))
    },
  }
}
