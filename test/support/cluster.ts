/**
 * Newswire on Kafka and S3 as an operator has it: topics and configuration applied by the command line, then processes of one or more
 * services under a name. Each cluster has a prefix, folders and ports of its own on the shared parts; nothing of it stays after the test.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { createKafkaLog } from '@newswire/log/kafka'
import { createKafkaClient } from '@newswire/log/kafka-client'
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import { createS3Objects } from '@newswire/objects/s3'
import { findFreePort } from '../../infra/test/ports.ts'
import { type Newswire, runCommand, startNewswire } from './newswire.ts'
import { type Partner, startPartner } from './partner.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { type RealParts, readRealParts } from './real-parts.ts'
import { waitFor } from './wait-for.ts'

export const services = ['ingest', 'images', 'desk', 'feeds', 'archive', 'outlets', 'gateway', 'console'] as const
export type Service = (typeof services)[number]

export const CATEGORIES = ['c0', 'c1', 'c2', 'c3'] as const
/** Enough that no feed of a test overflows. */
const FEED_LIMIT = 1000
const PARTNER_SECRET = 'NEWSWIRE_TEST_PARTNER_SECRET'
const CLEANING_MS = 20_000

type ClusterOptions = Readonly<{
  /** `NEWSWIRE_RETRY_SCALE` (default 0.1). */
  retryScale?: number
  /** Added to the environment of every process. */
  env?: Readonly<Record<string, string>>
  /** Outlets beside the partner, and feeds beside those for all and of each category, as they stand in the configuration. */
  outlets?: readonly Readonly<Record<string, unknown>>[]
  feeds?: readonly Readonly<Record<string, unknown>>[]
}>

export type Cluster = Readonly<{
  /** What every process is given. */
  env: Readonly<Record<string, string>>
  /** What was applied; for `up --config`. */
  configFile: string
  dataDir: string
  partner: Partner
  publisher: Publisher
  urls: Readonly<{ gateway: string; ingest: string; console: string }>
  /** Of a local id: `pub.<localId>`. */
  articleId(localId: string): string
  /** The id of an article in every feed. */
  guid(localId: string): string
  /** Starts a process of these services under a name (default: the services). */
  start(names: readonly Service[], as?: string): Promise<Newswire>
  /** The process that runs under a name. */
  process(name: string): Newswire
  /** SIGKILL, then the same again under the same name. */
  killAndRestart(name: string): Promise<Newswire>
  /** Every topic and group of it is gone, as on a broker that was lost and is there again, empty. No process may run. */
  loseBroker(): Promise<void>
  /** A log of its own on the cluster's topics and groups. */
  log(): Promise<Log>
  objects: Objects
  /** For the message of a failure: how far every group is, the dead letters, and the last that every process wrote. */
  report(): Promise<string>
}>

/** Opens the partner's own page. */
export const CLUSTER_PARTNER_TOKEN = 'nw_partner_of_the_cluster_5d1a'

const configOf = (token: string, publicUrl: string, partnerUrl: string, outlets: readonly unknown[], feeds: readonly unknown[]) => ({
  site: { id: 'test.example,2026', title: 'Kiểm thử', language: 'vi', publicUrl },
  network: { allow: ['127.0.0.0/8'], allowHttp: true },
  publishers: [
    {
      id: 'pub',
      name: 'Pub',
      tokens: [
        { id: 'test', sha256: createHash('sha256').update(token).digest('hex'), scopes: ['publish', 'retract', 'republish', 'read'] },
      ],
    },
  ],
  categories: CATEGORIES.map(id => ({ id, name: id })),
  feeds: [
    ...['all', ...CATEGORIES].map(id => ({ id, title: id, limit: FEED_LIMIT, match: id === 'all' ? {} : { categories: [id] } })),
    ...feeds,
  ],
  outlets: [
    {
      id: 'partner',
      match: {},
      concurrency: 8,
      tokens: [{ id: 'page', sha256: createHash('sha256').update(CLUSTER_PARTNER_TOKEN).digest('hex') }],
      deliver: { kind: 'webhook', url: partnerUrl, secretEnv: PARTNER_SECRET },
    },
    ...outlets,
  ],
})

const deleteTopicsAndGroups = async (brokers: readonly string[], prefix: string): Promise<void> => {
  const admin = createKafkaClient({ brokers, clientId: 'test-cleaner' }).admin()
  await admin.connect()
  const topics = (await admin.listTopics()).filter(name => name.startsWith(prefix))
  if (topics.length > 0) await admin.deleteTopics({ topics })
  await waitFor('the topics to be gone', async () => !(await admin.listTopics()).some(name => name.startsWith(prefix)))
  const groups = (await admin.listGroups()).groups.map(group => group.groupId).filter(name => name.startsWith(prefix))
  // Members that were killed still count until their session is over; a group without topics holds nothing.
  if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined)
  await admin.disconnect()
}

