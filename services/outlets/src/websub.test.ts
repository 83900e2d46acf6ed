import assert from 'node:assert/strict'
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { type Subscription, subscriptionIdOf } from '@newswire/events/subscription'
import { readFromBundles } from '@newswire/objects/bundle-reader'
import { toBundle } from '@newswire/objects/feed-bundle'
import type { Objects } from '@newswire/objects/objects'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import { createBodies, createFeedView, type FeedBody } from './feed-view.ts'
import type { Outcome } from './machine.ts'
import { toSignedPost } from './signing.ts'
import { toDistribution, websubKind } from './websub.ts'

const NOW = Date.parse('2026-11-24T03:30:00.250Z')
const PUBLIC_URL = 'https://press.example'
const CALLBACK = 'https://reader.example/cb?id=1&hub.mode=mine'
const ID = subscriptionIdOf(PUBLIC_URL, 'all', 'atom', CALLBACK)
const output = { key: '', sha256: 'a'.repeat(64), bytes: 1 }
const builtOf = (counter: number) => ({ feedId: 'all', counter, outputs: { rss: output, atom: output, json: output } })
const lease = (changes: Partial<NonNullable<Subscription['lease']>> = {}) => ({
  secretId: 'hub-1' as string | null,
  seconds: 3_600,
  verifiedAt: '2026-11-24T03:00:00.000Z',
  until: '2026-11-24T04:00:00.000Z',
  since: 1,
  ...changes,
})
const subscriptionOf = (changes: Partial<Subscription> = {}): Subscription => ({
  n: 1,
  nonce: '',
  id: ID,
  feedId: 'all',
  format: 'atom',
  topic: `${PUBLIC_URL}/feeds/all/atom.xml`,
  callback: CALLBACK,
  lease: lease(),
  errand: null,
  changedAt: '2026-11-24T03:00:00.000Z',
  swept: false,
  ...changes,
})
const bodyOf = (text: string, version = 1): FeedBody => ({ bytes: Buffer.from(text), sha256: sha256Hex(text), version })
const key = createSecretKey(Buffer.from('một bí mật'))
const answerOf = (status: number): OutboundResult => ({ ok: true, response: { status, headers: {}, body: new Uint8Array() } })

describe('a distribution', () => {
  const sent = toSignedPost(toDistribution(subscriptionOf(), bodyOf('<feed>tin</feed>'), { key, publicUrl: PUBLIC_URL, nowMs: NOW }))

  test('has the type of the topic, links to hub and topic, and goes to the callback as it was given', () => {
    assert.equal(sent.url, CALLBACK)
    assert.equal(sent.headers?.['content-type'], 'application/atom+xml; charset=utf-8')
    assert.equal(sent.headers?.['link'], `<${PUBLIC_URL}/hub>; rel="hub", <${PUBLIC_URL}/feeds/all/atom.xml>; rel="self"`)
  })

  test('is signed over exactly its bytes, by the Recommendation and by Standard Webhooks', () => {
    const body = Buffer.from(sent.body ?? [])
    assert.equal(sent.headers?.['x-hub-signature'], `sha256=${createHmac('sha256', 'một bí mật').update(body).digest('hex')}`)
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = sent.headers ?? {}
    assert.equal(signature, `v1,${createHmac('sha256', 'một bí mật').update(`${id}.${at}.`).update(body).digest('base64')}`)
  })

  test('carries the bytes that were read, not a copy', () => {
    const body = bodyOf('x')
    assert.equal(toDistribution(subscriptionOf(), body, { key, publicUrl: PUBLIC_URL, nowMs: NOW }).body, body.bytes)
  })

  test('has one id for the same bytes and another one for other bytes, and no signature without a secret', () => {
    const of = (text: string) =>
      toSignedPost(toDistribution(subscriptionOf(), bodyOf(text), { key: null, publicUrl: PUBLIC_URL, nowMs: NOW + text.length }))
        .headers ?? {}
    assert.equal(of('a')['webhook-id'], of('a')['webhook-id'])
    assert.notEqual(of('a')['webhook-id'], of('b')['webhook-id'])
    assert.match(of('a')['webhook-id'] ?? '', /^[\w-]+$/)
    assert.ok(!('x-hub-signature' in of('a')) && !('webhook-signature' in of('a')))
  })
})

