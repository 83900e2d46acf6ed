/**
 * Kafka and S3 in containers, through testcontainers. Nothing here may hang on a machine whose Docker does not answer or cannot pull:
 * every step has its own deadline. The reaper image of testcontainers is not used, because it cannot be had everywhere; leftovers.ts
 * does its work with the label set here.
 */
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
} from 'testcontainers'
import { createBucket } from './bucket.ts'
import { OWNER_LABEL, owner } from './leftovers.ts'
import type { Attempt, Part, PartName } from './parts.ts'
import { findFreePort } from './ports.ts'
import { until, within } from './wait.ts'

const PROBE_MS = 5_000
const PULL_MS = 300_000
const READY_MS = 60_000
const STOP_SECONDS = 10

const KAFKA_IMAGE = process.env['NEWSWIRE_KAFKA_IMAGE'] ?? 'apache/kafka:4.4.0'
const S3_IMAGE = process.env['NEWSWIRE_S3_IMAGE'] ?? 'versity/versitygw:v1.8.0'
const ACCESS = { accessKeyId: 'newswire', secretAccessKey: 'newswire-test', region: 'us-east-1' }

const tagOf = (image: string): string => image.slice(image.lastIndexOf(':') + 1).replace(/^v/, '')

const haveImage = async (docker: ContainerRuntimeClient, image: string): Promise<void> => {
  const name = ImageName.fromString(image)
  if (await within(PROBE_MS, 'asking Docker for its images', docker.image.exists(name))) return
  await within(PULL_MS, `pulling ${image}`, docker.image.pull(name))
}

const logsOf = async (docker: ContainerRuntimeClient, id: string): Promise<string> =>
  (await docker.container.dockerode.getContainer(id).logs({ stdout: true, stderr: true, follow: false })).toString('utf8')

type Ready = () => Promise<boolean>

/** Fault tests take the very container away and bring it back: same port, same data. */
const faultsOf = (docker: ContainerRuntimeClient, started: StartedTestContainer, prepareReady: () => Promise<Ready>): Part['faults'] => {
  const container = docker.container.dockerode.getContainer(started.getId())
  const isRunning = async () => (await container.inspect()).State.Running
  return {
    stop: async () => {
      if (await isRunning()) await container.stop({ t: STOP_SECONDS })
    },
    kill: async () => {
      if (await isRunning()) await container.kill({ signal: 'SIGKILL' })
    },
    start: async () => {
      if (await isRunning()) return
      const ready = await prepareReady()
      await container.start()
      await until(READY_MS, 'the restart of a container', ready)
    },
  }
}

const run = async (image: string, port: { container: number; host: number }, env: Record<string, string>): Promise<StartedTestContainer> =>
  await new GenericContainer(image)
    .withExposedPorts(port)
    .withEnvironment(env)
    .withLabels({ [OWNER_LABEL]: owner })
    .withStartupTimeout(READY_MS)
    .start()

const kafkaEnv = (port: number): Record<string, string> => ({
  KAFKA_HEAP_OPTS: '-Xms256m -Xmx384m',
  // With any KAFKA_* set none of the image's defaults apply: this is the whole set.
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_NODE_ID: '1',
  KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
  KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
  // PLAINTEXT is for the tests on the host; BROKER is how the broker reaches itself, inside the container.
  KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093,BROKER://:9094',
  KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port},BROKER://localhost:9094`,
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT',
  KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
  KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '3',
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
  KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '3',
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
  KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE: '16777216',
  // After a kill the controller lets the dead broker's session run out before it takes it back.
  KAFKA_BROKER_SESSION_TIMEOUT_MS: '3000',
  KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '500',
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
})

const startKafka = async (docker: ContainerRuntimeClient): Promise<Part> => {
  const host = await findFreePort()
  const started = await run(KAFKA_IMAGE, { container: 9092, host }, kafkaEnv(host))
  // An open port is not enough: the broker serves when the controller has let it in, and says so in its log.
  const starts = async () => (await logsOf(docker, started.getId())).split('Kafka Server started').length - 1
  const prepareReady = async (): Promise<Ready> => {
    const before = await starts()
    return async () => (await starts()) > before
  }
  await until(READY_MS, 'the start of the Kafka container', async () => (await starts()) > 0).catch(async (error: unknown) => {
    await started.stop({ timeout: 0 })
    throw error
  })
  return {
    label: `Kafka ${tagOf(KAFKA_IMAGE)} through testcontainers`,
    env: { KAFKA_BROKERS: `127.0.0.1:${host}` },
    faults: faultsOf(docker, started, prepareReady),
    end: async () => void (await started.stop({ timeout: 0 })),
  }
}

const answers = async (url: string): Promise<boolean> => {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).arrayBuffer()
    return true
  } catch {
    // Not yet: who asks has a deadline.
    return false
  }
}

const startS3 = async (docker: ContainerRuntimeClient, more: Readonly<Record<string, string>>): Promise<Part> => {
  const host = await findFreePort()
  const endpoint = `http://127.0.0.1:${host}`
  // The data stays in the container's own layer: a tmpfs would be empty after a stop.
  const env = {
    ROOT_ACCESS_KEY: ACCESS.accessKeyId,
    ROOT_SECRET_KEY: ACCESS.secretAccessKey,
    VGW_BACKEND: 'posix',
    VGW_BACKEND_ARG: '/tmp',
    ...more,
  }
  const started = await run(S3_IMAGE, { container: 7070, host }, env)
  const ready = async () => await answers(endpoint)
  await until(READY_MS, 'the start of the S3 container', ready)
  const bucket = await createBucket({ endpoint, ...ACCESS })
  return {
    label: `S3 (versitygw ${tagOf(S3_IMAGE)}) through testcontainers`,
    env: {
      S3_ENDPOINT: endpoint,
      S3_BUCKET: bucket.name,
      AWS_ACCESS_KEY_ID: ACCESS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ACCESS.secretAccessKey,
      AWS_REGION: ACCESS.region,
    },
    faults: faultsOf(docker, started, async () => ready),
    end: async () => void (await started.stop({ timeout: 0 })),
  }
}

/** `s3`: settings of the S3 server beside ours. */
export const fromContainersWith =
  (s3: Readonly<Record<string, string>>) =>
  async (name: PartName): Promise<Attempt> => {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
    const docker = await within(PROBE_MS, 'asking Docker', getContainerRuntimeClient()).catch(() => null)
    if (docker === null) return { missing: 'no Docker engine answers' }
    await haveImage(docker, name === 'kafka' ? KAFKA_IMAGE : S3_IMAGE)
    return name === 'kafka' ? await startKafka(docker) : await startS3(docker, s3)
  }
export const fromContainers = fromContainersWith({})
