/**
 * A start of the outlets service with 300,000 deliveries that were left: 100 outlets of 3,000 articles each, all of them due, on the disk. A process
 * of its own, so that its memory is seen.
 */
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { wantVersion } from '@newswire/outlets/machine'
import { createPendingStore, outletShelf } from '@newswire/outlets/pending'
import { liveFact } from '@newswire/outlets/samples'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { Benchmark } from './benchmark.ts'
import { cpuSeconds, residentMb, round, watchPss } from './measure.ts'
import { startReceivers } from './receivers.ts'

const OUTLETS = 100
const ARTICLES = 3_000
const PUTS_AT_ONCE = 1_000
/** Watched so long after the first delivery: all that is left has been read by then. */
const WATCHED_MS = 30_000

/** As an owner leaves it that has tried twice and was not answered. */
const leavePending = async (folder: string) => {
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const now = () => Date.now()
  const pending = createPendingStore({ objects, shelf: outletShelf, now, onUnreadable: key => assertNever(key) })
  const articles = Array.from({ length: ARTICLES }, (_, n) => `press.left-${n}`)
  const releasedAt = new Date(now() - 3_600_000).toISOString()
  await sideBySide(articles, PUTS_AT_ONCE, articleId => {
    const fact = liveFact({ articleId, version: 1, releasedAt })
    return objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: { fact }, n: 1 })))
  })
  const left = Array.from({ length: OUTLETS }, (_, n) => articles.map((articleId, at) => ({ outletId: `o${n}`, articleId, at }))).flat()
  await sideBySide(left, PUTS_AT_ONCE, ({ outletId, articleId, at }) => {
    const wanted = wantVersion(null, { version: 1, kill: false, sequence: at, maybeSent: null, first: true }, now())
    const delivery = {
      ...wanted,
      phase: 'wait' as const,
      version: 1,
      attempts: 2,
      firstFailedAtMs: now() - 60_000,
      lastError: 'it answered 503',
    }
    const cause = {
      id: `${articleId}-${outletId}-intent`,
      correlationid: articleId,
      traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
    }
    return pending.save(outletId, { subject: articleId, delivery, cause, sinceMs: now() - 60_000 }, null)
  })
  await objects.close()
}
const assertNever = (key: string): never => {
  throw new Error(`${key} cannot be read`)
}

const startProcess = (folder: string, port: number) =>
  fork(join(import.meta.dirname, 'outlets-process.ts'), [folder, String(port), String(OUTLETS)], { stdio: 'ignore' })

/** A restart is no first start: what V8 made of the code lies there. */
const runBefore = async (folder: string, port: number) => {
  const child = startProcess(folder, port)
  await new Promise(resolve => child.once('message', resolve))
  child.disconnect()
  await new Promise(resolve => child.once('exit', resolve))
}

export const benchRestart: Benchmark = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-restart-'))
  const receivers = await startReceivers()
  try {
    await runBefore(folder, receivers.port)
    await leavePending(folder)
    const startedAt = Date.now()
    const child = startProcess(folder, receivers.port)
    const pid = child.pid ?? 0
    const pss = watchPss(pid)
    const seen: number[] = []
    const outlets = new Set<string>()
    let everyOutletMs = Number.NaN
    for (let firstAt = 0; firstAt === 0 || Date.now() < firstAt + WATCHED_MS; ) {
      await new Promise(resolve => setTimeout(resolve, 100))
      if (child.exitCode !== null || Date.now() > startedAt + 120_000) throw new Error('the process came to nothing')
      for (const one of await receivers.taken()) {
        seen.push(one.at)
        outlets.add(one.path)
        if (outlets.size === OUTLETS && Number.isNaN(everyOutletMs)) everyOutletMs = one.at - startedAt
      }
      firstAt ||= seen[0] ?? 0
    }
    const [memory, cpuS, pssMb] = [residentMb(pid), cpuSeconds(pid), pss.peakMb()]
    pss.stop()
    child.disconnect()
    await new Promise(resolve => child.once('exit', resolve))
    const firstMs = seen.reduce((first, at) => Math.min(first, at)) - startedAt
    return {
      lines: [
        {
          what: `start with ${OUTLETS * ARTICLES} deliveries left, all due, on the disk, outlets alone`,
          measured: `first after ${round(firstMs, 0)} ms, at every outlet after ${round(everyOutletMs, 0)} ms; at most ${round(pssMb, 0)} MB (RSS ${round(memory.peakMb, 0)}; ${seen.length} taken meanwhile)`,
          toReach: 'first ≤ 10,000 ms, ≤ 250 MB',
          floor: '',
        },
      ],
      result: { firstMs, everyOutletMs, ...memory, pssMb, cpuS, taken: seen.length },
    }
  } finally {
    receivers.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
