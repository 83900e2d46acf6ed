/**
 * Newswire from outside: `newswire up` or `newswire run <service>…` as a child process with a data folder of its own and free ports,
 * told to stop politely or killed. What it writes is kept for the failure messages of tests.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const BIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'bin.ts')
const KEPT_OUTPUT = 200_000
const READY = /^newswire ready\b(.*)$/m

type Ending = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>

export type Newswire = Readonly<{
  pid: number
  /** The addresses of the ready line: `gateway`, `ingest`, `console`; empty before it, and for services without a port. */
  urls: Readonly<Record<string, string>>
  /** The address of one of them. Throws with the output when the ready line did not name it. */
  url(name: 'gateway' | 'ingest' | 'console'): string
  /** The last 200 kB of standard output and error, as they came. */
  output(): string
  /** Settles when the process has ended, however that came. */
  ended: Promise<Ending>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<Ending>
  /** SIGSTOP: it stands still, and does not know; SIGCONT: it goes on where it stood. */
  freeze(): void
  wake(): void
  /** SIGTERM, and waits. Rejects when it does not end within the deadline (default 25 s), and kills it. */
  stop(deadlineMs?: number): Promise<Ending>
}>

type Start = Readonly<{
  /** `['up', '--demo']`, `['run', 'desk']`, `['publish', 'x.json']`. */
  args: readonly string[]
  /** Added to an environment without any of our settings, so that what the machine has set does not leak in. */
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** For the ready line, ms (default 60 000). */
  deadlineMs?: number
  /** Another program than `newswire`, for this file's own tests. */
  bin?: string
}>

const OURS = /^(NEWSWIRE_|KAFKA_|S3_|AWS_|OTEL_|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/

const cleanEnv = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name) || name === 'NEWSWIRE_TEST_RUN')),
  ...extra,
})

type Child = Readonly<{
  pid: number
  output(): string
  stdout(): string
  ended: Promise<Ending>
  send(signal: NodeJS.Signals): void
  onOutput(listen: () => void): void
}>

const launch = ({ args, env, cwd, bin = BIN }: Start): Child => {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let stdout = ''
  const listeners: (() => void)[] = []
  const take = (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT)
    for (const listen of listeners) listen()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-KEPT_OUTPUT)
    take(text)
  })
  child.stderr.setEncoding('utf8').on('data', take)
  const ended = new Promise<Ending>(resolve => {
    child.once('error', error => {
      take(`could not be started: ${error.message}`)
      resolve({ code: null, signal: null })
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid ?? -1,
    output: () => output,
    stdout: () => stdout,
    ended,
    send: signal => void child.kill(signal),
    onOutput: listen => void listeners.push(listen),
  }
}

const readyLine = async (child: Child, args: readonly string[], deadlineMs: number): Promise<Record<string, string>> => {
  let timer: NodeJS.Timeout | undefined
  const ready = new Promise<string>(resolve => {
    const look = () => {
      const line = READY.exec(child.stdout())
      // A line is whole once something follows it.
      if (line && child.stdout().length > line.index + line[0].length) resolve(line[1] ?? '')
    }
    child.onOutput(look)
  })
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ready line within ${deadlineMs} ms`)), deadlineMs)
  })
  const early = child.ended.then(({ code, signal }) => {
    throw new Error(`ended before it was ready (${signal ?? `status ${code}`})`)
  })
  try {
    const line = await Promise.race([ready, late, early])
    return Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
  } catch (error) {
    child.send('SIGKILL')
    await child.ended
    throw new Error(`newswire ${args.join(' ')}: ${(error as Error).message}; it wrote:\n${child.output()}`, { cause: error })
  } finally {
    clearTimeout(timer)
    early.catch(() => undefined)
  }
}

/** Starts it and waits for the ready line. Who calls must end it; `startUp` does that by itself. */
export const startNewswire = async (start: Start): Promise<Newswire> => {
  const child = launch(start)
  const urls = await readyLine(child, start.args, start.deadlineMs ?? 60_000)
  return {
    pid: child.pid,
    urls,
    url: name => {
      const url = urls[name]
      if (url === undefined) throw new Error(`the ready line names no ${name}; it wrote:\n${child.output()}`)
      return url
    },
    output: child.output,
    ended: child.ended,
    kill: async () => {
      child.send('SIGKILL')
      return await child.ended
    },
    freeze: () => child.send('SIGSTOP'),
    wake: () => child.send('SIGCONT'),
    stop: async (deadlineMs = 25_000) => {
      child.send('SIGTERM')
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>(resolve => {
        timer = setTimeout(() => resolve('late'), deadlineMs)
      })
      const ending = await Promise.race([child.ended, late])
      clearTimeout(timer)
      if (ending !== 'late') return ending
      child.send('SIGKILL')
      await child.ended
      throw new Error(`newswire ${start.args.join(' ')} did not stop within ${deadlineMs} ms of SIGTERM; it wrote:\n${child.output()}`)
    },
  }
}

/** A command that ends by itself, like `publish` or `topics apply`. Kills it after the deadline (default 60 s). */
export const runCommand = async (start: Start): Promise<Readonly<{ code: number | null; stdout: string; output: string }>> => {
  const child = launch(start)
  const timer = setTimeout(() => child.send('SIGKILL'), start.deadlineMs ?? 60_000)
  const { code } = await child.ended
  clearTimeout(timer)
  return { code, stdout: child.stdout(), output: child.output() }
}

/** An empty folder that is removed after the test. */
export const newFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-e2e-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}

type UpOptions = Omit<Start, 'args'> &
  Readonly<{
    dataDir: string
    configFile?: string
    more?: readonly string[]
    ports?: Readonly<{ gateway: number; ingest: number; console: number }>
  }>

/** `newswire up` on `dataDir`, on free ports unless told otherwise; killed after the test if it still runs. */
export const startUp = async (t: TestContext, { dataDir, configFile, more = [], ports, ...start }: UpOptions): Promise<Newswire> => {
  const { gateway, ingest, console } = ports ?? { gateway: 0, ingest: 0, console: 0 }
  const addresses = ['--gateway-port', String(gateway), '--ingest-port', String(ingest), '--console-port', String(console)]
  const config = configFile === undefined ? [] : ['--config', configFile]
  const running = await startNewswire({ ...start, args: ['up', '--data', dataDir, ...addresses, ...config, ...more] })
  t.after(() => running.kill())
  return running
}

/** The ports of something that runs, to start it again where it was. */
export const portsOf = (running: Newswire): Readonly<{ gateway: number; ingest: number; console: number }> => ({
  gateway: Number(new URL(running.url('gateway')).port),
  ingest: Number(new URL(running.url('ingest')).port),
  console: Number(new URL(running.url('console')).port),
})
