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

const preparing = createPreparing({ isNumbered: true })
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
const send = (prepared: readonly PreparedRecord[], bytes: number) => {
  const message: FromPreparer = {
    kind: 'prepared',
    records: prepared,
    bytes,
    counts: preparing.takeCounts(),
    words: preparing.takeWords(),
  }
  writer.postMessage(message, memoryOf(prepared))
  preparing.renew()
  ahead.push(prepared.length)
  count += prepared.length
}
const prepareAll = (records: readonly SentRecord[]) => {
  let bytes = 0
  let prepared: PreparedRecord[] = []
  for (const record of records) {
    bytes += record.value?.byteLength ?? 0
    prepared.push({ partition: record.partition, position: record.position, prepared: prepareRecord(record, preparing) })
    // Numbers of words begin anew then, which must not be within a message.
    if (!preparing.isFull()) continue
    send(prepared, bytes)
    ;[prepared, bytes] = [[], 0]
  }
  if (prepared.length > 0) send(prepared, bytes)
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
