/** For tests: a whole outlets service on the embedded log and the disk, and partners on loopback that do as they are told. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FeedConfig, OutletConfig } from '@newswire/events/config'
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { Milestone } from '@newswire/events/milestone'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import type { Log } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createSealing } from '@newswire/objects/sealed'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import type { RunningService, ServiceContext } from '@newswire/runtime/service'
import { start } from './main.ts'
import { outletOf, SECRET } from './samples.ts'

export type Got = Readonly<{ headers: Readonly<Record<string, string>>; body: string; at: number }>
type Answer = (got: Got, response: ServerResponse, count: number) => void
export type Partner = {
  readonly url: string
  readonly got: Got[]
  /** What it does with each request; `ok` unless set. */
  answer: Answer
  stop(): Promise<void>
}

export const ok: Answer = (_, response) => void response.writeHead(204).end()
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end('an answer that nobody may quote')

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export const startPartner = async (t: TestContext, port = 0): Promise<Partner> => {
  const server = createServer((request, response) => {
    read(request).then(
      body => {
        const got = { headers: request.headers as Record<string, string>, body, at: performance.now() }
        partner.got.push(got)
        partner.answer(got, response, partner.got.length)
      },
      () => response.destroy(),
    )
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const partner: Partner = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got: [], answer: ok, stop }
  t.after(stop)
  return partner
}

/** Waits for a condition, looking every few milliseconds. */
export const until = async (what: string, condition: () => unknown | Promise<unknown>, withinMs = 60_000): Promise<void> => {
  for (const deadline = performance.now() + withinMs; !(await condition()); ) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export type World = {
  log: Log
  objects: Objects
  service: RunningService
  outlets: Map<string, OutletConfig>
  /** Tells the service that the outlets changed. */
  changed(): void
  release(fact: Fact): Promise<void>
  milestones(): Promise<readonly Milestone[]>
  /** Records of a topic. */
  count(topic: string): Promise<number>
  /** Keys of deliveries that the store says are not done. */
  pending(outletId: string): Promise<readonly string[]>
  metrics(): Promise<string>
  /** Stops the service, replays all of `articles`, starts it again. */
  restart(options?: { replay?: boolean }): Promise<void>
}

const readAll = async (log: Log, topic: string) => {
  const ends = await log.ends(topic)
  const found = []
  for (const { partition, start, end } of ends) {
    for (let from = start; from < end; ) {
      const page = await log.read({ topic, partition, from: { positions: { [partition]: from } }, limit: 500 })
      found.push(...page.records)
      if (page.next <= from) break
      from = page.next
    }
  }
  return found
}

/** One of each outlet that the same is said of. */
const toSingle = (milestone: Milestone): readonly Milestone[] =>
  milestone.kind === 'sink'
    ? [milestone.sink.id, ...(milestone.also ?? [])].map(id => ({ ...milestone, sink: { ...milestone.sink, id } }))
    : [milestone]

type WorldOptions = Readonly<{
  retryScale?: number
  /** Environment variables beside the one that partners on loopback sign with. */
  secrets?: Readonly<Record<string, string>>
  feeds?: Map<string, FeedConfig>
  /** Where log and objects are, and stay (default: a folder of its own, removed at the end). */
  folder?: string
}>

export const startWorld = async (
  t: TestContext,
  outlets: readonly OutletConfig[],
  { retryScale = 0.02, secrets = {}, feeds = new Map(), folder: kept }: WorldOptions = {},
): Promise<World> => {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'newswire-outlets-')))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', retryScale })
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const network = { allow: ['127.0.0.0/8'], allowHttp: true }
  const outbound = createOutbound({ network: () => network })
  const known = new Map(outlets.map(one => [one.id, one]))
  const listeners = new Set<Parameters<Configuration['onChange']>[0]>()
  const snapshot = {
    site: { id: 'news.example,2026', publicUrl: 'http://127.0.0.1:8080' },
    network,
    outlets: known,
    feeds,
    categories: new Map(),
    publishers: new Map(),
  } as unknown as ConfigSnapshot
  const configuration: Configuration = {
    current: () => snapshot,
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => undefined,
  }
  const metrics = createMetrics({ processMetrics: false })
  const context = {
    settings: { retryScale },
    log,
    objects,
    outbound,
    configuration,
    metrics,
    logger: createLogger({ level: 'silent', service: 'outlets' } as never),
    now: Date.now,
    secret: (name: string) => (name === 'PARTNER_SECRET' ? SECRET : secrets[name]),
    sealing: createSealing(objects, Buffer.alloc(32, 7)),
  } as unknown as ServiceContext
  const world: World = {
    log,
    objects,
    outlets: known,
    service: await start(context),
    changed: () => {
      for (const listener of listeners) listener(new Set(['outlets']))
    },
    release: async fact => {
      await objects.put(keys.current(fact.articleId), new TextEncoder().encode(JSON.stringify({ released: { fact }, n: fact.version })))
      await publishEvents(log)([
        {
          id: `${fact.articleId}-${fact.version}`,
          type: `article.${fact.action}`,
          source: '/services/desk',
          subject: fact.articleId,
          time: fact.releasedAt,
          data: fact,
        } as NewswireEvent,
      ])
    },
    milestones: async () =>
      (await readAll(log, 'milestones')).flatMap(record => {
        const event = fromRecord(record)
        return event?.type === 'milestone.reached' ? toSingle(event.data) : []
      }),
    count: async topic => (await log.ends(topic)).reduce((sum, { start, end }) => sum + (end - start), 0),
    pending: async outletId => {
      const open: string[] = []
      for (const { key } of await objects.list(keys.pendingPrefix(outletId))) {
        const found = await objects.get(key)
        if (found !== null && JSON.parse(Buffer.from(found.bytes).toString()).delivery !== null) open.push(key)
      }
      return open
    },
    metrics: metrics.text,
    restart: async ({ replay = false } = {}) => {
      await world.service.stop()
      if (replay) await log.replay('outlets-route', 'articles', 'start')
      world.service = await start(context)
    },
  }
  t.after(async () => {
    await world.service.stop()
    await log.close()
    await outbound.close()
    await objects.close()
    if (kept === undefined) await rm(folder, { recursive: true, force: true })
  })
  return world
}

/** An outlet whose webhook goes to a partner on loopback. */
export const outletAt = (id: string, partner: Pick<Partner, 'url'>, fields: Partial<Omit<OutletConfig, 'deliver' | 'id'>> = {}) =>
  outletOf({ id, url: partner.url, ...fields })
