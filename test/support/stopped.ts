/** The log and the store of a system that is stopped, opened by the test: for what nobody can do from outside. */
import { join } from 'node:path'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { Log, LogRecord } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { System } from './system.ts'

export const withLog = async <T>({ dataDir }: Pick<System, 'dataDir'>, use: (log: Log) => Promise<T>): Promise<T> => {
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  try {
    return await use(log)
  } finally {
    await log.close()
  }
}

export const withObjects = async <T>({ dataDir }: Pick<System, 'dataDir'>, use: (objects: Objects) => Promise<T>): Promise<T> => {
  const objects = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  try {
    return await use(objects)
  } finally {
    await objects.close()
  }
}

/** Every record of a topic, partition by partition. */
export const readTopic = async (log: Log, topic: string): Promise<LogRecord[]> => {
  const found: LogRecord[] = []
  for (const { partition, start, end } of await log.ends(topic))
    for (let next = start; next < end; ) {
      const read = await log.read({ topic, partition, from: { positions: { [partition]: next } }, limit: 500 })
      found.push(...read.records)
      next = read.next
      if (read.records.length === 0) break
    }
  return found
}

/** Every object below a prefix with its tag, in order. */
export const listAll = async (objects: Objects, prefix: string): Promise<{ key: string; etag: string }[]> => {
  const found: { key: string; etag: string }[] = []
  for await (const page of listPages(objects, prefix)) found.push(...page.map(({ key, etag }) => ({ key, etag })))
  return found
}