const worldOf = (start: Subscription | null = subscriptionOf()) => {
  const world = {
    one: start,
    served: true,
    text: 'tin' as string | null,
    answer: answerOf(204),
    keys: { 'hub-1': key } as Record<string, KeyObject>,
    nowMs: NOW,
    requests: [] as OutboundRequest[],
    ended: [] as string[],
    before: () => {
      // A test may change the world here.
    },
  }
  const bodies = createBodies({ mostBytes: 10 })
  const view = createFeedView(
    {
      get: async () =>
        world.text === null ? null : { bytes: Buffer.from(world.text), etag: '1', contentType: '', lastModified: new Date(0) },
    },
    { after: () => () => undefined },
  )
  const kind = websubKind('all', ID, {
    find: () => world.one,
    isServed: () => world.served,
    publicUrl: () => PUBLIC_URL,
    view,
    bodies,
    keyOf: async id => {
      world.before()
      return world.keys[id] ?? 'unknown'
    },
    post: async post => {
      world.requests.push(toSignedPost(post))
      return world.answer
    },
    end: async id => void world.ended.push(id),
    now: () => world.nowMs,
    onAttempt: () => undefined,
  })
  const attempt = async (want = 1, mayStill = () => true): Promise<Outcome | 'nothing is due'> => {
    const ready = await kind.read(ID, want)
    assert.ok(ready && ready.version >= want)
    return ready.send === null ? 'nothing is due' : ready.send({ sequence: 1, settling: false, sinceMs: 0 }, mayStill)
  }
  return { world, attempt, bodies, view }
}

describe('a subscription', () => {
  test('that is live is sent the feed, and not the same bytes again', async () => {
    const { world, attempt, view } = worldOf()
    assert.deepEqual(await attempt(), { kind: 'accepted' })
    view.note(builtOf(2))
    assert.equal(await attempt(2), 'nothing is due')
    world.text = 'other'
    view.note(builtOf(3))
    assert.deepEqual(await attempt(3), { kind: 'accepted' })
    assert.equal(world.requests.length, 2)
  })

  test('that failed is sent the same bytes again, and so is one that was renewed since', async () => {
    const { world, attempt } = worldOf()
    world.answer = answerOf(500)
    await attempt()
    world.answer = answerOf(204)
    await attempt()
    world.one = subscriptionOf({ lease: lease({ verifiedAt: '2026-11-24T03:20:00.000Z' }) })
    await attempt()
    assert.equal(world.requests.length, 3)
  })

  for (const [what, change] of [
    ['that is gone', { one: null }],
    ['that ended', { one: subscriptionOf({ lease: null }) }],
    ['whose lease is over', { nowMs: Date.parse('2026-11-24T04:00:00.000Z') }],
    ['of a feed that is private or removed', { served: false }],
    ['of a feed that has no file', { text: null }],
  ] as const)
    test(`${what} is due nothing`, async () => {
      const { world, attempt } = worldOf()
      Object.assign(world, change)
      assert.equal(await attempt(), 'nothing is due')
      assert.equal(world.requests.length, 0)
    })

  test('that ends between the reading and the first byte is sent nothing', async () => {
    const { world, attempt } = worldOf()
    world.before = () => {
      world.one = subscriptionOf({ lease: null })
    }
    const outcome = await attempt()
    assert.equal(outcome !== 'nothing is due' && outcome.kind, 'own')
    assert.equal(world.requests.length, 0)
  })

  test('whose secret cannot be opened is sent nothing unsigned', async () => {
    const { world, attempt } = worldOf()
    world.keys = {}
    const outcome = await attempt()
    assert.equal(outcome !== 'nothing is due' && outcome.kind, 'failed')
    assert.equal(world.requests.length, 0)
  })

  test('ends with 410, and no attempt is counted', async () => {
    const { world, attempt } = worldOf()
    world.answer = answerOf(410)
    const outcome = await attempt()
    assert.equal(outcome !== 'nothing is due' && outcome.kind, 'own')
    assert.deepEqual(world.ended, [ID])
  })

  test('is sent nothing by a process that may not own it any more', async () => {
    const { world, attempt } = worldOf()
    const outcome = await attempt(1, () => false)
    assert.equal(outcome !== 'nothing is due' && outcome.kind, 'own')
    assert.equal(world.requests.length, 0)
  })
})

