/** Hands changes to the writing thread in groups: what comes while one group is being committed is the next group. */
import { Worker } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import { packGroup } from './disk-group.ts'
import type { Change, Changed } from './disk-table.ts'
import type { WriterAnswer, WriterData, WriterRequest } from './disk-writer.ts'
import { unavailable } from './unavailable.ts'

type Waiting = Readonly<{ change: Change; resolve: (changed: Changed) => void; reject: (error: Error) => void }>

type Committer = Readonly<{
  /** Resolves when the change is committed. Throws `UnavailableError` when it is not: then nothing of it was written. */
  commit(change: Change): Promise<Changed>
  /** Commits what waits, then ends the thread. */
  close(): Promise<void>
}>

/** Bounds of a group, so that one commit stays short. A single body is at most 256 KiB (`MAX_INLINE` of `disk.ts`). */
const MAX_GROUP = 512
const MAX_GROUP_BYTES = 8 * 1024 * 1024

const sizeOf = ({ change }: Waiting) => (change.kind === 'put' && 'bytes' in change.body ? change.body.bytes.byteLength : 0)

/** How many of those waiting make the next group: at least one. */
const groupLength = (queue: readonly Waiting[]): number => {
  let bytes = 0
  for (const [index, waiting] of queue.entries()) {
    bytes += sizeOf(waiting)
    if (index >= MAX_GROUP || (index > 0 && bytes > MAX_GROUP_BYTES)) return index
  }
  return queue.length
}

export const createCommitter = (data: WriterData): Committer => {
  let thread: Worker | null = null
  const queue: Waiting[] = []
  let inHand: readonly Waiting[] = []
  let scheduled = false
  let closing: (() => void) | null = null

  const finish = (answer: WriterAnswer) => {
    const group = inHand
    inHand = []
    group.forEach((waiting, index) => {
      const changed = 'done' in answer ? answer.done[index] : undefined
      if (changed !== undefined) waiting.resolve(changed)
      else
        waiting.reject(
          unavailable(`the change of ${waiting.change.key}`, new Error('failed' in answer ? answer.failed : 'the writing thread lost it')),
        )
    })
    thread?.unref() // an idle thread keeps no process alive
    send()
  }

  const start = (): Worker => {
    const fresh = new Worker(new URL('./disk-writer.ts', import.meta.url), { workerData: data, execArgv: [] })
    let reason = 'the writing thread ended'
    fresh.on('message', finish)
    fresh.on('error', error => {
      reason = `the writing thread failed: ${messageOf(error)}`
    })
    fresh.on('exit', () => {
      if (thread === fresh) thread = null
      if (inHand.length > 0) finish({ failed: reason }) // the next group starts a new thread
      closing?.()
    })
    return fresh
  }

  const send = () => {
    scheduled = false
    if (inHand.length > 0) return
    if (queue.length === 0) return closing === null ? undefined : end()
    inHand = queue.splice(0, groupLength(queue))
    thread ??= start()
    thread.ref()
    const request = packGroup(inHand.map(waiting => waiting.change))
    thread.postMessage(request satisfies WriterRequest, [request.bodies.buffer])
  }

  const end = () => {
    if (thread === null) return closing?.()
    thread.ref()
    thread.postMessage('close' satisfies WriterRequest)
  }

  return {
    commit: change =>
      new Promise((resolve, reject) => {
        queue.push({ change, resolve, reject })
        if (inHand.length > 0 || scheduled) return
        scheduled = true
        setImmediate(send)
      }),
    close: () =>
      new Promise(resolve => {
        closing = resolve
        if (inHand.length === 0 && !scheduled) end()
      }),
  }
}
