/** Reads the archive day by day and prepares what comes back out of it: half of what a rebuild costs. The store is asked through the main thread, which has it open. */
import { parentPort } from 'node:worker_threads'
import { newestOfDay } from '@newswire/archive/read-days'
import { messageOf, RejectError } from '@newswire/events/errors'
import type { Objects } from '@newswire/objects/objects'
import { type FromRestorer, prepareArticles, type ToRestorer } from './restore-prepare.ts'

/** Messages that may wait to be taken: the main thread never has to wait for the next. */
const AHEAD = 4

const tell = (message: FromRestorer, memory: readonly ArrayBuffer[] = []) => parentPort?.postMessage(message, memory)

let asked = 0
const answers = new Map<number, (value: never) => void>()
const ask = <T>(question: Readonly<{ kind: 'get'; key: string }> | Omit<Extract<FromRestorer, { kind: 'list' }>, 'id'>): Promise<T> => {
  asked += 1
  tell({ ...question, id: asked })
  return new Promise<T>(resolve => answers.set(asked, resolve))
}
/** No more than what is read of an archive. */
const objects: Pick<Objects, 'get' | 'list'> = {
  get: async key => {
    const bytes = await ask<Uint8Array | null>({ kind: 'get', key })
    return bytes === null ? null : { bytes, etag: '', contentType: '', lastModified: new Date(0) }
  },
  list: (prefix, options) => ask({ kind: 'list', prefix, options }),
}

let waiting = 0
let leave: (() => void) | null = null
const untilTaken = async (): Promise<void> => {
  if (waiting >= AHEAD) await new Promise<void>(resolve => (leave = resolve))
}

const readDays = async (folders: readonly string[]): Promise<void> => {
  for (const folder of folders) {
    const found = await newestOfDay(objects, folder)
    for (let from = 0; from < found.length; ) {
      await untilTaken()
      const { articles, memory, next } = prepareArticles(found, from)
      from = next
      waiting += 1
      tell({ kind: 'articles', articles }, [memory])
    }
    tell({ kind: 'day' })
  }
}

parentPort?.on('message', (message: ToRestorer) => {
  switch (message.kind) {
    case 'days':
      readDays(message.folders).catch(error =>
        tell({ kind: 'failed', code: error instanceof RejectError ? error.code : null, message: messageOf(error) }),
      )
      return
    case 'answer':
      answers.get(message.id)?.(message.value as never)
      answers.delete(message.id)
      return
    case 'taken':
      waiting -= 1
      leave?.()
      leave = null
      return
    default:
      message satisfies never
  }
})
