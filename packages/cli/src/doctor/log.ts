/** The log: that it can be reached or read, that its topics are as wanted, and that it is the one that the store knows. */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { codeOf, messageOf } from '@newswire/events/errors'
import { topicSpecs, topics } from '@newswire/events/topics'
import { type LogLook, lookAtEmbeddedLog } from '@newswire/log/embedded-look'
import type { Log, TopicReport } from '@newswire/log/log'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import type { Objects } from '@newswire/objects/objects'
import type { Settings } from '@newswire/runtime/settings'
import { connectLog } from '../compose.ts'
import { emptySide, findReplacedLog, type LogSide, sideOf } from '../log-mark.ts'
import { byStarting, type Finding, failed, looking, ok, warning, within } from './finding.ts'

const REACH_WITHIN_MS = 3_000
const ANSWER_WITHIN_MS = 30_000

/** `log`: of Kafka, open; whoever has it closes it. `file`: of an embedded one, as it lies there. */
export type LogState = Readonly<{ findings: readonly Finding[]; log: Log | null; file: LogLook | null }>

const nothing = (findings: readonly Finding[]): LogState => ({ findings, log: null, file: null })

const toTopicFindings = (reports: readonly TopicReport[], isKafka: boolean): readonly Finding[] => {
  const missing = reports.filter(one => one.state === 'missing').map(one => one.topic)
  const differing = reports.filter(one => one.state === 'differs').map(one => `${one.topic} (${one.differences.join('; ')})`)
  const isFixed = reports.some(one => one.differences.some(difference => difference.includes('partition')))
  if (missing.length > 0)
    return isKafka
      ? [failed('topics', `missing: ${missing.join(', ')}`, '`newswire topics apply`')]
      : [warning('topics', `not made yet: ${missing.join(', ')}`, byStarting.make)]
  if (differing.length === 0) return [ok('topics', `${reports.length} as they should be`)]
  const words = `not as they should be: ${differing.join(', ')}`
  if (isFixed)
    return [failed('topics', words, 'Partition counts can never be changed: use another KAFKA_TOPIC_PREFIX, or another data folder.')]
  return [warning('topics', words, isKafka ? '`newswire topics apply`' : byStarting.change)]
}

const lookAtMark = (log: LogSide, objects: Pick<Objects, 'get'> | null): Promise<readonly Finding[]> =>
  looking('log-mark', async () => {
    if (objects === null) return [warning('log-mark', 'without a store it is not known whether this log belongs to it')]
    const replaced = await findReplacedLog(log, objects)
    if (replaced !== null) return [failed('log-mark', replaced.offence, replaced.remedy)]
    return [ok('log-mark', 'this is the log that the store knows, or neither has articles')]
  })

const lookAtFile = async (settings: Settings, found: ObjectsReader | null): Promise<LogState> => {
  const { dataDir } = settings
  const path = join(dataDir, 'log.db')
  // A store that is not there at all is told of as one that was lost, when the log has articles.
  const isMissing = settings.s3 === null && !existsSync(join(dataDir, 'objects', 'objects.db'))
  const objects = found ?? (isMissing ? { get: async () => null } : null)
  const file = lookAtEmbeddedLog(path, topicSpecs, [topics.deadLetters.name])
  if (file === null) {
    const mark = await lookAtMark(emptySide, objects)
    return nothing([warning('log', `there is no log in ${dataDir} yet`, byStarting.first), ...(found === null ? [] : mark)])
  }
  const size = `${path}, ${Math.ceil(file.bytes / 1024 ** 2)} MiB`
  const log =
    file.damage === undefined
      ? ok('log', `${size}; too large to be read whole for a look`)
      : file.damage === null
        ? ok('log', size)
        : failed(
            'log',
            `${path} is damaged: ${file.damage}`,
            'Stop Newswire, keep a copy, restore log.db from a backup. If there is none: `newswire rebuild all` makes what was released again from the archive.',
          )
  return {
    findings: [log, ...toTopicFindings(file.topics, false), ...(await lookAtMark({ kind: 'embedded', ...file }, objects))],
    log: null,
    file,
  }
}

/** `null` when somebody takes connections there. */
const findReachOffence = (broker: string): Promise<string | null> =>
  new Promise(resolve => {
    const at = broker.lastIndexOf(':')
    const socket = connect({ host: broker.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(broker.slice(at + 1)) })
    const end = (offence: string | null) => {
      socket.destroy()
      resolve(offence)
    }
    socket.setTimeout(REACH_WITHIN_MS, () => end(`no answer within ${REACH_WITHIN_MS / 1000} s`))
    socket.once('connect', () => end(null)).once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })

const lookAtBrokers = async (brokers: readonly string[]): Promise<readonly Finding[]> => {
  const offences = await Promise.all(brokers.map(async broker => ({ broker, offence: await findReachOffence(broker) })))
  const away = offences.filter(one => one.offence !== null).map(one => `${one.broker} (${one.offence})`)
  if (away.length === 0) return []
  const words = `not reached: ${away.join(', ')}`
  return away.length === brokers.length
    ? [
        failed(
          'log',
          `no broker of KAFKA_BROKERS takes connections; ${words}`,
          'Start Kafka, or mend KAFKA_BROKERS or what stands between.',
        ),
      ]
    : [warning('log', words, 'Start these brokers again, or take them out of KAFKA_BROKERS.')]
}

const readOnly = (objects: Pick<ObjectsReader, 'get'> | null): Pick<Objects, 'get' | 'put'> => ({
  get: async key => (objects === null ? null : objects.get(key)),
  put: async () => {
    throw new Error('the doctor writes nothing here')
  },
})

const lookAtKafka = async (settings: Settings, objects: ObjectsReader | null): Promise<LogState> => {
  const brokers = await lookAtBrokers(settings.kafkaBrokers)
  if (brokers.some(one => one.state === 'failed')) return nothing(brokers)
  let log: Log | null = null
  try {
    log = await within(ANSWER_WITHIN_MS, 'Kafka', connectLog(settings, readOnly(objects), 'doctor'))
    const reports = await within(ANSWER_WITHIN_MS, 'Kafka', log.topics(topicSpecs))
    const answers = brokers.length > 0 ? brokers : [ok('log', `Kafka answers at ${settings.kafkaBrokers.join(', ')}`)]
    const findings = [...answers, ...toTopicFindings(reports, true)]
    if (reports.every(one => one.state !== 'missing'))
      return { findings: [...findings, ...(await lookAtMark(sideOf(log), objects))], log, file: null }
    await log.close({ drainMs: 0 })
    return nothing(findings)
  } catch (error) {
    await log?.close({ drainMs: 0 }).catch(() => undefined) // it has just failed
    const isRefused = /sasl|auth/i.test(codeOf(error)) || /sasl|authenticat/i.test(messageOf(error))
    return nothing([
      ...brokers,
      failed(
        'log',
        messageOf(error),
        isRefused ? 'Look at KAFKA_SASL_* and KAFKA_SSL.' : 'Look at KAFKA_BROKERS, KAFKA_SSL and the brokers.',
      ),
    ])
  }
}

/** `objects`: the store that the log belongs to, when there is one. */
export const lookAtLog = async (settings: Settings, objects: ObjectsReader | null): Promise<LogState> => {
  if (settings.kafkaBrokers.length > 0) return lookAtKafka(settings, objects)
  try {
    return await lookAtFile(settings, objects)
  } catch (error) {
    return nothing([
      failed('log', messageOf(error), 'Look at the disk and at who owns the file; restore log.db from a backup if it is damaged.'),
    ])
  }
}
