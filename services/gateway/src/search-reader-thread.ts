/** Answers searches on a thread of its own: the thread that serves feeds never waits for one. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import type { FromReader, ToReader } from './search-messages.ts'
import { createReader } from './search-reader.ts'

let db: DatabaseSync | undefined
let find: ReturnType<typeof createReader> | undefined

const open = (file: string) => {
  find = undefined
  db?.close()
  db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 })
  db.exec('PRAGMA cache_size = -16384; PRAGMA mmap_size = 1073741824; PRAGMA temp_store = MEMORY')
  find = createReader(db)
}

const answer = (message: Extract<ToReader, { kind: 'find' }>): FromReader => {
  try {
    if (find === undefined) throw new Error('no index is open')
    return { id: message.id, found: find(message.query) }
  } catch (error) {
    return { id: message.id, error: messageOf(error) }
  }
}

parentPort?.on('message', (message: ToReader) => {
  if (message.kind === 'open') open(message.file)
  else parentPort?.postMessage(answer(message))
})
