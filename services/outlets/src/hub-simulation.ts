/**
 * A small world for `hub-simulate.test.ts`: builds of one feed, subscribers that come, stay and go, and the real hub and actors in a process that
 * may crash at every await.
 */
import type { FeedConfig } from '@newswire/events/config'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import { type Subscription, subscriptionIdOf } from '@newswire/events/subscription'
import { keys } from '@newswire/objects/keys'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import { createActor } from './actor.ts'
import { createBodies, createFeedView, type FeedView } from './feed-view.ts'
import { createHandover } from './handover.ts'
import { createHub } from './hub.ts'
import { neverSuspended } from './outlet-state.ts'
import { neverOurSide } from './own-side.ts'
import { createPendingStore, hubShelf, type PendingStore } from './pending.ts'
import { type Post, toSignedPost } from './signing.ts'
import { createConsumer, createSimulatedWorld, type Faults, type Life } from './simulated-world.ts'
import { createSlots } from './slots.ts'
import { websubKind } from './websub.ts'

/** Faults planted on purpose, to see that the checks see them. */
export type HubPlant = 'forgets-pending' | 'commits-early' | 'reads-once' | 'forgets-the-end'

type SentFeed = Readonly<{ name: string; counter: number; atMs: number; id: string }>
export type HubRun = Readonly<{
  seed: number
  latest: number
  /** Names of subscribers that are live at the end. */
  live: readonly string[]
  /** When the others ended. */
  endedMs: ReadonlyMap<string, number>
  /** The newest build that has arrived, by subscriber. */
  shown: ReadonlyMap<string, number>
  sent: readonly SentFeed[]
  /** Requests that began while another one to the same callback was under way in the same process. */
  overlaps: number
  undone: number
  crashes: number
  stuck: readonly string[]
}>

const FEED = 'all'
const PUBLIC_URL = 'https://press.example'
const NAMES = ['stays', 'comes', 'leaves', 'gone']

