/**
 * The only file that loads kafkajs. It mends what must be mended before the first connection and makes
 * clients with settings that survive a broker being away. Every producer, subscription and follower has a client of its own, because
 * consumers of one client share the map of committed offsets by group.
 */
import { createRequire } from 'node:module'
import type { ConnectionOptions } from 'node:tls'
import { promisify } from 'node:util'
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import kafkajs, { type Admin, type Cluster, type Consumer, type ISocketFactory, type Kafka, type Producer, type SASLOptions } from 'kafkajs'
import { fetchInSessions, MAX_WAIT_MS, type Pace } from './kafka-fetch.ts'
import { createKafkaSockets } from './kafka-sockets.ts'

export type KafkaSettings = Readonly<{
  /** `host:port` of one or more brokers; the others are found through them. */
  brokers: readonly string[]
  /** How the brokers name us in their logs and quotas. */
  clientId: string
  ssl?: boolean | ConnectionOptions
  sasl?: SASLOptions
  /** Makes the connections: for tunnels, and for tests that lose answers. Default plain TCP or TLS. */
  socketFactory?: ISocketFactory
}>

type GroupSettings = Readonly<{ groupId: string; sessionTimeoutMs: number; rebalanceTimeoutMs: number; pace?: Pace }>

export type KafkaClient = Readonly<{
  /** `isGone` is asked before every try of every record: true makes kafkajs give up its request, which it would otherwise repeat for 20 s. */
  producer(isGone: (topic: string) => boolean): Producer
  consumer(group: GroupSettings): Consumer
  admin(): Admin
  /** Connections without a group, for reading and for committing on behalf of a group at rest. */
  cluster(): Cluster
  /** The last few complaints of the client library, newest last: for people, never for decisions. */
  complaints(): readonly string[]
  /** Ends every connection, whatever waits on it, and makes no more. Twice is once. */
  end(): void
}>

export const { ConfigResourceTypes, CompressionTypes } = kafkajs

const KEPT_COMPLAINTS = 5
const CONNECTION_TIMEOUT_MS = 3000
const REQUEST_TIMEOUT_MS = 15_000
const METADATA_MAX_AGE_MS = 30_000
const MIB = 1_048_576
/** A record batch is at most 4 MiB; one that claims to unpack to more than this is an attack. */
const MAX_UNPACKED_BYTES = 64 * MIB

/** About 20 s of trying, as long as a broker's death may take to be noticed; who calls has a shorter deadline of their own. */
const patient = { retries: 25, initialRetryTime: 50, maxRetryTime: 1000 }
/** About 1 s: behind this stand loops of ours that try again. */
const brisk = { retries: 4, initialRetryTime: 50, maxRetryTime: 500 }
/** A consumer that runs out of retries leaves its group and comes back beside its own ghost. */
const stubborn = { retries: 1000, initialRetryTime: 50, maxRetryTime: 1000 }

type RequestQueue = { pending: readonly unknown[]; scheduleCheckPendingRequests: () => void }

/** kafkajs keeps a timer of 1 ms running for every connection although nothing waits: 5 % of a core at rest. */
const mendTimerLoop = () => {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue & { newswireMended?: true } }
  if (prototype.newswireMended) return
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this)
  }
  prototype.newswireMended = true
}

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** A tenth of a millisecond's work: below this the way to another thread and back costs five times as much as the work. */
const AT_ONCE_BYTES = 64 * 1024
const AT_ONCE_UNPACKED_BYTES = MIB

/** A packed batch of the brokers as it was. Throws what zlib throws: it is no zstd, or more than 64 MiB. */
export const unpack = async (packed: Buffer): Promise<Buffer> => {
  if (packed.length <= AT_ONCE_BYTES)
    try {
      return zstdDecompressSync(packed, { maxOutputLength: AT_ONCE_UNPACKED_BYTES })
    } catch (error) {
      // What unpacks to more than it looks like must not hold up everybody else.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error
    }
  return await decompress(packed, { maxOutputLength: MAX_UNPACKED_BYTES })
}

const addZstd = () => {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) =>
      buffer.length <= AT_ONCE_BYTES ? zstdCompressSync(buffer) : await compress(buffer),
    decompress: unpack,
  })
}

/** Prepares clients; nothing is connected yet. */
export const createKafkaClient = (settings: KafkaSettings): KafkaClient => {
  mendTimerLoop()
  addZstd()
  const complaints: string[] = []
  const sockets = createKafkaSockets(settings.socketFactory)
  const kafka = (retry: typeof patient): Kafka =>
    new kafkajs.Kafka({
      brokers: [...settings.brokers],
      clientId: settings.clientId,
      ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
      ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
      socketFactory: sockets.factory,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry,
      logLevel: kafkajs.logLevel.ERROR,
      logCreator:
        () =>
        ({ log }) => {
          const why = typeof log.error === 'string' ? `: ${log.error}` : ''
          complaints.push(`${log.timestamp} ${log.message}${why}`.slice(0, 300))
          if (complaints.length > KEPT_COMPLAINTS) complaints.shift()
        },
    })
  const consumer = (retry: typeof patient, group: GroupSettings, onCluster?: (cluster: Cluster) => void): Consumer =>
    kafka(retry).consumer({
      groupId: group.groupId,
      partitionAssigners: [
        config => {
          fetchInSessions(config.cluster, group.pace)
          onCluster?.(config.cluster)
          return kafkajs.PartitionAssigners.roundRobin(config)
        },
      ],
      sessionTimeout: group.sessionTimeoutMs,
      rebalanceTimeout: group.rebalanceTimeoutMs,
      heartbeatInterval: Math.min(1000, Math.floor(group.sessionTimeoutMs / 6)),
      maxWaitTimeInMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: MIB,
      maxBytes: 8 * MIB,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      readUncommitted: true,
      retry,
    })
  return {
    producer: isGone =>
      kafka(patient).producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        metadataMaxAge: METADATA_MAX_AGE_MS,
        createPartitioner:
          () =>
          ({ topic, message }) => {
            if (isGone(topic)) throw new kafkajs.KafkaJSNonRetriableError(`the topic ${topic} was deleted`)
            return message.partition ?? 0
          },
        retry: patient,
      }),
    consumer: group => consumer(stubborn, group),
    admin: () => kafka(patient).admin({ retry: patient }),
    cluster: () => {
      let found: Cluster | undefined
      const group = { groupId: `${settings.clientId}-unused`, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 }
      consumer(brisk, group, cluster => {
        found = cluster
      })
      if (found === undefined) throw new Error('kafkajs gave its assigner no cluster; only version 2.2.4 is known to work')
      return found
    },
    complaints: () => [...complaints],
    end: sockets.end,
  }
}
