import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { publisherConfig } from '@newswire/events/config'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { SubmissionStatus } from '@newswire/trace/queries'
import { type CallbackNeeds, callbackKind, rankOf, toCallbackBody } from './callback.ts'
import { toSignedPost } from './signing.ts'

const NOW = Date.parse('2026-11-24T03:30:00.250Z')
const PUBLISHER = publisherConfig.parse({
  id: 'press',
  name: 'Press',
  callbackUrl: 'https://press.example/told',
  callbackSecretEnv: 'PRESS',
})
const status = (fields: Partial<SubmissionStatus> = {}): SubmissionStatus => ({
  submissionId: 's1',
  articleId: 'press.a',
  command: 'publish',
  state: 'refused',
  code: 'NEWSWIRE_ARTICLE_STALE',
  detail: 'an older version',
  acceptedAt: '2026-11-24T03:29:59.000Z',
  at: '2026-11-24T03:30:00.000Z',
  ...fields,
})
const answered = (code: number): OutboundResult => ({
  ok: true,
  response: { status: code, headers: {}, body: Buffer.from('canary-of-an-answer') },
})

const open = (fields: Partial<CallbackNeeds> = {}, answer = answered(204)) => {
  const requests: OutboundRequest[] = []
  const kind = callbackKind('press', {
    publisher: () => PUBLISHER,
    submission: async () => status(),
    secret: name => (name === 'PRESS' ? 'canary-secret' : undefined),
    post: async post => {
      requests.push(toSignedPost(post))
      return answer
    },
    now: () => NOW,
    scale: 1,
    onNews: () => undefined,
    ...fields,
  })
  const send = async (mayStill = () => true) => {
    const ready = await kind.read('s1', 3)
    return ready?.send?.({ sequence: 1, settling: false, sinceMs: NOW }, mayStill)
  }
  return { kind, send, requests }
}

test('a state never comes before one that it follows from, and what was refused may be redriven', () => {
  assert.deepEqual(
    ['accepted', 'parked', 'held', 'refused', 'released', 'duplicate', 'superseded', 'toString'].map(rankOf),
    [0, 1, 2, 3, 4, 4, 4, 0],
  )
})

test('the body says what became of which submission, the same for every attempt', () => {
  assert.deepEqual(JSON.parse(Buffer.from(toCallbackBody(status())).toString()), {
    type: 'submission.refused',
    timestamp: '2026-11-24T03:30:00.000Z',
    data: { submissionId: 's1', articleId: 'press.a', command: 'publish', code: 'NEWSWIRE_ARTICLE_STALE', detail: 'an older version' },
  })
  assert.deepEqual(toCallbackBody(status()), toCallbackBody(status()))
})

test('a callback is signed by Standard Webhooks with the publisher’s own secret', async () => {
  const { send, requests } = open()
  assert.deepEqual(await send(), { kind: 'accepted' })
  const [{ url, headers = {}, body } = { url: '' } as OutboundRequest] = requests
  assert.equal(url, 'https://press.example/told')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${Buffer.from(body ?? []).toString()}`
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', 'canary-secret').update(signed).digest('base64')}`)
  assert.match(headers['webhook-id'] ?? '', /^[A-Za-z0-9_-]+$/)
})

test('nothing goes out unsigned, to nobody, too late, or from who may not own it any more', async () => {
  for (const fields of [{ publisher: () => undefined }, { submission: async () => null }, { now: () => NOW + 71 * 3_600_000 }]) {
    const { send, requests } = open(fields)
    assert.equal(await send(), undefined)
    assert.equal(requests.length, 0)
  }
  const unsigned = open({ secret: () => undefined })
  const outcome = await unsigned.send()
  assert.ok(outcome?.kind === 'failed' && outcome.alarm)
  const lost = open()
  assert.equal((await lost.send(() => false))?.kind, 'own')
  assert.equal(unsigned.requests.length + lost.requests.length, 0)
})

test('whatever it answers but 2xx is tried again, and no word of its answer is kept', async () => {
  for (const code of [400, 410, 422, 429, 500]) {
    const outcome = await open({}, answered(code)).send()
    assert.equal(outcome?.kind, 'failed', String(code))
    assert.doesNotMatch(JSON.stringify(outcome), /canary/)
  }
})
