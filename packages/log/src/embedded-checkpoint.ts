/** Decides when the WAL is moved into the database file. While much is written it never empties by itself, so now and then writing pauses. */
import { Worker } from 'node:worker_threads'
import type { CheckpointReport, CheckpointRequest } from './embedded-checkpoint-worker.ts'

type Checkpoints = Readonly<{
  /** Tells how much was committed. */
  wrote(bytes: number): void
  close(): Promise<void>
}>

type Needs = Readonly<{
  path: string
  /** Nothing is written between `hold` and `release`. */
  hold: () => void
  release: () => void
  report: (error: Error) => void
}>

/** The thread is started when it is needed: a quiet installation does without its memory. */
const EVERY_BYTES = 8 * 1_048_576
/** Above this the WAL is emptied while writing pauses, some tens of milliseconds. */
const MAX_WAL_FRAMES = (64 * 1_048_576) / 4096

export const createCheckpoints = ({ path, hold, release, report }: Needs): Checkpoints => {
  let worker: Worker | null = null
  let exited: Promise<void> = Promise.resolve()
  let running: CheckpointRequest | null = null
  let bytes = 0

  const ask = (request: CheckpointRequest) => {
    running = request
    if (request === 'truncate') hold()
    worker ??= start()
    // Writers wait for it: it must not be what lets the process end.
    if (request === 'truncate') worker.ref()
    worker.postMessage(request)
  }

  const settle = (): CheckpointRequest | null => {
    const was = running
    running = null
    if (was === 'truncate') {
      worker?.unref()
      release()
    }
    return was
  }

  const onReport = ({ frames, error }: CheckpointReport) => {
    const was = settle()
    if (error) report(new Error(`a checkpoint of the log failed and is tried again after more is written: ${error}`))
    else if (was === 'passive' && frames > MAX_WAL_FRAMES) ask('truncate')
  }

  const start = (): Worker => {
    const started = new Worker(new URL('./embedded-checkpoint-worker.ts', import.meta.url), {
      workerData: { path },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    })
    exited = new Promise<void>(resolve => {
      started.on('exit', () => {
        // The main connection still checkpoints by itself at 80 MiB; the next need starts another thread.
        if (worker === started) worker = null
        settle()
        resolve()
      })
    })
    started.on('message', onReport)
    started.on('error', report)
    started.unref()
    return started
  }

  return {
    wrote: added => {
      bytes += added
      if (bytes < EVERY_BYTES || running !== null) return
      bytes = 0
      ask('passive')
    },
    close: async () => {
      if (!worker) return
      worker.ref()
      worker.postMessage('close' satisfies CheckpointRequest)
      await exited
    },
  }
}
