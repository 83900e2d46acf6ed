/** The composition root: from settings to what every service is given. The only place that knows which adapter is behind a port. */
import { join } from 'node:path'
import type { NewswireConfig } from '@newswire/events/config'
import { topicSpecs } from '@newswire/events/topics'
import { publishEvents } from '@newswire/log/events'
import type { LaneObservers } from '@newswire/log/lanes'
import { createLateLog } from '@newswire/log/late-log'
import type { Log } from '@newswire/log/log'
import { keepAtHand } from '@newswire/objects/at-hand'
import { readFromBundles } from '@newswire/objects/bundle-reader'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { proveObjects } from '@newswire/objects/probe'
import { createSealing, makeSealingKey, parseSealingKey } from '@newswire/objects/sealed'
import { createOutbound } from '@newswire/outbound/create-outbound'
import { applyConfiguration } from '@newswire/runtime/apply-config'
import { createConfiguration } from '@newswire/runtime/configuration'
import { createLogger, type Logger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import type { ServiceContext } from '@newswire/runtime/service'
import { type Environment, findMisspelt, redactedSettings, type Settings } from '@newswire/runtime/settings'
import { createSpanExporter } from '@newswire/runtime/span-exporter'
import { readTelemetry } from '@newswire/runtime/telemetry'
import { createTrace, type Trace } from '@newswire/trace/trace'
import { makeDataFolder } from './data-folder.ts'
import { keepPrivate, readPrivate } from './local-access.ts'
import { checkLogMark, checkLogMarkBeforeOpening, keepLogMark, keepMark, readEpoch, sideOf } from './log-mark.ts'
import { observeLanes } from './observe.ts'
import { openObjects } from './open-objects.ts'
import { listSealed } from './sealed-secrets.ts'
import { takeViewsFolder, type ViewsFolder } from './views-folder.ts'

export type Ports = Readonly<{ log: Log; objects: Objects; close(): Promise<void> }>

/** Bytes of dead letters that are too many for a record. */
const storeDeadLetter = (objects: Pick<Objects, 'put'>) => async (id: string, bytes: Uint8Array) => {
  const key = keys.deadLetterBytes(id)
  await objects.put(key, bytes, { ifNoneMatch: '*' })
  return key
}

/** `onCrash`: a subscription or follower has stopped for good; the process should end and be started again. */
type Watch = LaneObservers &
  Readonly<{
    onCrash?: (error: Error) => void
    /** Below which no partition of an embedded log goes on (default 0), for a log that takes the place of a lost one: whether it belongs to the store is not asked then. */
    floor?: number
    /** See `KafkaLogOptions`. */
    membersFile?: () => string | null
  }>

type LogOptions = Watch &
  Readonly<{
    /** Where it may come later: what must hold of it before it is used, and whom to tell. Without, a log that is not there is thrown. */
    late?: Readonly<{ check: (log: Log, objects: Objects) => Promise<void>; logger: Logger }>
  }>

const openLog = async (settings: Settings, objects: Objects, clientId: string, { late, ...options }: LogOptions): Promise<Log> => {
  if (late === undefined) return connectLog(settings, objects, clientId, options)
  const { check, logger } = late
  return createLateLog({
    kind: 'kafka',
    connect: async () => {
      const log = await connectLog(settings, objects, clientId, options)
      return check(log, objects).then(
        () => log,
        async error => {
          await log.close({ drainMs: 0 })
          throw error
        },
      )
    },
    onLate: reason => logger.warn({ reason }, 'log.away'),
    onThere: () => logger.info('log.there'),
    onFailed: error => options.onCrash?.(error),
  })
}

/** The log of the settings. Throws when it cannot be had. */
export const connectLog = async (
  settings: Settings,
  objects: Pick<Objects, 'get' | 'put'>,
  clientId: string,
  watch: Watch = {},
): Promise<Log> => {
  const common = { ...watch, retryScale: settings.retryScale, storeBytes: storeDeadLetter(objects) }
  if (settings.kafkaBrokers.length === 0) {
    const { createEmbeddedLog } = await import('@newswire/log/embedded')
    return createEmbeddedLog({
      ...common,
      file: join(settings.dataDir, 'log.db'),
      fsync: settings.fsync,
    })
  }
  const { createKafkaLog } = await import('@newswire/log/kafka')
  return createKafkaLog({
    ...common,
    brokers: settings.kafkaBrokers,
    clientId,
    ssl: settings.kafkaSsl,
    ...(settings.kafkaSasl === null ? {} : { sasl: settings.kafkaSasl }),
    topicPrefix: settings.kafkaTopicPrefix,
    epoch: await readEpoch(objects),
  })
}

/** Both ports, open and proven. Throws with what to do when one cannot be had, or an embedded log and the store do not belong together. */
export const openPorts = async (settings: Settings, clientId: string, watch: LogOptions = {}): Promise<Ports> => {
  if (settings.kafkaBrokers.length === 0 && watch.floor === undefined) await checkLogMarkBeforeOpening(settings)
  await makeDataFolder(settings.dataDir)
  const objects = keepAtHand(readFromBundles(await openObjects(settings)))
  try {
    await proveObjects(objects, settings.s3 === null ? 'disk' : `${settings.s3.endpoint ?? 'aws'}/${settings.s3.bucket}`, Date.now)
    const log = await openLog(settings, objects, clientId, watch)
    return {
      log,
      objects,
      close: async () => {
        try {
          await log.close()
        } finally {
          await objects.close()
        }
      },
    }
  } catch (error) {
    await objects.close()
    throw error
  }
}

class TopicsError extends Error {
  readonly code = 'NEWSWIRE_TOPICS'
}

/** On our own log topics are made as needed; on Kafka an operator makes them, once, with `newswire topics apply`. */
const readyTopics = async (log: Log, apply: boolean): Promise<void> => {
  const reports = await log.topics(topicSpecs, { apply })
  const missing = reports.filter(report => report.state === 'missing').map(report => report.topic)
  if (missing.length > 0) throw new TopicsError(`These topics are missing: ${missing.join(', ')}. Run \`newswire topics apply\` first.`)
  const wrong = reports.filter(report => report.differences.some(difference => difference.includes('partition')))
  if (wrong.length > 0)
    throw new TopicsError(
      `Partition counts differ, and they can never be changed: ${wrong.map(report => `${report.topic} (${report.differences.join('; ')})`).join(', ')}. Use another KAFKA_TOPIC_PREFIX.`,
    )
}

type ComposeOptions = Readonly<{
  settings: Settings
  environment: Environment
  clientId: string
  /** Applied before anything starts. */
  config?: NewswireConfig
  /** Secrets besides those of the environment, by the name that the configuration uses. */
  secrets?: Readonly<Record<string, string>>
  /** Made and kept in the data folder when the settings name none; only where nobody else reads the store. */
  makesSealingKey?: boolean
  createTopics: boolean
  /** Whether the process is of use while Kafka cannot be reached at its start (default false). */
  startsWithoutLog?: boolean
  onCrash: (error: Error) => void
}>

/** A new key opens nothing that is sealed already: made in place of one that was lost, it would hide that until the archive is to be closed. */
const refuseLostKey = async (file: string, objects: Objects): Promise<void> => {
  if ((await readPrivate(file)) !== null || (await listSealed(objects)).length === 0) return
  const remedy = `put it back, or set NEWSWIRE_SECRET_KEY to the key that sealed them. If it is lost for good, set NEWSWIRE_SECRET_KEY to a new one (\`openssl rand -base64 32\`), then \`newswire archive rotate-key\`, and \`newswire outlets rotate\` for outlets with a made secret`
  throw new Error(`${file} is missing or empty, and secrets are sealed with it; ${remedy}`)
}

/** Beside the data it seals, readable by its owner alone: what a backup of the objects alone does not give away. */
const sealingKeyOf = async ({ secretKey, dataDir }: Settings, objects: Objects, makes: boolean): Promise<Uint8Array | null> => {
  const file = join(dataDir, 'secret-key')
  if (secretKey === null && makes) await refuseLostKey(file, objects)
  const text = secretKey ?? (makes ? await keepPrivate(file, makeSealingKey) : null)
  if (text === null) return null
  const key = parseSealingKey(text)
  if (key === null) throw new Error(`${file} holds no key; put back the one that was there, or remove it with the secrets it sealed`)
  return key
}

export type Composition = Readonly<{ context: ServiceContext; close(): Promise<void> }>

/** Everything a service is given. Closing lets go in the opposite order. */
export const compose = async ({
  settings,
  environment,
  clientId,
  config,
  secrets = {},
  makesSealingKey = false,
  createTopics,
  startsWithoutLog = false,
  onCrash,
}: ComposeOptions): Promise<Composition> => {
  const logger = createLogger({ service: clientId, level: settings.logLevel })
  logger.info(redactedSettings(settings), 'settings.in-force')
  for (const one of findMisspelt(environment)) logger.warn(one, 'settings.misspelt')
  const metrics = createMetrics()
  const telemetry = readTelemetry(environment, clientId, reason => logger.warn({ reason }, 'telemetry.setting-ignored'))
  const spans = telemetry && createSpanExporter(telemetry, logger)
  const check = async (log: Log, objects: Objects) => {
    await readyTopics(log, createTopics)
    if (log.kind === 'kafka') await checkLogMark(sideOf(log), objects)
  }
  const late = startsWithoutLog ? { check, logger } : undefined
  let views: ViewsFolder | null = null
  // The folder is nobody else's while its lock is held: whoever had it before is dead.
  const membersFile = () => views && join(views.path, 'members.json')
  const ports = await openPorts(settings, clientId, {
    ...observeLanes(logger, metrics, spans),
    onCrash,
    membersFile,
    ...(late && { late }),
  })
  const { log, objects } = ports
  try {
    // Where log and store are shared, this process is one of many; alone, its data folder is its own already.
    if (settings.kafkaBrokers.length > 0 && settings.s3 !== null) views = await takeViewsFolder(objects, settings, clientId)
    const viewsDir = views?.path ?? settings.dataDir
    if (!startsWithoutLog) await check(log, objects)
    const now = Date.now
    if (config !== undefined) await applyConfiguration({ objects, publish: publishEvents(log), config, now })
    const configuration = await createConfiguration({ objects, log, logger })
    const poison = metrics.counter('newswire_projection_poison_total', 'Records that a local view had to pass over.', ['topic'])
    const sealingKey = await sealingKeyOf(settings, objects, makesSealingKey && settings.s3 === null)
    const outbound = createOutbound({ network: () => configuration.current().network })
    // Before anything is sent: killed with articles in the log and no mark in the store, it would be refused from then on.
    if (!startsWithoutLog) await keepMark(log, objects, { begins: true })
    const mark = keepLogMark({ log, objects, logger })
    let opening: Promise<Trace> | undefined
    const trace = () => {
      opening ??= createTrace({
        log,
        file: join(viewsDir, 'views', 'trace.db'),
        onPoison: details => {
          poison.inc({ topic: 'milestones' })
          logger.error({ topic: 'milestones', ...details }, 'projection.record-refused')
        },
      })
      return opening
    }
    return {
      context: {
        settings: { ...settings, dataDir: viewsDir },
        log,
        objects,
        outbound,
        configuration,
        logger,
        metrics,
        trace,
        now,
        ...(spans && { spans }),
        secret: name => secrets[name] ?? environment[name],
        sealing: sealingKey === null ? null : createSealing(objects, sealingKey),
      },
      close: async () => {
        await mark.stop()
        if (opening) await (await opening).stop()
        await configuration.close()
        await outbound.close()
        await ports.close()
        await spans?.close()
        views?.release()
      },
    }
  } catch (error) {
    await ports.close()
    views?.release()
    throw error
  }
}
