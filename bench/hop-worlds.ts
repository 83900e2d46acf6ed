/**
 * Topics of its own for each hop, over one store: what a hop reads is offered to it as it should come, and the state that the hops before it left
 * in the store is there.
 */
import { topicSpecs } from '@newswire/events/topics'
import { createKafkaLog } from '@newswire/log/kafka'
import type { Log } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import { createS3Objects } from '@newswire/objects/s3'
import { deploymentEnv, readCpu } from './kafka.ts'
import { type Started, startNewswire, temporaryFolder } from './system.ts'

type Env = Readonly<Record<string, string>>

export type World = Readonly<{
  env: Env
  log: Log
  /** Starts `newswire run <service>` on these topics, beside what runs there. */
  start(service: string): Promise<Started>
  /** CPU milliseconds so far, by process. */
  cpu(): Record<string, number>
  /** Ends its processes; the topics stay. */
  stop(): Promise<void>
}>

export type Worlds = Readonly<{
  /** The one of that name, made when it is asked for first. */
  of(name: string): Promise<World>
  close(): Promise<void>
}>

/** `parts`: the settings that reach broker and store. Topics and objects stay there, under a prefix of their own. */
export const createWorlds = async (parts: Env): Promise<Worlds> => {
  const folder = temporaryFolder()
  const base = deploymentEnv(parts, folder.path)
  const of = (name: string): string => base[name] ?? ''
  const objects = await createS3Objects({
    bucket: of('S3_BUCKET'),
    endpoint: of('S3_ENDPOINT'),
    prefix: of('S3_PREFIX'),
    credentials: { accessKeyId: of('AWS_ACCESS_KEY_ID'), secretAccessKey: of('AWS_SECRET_ACCESS_KEY') },
  })
  const worlds = new Map<string, World>()

  const make = async (name: string): Promise<World> => {
    const topicPrefix = `${of('KAFKA_TOPIC_PREFIX')}${name}-`
    const env = { ...base, KAFKA_TOPIC_PREFIX: topicPrefix, NEWSWIRE_DATA: `${folder.path}/${name}` }
    const log = await createKafkaLog({ brokers: of('KAFKA_BROKERS').split(','), clientId: 'bench-hops', topicPrefix })
    await log.topics(topicSpecs, { apply: true })
    const running = new Map<string, Started>()
    return {
      env,
      log,
      start: async service => {
        // To the store these topics are a log that was replaced: what it remembers of the one before would refuse the start.
        await objects.delete(keys.logMark())
        const started = await startNewswire(['run', service], env)
        running.set(service, started)
        return started
      },
      cpu: () =>
        readCpu(
          [...running.values()],
          [...running.keys()].map(service => [service]),
          parts,
        ),
      stop: async () => {
        await Promise.all([...running.values()].map(one => one.stop()))
        running.clear()
      },
    }
  }

  return {
    of: async name => {
      const world = worlds.get(name) ?? (await make(name))
      worlds.set(name, world)
      return world
    },
    close: async () => {
      for (const { stop, log } of worlds.values()) {
        await stop()
        await log.close({ drainMs: 0 })
      }
      await objects.close()
      folder.remove()
    },
  }
}
