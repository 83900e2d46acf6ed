import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toTopic } from '@newswire/events/subscription'
import { createSealing } from '@newswire/objects/sealed'
import { createFeedHub } from './feed-hub.ts'

const PUBLIC_URL = 'https://press.example'
const tokenOf = (id: string, digit: string) => ({ id, sha256: digit.repeat(64) })
const [a, b] = [tokenOf('a', '1'), tokenOf('b', '2')]
const never = async (): Promise<never> => assert.fail('nothing is stored')
const sealing = createSealing({ get: never, put: never }, Buffer.alloc(32, 7))

const worldOf = (access: Record<string, { tokens: { id: string; sha256: string }[] } | undefined>, key: typeof sealing | null = sealing) =>
  createFeedHub({
    feeds: () => new Map(Object.entries(access).map(([id, one]) => [id, one === undefined ? {} : { access: one }])),
    sealing: key,
  })
const hub = worldOf({ inside: { tokens: [a, b] }, other: { tokens: [a] }, all: undefined })
const subscribed = (feedId: string, token: typeof a) => ({
  feedId,
  tokenId: token.id,
  topic: toTopic(PUBLIC_URL, feedId, 'atom', hub.capabilityOf(feedId, token)),
})

test('a capability is of one feed and one token, and says nothing of the token', () => {
  const capabilities = [hub.capabilityOf('inside', a), hub.capabilityOf('inside', b), hub.capabilityOf('other', a)]
  assert.equal(new Set(capabilities).size, 3)
  assert.deepEqual(hub.capabilitiesOf('inside'), capabilities.slice(0, 2))
  assert.equal(hub.tokenOf('inside', capabilities[1] ?? ''), 'b')
  for (const [feedId, capability] of [
    ['other', capabilities[0]],
    ['all', capabilities[0]],
    ['none', capabilities[0]],
    ['inside', a.sha256],
    ['inside', ''],
  ] as const)
    assert.equal(hub.tokenOf(feedId, capability ?? ''), null)
})

test('a subscription ends with its token, whatever becomes of the others', () => {
  const one = subscribed('inside', a)
  assert.equal(hub.isServed(one), true)
  for (const tokens of [[b], [b, { ...a, sha256: '3'.repeat(64) }], [{ ...a, id: 'c' }]])
    assert.equal(worldOf({ inside: { tokens } }).isServed(one), false)
  assert.equal(worldOf({ inside: { tokens: [a] } }).isServed(one), true)
  assert.equal(worldOf({}).isServed(one), false)
  assert.equal(hub.isServed({ ...one, topic: subscribed('inside', b).topic }), false)
})

test('a feed that becomes private or public ends what was subscribed to before', () => {
  const open = { feedId: 'all', topic: toTopic(PUBLIC_URL, 'all', 'atom') }
  assert.equal(hub.isServed(open), true)
  assert.equal(worldOf({ all: { tokens: [a] } }).isServed(open), false)
  assert.equal(worldOf({ inside: undefined }).isServed(subscribed('inside', a)), false)
})

test('without a key private feeds have no hub', () => {
  const without = worldOf({ inside: { tokens: [a] }, all: undefined }, null)
  assert.equal(without.capabilityOf('inside', a), null)
  assert.deepEqual(without.capabilitiesOf('inside'), [])
  assert.equal(without.tokenOf('inside', ''), null)
  assert.equal(without.isServed(subscribed('inside', a)), false)
  assert.equal(without.isServed({ feedId: 'all', topic: toTopic(PUBLIC_URL, 'all', 'atom') }), true)
})
