import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Subscription } from '@newswire/events/subscription'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { Subscriptions } from '@newswire/runtime/subscriptions'
import { createErrands } from './hub-errands.ts'

const DEADLINE_MS = 10_000
const until = async (what: string, isSo: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + DEADLINE_MS; !isSo(); await pause(5))
    assert.ok(Date.now() < deadline, `${what}: not within ${DEADLINE_MS} ms`)
}

const openErrands = () => {
  const all = new Map<string, Subscription>()
  const asked: string[] = []
  const amend: Subscriptions['amend'] = async (id, change) => {
    const draft = change(all.get(id) ?? null)
    if (draft !== null) all.set(id, { n: 1, nonce: '', changedAt: '', swept: false, ...draft })
    return all.get(id) ?? null
  }
  /** Callbacks named `hang…` never answer. */
  const request = async ({ url, signal }: OutboundRequest): Promise<OutboundResult> => {
    asked.push(url)
    const { hostname, searchParams } = new URL(url)
    if (hostname.startsWith('hang')) await new Promise(resolve => signal?.addEventListener('abort', resolve))
    return { ok: true, response: { status: 200, headers: {}, body: Buffer.from(searchParams.get('hub.challenge') ?? '') } }
  }
  const errands = createErrands({
    subscriptions: { amend },
    request,
    isServed: () => true,
    counterOf: () => 1,
    forget: async () => undefined,
    onConcluded: () => undefined,
    me: 'me',
    alone: true,
    scale: 1,
    now: Date.now,
    logger: { warn: () => undefined, info: () => undefined },
  })
  const ask = (callback: string): void => {
    const errand = errands.make({ mode: 'subscribe', secretId: null, seconds: 3_600, reason: null })
    const one: Subscription = {
      n: 1,
      nonce: '',
      id: callback,
      feedId: 'all',
      format: 'rss',
      topic: 'https://press.example/feeds/all/rss.xml',
      callback,
      lease: null,
      errand,
      changedAt: '',
      swept: false,
    }
    all.set(one.id, one)
    errands.begin(one)
  }
  return { errands, ask, asked, isVerified: (callback: string) => (all.get(callback)?.lease ?? null) !== null }
}

test('callbacks that hang hold up others of their owner alone', async t => {
  const { errands, ask, asked, isVerified } = openErrands()
  t.after(() => errands.stop())
  for (let count = 0; count < 40; count += 1) ask(`https://hang${count}.owner-${count % 2}.example/`)
  ask('https://reader.example/')
  await until('the other one is verified', () => isVerified('https://reader.example/'))
  assert.equal(asked.filter(url => url.includes('owner-0')).length, 4)
})

test('as one of an owner is done the next one begins, until all are', async t => {
  const { errands, ask, isVerified } = openErrands()
  t.after(() => errands.stop())
  const all = Array.from({ length: 60 }, (_, count) => `https://reader.owner-${count % 3}.example/${count}`)
  for (const callback of all) ask(callback)
  await until('all are verified', () => all.every(isVerified))
})
