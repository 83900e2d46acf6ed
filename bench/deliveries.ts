/**
 * Deliveries of one outlets service, on the embedded log and the disk, to receivers in a process of their own: how many a second beside bare
 * requests of the same client, how far hanging outlets are felt by the others, how soon a thousand outlets have a retraction.
 */
import { createHmac } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { OutletConfig } from '@newswire/events/config'
import { outletAt, startWorld, type World } from '@newswire/outlets/partner'
import { killFact, liveFact } from '@newswire/outlets/samples'
import { Agent } from 'undici'
import type { Benchmark, Line } from './benchmark.ts'
import { cpuSeconds, quantile, round } from './measure.ts'
import { startReceivers, type Taken } from './receivers.ts'

type Receivers = Awaited<ReturnType<typeof startReceivers>>

/** So that the whole body has 8 KiB. */
const TEXT = `<p>${'The bridge is open again. '.repeat(285)}</p>`
const article = (articleId: string) =>
  liveFact({ articleId, version: 1, releasedAt: new Date().toISOString(), article: { body: { html: TEXT } } })

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

/** A world of its own for the time of `run`. */
const inWorld = async <T>(outlets: readonly OutletConfig[], run: (world: World) => Promise<T>): Promise<T> => {
  const cleanups: (() => unknown)[] = []
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as unknown as TestContext
  const world = await startWorld(context, outlets, { retryScale: 1 })
  try {
    return await run(world)
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}
const outletsOf = (count: number, receivers: Receivers, fields: Partial<Omit<OutletConfig, 'deliver' | 'id'>> = {}, hangingEvery = 0) =>
  Array.from({ length: count }, (_, n) => {
    const kind = hangingEvery > 0 && n % hangingEvery === 0 ? 'hang' : 'ok'
    return outletAt(`o${n}`, { url: `http://127.0.0.1:${receivers.port}/${kind}/${n}` }, fields)
  })

const OUTLETS = 50
const ARTICLES = 200

/** What the same client does when nothing is decided, remembered or told: one signed body, posted as often, as many at once. */
const bareRate = async (receivers: Receivers): Promise<number> => {
  const body = Buffer.from(JSON.stringify(article('press.bare')))
  const agent = new Agent({ connections: OUTLETS * 4 })
  let left = OUTLETS * ARTICLES
  const post = async () => {
    while (left-- > 0) {
      const signature = createHmac('sha256', 'key').update(body).digest('base64')
      const { body: answer } = await agent.request({
        origin: `http://127.0.0.1:${receivers.port}`,
        path: '/ok/bare',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'webhook-signature': signature },
        body,
      })
      await answer.dump()
    }
  }
  await Promise.all(Array.from({ length: OUTLETS * 4 }, post))
  const all = await takenFrom(receivers, OUTLETS * ARTICLES)
  await agent.close()
  return (all.length / spanMs(all)) * 1000
}

const deliveryRate = (receivers: Receivers) =>
  inWorld(outletsOf(OUTLETS, receivers, { concurrency: 4 }), async world => {
    await world.release(article('press.warm'))
    await takenFrom(receivers, OUTLETS)
    const before = process.cpuUsage()
    for (let n = 0; n < ARTICLES; n++) await world.release(article(`press.a${n}`))
    const all = await takenFrom(receivers, OUTLETS * ARTICLES)
    const { user, system } = process.cpuUsage(before)
    return {
      taken: all.length,
      perSecond: (all.length / spanMs(all)) * 1000,
      cpuMs: (user + system) / 1000 / all.length,
      bytes: all[0]?.bytes ?? 0,
    }
  })

/** How long healthy outlets wait for each article, from its release. */
const healthyWaits = (receivers: Receivers, hangingEvery: number) =>
  inWorld(outletsOf(500, receivers, {}, hangingEvery), async world => {
    const healthy = world.outlets.size - (hangingEvery > 0 ? world.outlets.size / hangingEvery : 0)
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      const at = Date.now()
      await world.release(article(`press.i${n}`))
      const all = await takenFrom(receivers, healthy)
      // The first meets cold connections, and outlets of which nobody knows yet how they fare.
      if (n > 1) waits.push(...all.map(one => one.at - at))
    }
    return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), seen: waits.length }
  })

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
    const bare = await bareRate(receivers)
    const rate = await deliveryRate(receivers)
    const bareAfter = await bareRate(receivers)
    const share = rate.perSecond / Math.max(bare, bareAfter)
    const alone = await healthyWaits(receivers, 0)
    const beside = await healthyWaits(receivers, 10)
    const kill = await retraction(receivers)
    const lines: Line[] = [
      {
        what: `webhooks to loopback, one process, ${rate.bytes} bytes, signed`,
        measured: `${round(rate.perSecond, 0)}/s, ${round(share, 2)} of bare; ${round(rate.cpuMs, 2)} CPU-ms each (${rate.taken} taken)`,
        toReach: '≥ 1,500/s and ≥ 0.6 of bare',
        floor: `bare undici POSTs ${round(bare, 0)} and ${round(bareAfter, 0)}/s`,
      },
      {
        what: 'healthy outlets of 500 while every tenth hangs',
        measured: `p50 ${beside.p50} p99 ${beside.p99} ms (${beside.seen} deliveries)`,
        toReach: 'p99 ≤ 1.2 × its p99 with none hanging',
        floor: `none hanging p50 ${alone.p50} p99 ${alone.p99} ms`,
      },
      {
        what: 'retraction → 1,000 outlets have it',
        measured: `${kill.lastMs} ms (${kill.got} of ${kill.had})`,
        toReach: '≤ 3,000 ms',
        floor: '',
      },
    ]
    return { lines, result: { bare, bareAfter, rate, isolation: { alone, beside }, kill, receiversCpuS: cpuSeconds(receivers.pid) } }
  } finally {
    receivers.stop()
  }
}
