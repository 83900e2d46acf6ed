/**
 * How far hanging outlets are felt by the others: two worlds of 500 outlets in one process, in one of which every tenth never answers, take turns of
 * some seconds. Each article goes to ten outlets, far fewer a second than the machine could do: what is measured is waiting for somebody else,
 * not the queue of one burst.
 */
import type { World } from '@newswire/outlets/partner'
import { outletAt } from '@newswire/outlets/partner'
import type { Benchmark } from './benchmark.ts'
import { quantile, round } from './measure.ts'
import { article, openWorld } from './outlets-world.ts'
import { startReceivers } from './receivers.ts'

type Receivers = Awaited<ReturnType<typeof startReceivers>>

const GROUPS = 50
const GROUP = 10
const EVERY_MS = 40
const TURN_MS = 5_000
const TURNS = 5
/** Until connections and caches are warm. */
const WARM_MS = 2_000

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))
const nowMs = () => performance.timeOrigin + performance.now()

/** The first of each group hangs, or is not looked at. */
const outletsOf = (name: string, port: number, firstIs: 'ok' | 'hang') =>
  Array.from({ length: GROUPS * GROUP }, (_, n) => {
    const kind = n % GROUP === 0 ? firstIs : 'ok'
    const url = `http://127.0.0.1:${port}/${kind}/${name}/${n}`
    return outletAt(`o${n}`, { url }, { match: { categories: [`g${Math.floor(n / GROUP)}`] } })
  })

/** One article every so often, whether the one before has arrived or not; the waits of the outlets that are well. */
const takeTurn = async (world: World, receivers: Receivers, name: string, first: number, forMs: number): Promise<number[]> => {
  const count = Math.round(forMs / EVERY_MS)
  const releasedAt = new Map<string, number>()
  const beganAt = nowMs()
  const releases: Promise<void>[] = []
  for (let n = 0; n < count; n++) {
    await wait(beganAt + n * EVERY_MS - nowMs())
    const group = (first + n) % GROUPS
    const id = `press.${name}-${first + n}`
    releasedAt.set(id, nowMs())
    releases.push(world.release(article(id, `g${group}`)))
  }
  await Promise.all(releases)
  const waits: number[] = []
  for (const deadline = nowMs() + 60_000; waits.length < count * (GROUP - 1) && nowMs() < deadline; await wait(50))
    for (const { path, at, article: id } of await receivers.taken()) {
      const [, kind, of, n] = path.split('/')
      const since = releasedAt.get(id)
      if (kind === 'ok' && of === name && Number(n) % GROUP !== 0 && since !== undefined) waits.push(at - since)
    }
  if (waits.length !== count * (GROUP - 1)) throw new Error(`${waits.length} of ${count * (GROUP - 1)} deliveries came`)
  return waits
}

export const benchIsolation: Benchmark = async () => {
  const receivers = await startReceivers()
  const sides = { alone: 'ok', beside: 'hang' } as const
  const waits: Record<keyof typeof sides, number[]> = { alone: [], beside: [] }
  const worlds = new Map<keyof typeof sides, Awaited<ReturnType<typeof openWorld>>>()
  try {
    for (const name of ['alone', 'beside'] as const) worlds.set(name, await openWorld(outletsOf(name, receivers.port, sides[name])))
    for (let turn = 0; turn <= TURNS; turn++)
      for (const [name, { world }] of worlds) {
        const took = await takeTurn(world, receivers, name, turn * 1_000, turn === 0 ? WARM_MS : TURN_MS)
        if (turn > 0) waits[name].push(...took)
      }
  } finally {
    for (const { close } of worlds.values()) await close()
    receivers.stop()
  }
  const of = (all: readonly number[]) => ({
    p50: round(quantile(all, 0.5)),
    p99: round(quantile(all, 0.99)),
    worst: round(Math.max(...all)),
    seen: all.length,
  })
  const [alone, beside] = [of(waits.alone), of(waits.beside)]
  return {
    lines: [
      {
        what: 'healthy outlets of 500 while every tenth hangs',
        measured: `p50 ${beside.p50} p99 ${beside.p99} ms: ${round(beside.p99 / alone.p99, 2)} × (${beside.seen} deliveries, in turns)`,
        toReach: 'p99 ≤ 1.2 × its p99 with none hanging',
        floor: `none hanging p50 ${alone.p50} p99 ${alone.p99} ms`,
      },
    ],
    result: { alone, beside },
  }
}
