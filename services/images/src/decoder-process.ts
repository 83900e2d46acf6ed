/** A decoding process from outside: how it is started, spoken to and ended. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createFrameReader, type Frame, writeFrame } from './frames.ts'

/** `wasReady`: it had started whole. `wasAsked`: it ended because it was told to. */
export type ChildEnd = Readonly<{ code: number | null; signal: NodeJS.Signals | null; wasReady: boolean; wasAsked: boolean; said: string }>

export type Child = Readonly<{
  pid: number | undefined
  isReady(): boolean
  /** It was told to end, or has ended: from then on no work, although its end may not have been told yet. */
  isEnding(): boolean
  /** What it has had of the processor since it began, ms; `null` where the system does not say (all but Linux). */
  cpuMs(): number | null
  /** Where frames go from now on. */
  onFrame(listener: (frame: Frame) => void): void
  /** Called once; at once when it has ended. Several may listen; returns how to stop. */
  onEnd(listener: (end: ChildEnd) => void): () => void
  send(head: unknown, body: Uint8Array): void
  /** When its work is done. */
  end(): void
  kill(): void
}>
export type StartChild = () => Child

const entry = fileURLToPath(new URL('decoder-child.ts', import.meta.url))
/** Largest file it may hand over: far above any rendition. */
const MAX_FILE_BYTES = 32_000_000
/** What it may allocate, KiB: three times what the costliest picture that is let through takes. Beyond it an allocation fails, and the process with it. */
const MAX_DATA_KIB = 1_048_576
/** Behind everything else that wants the cores: articles without pictures must not wait for those with. */
const NICENESS = 10
const MAX_SAID = 2_000

/** No settings and no secrets. One picture at a time takes one thread, and one arena keeps glibc from hoarding memory: 145 MB instead of 161, and 104 with `gc`. */
const environment = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' }
const options = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=96', '--max-semi-space-size=2', '--expose-gc', entry]

/** Through a shell where there is one, for its limit on memory. */
const command = (): readonly [string, readonly string[]] =>
  process.platform === 'win32'
    ? [process.execPath, options]
    : ['/bin/sh', ['-c', `ulimit -d ${MAX_DATA_KIB}; exec "$0" "$@"`, process.execPath, ...options]]

/** Linux tells processes' times in hundredths of a second, whatever the kernel's own clock (`getconf CLK_TCK`). */
const TICK_MS = 10

const cpuMsOf = (pid: number | undefined): number | null => {
  try {
    // proc_pid_stat(5): behind the name, which may hold anything, utime and stime are the 12th and 13th.
    const [, fields = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    const [user, system] = fields.split(' ').slice(11, 13).map(Number)
    return user === undefined || system === undefined ? null : (user + system) * TICK_MS
  } catch {
    return null // another system, or it has just ended
  }
}

/** Starts one; it can be sent work at once, and takes it up when it is ready. */
export const startDecoderChild: StartChild = () => {
  const [program, args] = command()
  const child = spawn(program, args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
  let onFrame: (frame: Frame) => void = () => undefined
  let ended: ChildEnd | null = null
  let wasReady = false
  let wasAsked = false
  let said = ''
  const listeners = new Set<(end: ChildEnd) => void>()

  const finish = (code: number | null, signal: NodeJS.Signals | null) => {
    if (ended !== null) return
    ended = { code, signal, wasReady, wasAsked, said }
    for (const listener of listeners) listener(ended)
  }
  const read = createFrameReader({ body: MAX_FILE_BYTES }, frame => {
    if (wasReady) onFrame(frame)
    wasReady = true
  })
  child.stdout.on('data', chunk => {
    try {
      read(chunk as Buffer)
    } catch {
      // It does not keep to what was agreed: it ends like one that crashed.
      child.kill('SIGKILL')
    }
  })
  child.stderr.on('data', chunk => {
    said = `${said}${String(chunk)}`.slice(-MAX_SAID)
  })
  // A write to one that has just died; its end is told below.
  child.stdin.on('error', () => undefined)
  child.once('error', () => finish(null, null))
  child.once('close', finish)
  if (child.pid !== undefined)
    try {
      setPriority(child.pid, NICENESS)
    } catch {
      // It has ended already, or this system knows no priorities.
    }
  return {
    pid: child.pid,
    isReady: () => wasReady,
    isEnding: () => wasAsked || child.killed || child.exitCode !== null || child.signalCode !== null || ended !== null,
    cpuMs: () => cpuMsOf(child.pid),
    onFrame: listener => {
      onFrame = listener
    },
    onEnd: listener => {
      if (ended === null) listeners.add(listener)
      else listener(ended)
      return () => listeners.delete(listener)
    },
    send: (head, body) => writeFrame(child.stdin, head, body),
    end: () => {
      wasAsked = true
      child.stdin.end()
    },
    kill: () => {
      wasAsked = true
      child.kill('SIGKILL')
    },
  }
}
