/** The archive as it comes back: articles in its order, read and prepared on threads of their own, which take the days by turns. */
import { Worker } from 'node:worker_threads'
import { RejectError, toError } from '@newswire/events/errors'
import type { Objects } from '@newswire/objects/objects'
import type { FromRestorer, PreparedArticle, ToRestorer } from './restore-prepare.ts'

/** Preparing costs more than putting and publishing, and who puts needs a core as well: more than two would wait for him. */
const THREADS = 2

export type Restorer = Readonly<{
  /** Articles of these days, in their order, some at a time. Once. Throws what the store threw, or `RejectError` when something in the archive is damaged. */
  read(objects: Pick<Objects, 'get' | 'list'>, folders: readonly string[]): AsyncGenerator<Restoring>
  stop(): Promise<void>
}>
/** Some articles of a day, and whether there are no more of it. */
type Restoring = Readonly<{ folder: string; articles: readonly PreparedArticle[]; isLast: boolean }>

type Told = Extract<FromRestorer, { kind: 'articles' | 'day' }>

const startThread = () => {
  const worker = new Worker(new URL('./restore-thread.ts', import.meta.url))
  let objects: Pick<Objects, 'get' | 'list'>
  const told: Told[] = []
  let failure: Error | null = null
  let wake = Promise.withResolvers<void>()
  const tell = (message: ToRestorer) => worker.postMessage(message)
  const fail = (error: Error) => {
    failure ??= error
    wake.resolve()
  }
  const answer = (id: number, value: Promise<Extract<ToRestorer, { kind: 'answer' }>['value']>) => {
    value.then(found => tell({ kind: 'answer', id, value: found })).catch(fail)
  }
  worker.on('message', (message: FromRestorer) => {
    switch (message.kind) {
      case 'get':
        answer(
          message.id,
          objects.get(message.key).then(found => found?.bytes ?? null),
        )
        return
      case 'list':
        answer(message.id, objects.list(message.prefix, message.options))
        return
      case 'failed':
        fail(message.code === null ? new Error(message.message) : new RejectError(message.code, message.message))
        return
      default:
        told.push(message)
        wake.resolve()
    }
  })
  worker.on('error', error => fail(toError(error)))
  worker.on('exit', () => fail(new Error('the thread that reads the archive ended')))

  const next = async (): Promise<Told> => {
    for (;;) {
      const first = told.shift()
      if (failure !== null) throw failure
      if (first !== undefined) return first
      await wake.promise
      wake = Promise.withResolvers<void>()
    }
  }
  return {
    begin: (store: Pick<Objects, 'get' | 'list'>, folders: readonly string[]) => {
      objects = store
      tell({ kind: 'days', folders })
    },
    async *day(folder: string): AsyncGenerator<Restoring> {
      for (let message = await next(); message.kind === 'articles'; message = await next()) {
        tell({ kind: 'taken' })
        yield { folder, articles: message.articles, isLast: false }
      }
      yield { folder, articles: [], isLast: true }
    },
    stop: async () => void (await worker.terminate()),
  }
}

/** Begins at once, so that the threads are there when the store and the log are. */
export const startRestorer = (): Restorer => {
  const threads = Array.from({ length: THREADS }, startThread)
  return {
    async *read(objects, folders) {
      for (const [at, thread] of threads.entries())
        thread.begin(
          objects,
          folders.filter((_, day) => day % threads.length === at),
        )
      for (const [day, folder] of folders.entries()) yield* threads[day % threads.length]?.day(folder) ?? []
    },
    stop: async () => void (await Promise.all(threads.map(thread => thread.stop()))),
  }
}
