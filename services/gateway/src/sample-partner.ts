/** A partner's side of the gateway over the embedded log and the disk, with an outlet that has a token and one that has none: for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type OutletConfig, outletConfig } from '@newswire/events/config'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { newId, sha256Hex } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createSealing } from '@newswire/objects/sealed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import { addPartnerRoutes } from './partner-routes.ts'
import { categories, site } from './sample-facts.ts'
import type { Seen } from './view.ts'

export const PARTNER_TOKEN = 'nw_a-token-of-the-partner'
export const OTHER_TOKEN = 'nw_a-token-of-another-partner'

const outletOf = (id: string, token: string | null, rest: object = {}): OutletConfig =>
  outletConfig.parse({
    id,
    deliver: { kind: 'webhook', url: `https://${id}.example/hook`, secretEnv: 'PARTNER_SECRET' },
    ...(token === null ? {} : { tokens: [{ id: 'main', sha256: sha256Hex(token) }] }),
    ...rest,
  })

export const openPartnerSide = async (t: TestContext, { canSeal = true }: { canSeal?: boolean } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-partner-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const outlets = new Map(
    [outletOf('tinh-doan', PARTNER_TOKEN), outletOf('bao-ban', OTHER_TOKEN), outletOf('kin', null)].map(one => [one.id, one] as const),
  )
  const configuration = { current: () => ({ site, categories, outlets }) as unknown as ConfigSnapshot }
  const titled = new Map<string, Seen>()
  const lines: string[] = []
  const logger = createLogger({ service: 'gateway', level: 'trace', destination: { write: line => void lines.push(line) } })
  const { app, close } = createHttpServer({ name: 'gateway', logger, host: '127.0.0.1', port: 0 })
  const control = createOutletControl({
    objects,
    publish: publishEvents(log),
    sealing: canSeal ? createSealing(objects, Buffer.alloc(32, 7)) : null,
    logger,
    source: '/services/gateway',
    now: Date.now,
  })
  const view = { isReady: () => true, hasAny: () => false, article: (id: string) => titled.get(id) ?? null }
  addPartnerRoutes(app, { log, objects, configuration, control, view, now: Date.now, proxies: 0 })
  t.after(async () => {
    await close()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What routing writes: the article's state and routes, then the intent. Gives its sequence. */
  const route = async (
    fact: Fact,
    outletId = 'tinh-doan',
    more: Partial<NewswireEvent<'delivery.wanted'>['data']> = {},
  ): Promise<number> => {
    const { articleId, version } = fact
    await objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: { fact }, n: version })))
    const routes = { n: version, version, routes: { [outletId]: { version, written: true } } }
    await objects.put(keys.routes(articleId), Buffer.from(JSON.stringify(routes)))
    const data = { outletId, articleId, version, action: fact.action === 'purged' ? ('retracted' as const) : fact.action, ...more }
    const [published] = await log.publish([
      toRecord({ id: newId(), type: 'delivery.wanted', source: '/services/outlets', subject: outletId, time: fact.releasedAt, data }),
    ])
    return published?.position ?? -1
  }
  /** As an outlets process that has delivered, or written down, everything so far. */
  const settle = async () => {
    const subscription = await log.subscribe({ topic: topics.deliveries.name, group: 'outlets', handle: async () => undefined })
    const deadline = Date.now() + 60_000
    while ((await log.lag('outlets')).some(one => one.records > 0) || (await log.lag('outlets')).length === 0) {
      if (Date.now() > deadline) throw new Error('the deliveries were not committed')
      await setTimeout(10)
    }
    await subscription.stop()
  }
  const ask = async (url: string, { token = PARTNER_TOKEN as string | null, headers = {} as Record<string, string> } = {}) => {
    const answer = await app.inject({ url, headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers } })
    const isJson = /json/.test(String(answer.headers['content-type']))
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: isJson ? answer.json() : null }
  }
  return { app, ask, titled, route, settle, log, objects, control, outlets, lines }
}
