/** A Newswire from outside: started as its user starts it, spoken to over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Hex } from '@newswire/events/ids'

export const TOKEN = 'nw_bench'
const SECRET_NAME = 'NEWSWIRE_BENCH_SECRET'
const SECRET = `whsec_${Buffer.from('a secret for benchmarks only, 32+').toString('base64')}`
const bin = fileURLToPath(new URL('../packages/cli/src/bin.ts', import.meta.url))

/** As many feeds as categories, so that no feed overflows before the poller has seen it. */
export const benchConfig = ({
  feeds,
  limit,
  partner,
  publicUrl,
}: {
  feeds: number
  limit: number
  partner: string
  publicUrl: string
}): string => {
  const categories = Array.from({ length: feeds }, (_, index) => `c${index}`)
  return JSON.stringify({
    site: { id: 'bench.example,2026', title: 'Bench', language: 'vi', publicUrl },
    network: { allow: ['127.0.0.0/8'], allowHttp: true },
    publishers: [
      {
        id: 'bench',
        name: 'Bench',
        tokens: [{ id: 'bench', sha256: sha256Hex(TOKEN), scopes: ['publish', 'retract', 'republish', 'read'] }],
      },
    ],
    categories: categories.map(id => ({ id, name: id })),
    feeds: categories.map(id => ({ id, title: id, match: { categories: [id] }, limit })),
    outlets: [{ id: 'partner', match: {}, concurrency: 16, deliver: { kind: 'webhook', url: partner, secretEnv: SECRET_NAME } }],
  })
}

export type Started = Readonly<{
  pid: number
  readyMs: number
  urls: Readonly<Record<string, string>>
  stop(): Promise<void>
  stderr(): string
}>

const LINE = /newswire ready (.*)/

/** Starts `newswire …` and waits for its ready line. */
export const startNewswire = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Started> => {
  const beganAt = performance.now()
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], {
    env: {
      ...process.env,
      // One poller stands for many readers.
      NEWSWIRE_GATEWAY_RATE: '0',
      ...(process.env.BENCH_PROF ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.env.BENCH_PROF}` } : {}),
      ...env,
      [SECRET_NAME]: SECRET,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr?.on('data', chunk => {
    errors = `${errors}${String(chunk)}`.slice(-20_000)
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const urls = await new Promise<Record<string, string>>((resolve, reject) => {
    let seen = ''
    child.stdout?.on('data', chunk => {
      seen += String(chunk)
      const found = LINE.exec(seen)?.[1]
      if (found)
        resolve(
          Object.fromEntries(
            found
              .trim()
              .split(' ')
              .map(part => part.split(/=(.*)/s).slice(0, 2) as [string, string]),
          ),
        )
    })
    child.once('exit', code => reject(new Error(`newswire ${args.join(' ')} ended with ${code} before it was ready:\n${errors}`)))
  })
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - beganAt,
    urls,
    stderr: () => errors,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

export const temporaryFolder = (): { path: string; remove(): void; file(name: string, text: string): string } => {
  const path = mkdtempSync(join(tmpdir(), 'newswire-bench-'))
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true }),
    file: (name, text) => {
      writeFileSync(join(path, name), text)
      return join(path, name)
    },
  }
}

/** Runs a command to its end; throws with what it said when it failed. */
export const runNewswire = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        said += String(chunk)
      })
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`newswire ${args.join(' ')} failed:\n${said}`))))
  })
