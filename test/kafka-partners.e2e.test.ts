/** What a partner asks for, where gateway, console and two outlets processes meet in Kafka and S3 alone, and one of them is killed meanwhile. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { CLUSTER_PARTNER_TOKEN, createCluster } from './support/cluster.ts'
import { createPartnerApi, isSignedWith } from './support/partner-api.ts'
import { readRealParts } from './support/real-parts.ts'
import { waitFor } from './support/wait-for.ts'

const DEADLINE = { deadlineMs: 60_000 }
const write = createWriter(79)
/** More than a replay has under way at once. */
const ARTICLES = 80

test('a partner’s replay, pause and new secret hold on Kafka and S3, with processes killed in between', {
  skip: readRealParts().both.skip,
}, async t => {
  const cluster = await createCluster(t, { env: { NEWSWIRE_SECRET_KEY: randomBytes(32).toString('base64') } })
  await Promise.all([
    cluster.start(['ingest', 'gateway', 'console'], 'front'),
    cluster.start(['images', 'desk', 'feeds', 'archive'], 'middle'),
    cluster.start(['outlets'], 'one'),
    cluster.start(['outlets'], 'two'),
  ])
  const { partner, publisher } = cluster
  const api = createPartnerApi(cluster.urls.gateway, 'partner', CLUSTER_PARTNER_TOKEN)
  const put = async (id: string) => assert.equal((await publisher.put(id, write({ categories: ['c0'] }))).status, 202)
  const ids = Array.from({ length: ARTICLES }, (_, n) => `a${n}`)
  const wait = <T>(what: string, ask: () => Promise<T> | T) =>
    waitFor(what, ask, DEADLINE).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))

  await t.test('all that came is listed, and done', async () => {
    await Promise.all(ids.map(put))
    await wait('all to be delivered', async () => {
      const came = await api.since(0, 50)
      return came.length === ARTICLES && came.every(one => one.state === 'done')
    })
  })

  await t.test('a replay goes on when the process that does it is killed: everything comes again, under the ids it had', async () => {
    const before = partner.requests.length
    const known = new Set(partner.requests.map(one => one.id))
    assert.equal((await api.post('/replay', { id: 'again', fromTime: new Date(Date.now() - 3_600_000).toISOString() })).status, 202)
    await wait('it to begin', () => partner.requests.length > before)
    await cluster.killAndRestart('one')
    await wait('its end', async () => {
      const requests = (await api.get('')).body['requests'] as { id: string; state: string }[]
      return requests.find(one => one.id === 'again')?.state === 'done'
    })
    await wait('every article once more', () => new Set(partner.requests.slice(before).map(one => one.article)).size === ARTICLES)
    for (const one of partner.requests.slice(before)) assert.ok(known.has(one.id))
  })

  await t.test('paused at the gateway it stays paused whoever owns it, and a new secret signs wherever it is sent from', async () => {
    assert.equal((await api.post('/pause')).status, 200)
    await wait('the pause to be known', async () => {
      const id = `probe-${randomBytes(3).toString('hex')}`
      await put(id)
      return (
        (
          await wait('it to come', async () =>
            (await api.since(0, 500)).find(one => one.articleId === cluster.articleId(id) && one.state !== 'pending'),
          )
        ).state === 'suspended'
      )
    })
    const before = partner.requests.length
    await put('kept')
    await Promise.all([cluster.killAndRestart('one'), cluster.killAndRestart('two')])
    const { body } = await api.post('/secrets', { id: 'new' })
    const secret = String(body['secret'])
    await put('kept-too')
    await wait('both to be kept', async () => {
      const came = await api.since(0, 500)
      return ['kept', 'kept-too'].every(id => came.find(one => one.articleId === cluster.articleId(id))?.state === 'suspended')
    })
    assert.equal(partner.requests.length, before)
    assert.equal((await api.post('/resume')).status, 200)
    await wait('both to arrive', () => ['kept', 'kept-too'].every(id => partner.held(cluster.articleId(id))))
    const last = partner.requests.at(-1)
    assert.ok(last && isSignedWith(secret, last) && isSignedWith(partner.secret, last))
  })
  assert.deepEqual(partner.findOffences(), [])
})
