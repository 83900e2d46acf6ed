/** Kafka from Maven's jars and S3 from Go's sources, by the scripts of infra/dev: for machines without Docker. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { createBucket } from './bucket.ts'
import type { Attempt, Part, PartName } from './parts.ts'
import { findFreePort } from './ports.ts'

const DEV = join(import.meta.dirname, '..', 'dev')
/** A first start downloads 45 MB of jars or compiles for two minutes. */
const LIMIT_MS = 900_000
/** How the scripts say: not to be had here. */
const UNAVAILABLE = 3

type Ran = Readonly<{ status: number; settings: Readonly<Record<string, string>>; complaint: string }>

const runScript = async (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  await new Promise((resolve, reject) => {
    execFile(
      join(DEV, script),
      args,
      { timeout: LIMIT_MS, maxBuffer: 1 << 22, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') {
          reject(error)
          return
        }
        const lines = stdout.split('\n').filter(line => line.includes('='))
        const settings = Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, settings, complaint: stderr.trim().split('\n').at(-1) ?? '' })
      },
    )
  })

const must = async (script: string, args: readonly string[]): Promise<Ran> => {
  const ran = await runScript(script, args)
  if (ran.status !== 0) throw new Error(`infra/dev/${script} ${args[0]} failed: ${ran.complaint}`)
  return ran
}

const setting = (ran: Ran, name: string): string => {
  const value = ran.settings[name]
  if (value === undefined) throw new Error(`the script did not print ${name}`)
  return value
}

const startKafka = async (dir: string, jvm: string): Promise<Attempt> => {
  const quick = ['--set', 'broker.session.timeout.ms=3000', '--set', 'broker.heartbeat.interval.ms=500']
  const env = { KAFKA_JVM_OPTS: [process.env.KAFKA_JVM_OPTS ?? '', jvm].join(' ').trim() }
  const ran = await runScript('kafka.sh', ['start', '--dir', dir, '--port', String(await findFreePort()), ...quick], env)
  if (ran.status === UNAVAILABLE) return { missing: ran.complaint }
  if (ran.status !== 0) return { missing: `infra/dev/kafka.sh failed: ${ran.complaint}` }
  return {
    label: `Kafka ${ran.settings['KAFKA_VERSION'] ?? ''} through Java and Maven`.replace('  ', ' '),
    env: { KAFKA_BROKERS: setting(ran, 'KAFKA_BROKERS') },
    faults: {
      stop: async () => void (await must('kafka.sh', ['stop', '--dir', dir])),
      kill: async () => void (await must('kafka.sh', ['kill', '--dir', dir, '--node', '1'])),
      start: async () => void (await must('kafka.sh', ['start', '--dir', dir])),
    },
    end: async () => void (await must('kafka.sh', ['stop', '--dir', dir, '--wipe'])),
  }
}

const startS3 = async (dir: string, options: readonly string[]): Promise<Attempt> => {
  const port = String(await findFreePort())
  const start = ['start', '--dir', dir, '--port', port, ...options]
  const ran = await runScript('s3.sh', start)
  if (ran.status === UNAVAILABLE) return { missing: ran.complaint }
  if (ran.status !== 0) return { missing: `infra/dev/s3.sh failed: ${ran.complaint}` }
  const access = {
    endpoint: setting(ran, 'S3_ENDPOINT'),
    accessKeyId: setting(ran, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: setting(ran, 'AWS_SECRET_ACCESS_KEY'),
    region: setting(ran, 'AWS_REGION'),
  }
  const bucket = await createBucket(access)
  const stop = async () => void (await must('s3.sh', ['stop', '--dir', dir]))
  const part: Part = {
    label: `S3 (versitygw ${ran.settings['S3_VERSION'] ?? ''}) through Go`.replace(' )', ')'),
    env: {
      S3_ENDPOINT: access.endpoint,
      S3_BUCKET: bucket.name,
      AWS_ACCESS_KEY_ID: access.accessKeyId,
      AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
      AWS_REGION: access.region,
    },
    faults: {
      stop,
      kill: async () => void (await must('s3.sh', ['kill', '--dir', dir])),
      start: async () => void (await must('s3.sh', start)),
    },
    end: async () => void (await must('s3.sh', ['stop', '--dir', dir, '--wipe'])),
  }
  return part
}

/** Starts the parts below `folder`, one folder each. `s3`: more options of `s3.sh start`; `jvm`: more of the broker's virtual machine. */
export const fromScripts =
  (folder: string, { s3 = [], jvm = '' }: { s3?: readonly string[]; jvm?: string } = {}) =>
  async (name: PartName): Promise<Attempt> =>
    name === 'kafka' ? await startKafka(join(folder, 'kafka'), jvm) : await startS3(join(folder, 's3'), s3)
