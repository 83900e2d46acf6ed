/**
 * The WebSub hub on Kafka and S3: two processes of outlets share the feeds, a private one among them, one gateway dies between 202 and verification, nothing
 * older follows.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { makeSealingKey } from '@newswire/objects/sealed'
import { createWriter } from './support/articles.ts'
import { CATEGORIES, createCluster } from './support/cluster.ts'
import { runCommand } from './support/newswire.ts'
import { readRealParts } from './support/real-parts.ts'
import { waitFor } from './support/wait-for.ts'
import { discoverByBody, discoverByHeader, startSubscriber } from './support/websub-subscriber.ts'

const parts = readRealParts()
const write = createWriter(43)
const TOKEN = 'nw_reader_of_the_cluster_83be'
const TOKEN_SHA256 = createHash('sha256').update(TOKEN).digest('hex')
const PRIVATE = {
  id: 'rieng',
  title: 'Riêng',
  match: {},
  limit: 1000,
  access: { tokens: [{ id: 'reader', sha256: TOKEN_SHA256 }] },
}
const pathOf = (feedId: string) => (feedId === PRIVATE.id ? `/feeds/${feedId}/~${TOKEN}/atom.xml` : `/feeds/${feedId}/atom.xml`)

test('subscribers are told every change while processes of outlets are killed and replaced, and never something older', {
  skip: parts.both.skip,
}, async t => {
  const cluster = await createCluster(t, { env: { NEWSWIRE_SECRET_KEY: makeSealingKey() }, feeds: [PRIVATE] })
  await Promise.all([
    cluster.start(['ingest', 'images', 'desk', 'feeds', 'archive'], 'pipeline'),
    cluster.start(['gateway'], 'gateway'),
    cluster.start(['outlets'], 'one'),
    cluster.start(['outlets'], 'other'),
  ])
  const publish = async (localId: string) => {
    const article = { ...write(), categories: [CATEGORIES[0]] }
    // While the machine does much else an answer may be 503 or late: then it is asked again, which is the same to the desk.
    await waitFor('202', async () => {
      const { status, body } = await cluster.publisher.put(localId, article)
      return status === 202 || Promise.reject(body)
    })
    return article.title
  }
  const first = await publish('dau-tien')
  const feedsOf = async () =>
    (await (await fetch(new URL('/feeds', cluster.urls.gateway))).text()).matchAll(/\/feeds\/([a-z0-9-]+)\/atom\.xml/g)
  const feedIds = await waitFor('the feeds', async () => {
    const found = [...new Set([...(await feedsOf())].map(one => one[1] ?? ''))]
    return found.length > 1 && [...found, PRIVATE.id]
  })
  const read = async (feedId: string) => {
    const response = await fetch(new URL(pathOf(feedId), cluster.urls.gateway))
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  await waitFor('the private feed', async () => (await read(PRIVATE.id)).status === 200)
  const topics = new Map<string, string>()
  for (const feedId of feedIds) {
    const { headers, text } = await read(feedId)
    // What a private feed's topic is depends on who reads it, so the document does not say it.
    const links = feedId === PRIVATE.id ? discoverByHeader(headers.get('link')) : discoverByBody(headers.get('content-type') ?? '', text)
    assert.equal(links.hub, `${cluster.urls.gateway}/hub`)
    topics.set(feedId, links.self ?? '')
  }
  const subscribers = await Promise.all(feedIds.map((_, index) => startSubscriber({ host: `127.0.2.${index + 1}` })))
  for (const one of subscribers) t.after(() => one.close())
  const [last] = subscribers.slice(-1)
  assert.ok(last)

  last.setAgreeing('silent')
  for (const [index, one] of subscribers.entries()) {
    const topic = topics.get(feedIds[index] ?? '') ?? ''
    const { status, text } = await one.subscribe({ hub: `${cluster.urls.gateway}/hub`, topic, secret: `bí mật ${index}` })
    assert.equal(status, 202, text)
  }
  await waitFor('the last one to be asked', () => last.questions.length > 0)
  const restarting = cluster.killAndRestart('gateway')
  last.setAgreeing(true)
  await restarting
  for (const [index, one] of subscribers.entries())
    await waitFor('the verification', () => one.isSubscribed(topics.get(feedIds[index] ?? '') ?? ''), { deadlineMs: 60_000 })

  const interested = async (title: string) => {
    const shows = await Promise.all(feedIds.map(async feedId => (await read(feedId)).text.includes(title)))
    return subscribers.filter((_, index) => shows[index])
  }
  const assertTold = async (title: string) => {
    const wanted = await waitFor(`${title} to be in a feed`, async () => {
      const found = await interested(title)
      return found.length > 0 && found
    })
    for (const one of wanted)
      await waitFor(`${title} to be distributed`, () => one.distributions.at(-1)?.body.includes(title), { deadlineMs: 60_000 }).catch(
        async error => assert.fail(`${error.message}\n${await cluster.report()}`),
      )
  }
  await assertTold(await publish('thu-hai'))
  for (const [round, as] of ['one', 'other', 'one'].entries()) {
    const restarting = cluster.killAndRestart(as)
    const title = await publish(`giet-${round}`)
    await restarting
    await assertTold(title)
  }
  for (const one of subscribers) {
    assert.deepEqual([...new Set(one.distributions.map(({ offence }) => offence))].filter(Boolean), [])
    const sizes = one.distributions.map(({ body }) => [...body.toString().matchAll(/<entry>/g)].length)
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
      'each distribution has at least what the one before it had',
    )
  }
  assert.ok(subscribers.some(one => one.distributions.some(({ body }) => body.includes(first))))

  await writeFile(cluster.configFile, (await readFile(cluster.configFile, 'utf8')).replace(TOKEN_SHA256, '0'.repeat(64)))
  const { code, output } = await runCommand({ args: ['apply', cluster.configFile], env: cluster.env })
  assert.equal(code, 0, output)
  await waitFor('the reader of the private feed to hear that its token is over', () => last.denials.length === 1, { deadlineMs: 60_000 })
  assert.deepEqual(
    subscribers.map(one => one.denials.length),
    subscribers.map(one => (one === last ? 1 : 0)),
  )
})