export const simulateHub = async (seed: number, faults: Faults, plant?: HubPlant): Promise<HubRun> => {
  const sim = createSimulatedWorld(seed, faults, mine => begin(mine))
  const { random, world, store, stuck, at, maybeCrash, effect, objectsOf, clockOf, consume } = sim
  const builds = createConsumer()
  const feeds = new Map([[FEED, { id: FEED } as FeedConfig]])
  const registry = new Map<string, Subscription>()
  const listeners = new Set<(one: Subscription) => void>()
  const endedMs = new Map<string, number>()
  const shown = new Map<string, number>()
  const sent: SentFeed[] = []
  const flying = new Map<string, Life>()
  let overlaps = 0
  let counter = 0
  let position = 0

  const idOf = (name: string) => subscriptionIdOf(PUBLIC_URL, FEED, 'rss', `https://${name}/cb`)
  const put = (name: string, lease: Subscription['lease']) => {
    const one: Subscription = {
      n: (registry.get(idOf(name))?.n ?? 0) + 1,
      nonce: '',
      id: idOf(name),
      feedId: FEED,
      format: 'rss',
      topic: `${PUBLIC_URL}/feeds/${FEED}/rss.xml`,
      callback: `https://${name}/cb`,
      lease,
      errand: null,
      changedAt: '',
      swept: false,
    }
    registry.set(one.id, one)
    for (const listener of listeners) listener(one)
  }
  const join = (name: string) => {
    const [verifiedAt, until] = [0, 1e9].map(ms => new Date(sim.now() + ms).toISOString()) as [string, string]
    put(name, { secretId: null, seconds: 1_000_000, verifiedAt, until, since: counter })
  }
  const leave = (name: string) => {
    put(name, null)
    endedMs.set(name, sim.now())
  }

  /** As `createPartners` has it, and one that says 410 when it does not want any more. */
  const request = (mine: Life, asked: OutboundRequest): Promise<OutboundResult> => {
    const name = new URL(asked.url).hostname
    const got = (JSON.parse(Buffer.from(asked.body ?? []).toString()) as { counter: number }).counter
    if (flying.get(name) === mine) overlaps += 1
    flying.set(name, mine)
    sent.push({ name, counter: got, atMs: sim.now(), id: asked.headers?.['webhook-id'] ?? '' })
    const arrive = () => shown.set(name, Math.max(got, shown.get(name) ?? 0))
    const mood = sim.isRough() ? Math.floor(random() * 8) : 7
    return new Promise(resolve => {
      const reply = (ms: number, result: OutboundResult): void => {
        at(ms, mine, () => {
          flying.delete(name)
          if (!maybeCrash(mine)) resolve(result)
        })
      }
      const answer = (status: number): OutboundResult => ({ ok: true, response: { status, headers: {}, body: new Uint8Array() } })
      const silence: OutboundResult = { ok: false, kind: 'ambiguous', code: 'NEWSWIRE_OUTBOUND_TIMEOUT', message: '' }
      if (name === 'gone' && counter > 2) return reply(5, answer(410))
      if (mood === 0) return reply(2, { ok: false, kind: 'connect', code: 'NEWSWIRE_OUTBOUND_CONNECT', message: '' })
      if (mood === 1) return reply(20, answer(500))
      if (mood === 2) return reply(15_000, silence)
      if (mood === 5) return reply(20, answer(422))
      at(random() * 10, world, arrive)
      reply(mood === 4 ? 15_000 : 12 + random() * 20, mood === 4 ? silence : answer(204))
    })
  }

  const begin = (mine: Life) => {
    listeners.clear()
    const objects = objectsOf(mine)
    const clock = clockOf(mine)
    const real = createFeedView(objects, clock)
    const once = new Map<string, ReturnType<FeedView['read']>>()
    const readOnce: FeedView['read'] = (feedId, format, want) => {
      const first = once.get(feedId) ?? real.read(feedId, format, want)
      once.set(feedId, first)
      return first.then(body => body && { ...body, version: want })
    }
    const view = plant === 'reads-once' ? { ...real, read: readOnce } : real
    const stored = createPendingStore({ objects, shelf: hubShelf, now: sim.now, onUnreadable: key => stuck.push(key) })
    const pending: PendingStore = plant === 'forgets-pending' ? { ...stored, save: async () => ({ etag: '', n: 0 }) } : stored
    const known = new Map(registry)
    const find = (id: string) => (plant === 'forgets-the-end' ? (known.get(id) ?? registry.get(id) ?? null) : (registry.get(id) ?? null))
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const kindNeeds = {
      find,
      isServed: ({ feedId }: Subscription) => feeds.has(feedId),
      publicUrl: () => PUBLIC_URL,
      view,
      bodies: createBodies(),
      keyOf: async () => 'unknown' as const,
      post: (asked: Post) => request(mine, toSignedPost(asked)),
      end: (id: string) => effect(mine, () => leave(NAMES.find(name => idOf(name) === id) ?? '')),
      now: sim.now,
      onAttempt: () => undefined,
    }
    const shared = {
      clock,
      slots: createSlots({ total: 3, after: clock.after }),
      states: neverSuspended,
      ownSide: neverOurSide,
      scale: 1,
      random,
      logger: quiet,
    }
    const hub = createHub({
      handover: createHandover(objects, `owner-${sim.crashes()}`, keys.hubHandover),
      clock,
      scale: 1,
      shared: false,
      partitionOf: () => 0,
      feeds: () => feeds,
      isServed: ({ feedId }) => feeds.has(feedId),
      subscriptions: {
        get: find,
        all: () => registry.values(),
        onChange: listener => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      view,
      pending,
      createActor: ({ feedId, subscriptionId }, shelf, isHeld) =>
        createActor(feedId, {
          ...shared,
          pending: shelf,
          kind: websubKind(feedId, subscriptionId, kindNeeds),
          owns: () => mine.alive && isHeld(),
        }),
      now: sim.now,
      onError: error => {
        if (mine.alive) stuck.push(String(error))
      },
    })
    void hub.onAssigned({ gained: [0], lost: [] })
    consume(mine, builds, {
      lane: record => String(record.position),
      handle: record => {
        const context = { record, attempt: 1, signal: new AbortController().signal }
        const done = hub.onBuilt(fromRecord(record) as NewswireEvent<'feed.built'>, context)
        done.catch(() => undefined)
        return plant === 'commits-early' ? Promise.resolve() : done
      },
    })
  }

  const build = () => {
    counter += 1
    const made = counter
    sim.write(keys.feed(FEED, 'rss.xml'), Buffer.from(JSON.stringify({ counter: made })))
    const output = { key: 'k', sha256: String(made), bytes: 1 }
    const event: NewswireEvent<'feed.built'> = {
      id: `built-${made}`,
      type: 'feed.built',
      source: '/services/feeds',
      subject: FEED,
      time: new Date(sim.now()).toISOString(),
      data: {
        feedId: FEED,
        counter: made,
        updatedAt: new Date(sim.now()).toISOString(),
        items: 1,
        outputs: { rss: output, atom: output, json: output },
      },
    }
    at(random() * 20, world, () => {
      position += 1
      builds.records.push({ ...toRecord(event), partition: 0, position, timestamp: sim.now() })
      builds.look()
    })
  }

  for (const name of ['stays', 'leaves', 'gone']) at(0, world, () => join(name))
  let whenMs = 10
  for (let left = 3 + Math.floor(random() * 4); left > 0; left--) {
    at(whenMs, world, build)
    whenMs += random() < 0.5 ? random() * 30 : random() * 60_000
  }
  at(random() * whenMs, world, () => join('comes'))
  at(random() * whenMs, world, () => leave('leaves'))
  // Whoever is gone says so at the latest to this one.
  at(whenMs + 30_000, world, build)
  await sim.run()
  const undone = store.list('hub/pending/').filter(([, one]) => !Buffer.from(one.bytes).toString().includes('"delivery":null')).length
  const live = NAMES.filter(name => registry.get(idOf(name))?.lease != null)
  return { seed, latest: counter, live, endedMs, shown, sent, overlaps, undone, crashes: sim.crashes(), stuck }
}
