import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { PublishOptions } from '@newswire/log/log'
import type { Configuration } from '@newswire/runtime/configuration'
import { onArticles } from './fan-out.ts'
import { categories, makeFact } from './sample-facts.ts'

const feed = (id: string) => ({ id, title: id, description: '', match: {}, limit: 10, content: 'full', profile: 'standard' }) as const

/** How a fact's intents are published when so much of them was begun. */
const publishedWith = async (begin: (intents: readonly NewswireEvent[]) => boolean): Promise<PublishOptions | undefined> => {
  let found: PublishOptions | undefined
  const fact = makeFact({})
  const { topic, key, value, headers } = toRecord({
    type: 'article.published',
    id: deriveId('fact', fact.articleId, fact.version),
    source: '/services/desk',
    subject: fact.articleId,
    time: fact.releasedAt,
    data: fact,
  } as NewswireEvent)
  const handle = onArticles({
    publish: async (_, options) => {
      found = options
      return []
    },
    configuration: { current: () => ({ feeds: new Map([['all', feed('all')]]), categories }) } as unknown as Configuration,
    offer: () => undefined,
    begin,
  })
  await handle([{ topic, key, value, headers, partition: 0, position: 0, timestamp: 0 }], {
    signal: new AbortController().signal,
    attempt: 1,
  })
  return found
}

test('intents wait for company only where all of them are seen to already', async () => {
  const named: unknown[] = []
  const isBegun = await publishedWith(intents => {
    named.push(...intents.map(one => one.type))
    return true
  })
  assert.deepEqual(named, ['feed.changed'])
  assert.ok((isBegun?.patienceMs ?? 0) > 0)
  assert.equal((await publishedWith(() => false))?.patienceMs ?? 0, 0)
})
