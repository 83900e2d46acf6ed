/**
 * Takes the words out of articles while an index is made from much of the log, so that the thread that writes only writes: together they are as fast as the
 * slower of the two. It keeps a few thousand articles ahead, because the other one takes nothing while it is in a transaction.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { FromLog, FromPreparer, FromWriter, PreparedRecord, SentRecord, Taken } from './search-messages.ts'
import { prepareRecord } from './search-prepare.ts'
import { createPreparing } from './search-text.ts'

const { writer } = workerData as Readonly<{ writer: MessagePort }>
/** Records that may wait for the writing thread: more than it puts into one transaction, so that the next one is there when it is done. */
const MAX_AHEAD = 6_000

/** Sizes of what was sent and not taken yet. */
const ahead: number[] = []
let count = 0
/** The main thread waits for leave to send more. */
let isOwed = false

const preparing = createPreparing()
/** The pieces of memory that terms lie in. */
const memoryOf = (records: readonly PreparedRecord[]): ArrayBuffer[] => {
  const pieces = records.flatMap(({ prepared }) => (prepared?.live == null ? [] : [prepared.live.findable]))
  return [...new Set(pieces.flatMap(({ terms, titleTerms }) => [terms.buffer, titleTerms.buffer]))]
}
const leave = () => {
  if (!isOwed || count > MAX_AHEAD) return
  isOwed = false
  parentPort?.postMessage({ kind: 'took' } satisfies FromWriter)
}
const prepareAll = (records: readonly SentRecord[]) => {
  let bytes = 0
  const prepared = records.map(record => {
    bytes += record.value?.byteLength ?? 0
    return { partition: record.partition, position: record.position, prepared: prepareRecord(record, preparing) }
  })
  const message: FromPreparer = { kind: 'prepared', records: prepared, bytes, counts: preparing.takeCounts() }
  writer.postMessage(message, memoryOf(prepared))
  preparing.renew()
  ahead.push(records.length)
  count += records.length
}

writer.on('message', (_: Taken) => {
  count -= ahead.shift() ?? 0
  leave()
})
parentPort?.on('message', (message: FromLog) => {
  if (message.kind === 'reached') return writer.postMessage(message satisfies FromPreparer)
  prepareAll(message.records)
  isOwed = true
  leave()
})
