/** One run of `node --test` over some files, its output passed through as it comes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Counts = Readonly<{ passed: number; failed: number; skipped: number }>
export type Result = Readonly<{
  counts: Counts
  /** Why tests were skipped, in their own words, with how often. */
  reasons: ReadonlyMap<string, number>
  /** False also when the run itself broke and nothing could be counted. */
  ok: boolean
}>

export type Phase = Readonly<{
  title: string
  files: readonly string[]
  concurrency: number
  /** For one test. */
  timeoutMs: number
  /** For all of it: what keeps a process alive after its tests is found by this, and named by node. */
  deadlineMs: number
  output?: 'inherit' | 'ignore'
  env: Readonly<Record<string, string>>
  namePattern?: string | undefined
}>

const REPORTER = join(import.meta.dirname, 'counts-reporter.ts')
const GRACE_MS = 5_000

type Line = {
  skipped?: string
  reason?: string
  counts?: { passed: number; failed: number; cancelled: number; skipped: number; todo: number }
}

/** The reporter's lines as counts. No closing line means that the run broke: that is one failure. */
export const readCounts = (text: string, exitedWell: boolean): Result => {
  const lines = text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)
  const reasons = new Map<string, number>()
  for (const { skipped, reason = '' } of lines) if (skipped !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const counts = lines.findLast(line => line.counts !== undefined)?.counts
  if (counts === undefined) return { counts: { passed: 0, failed: 1, skipped: 0 }, reasons, ok: false }
  const failed = counts.failed + counts.cancelled
  const sum = { passed: counts.passed, failed: failed === 0 && !exitedWell ? 1 : failed, skipped: counts.skipped + counts.todo }
  return { counts: sum, reasons, ok: exitedWell && failed === 0 }
}

/** What tests are given comes from the runner alone, so that a half-set environment is not taken for a part. */
const withoutParts = ({
  KAFKA_BROKERS: _kafka,
  S3_ENDPOINT: _endpoint,
  S3_BUCKET: _bucket,
  ...rest
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv => rest

const ended = async (child: ChildProcess): Promise<number> =>
  await new Promise((resolve, reject) => child.once('error', reject).once('close', code => resolve(code ?? 1)))

/** Runs the phase in `root`. An abort ends it: politely first, then not. */
export const runNodeTest = async (root: string, scratch: string, phase: Phase, signal: AbortSignal): Promise<Result> => {
  if (phase.files.length === 0 || signal.aborted) return { counts: { passed: 0, failed: 0, skipped: 0 }, reasons: new Map(), ok: true }
  const out = join(scratch, `${phase.title.replaceAll(' ', '-')}.jsonl`)
  const args = [
    '--test',
    `--test-concurrency=${phase.concurrency}`,
    `--test-timeout=${phase.timeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${out}`,
    ...(phase.namePattern === undefined ? [] : [`--test-name-pattern=${phase.namePattern}`]),
    ...phase.files,
  ]
  const output = phase.output ?? 'inherit'
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...withoutParts(process.env), ...phase.env },
    stdio: ['ignore', output, output],
  })
  const abort = () => {
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  }
  signal.addEventListener('abort', abort, { once: true })
  const deadline = setTimeout(() => {
    console.error(`the ${phase.title} tests did not end within ${phase.deadlineMs / 60_000} min; what still ran is named below`)
    abort()
  }, phase.deadlineMs)
  try {
    const status = await ended(child)
    return readCounts(existsSync(out) ? readFileSync(out, 'utf8') : '', status === 0)
  } finally {
    clearTimeout(deadline)
    signal.removeEventListener('abort', abort)
  }
}
