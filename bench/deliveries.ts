/**
 * Deliveries of one outlets service, on the embedded log and the disk, to receivers in a process of their own: how many a second beside bare
 * requests of the same client, how soon a thousand outlets have a retraction.
 */
import { createHmac } from 'node:crypto'
import type { OutletConfig } from '@newswire/events/config'
import { outletAt } from '@newswire/outlets/partner'
import { killFact } from '@newswire/outlets/samples'
import { Agent } from 'undici'
import type { Benchmark, Line } from './benchmark.ts'
import { cpuSeconds, round } from './measure.ts'
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

const outletsOf = (count: number, receivers: Receivers, fields: Partial<Omit<OutletConfig, 'deliver' | 'id'>> = {}) =>
  Array.from({ length: count }, (_, n) => outletAt(`o${n}`, { url: `http://127.0.0.1:${receivers.port}/ok/${n}` }, fields))

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
    const kill = await retraction(receivers)
    const lines: Line[] = [
      {
        what: `webhooks to loopback, one process, ${rate.bytes} bytes, signed`,
        measured: `${round(rate.perSecond, 0)}/s, ${round(share, 2)} of bare; ${round(rate.cpuMs, 2)} CPU-ms each (${rate.taken} taken)`,
        toReach: '≥ 1,500/s and ≥ 0.6 of bare',
        floor: `bare undici POSTs ${round(bare, 0)} and ${round(bareAfter, 0)}/s`,
      },
      {
        what: 'retraction → 1,000 outlets have it',
        measured: `${round(kill.lastMs, 0)} ms (${kill.got} of ${kill.had})`,
        toReach: '≤ 3,000 ms',
        floor: '',
      },
    ]
    return { lines, result: { bare, bareAfter, rate, kill, receiversCpuS: cpuSeconds(receivers.pid) } }
  } finally {
    receivers.stop()
  }
}
