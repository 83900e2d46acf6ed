/** What an article sends readers on to, on Kafka and S3: two processes of the desk share the articles, and one dies between an end and what follows from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { type Cluster, createCluster } from './support/cluster.ts'
import { readRealParts } from './support/real-parts.ts'
import { waitFor } from './support/wait-for.ts'

const DEADLINE_MS = 90_000
const write = createWriter(97)

const json = async (url: string): Promise<Record<string, unknown>> => (await (await fetch(url)).json()) as Record<string, unknown>

/** Which articles `mot` says are related, wherever that is said. */
const relatedTo = async ({ urls, guid, articleId, partner }: Cluster): Promise<readonly unknown[]> => {
  const [article, feed] = await Promise.all([
    json(`${urls.gateway}/articles/${articleId('mot')}/article.json`),
    json(`${urls.gateway}/feeds/all/feed.json`),
  ])
  const items = feed['items'] as { id: string; _newswire: { related?: string[] } }[]
  const item = items.find(one => one.id === guid('mot'))
  return [article['related'], item?._newswire.related ?? [], partner.held(articleId('mot'))?.article['related'] ?? []]
}

test('what an article refers to is named while it stands, nowhere once it is taken back, and again when it is back, whichever desk decides', {
  skip: readRealParts().both.skip,
}, async t => {
  const cluster = await createCluster(t)
  await Promise.all([
    cluster.start(['ingest', 'images', 'feeds', 'archive', 'gateway'], 'front'),
    cluster.start(['desk'], 'one'),
    cluster.start(['desk'], 'other'),
    cluster.start(['outlets']),
  ])
  const { publisher, partner, articleId } = cluster
  const settle = (what: string, isRight: () => unknown) =>
    waitFor(what, isRight, { deadlineMs: DEADLINE_MS }).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))
  // While the machine does much else an answer may be 503 or late: then it is asked again, which is the same to the desk.
  const ask = (answer: () => ReturnType<typeof publisher.put>) =>
    settle('202', async () => {
      const { status, body } = await answer()
      return status === 202 || Promise.reject(body)
    })
  const named = (...names: readonly string[]) =>
    settle(`everybody to name ${names.join(', ') || 'nothing'}`, async () => {
      const found = await relatedTo(cluster)
      return found.every(one => JSON.stringify(one) === JSON.stringify(names)) || Promise.reject(found)
    })
  const told = (localId: string) => partner.held(articleId(localId))?.retraction

  for (const localId of ['hai', 'ba', 'moi', 'cu']) await ask(() => publisher.put(localId, write()))
  await settle('all to be released', () => ['hai', 'ba', 'moi', 'cu'].every(id => partner.held(articleId(id))))
  await ask(() => publisher.put('mot', { ...write(), related: ['hai', articleId('ba')] }))
  await named('hai', articleId('ba'))
  await ask(() => publisher.retract('cu', { mode: 'replace', reason: 'thay', redirectTo: 'moi' }))
  await settle('the substitute to be named', () => told('cu')?.['redirectTo'] === 'moi')

  const restarting = cluster.killAndRestart('one')
  await ask(() => publisher.retract('hai', { mode: 'gone', reason: 'sai' }))
  await ask(() => publisher.retract('moi', { mode: 'gone', reason: 'sai' }))
  await restarting
  await named(articleId('ba'))
  await settle('the retraction to lead nowhere', () => told('cu')?.['mode'] === 'gone')

  for (const localId of ['hai', 'moi']) await ask(() => publisher.republish(localId))
  await named('hai', articleId('ba'))
  await settle('the substitute to be named again', () => told('cu')?.['redirectTo'] === 'moi')
  assert.deepEqual(partner.findOffences(), [])
})
