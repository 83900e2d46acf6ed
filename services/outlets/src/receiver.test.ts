import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Fact } from '@newswire/events/fact'
import { toDocument } from './document.ts'
import type { Parcel } from './parcel.ts'
import { contextOf, killFact, liveFact, outletOf, SECRET } from './samples.ts'
import { toKey, toSignedPost } from './signing.ts'
import { toTestWebhook, toWebhook } from './webhook.ts'

const example = (file: string) => fileURLToPath(new URL(`../../../examples/receiver/${file}`, import.meta.url))
const hasPython = spawnSync('python3', ['--version']).status === 0

const startReceiver = async (t: TestContext, command: string, file: string) => {
  const child: ChildProcess = spawn(command, [example(file)], {
    env: { ...process.env, PORT: '0', PARTNER_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  assert.ok(child.stdout)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => String((await lines.next()).value)
  const port = /^listening on (\d+)$/.exec(await line())?.[1]
  assert.ok(port !== undefined)
  return { url: `http://127.0.0.1:${port}/`, line }
}

type Posting = Readonly<{ secret?: string; nowMs?: number; due?: Parcel['due'] }>
const post = async (url: string, fact: Fact, { secret = SECRET, nowMs = Date.now(), ...posting }: Posting = {}): Promise<number> => {
  const due = posting.due ?? (fact.state === 'live' ? 'content' : 'retraction')
  const outlet = outletOf({ id: 'partner', url })
  const parcel = { outlet, fact, due, sequence: 1, settling: false }
  const site = { id: 'news.example,2026', publicUrl: 'https://news.example' }
  const made = toWebhook(parcel, { keys: [toKey(secret)], document: toDocument(parcel, contextOf(site), outlet.deliver), nowMs })
  const webhook = made && toSignedPost(made)
  assert.ok(webhook?.body && webhook.headers)
  const response = await fetch(webhook.url, { method: 'POST', headers: webhook.headers, body: Buffer.from(webhook.body) })
  await response.arrayBuffer()
  return response.status
}

const receivers = [
  { name: 'Node', command: process.execPath, file: 'receiver.mjs', skip: false as boolean | string },
  { name: 'Python', command: 'python3', file: 'receiver.py', skip: hasPython ? false : 'python3 is not installed' },
]
for (const { name, command, file, skip } of receivers)
  test(`the ${name} sample takes what is genuine, and ignores versions not above the one it holds`, { skip, timeout: 30_000 }, async t => {
    const { url, line } = await startReceiver(t, command, file)
    const live = (version: number) => liveFact({ articleId: 'press.a', version })
    assert.equal(await post(url, live(2)), 204)
    assert.equal(await line(), 'show press.a v2')
    for (const late of [1, 2]) {
      assert.equal(await post(url, live(late)), 204)
      assert.equal(await line(), `ignore press.a v${late}`)
    }
    assert.equal(await post(url, live(9), { secret: 'whsec_c29tZWJvZHkgZWxzZQ==' }), 401)
    assert.equal(await post(url, live(9), { nowMs: Date.now() - 600_000 }), 401)
    assert.equal(await post(url, killFact({ articleId: 'press.a', version: 3 })), 204)
    assert.equal(await line(), 'take down press.a v3')
  })

for (const { name, command, file, skip } of receivers)
  test(`the ${name} sample takes down the version it holds when that is taken back from it alone, and does not show it again`, {
    skip,
    timeout: 30_000,
  }, async t => {
    const { url, line } = await startReceiver(t, command, file)
    const live = (version: number) => liveFact({ articleId: 'press.a', version })
    await post(url, live(2))
    assert.equal(await line(), 'show press.a v2')
    await post(url, live(2), { due: 'retraction' })
    assert.equal(await line(), 'take down press.a v2')
    for (const due of ['content', 'retraction'] as const) {
      await post(url, live(2), { due })
      assert.equal(await line(), 'ignore press.a v2', due)
    }
    await post(url, live(3))
    assert.equal(await line(), 'show press.a v3')
    await post(url, live(2), { due: 'retraction' })
    assert.equal(await line(), 'ignore press.a v2', 'late')
  })

for (const { name, command, file, skip } of receivers)
  test(`the ${name} sample takes a test, and either of two signatures while a secret is changed`, { skip, timeout: 30_000 }, async t => {
    const { url, line } = await startReceiver(t, command, file)
    const another = toKey(`whsec_${Buffer.alloc(32, 9).toString('base64')}`)
    const send = async (keys: readonly KeyObject[]) => {
      const made = toTestWebhook(outletOf({ id: 'partner', url }), { requestId: 'r', keys, nowMs: Date.now() })
      const { headers = {}, body } = toSignedPost(made)
      return (await fetch(url, { method: 'POST', headers, body: Buffer.from(body ?? []) })).status
    }
    assert.equal(await send([toKey(SECRET)]), 204)
    assert.equal(await send([another, toKey(SECRET)]), 204, 'the old one behind the new one')
    assert.equal(await send([toKey(SECRET), another]), 204)
    assert.equal(await send([another]), 401)
    assert.equal(await post(url, liveFact({ articleId: 'press.a', version: 1 })), 204)
    assert.equal(await line(), 'show press.a v1', 'a test left nothing behind, and the receiver lives')
  })
