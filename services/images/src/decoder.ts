/**
 * Decoding in processes of their own (`decoder-child.ts`): what a hostile picture makes of its decoder, a crash, endless work, all of its memory,
 * costs that picture alone. Processes start with the first picture and end when there are none for a while, because each takes 80 MB.
 *
 * A process that dies was perhaps killed by somebody else: its picture is tried once more in a new one. Live pictures go before those of imports.
 */

import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { z } from 'zod'
import { type Child, type ChildEnd, type StartChild, startDecoderChild } from './decoder-process.ts'
import type { Encoding, Recipe } from './presets.ts'

export type Lane = 'live' | 'backfill'
export type DecodedFile = Readonly<{ name: string; encoding: Encoding; width: number; height: number; bytes: Buffer }>
type Preview = Readonly<{ color: string; blurHash: string }>
type Decoded =
  | Readonly<{ outcome: 'rendered'; files: readonly DecodedFile[]; preview: Preview }>
  /** The picture's fault. */
  | Readonly<{ outcome: 'refused'; code: `NEWSWIRE_PICTURE_${string}`; reason: string }>
  /** Ours: no process could be had, the machine was too busy, or we are stopping. */
  | Readonly<{ outcome: 'later'; reason: string }>

export type Decoder = Readonly<{
  /** Names what encodes and its version: part of every recipe. */
  encoder: string
  /** Never throws. */
  render(bytes: Uint8Array, recipe: Recipe, lane: Lane): Promise<Decoded>
  stats(): Readonly<{ processes: number; waiting: number; crashes: number }>
  /** Ends the processes; what was still waiting is `later`. */
  stop(): Promise<void>
}>

export type DecoderOptions = Readonly<{
  /** Processes at once. */
  processes: number
  /** Of one picture, from hand-over to the last file (default 20 000 ms). */
  timeoutMs?: number
  /** A process without work ends after this (default 10 000 ms). */
  idleMs?: number
  startChild?: StartChild
  /** Told of every process that ended by itself. */
  onCrash?: (end: ChildEnd) => void
}>

type Job = Readonly<{ bytes: Uint8Array; recipe: Recipe; lane: Lane; resolve: (decoded: Decoded) => void }> & { tries: number }

const TIMEOUT_MS = 20_000
const IDLE_MS = 10_000
const TRIES = 2

const fileHead = z.object({ name: z.string(), encoding: z.custom<Encoding>(), width: z.int().min(1), height: z.int().min(1) })
const resultHead = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    preview: z.object({ color: z.string().regex(/^#[0-9a-f]{6}$/), blurHash: z.string().regex(/^[\x21-\x7e]{6,100}$/) }),
  }),
  z.object({ ok: z.literal(false), reason: z.string() }),
])
/** What the process may say; it decodes what strangers send, so it is held to this. */
const message = z.union([z.object({ id: z.int(), file: fileHead }), z.object({ id: z.int(), result: resultHead })])

/** How sharp's own version is known without loading it. A change of what is made here raises the number before it. */
const encoderName = (): string => {
  const file = findPackageJSON('sharp', import.meta.url)
  const { version } = JSON.parse(readFileSync(file ?? '', 'utf8')) as { version: string }
  return `newswire 2, sharp ${version}`
}

/**
 * What work without end has had of the processor when its time is over, at least, as a part of that time. Who had less was kept from it: by what else
 * runs here (the process is a nice one), or because everything stood still. That is no fault of the picture.
 */
const BUSY_PART = 1 / 4

const refused = (code: `NEWSWIRE_PICTURE_${string}`, reason: string): Decoded => ({ outcome: 'refused', code, reason })