/** Until the time is over, or the store has none: a rest stays in the bucket, which goes with the run. */
const deleteObjects = async (objects: Objects, forMs: number): Promise<void> => {
  const end = performance.now() + forMs
  try {
    while (performance.now() < end) {
      const page = await objects.list('', { limit: 50 })
      if (page.length === 0) return
      await Promise.all(page.map(({ key }) => objects.delete(key)))
    }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
}

const GROUPS = ['images', 'desk', 'feeds', 'feeds-build', 'archive', 'outlets-route', 'outlets'] as const

const describeLag = async (log: Log): Promise<string> => {
  const lines: string[] = []
  for (const group of GROUPS)
    for (const { topic, partition, records, oldestMs } of await log.lag(group))
      if (records > 0) lines.push(`${group} is ${records} records (${oldestMs} ms) behind in ${topic}/${partition}`)
  const dead = (await log.ends('dead-letters')).reduce((sum, { start, end }) => sum + end - start, 0)
  return [...lines, `${dead} dead letters`].join('\n')
}

/** Topics and configuration are applied; no process runs yet. */
export const createCluster = async (
  t: TestContext,
  { retryScale = 0.1, env: more = {}, outlets = [], feeds = [] }: ClusterOptions = {},
  parts: RealParts = readRealParts(),
): Promise<Cluster> => {
  const { kafka, s3 } = parts.both.use()
  const name = `e2e-${randomBytes(5).toString('hex')}`
  const prefix = `${name}.`
  const token = randomBytes(16).toString('hex')
  const folder = await mkdtemp(join(tmpdir(), 'newswire-e2e-'))
  const partner = await startPartner()
  const [gateway, ingest, console] = [await findFreePort(), await findFreePort(), await findFreePort()]
  const at = (port: number) => `http://127.0.0.1:${port}`
  const urls = { gateway: at(gateway), ingest: at(ingest), console: at(console) }
  const env = {
    ...parts.env(),
    KAFKAJS_NO_PARTITIONER_WARNING: '1',
    KAFKA_TOPIC_PREFIX: prefix,
    S3_PREFIX: name,
    NEWSWIRE_DATA: folder,
    NEWSWIRE_GATEWAY_PORT: String(gateway),
    NEWSWIRE_INGEST_PORT: String(ingest),
    NEWSWIRE_CONSOLE_PORT: String(console),
    NEWSWIRE_RETRY_SCALE: String(retryScale),
    // Tests look again and again, as no reader may: without limits, unless a test is about them.
    NEWSWIRE_GATEWAY_RATE: '0',
    NEWSWIRE_LOG_LEVEL: 'warn',
    [PARTNER_SECRET]: partner.secret,
    ...more,
  }
  const objects = await createS3Objects({
    bucket: s3.bucket,
    endpoint: s3.endpoint,
    region: s3.region,
    prefix: name,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  })
  const processes = new Map<string, { names: readonly Service[]; running: Newswire }>()
  const outputs = new Map<string, Newswire[]>()
  const logs: Log[] = []

  const openLog: Cluster['log'] = async () => {
    const log = await createKafkaLog({ brokers: kafka.brokers, clientId: 'test', topicPrefix: prefix })
    logs.push(log)
    return log
  }
  const start: Cluster['start'] = async (names, as = names.join('+')) => {
    const running = await startNewswire({ args: ['run', ...names], env, deadlineMs: 120_000 })
    processes.set(as, { names, running })
    outputs.set(as, [...(outputs.get(as) ?? []), running])
    return running
  }
  const find = (as: string) => {
    const found = processes.get(as)
    assert.ok(found, `no process runs as ${as}; there are ${[...processes.keys()].join(', ')}`)
    return found
  }

  t.after(async () => {
    await Promise.all([...outputs.values()].flat().map(one => one.kill()))
    await Promise.all(logs.map(log => log.close({ drainMs: 0 })))
    await partner.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    try {
      await deleteTopicsAndGroups(kafka.brokers, prefix)
      await deleteObjects(objects, CLEANING_MS)
    } finally {
      await objects.close()
    }
  })

  const file = join(folder, 'newswire.yaml')
  await writeFile(file, JSON.stringify(configOf(token, urls.gateway, partner.url, outlets, feeds)))
  for (const args of [
    ['topics', 'apply'],
    ['apply', file],
  ]) {
    const { code, output } = await runCommand({ args, env, deadlineMs: 120_000 })
    assert.equal(code, 0, `newswire ${args.join(' ')}: ${output}`)
  }

  return {
    env,
    configFile: file,
    dataDir: folder,
    partner,
    publisher: createPublisher(urls.ingest, token),
    urls,
    articleId: localId => `pub.${localId}`,
    guid: localId => `tag:test.example,2026:pub.${localId}`,
    start,
    process: as => find(as).running,
    killAndRestart: async as => {
      const { names, running } = find(as)
      await running.kill()
      return await start(names, as)
    },
    loseBroker: () => deleteTopicsAndGroups(kafka.brokers, prefix),
    log: openLog,
    objects,
    report: async () => {
      const behind = await describeLag(await openLog()).catch(error => `lag unknown: ${error}`)
      const written = [...outputs].flatMap(([as, all]) => all.map(one => `--- ${as} (${one.pid})\n${one.output().slice(-2000)}`))
      return [behind, ...written].join('\n')
    },
  }
}
