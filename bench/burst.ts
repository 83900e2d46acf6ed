/**
 * Fifty articles at once to 10,000 outlets, by the outlets service alone in a process of its own, on the embedded log and the disk, its receivers in
 * another: how much memory half a million deliveries take, and whether one is lost.
 */
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.ts'
import { cpuSeconds, residentMb, round, watchPss } from './measure.ts'
import { startReceivers } from './receivers.ts'

const OUTLETS = 10_000
const ARTICLES = 50
const AT_MOST_MS = 470_000

export const benchBurst: Benchmark = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-burst-'))
  const receivers = await startReceivers()
  const child = fork(join(import.meta.dirname, 'outlets-process.ts'), [folder, String(receivers.port), String(OUTLETS)], {
    stdio: 'ignore',
  })
  const pss = watchPss(child.pid ?? 0)
  try {
    const pid = child.pid ?? 0
    await new Promise(resolve => child.once('message', resolve))
    const idle = residentMb(pid)
    const beganAt = performance.now()
    child.send(ARTICLES)
    const got = new Set<string>()
    let taken = 0
    while (got.size < OUTLETS * ARTICLES && performance.now() - beganAt < AT_MOST_MS && child.exitCode === null) {
      await new Promise(resolve => setTimeout(resolve, 250))
      for (const one of await receivers.taken()) {
        taken += 1
        got.add(`${one.path} ${one.article}`)
      }
    }
    const tookS = (performance.now() - beganAt) / 1000
    const [memory, cpuS, pssMb] = [residentMb(pid), cpuSeconds(pid), pss.peakMb()]
    child.disconnect()
    await new Promise(resolve => child.once('exit', resolve))
    return {
      lines: [
        {
          what: `${ARTICLES} articles at once to ${OUTLETS} outlets, outlets alone`,
          measured: `${got.size} of ${OUTLETS * ARTICLES} came in ${round(tookS, 0)} s (${taken - got.size} twice); at most ${round(pssMb, 0)} MB (RSS ${round(memory.peakMb, 0)}), idle RSS ${round(idle.nowMb, 0)}; ${round((cpuS * 1000) / taken, 2)} CPU-ms each`,
          toReach: 'none lost, ≤ 400 MB',
          floor: '',
        },
      ],
      result: { came: got.size, taken, tookS, idle, memory, pssMb, cpuS },
    }
  } finally {
    pss.stop()
    child.kill()
    receivers.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