/** One picture in one process, to its last file or to the end of the process. */
const run = (child: Child, id: number, job: Job, timeoutMs: number): Promise<Decoded | 'crashed' | 'unstartable'> =>
  new Promise(resolve => {
    const files: DecodedFile[] = []
    const finish = (value: Decoded | 'crashed' | 'unstartable') => {
      clearTimeout(timer)
      stopListening?.()
      resolve(value)
    }
    let stopListening: (() => void) | undefined
    const before = child.cpuMs()
    const overdue = (): Decoded => {
      const now = child.cpuMs()
      const hadMs = before === null || now === null ? null : now - before
      if (hadMs !== null && hadMs < timeoutMs * BUSY_PART)
        return {
          outcome: 'later',
          reason: `decoding it had ${hadMs} ms of the processor in ${timeoutMs / 1000} s: this machine is too busy`,
        }
      return refused('NEWSWIRE_PICTURE_DECODER', `decoding it took longer than ${timeoutMs / 1000} s`)
    }
    const timer = setTimeout(() => {
      finish(overdue())
      child.kill()
    }, timeoutMs)
    stopListening = child.onEnd(({ wasReady }) => finish(wasReady ? 'crashed' : 'unstartable'))
    child.onFrame(({ head, body }) => {
      const said = message.safeParse(head)
      if (!said.success || said.data.id !== id) return child.kill()
      if ('file' in said.data) return void files.push({ ...said.data.file, bytes: body })
      const { result } = said.data
      if (result.ok) finish({ outcome: 'rendered', files, preview: result.preview })
      else finish(refused('NEWSWIRE_PICTURE_DECODE', `it cannot be decoded: ${result.reason.slice(0, 300)}`))
    })
    child.send({ id, recipe: job.recipe }, job.bytes)
  })

export const createDecoder = ({
  processes,
  timeoutMs = TIMEOUT_MS,
  idleMs = IDLE_MS,
  startChild = startDecoderChild,
  onCrash,
}: DecoderOptions): Decoder => {
  const queues: Record<Lane, Job[]> = { live: [], backfill: [] }
  const idle: { child: Child; timer: NodeJS.Timeout }[] = []
  const alive = new Set<Child>()
  let busy = 0
  let ids = 0
  let crashes = 0
  let stopped = false

  const start = (): Child => {
    const child = startChild()
    alive.add(child)
    child.onEnd(end => {
      alive.delete(child)
      if (stopped || end.wasAsked) return
      crashes += 1
      onCrash?.(end)
    })
    return child
  }
  const takeIdle = (): Child | undefined => {
    for (let held = idle.pop(); held !== undefined; held = idle.pop()) {
      clearTimeout(held.timer)
      if (!held.child.isEnding()) return held.child
    }
    return undefined
  }
  const rest = (child: Child) => {
    if (child.isEnding()) return
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex(held => held.child === child),
        1,
      )
      child.end()
    }, idleMs)
    timer.unref()
    idle.push({ child, timer })
  }

  const settle = (job: Job, ended: Decoded | 'crashed' | 'unstartable') => {
    if (typeof ended === 'object') return job.resolve(ended)
    if (stopped || ended === 'unstartable') return job.resolve({ outcome: 'later', reason: 'the decoding process could not be started' })
    job.tries += 1
    if (job.tries < TRIES) queues[job.lane].unshift(job)
    else job.resolve(refused('NEWSWIRE_PICTURE_DECODER', `the process that decoded it ended while at it, ${TRIES} times`))
  }
  const next = () => {
    while (busy < processes) {
      const job = queues.live.shift() ?? queues.backfill.shift()
      if (job === undefined) return
      busy += 1
      const child = takeIdle() ?? start()
      ids += 1
      void run(child, ids, job, timeoutMs).then(ended => {
        busy -= 1
        rest(child)
        settle(job, ended)
        next()
      })
    }
  }

  return {
    encoder: encoderName(),
    render: (bytes, recipe, lane) =>
      new Promise(resolve => {
        if (stopped) return resolve({ outcome: 'later', reason: 'the service is stopping' })
        queues[lane].push({ bytes, recipe, lane, resolve, tries: 0 })
        next()
      }),
    stats: () => ({ processes: alive.size, waiting: queues.live.length + queues.backfill.length, crashes }),
    stop: async () => {
      stopped = true
      for (const { timer } of idle) clearTimeout(timer)
      for (const lane of [queues.live, queues.backfill])
        for (const job of lane.splice(0)) job.resolve({ outcome: 'later', reason: 'the service is stopping' })
      await Promise.all(
        [...alive].map(child => {
          const ended = new Promise<void>(resolve => child.onEnd(() => resolve()))
          child.kill()
          return ended
        }),
      )
    },
  }
}
