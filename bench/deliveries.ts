/**
 * Deliveries of one outlets service, on the embedded log and the disk, to receivers in a process of their own: how many a second beside bare
 * requests of the same client, how soon a thousand outlets have a retraction. The service's CPU has that of releasing in it: a file, a record and a
 * commit for each article, which somebody else does elsewhere.
 */
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outletAt } from '@newswire/outlets/partner'
import { killFact } from '@newswire/outlets/samples'
import type { Benchmark, Line } from './benchmark.ts'
import { cpuSeconds, quantile, round } from './measure.ts'
import { article, inWorld } from './outlets-world.ts'
import { startReceivers, type Taken } from './receivers.ts'

type Receivers = Awaited<ReturnType<typeof startReceivers>>

/** Adds up what the receivers took, until there is so much of it. */
const takenFrom = async (receivers: Receivers, count: number, withinMs = 60_000): Promise<Taken[]> => {
  const all: Taken[] = []
  for (const deadline = performance.now() + withinMs; all.length < count && performance.now() < deadline; ) {
    await new Promise(resolve => setTimeout(resolve, 50))
    all.push(...(await receivers.taken()).filter(one => one.path.startsWith('/ok/')))
  }
  return all
}
const spanMs = (all: readonly Taken[]) => Math.max(...all.map(one => one.at)) - Math.min(...all.map(one => one.at))

const outletsOf = (count: number, receivers: Receivers) =>
  Array.from({ length: count }, (_, n) => outletAt(`o${n}`, { url: `http://127.0.0.1:${receivers.port}/ok/${n}` }))

const OUTLETS = 50
/** As many as one outlet gets at once, by default. */
const AT_ONCE = OUTLETS * 4
/** Of one round. */
const ARTICLES = 400
/** Rounds of both before they are measured: each is compiled, and its heap has grown, before it is compared. */
const WARM_ROUNDS = 3
/** By turns, so that a machine that is slow for a while is slow for both. */
const ROUNDS = 5

type Rate = Readonly<{ perSecond: number; cpuMs: number; taken: number; bytes: number }>
type Side = Readonly<{ round(): Promise<Rate>; stop(): Promise<void> }>

/** A process of its own that sends `count` bodies when it is told `message`. Nothing of the receivers' is told there, so it costs nothing there. */
const startSide = async (receivers: Receivers, file: string, args: readonly (string | number)[], message: number): Promise<Side> => {
  const child = fork(join(import.meta.dirname, file), args.map(String), { stdio: 'ignore' })
  const pid = child.pid ?? 0
  await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`${file} ended with ${code}`)))
  })
  return {
    round: async () => {
      const before = cpuSeconds(pid)
      child.send(message)
      const all = await takenFrom(receivers, OUTLETS * ARTICLES)
      const cpuS = cpuSeconds(pid) - before
      const perSecond = (all.length / spanMs(all)) * 1000
      return { perSecond, cpuMs: (cpuS * 1000) / all.length, taken: all.length, bytes: all[0]?.bytes ?? 0 }
    },
    stop: async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.disconnect()
      await ended
    },
  }
}

/** Deliveries of the service beside bare requests of the same client, each in a process of its own: rounds of the one and the other by turns. */
const compare = async (receivers: Receivers): Promise<Readonly<{ ours: readonly Rate[]; bare: readonly Rate[] }>> => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-deliveries-'))
  try {
    const service = await startSide(receivers, 'outlets-process.ts', [folder, receivers.port, OUTLETS], ARTICLES)
    const [first] = await roundsOf([service], 1)
    const bytes = first?.[0]?.bytes ?? 0
    const client = await startSide(receivers, 'bare-process.ts', [receivers.port, OUTLETS, AT_ONCE, bytes], OUTLETS * ARTICLES)
    await roundsOf([service, client], WARM_ROUNDS)
    const [ours = [], bare = []] = await roundsOf([service, client], ROUNDS)
    await Promise.all([service.stop(), client.stop()])
    return { ours, bare }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** By side, its rounds. */
const roundsOf = async (sides: readonly Side[], count: number): Promise<Rate[][]> => {
  const rates = sides.map((): Rate[] => [])
  for (let n = 0; n < count; n++) for (const [at, side] of sides.entries()) rates[at]?.push(await side.round())
  return rates
}
const median = (values: readonly number[]) => quantile(values, 0.5)

const retraction = (receivers: Receivers) =>
  inWorld(outletsOf(1_000, receivers), async world => {
    await world.release(article('press.kill'))
    const first = await takenFrom(receivers, 1_000)
    const at = Date.now()
    await world.release(killFact({ articleId: 'press.kill', version: 2, releasedAt: new Date().toISOString() }))
    const all = await takenFrom(receivers, 1_000)
    return { had: first.length, got: all.length, lastMs: Math.max(...all.map(one => one.at)) - at }
  })

export const benchDeliveries: Benchmark = async () => {
  const receivers = await startReceivers()
  try {
    const { ours, bare } = await compare(receivers)
    const medianOf = (rates: readonly Rate[], what: 'perSecond' | 'cpuMs') => median(rates.map(one => one[what]))
    const share = median(ours.map((one, n) => one.perSecond / (bare[n]?.perSecond ?? Number.NaN)))
    const shareOfCpu = median(ours.map((one, n) => (bare[n]?.cpuMs ?? Number.NaN) / one.cpuMs))
    const kill = await retraction(receivers)
    const lines: Line[] = [
      {
        what: `webhooks to loopback, one process, ${ours[0]?.bytes} bytes, signed`,
        measured: `${round(medianOf(ours, 'perSecond'), 0)}/s, ${round(share, 2)} of bare; ${round(medianOf(ours, 'cpuMs'), 4)} CPU-ms each, ${round(shareOfCpu, 2)} of bare by CPU (median of ${ROUNDS} rounds of ${ours[0]?.taken})`,
        toReach: '≥ 1,500/s and ≥ 0.6 of bare',
        floor: `bare undici POSTs by turns ${bare.map(one => round(one.perSecond, 0)).join(', ')}/s, ${round(medianOf(bare, 'cpuMs'), 4)} CPU-ms each`,
      },
      {
        what: 'retraction → 1,000 outlets have it',
        measured: `${round(kill.lastMs, 0)} ms (${kill.got} of ${kill.had})`,
        toReach: '≤ 3,000 ms',
        floor: '',
      },
    ]
    return { lines, result: { ours, bare, share, shareOfCpu, kill, receiversCpuS: cpuSeconds(receivers.pid) } }
  } finally {
    receivers.stop()
  }
}
