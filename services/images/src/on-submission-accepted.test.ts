import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import type { NewswireEvent } from '@newswire/events/events'
import { onSubmissionAccepted } from './on-submission-accepted.ts'
import type { Parked } from './parked.ts'

test('a republish is passed on behind the pictures that it brings back, those that are late parked before', async () => {
  const published: string[] = []
  const arrived = { id: 'restored', type: 'pictures.arrived' } as NewswireEvent<'pictures.arrived'>
  const parked = { n: 1 } as Parked
  const handle = onSubmissionAccepted({
    settle: async () => assert.fail('it names no pictures'),
    bringBack: async ({ articleId }, _cause, urls) => {
      assert.deepEqual([articleId, urls], ['press.a', 'all'])
      return { restored: [arrived], late: [parked] }
    },
    parking: {
      park: async one => {
        assert.equal(one, parked)
        published.push('parked')
      },
    },
    publish: async events => {
      published.push(...events.map(one => one.type))
      return []
    },
    now: () => 0,
    withinMs: 10_000,
  })
  const data = {
    command: 'republish' as const,
    submissionId: 's1',
    articleId: 'press.a',
    publisher: 'press',
    receivedAt: '2026-01-01T00:00:00.000Z',
    lane: 'live' as const,
  }
  await handle(
    { id: 's1', type: 'submission.accepted', source: '/publishers/press', subject: data.articleId, time: data.receivedAt, data },
    {
      signal: new AbortController().signal,
      attempt: 1,
      record: { topic: 'submissions', partition: 0, position: 1, key: data.articleId, value: null, headers: {}, timestamp: 0 },
    },
  )
  assert.deepEqual(published, ['parked', 'pictures.arrived', 'submission.prepared'])
})

test('what is told of a refused picture names its address without what opens it', async () => {
  const url = 'https://user:pass@cms.example/a.jpg?X-Amz-Signature=secret#part'
  const input = articleInput.parse({ title: 'x', body: { text: 'x' }, images: [{ url }] })
  const published: NewswireEvent[] = []
  const handle = onSubmissionAccepted({
    settle: async picture => ({ outcome: 'settled', picture: { ...picture, state: 'refused', reason: 'its server answered 403' } }),
    bringBack: async () => ({ restored: [], late: [] }),
    parking: { park: async () => assert.fail('nothing is slow') },
    publish: async events => {
      published.push(...events)
      return []
    },
    now: () => 0,
    withinMs: 10_000,
  })
  const data = {
    command: 'publish' as const,
    submissionId: 's1',
    articleId: 'press.a',
    publisher: 'press',
    receivedAt: '2026-01-01T00:00:00.000Z',
    lane: 'live' as const,
    article: toArticle(input, { language: 'vi' }),
    contentSha256: 'c'.repeat(64),
  }
  await handle(
    { id: 's1', type: 'submission.accepted', source: '/publishers/press', subject: data.articleId, time: data.receivedAt, data },
    {
      signal: new AbortController().signal,
      attempt: 1,
      record: { topic: 'submissions', partition: 0, position: 1, key: data.articleId, value: null, headers: {}, timestamp: 0 },
    },
  )
  const told = published.find(one => one.type === 'milestone.reached')
  assert.equal(told?.data.detail, '0 of 1 pictures ready; https://cms.example/a.jpg: its server answered 403')
})