describe('bodies in flight', () => {
  test('are counted once however many requests hold them, and another waits when there is no room', () => {
    const bodies = createBodies({ mostBytes: 10 })
    const [a, b, c] = [bodyOf('0123456789'), bodyOf('other'), bodyOf('third')]
    const first = bodies.hold(a)
    const second = bodies.hold(a)
    assert.ok(first && second)
    assert.equal(bodies.bytes(), 10)
    assert.equal(bodies.hold(b), null)
    first()
    assert.equal(bodies.hold(b), null)
    second()
    assert.equal(bodies.bytes(), 0)
    assert.ok(bodies.hold(b) && bodies.hold(c))
  })
})

describe('the read of a feed', () => {
  const viewOf = () => {
    const reads: string[] = []
    const timers: (() => void)[] = []
    const get: Objects['get'] = async key => {
      reads.push(key)
      return { bytes: Buffer.from(String(reads.length)), etag: '', contentType: '', lastModified: new Date(0) }
    }
    const after = (_ms: number, run: () => void) => {
      timers.push(run)
      return () => undefined
    }
    return { view: createFeedView({ get }, { after }), reads, timers }
  }

  test('is one for all who want this build or an older one', async () => {
    const { view, reads } = viewOf()
    view.note(builtOf(5))
    const bodies = await Promise.all([view.read('all', 'rss', 5), view.read('all', 'rss', 3), view.read('all', 'rss', 5)])
    assert.equal(reads.length, 1)
    assert.ok(bodies.every(one => one === bodies[0] && one?.version === 5))
  })

  test('is never used for a newer build, also when only an older one was asked for', async () => {
    const { view, reads } = viewOf()
    await view.read('all', 'rss', 1)
    view.note(builtOf(2))
    assert.equal((await view.read('all', 'rss', 1))?.version, 2)
    assert.equal(reads.length, 2)
  })

  test('is one of the bundle for all formats of a build, and another one for the next', async () => {
    const store = { counter: 1, reads: 0 }
    const files = ['rss.xml', 'atom.xml', 'feed.json'] as const
    const textOf = (name: string) => `${name} of ${store.counter}`
    const bundle = () => toBundle(files.map(name => ({ name, pieces: [Buffer.from(textOf(name))], sha256: sha256Hex(textOf(name)) })))
    const get: Objects['get'] = async key => {
      store.reads += 1
      assert.equal(key, 'feeds/all/feed.bundle')
      return { bytes: bundle(), etag: `"${store.counter}"`, contentType: '', lastModified: new Date(0) }
    }
    const view = createFeedView(readFromBundles({ get } as Objects), { after: () => () => undefined })
    for (const counter of [1, 2]) {
      store.counter = counter
      const [rss, atom, json] = files.map(name => ({ ...output, sha256: sha256Hex(textOf(name)) }))
      assert.ok(rss && atom && json)
      view.note({ ...builtOf(counter), outputs: { rss, atom, json } })
      const bodies = await Promise.all((['rss', 'atom', 'json'] as const).map(format => view.read('all', format, counter)))
      assert.deepEqual(
        bodies.map(body => Buffer.from(body?.bytes ?? []).toString()),
        files.map(textOf),
      )
      assert.equal(store.reads, counter)
    }
  })

  test('is forgotten after a second, so that an idle hub holds no bytes', async () => {
    const { view, reads, timers } = viewOf()
    await view.read('all', 'rss', 1)
    await new Promise(resolve => setImmediate(resolve))
    for (const run of timers) run()
    await view.read('all', 'rss', 1)
    assert.equal(reads.length, 2)
  })
})
