/**
 * Deliveries of one outlets service, on the embedded log and the disk, to receivers in a process of their own: how many a second beside bare
 * requests of the same client, how soon a thousand outlets have a retraction.
 */
import type { OutletConfig } from '@newswire/events/config'
import { outletAt } from '@newswire/outlets/partner'
import { killFact, outletOf, SECRET } from '@newswire/outlets/samples'
import { sign, toKey } from '@newswire/outlets/signing'
import { toWebhook } from '@newswire/outlets/webhook'
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
/** Before it is measured: what is compiled late is compiled then, as in the second and third of the bare runs. */
const WARM = 40

/** A delivery as it goes out: the same bytes and headers, but for the agent's name. */
const deliveryOf = (bytes: number) => {
  const fact = article('press.bare')
  const outlet = outletOf({ id: 'o0', url: 'http://127.0.0.1' })
  const document = { bytes: Buffer.alloc(bytes, 'a'), contentType: 'application/json', extension: 'json' }
  const parcel = { outlet, fact, due: 'content' as const, sequence: 1_000, settling: false }
  const webhook = toWebhook(parcel, { keys: [toKey(SECRET)], document, nowMs: Date.now() })
  if (webhook === null) throw new Error('the sample cannot be sent')
  return { body: document.bytes, headers: { 'user-agent': 'Newswire/0.1', ...webhook.headers } }
}

type Rate = Readonly<{ perSecond: number; cpuMs: number }>

/** What the same client does when nothing is decided, remembered or told: a body of so many bytes, signed anew and posted as often, as many at once. */
const bareRate = async (receivers: Receivers, bytes: number): Promise<Rate> => {
  const { body, headers } = deliveryOf(bytes)
  const key = toKey(SECRET)
  const agent = new Agent({ connections: OUTLETS * 4 })
  const before = process.cpuUsage()
  let left = OUTLETS * ARTICLES
  const post = async (_: unknown, n: number) => {
    while (left-- > 0) {
      const signature = sign(key, String(left), 1_800_000_000, body)
      const { body: answer } = await agent.request({
        origin: `http://127.0.0.1:${receivers.port}`,
        path: `/ok/${n % OUTLETS}`,
        method: 'POST',
        headers: { ...headers, 'webhook-signature': signature },
        body,
      })
      await answer.dump()
    }
  }
  await Promise.all(Array.from({ length: OUTLETS * 4 }, post))
  const { user, system } = process.cpuUsage(before)
  const all = await takenFrom(receivers, OUTLETS * ARTICLES)
  await agent.close()
  return { perSecond: (all.length / spanMs(all)) * 1000, cpuMs: (user + system) / 1000 / all.length }
}

const deliveryRate = (receivers: Receivers) =>
  inWorld(outletsOf(OUTLETS, receivers, { concurrency: 4 }), async world => {
    for (let n = 0; n < WARM; n++) await world.release(article(`press.warm${n}`))
    await takenFrom(receivers, OUTLETS * WARM)
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
    const rate = await deliveryRate(receivers)
    // The first is slower, because nothing of the client is compiled yet.
    const bares = [await bareRate(receivers, rate.bytes), await bareRate(receivers, rate.bytes), await bareRate(receivers, rate.bytes)]
    const bare = { perSecond: Math.max(...bares.map(one => one.perSecond)), cpuMs: Math.min(...bares.map(one => one.cpuMs)) }
    const share = rate.perSecond / bare.perSecond
    const kill = await retraction(receivers)
    const lines: Line[] = [
      {
        what: `webhooks to loopback, one process, ${rate.bytes} bytes, signed`,
        measured: `${round(rate.perSecond, 0)}/s, ${round(share, 2)} of bare; ${round(rate.cpuMs, 3)} CPU-ms each, ${round(bare.cpuMs / rate.cpuMs, 2)} of bare by CPU (${rate.taken} taken)`,
        toReach: '≥ 1,500/s and ≥ 0.6 of bare',
        floor: `bare undici POSTs ${bares.map(one => round(one.perSecond, 0)).join(', ')}/s, ${round(bare.cpuMs, 3)} CPU-ms each`,
      },
      {
        what: 'retraction → 1,000 outlets have it',
        measured: `${round(kill.lastMs, 0)} ms (${kill.got} of ${kill.had})`,
        toReach: '≤ 3,000 ms',
        floor: '',
      },
    ]
    return { lines, result: { bares, rate, kill, receiversCpuS: cpuSeconds(receivers.pid) } }
  } finally {
    receivers.stop()
  }
}
