import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createFastAnswers } from './fast-answers.ts'
import { answerFeed } from './feed-answer.ts'
import { createFeedState } from './feed-state.ts'

const stateOf = (lastModified: Date) =>
  createFeedState({
    feedId: 'all',
    output: 'rss',
    bytes: Buffer.from('<rss><channel></channel></rss>'),
    content: 'a1',
    lastModified,
    before: null,
  })
const NOW = Date.parse('2026-03-01T08:00:00Z')
const ask = (state: ReturnType<typeof stateOf>, headers: Record<string, string>, now: number) =>
  answerFeed({ method: 'GET', state, past: null, headers, publicUrl: 'https://news.example', isPrivate: false, now })

test('no answer is dated later than it is, and whoever was told an earlier date is never told that nothing changed', async () => {
  const state = stateOf(new Date(NOW + 3_000))
  const early = await ask(state, {}, NOW)
  assert.equal(early.headers['last-modified'], new Date(NOW).toUTCString())
  assert.equal((await ask(state, { 'if-modified-since': new Date(NOW).toUTCString() }, NOW)).status, 200)
  const then = await ask(state, {}, NOW + 3_000)
  assert.equal(then.headers['last-modified'], new Date(NOW + 3_000).toUTCString())
  assert.equal((await ask(state, { 'if-modified-since': new Date(NOW + 3_000).toUTCString() }, NOW + 3_000)).status, 304)
})

test('an answer that is kept ready tells the second it is given in until its date has come, and then that', () => {
  let now = NOW
  const { headOf, answerOf } = createFastAnswers({ watch: () => ({ state: null }) as never, want: () => undefined }, null, () => now)
  const asked = headOf('GET /feeds/all/rss.xml HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.ok(asked !== null)
  const state = stateOf(new Date(NOW + 3_000))
  const snapshot = { site: { publicUrl: 'https://news.example' } } as ConfigSnapshot
  const told = () => {
    let written = ''
    const socket = { writableLength: 0, write: (bytes: Buffer) => (written += bytes.toString('latin1')) } as unknown as Socket
    answerOf(asked, state, snapshot)?.frame.write(socket, now, { remaining: 0, resetSeconds: 0 }, () => undefined)
    return /^last-modified: (.*)\r$/m.exec(written)?.[1]
  }
  const early = answerOf(asked, state, snapshot)
  now = NOW + 999
  assert.equal(answerOf(asked, state, snapshot), early)
  now = NOW + 2_999
  assert.equal(told(), new Date(NOW + 2_000).toUTCString())
  now = NOW + 3_000
  assert.equal(told(), new Date(NOW + 3_000).toUTCString())
  const settled = answerOf(asked, state, snapshot)
  assert.notEqual(settled?.frame, early?.frame)
  now = NOW + 86_400_000
  assert.equal(answerOf(asked, state, snapshot), settled, 'and then it is kept')
})
