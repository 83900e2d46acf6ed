/** What the machine and the bare libraries can do: stands beside every figure, measured in the same run. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { topics } from '@newswire/events/topics'
import { createKafkaLog } from '@newswire/log/kafka'
import { quantile, round, timed } from './measure.ts'

const BODY = Buffer.alloc(4096, 'a')

const summary = (ms: readonly number[]) => ({
  p50Ms: round(quantile(ms, 0.5), 3),
  p99Ms: round(quantile(ms, 0.99), 3),
  perSecond: round(1000 / (ms.reduce((a, b) => a + b, 0) / ms.length), 0),
})

/** One 4 KiB row a transaction, synced; and one 4 KiB file write, synced. */
export const diskFloors = () => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-floor-'))
  try {
    const db = new DatabaseSync(join(folder, 'floor.db'))
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)')
    const insert = db.prepare('INSERT INTO t (v) VALUES (?)')
    const sqlite = timed(1000, () => insert.run(BODY))
    db.close()
    const files = timed(500, index => {
      const descriptor = openSync(join(folder, `f${index}`), 'wx')
      writeSync(descriptor, BODY)
      fdatasyncSync(descriptor)
      closeSync(descriptor)
    })
    return { sqliteInsertSynced: summary(sqlite), filePutSynced: summary(files) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One record to Kafka and back to a handler, one at a time. */
export const kafkaFloor = async (brokers: readonly string[]) => {
  const log = await createKafkaLog({ brokers, clientId: 'bench-floor', topicPrefix: `floor-${process.pid}-` })
  try {
    await log.topics([{ ...topics.submissions, partitions: 1 }], { apply: true })
    let arrived: (() => void) | undefined
    const subscription = await log.subscribe({ topic: topics.submissions.name, group: 'floor', handle: async () => arrived?.() })
    const trips: number[] = []
    for (let index = 0; index < 300; index++) {
      const back = new Promise<void>(resolve => {
        arrived = resolve
      })
      const began = performance.now()
      await log.publish([{ topic: topics.submissions.name, key: String(index), value: BODY }])
      await back
      trips.push(performance.now() - began)
    }
    await subscription.stop()
    return { roundTrip: summary(trips.slice(50)) }
  } finally {
    await log.close()
  }
}
