/**
 * A gateway that is started while Kafka cannot be reached: the last good from the store with its age, nothing that was taken back, 503 for what
 * needs the log; and once Kafka is there it is current by itself, without a restart and without losing a request. Then it alone loses Kafka, while
 * articles come and go: it follows the store, says so, and shows nothing older after newer, also once the way is back.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { getBundled } from '@newswire/objects/feed-bundle'
import { getUnpacked } from '@newswire/objects/packed'
import { findFreePort } from '../infra/test/ports.ts'
import { createWriter } from './support/articles.ts'
import { createBrokerWay } from './support/broker-way.ts'
import { CATEGORIES, createCluster } from './support/cluster.ts'
import { startNewswire } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { readRealParts } from './support/real-parts.ts'
import { waitFor } from './support/wait-for.ts'

const parts = readRealParts()
const write = createWriter(57)
const [KEPT, TAKEN] = CATEGORIES
/** It is noticed after two looks five seconds apart, and the store is looked at every five. */
const PATIENT = { deadlineMs: 120_000 }
const FILES = ['rss.xml', 'atom.xml', 'feed.json', 'news-sitemap.xml']

type Ranks = Readonly<Record<string, number>>

/** Asks again and again for what must never fall, until `stop`, which gives what fell. */
const watchRanks = (ask: () => Promise<Ranks>) => {
  const highest: Record<string, number> = {}
  const fallen: string[] = []
  let isWatching = true
  const watching = (async () => {
    while (isWatching)
      for (const [name, rank] of Object.entries(await ask())) {
        const before = highest[name] ?? rank
        if (rank < before) fallen.push(`${name}: ${rank} after ${before}`)
        highest[name] = Math.max(rank, before)
      }
  })().catch(error => fallen.push(String(error)))
  return {
    stop: async () => {
      isWatching = false
      await watching
      return fallen
    },
  }
}

test('a gateway that starts before Kafka, or loses it alone, serves the last good from the store, says its age, and goes on by itself when Kafka is there', {
  skip: parts.both.skip,
}, async t => {
  const cluster = await createCluster(t)
  await cluster.start(['ingest', 'images', 'desk'], 'pipeline')
  const feeds = await cluster.start(['feeds'], 'feeds')
  const publish = async (localId: string, category: string, more = {}) => {
    const article = { ...write(), categories: [category], ...more }
    const { status, body } = await cluster.publisher.put(localId, article)
    assert.equal(status, 202, JSON.stringify(body))
    return article.title
  }
  const stored = async (key: string) => Buffer.from((await getUnpacked({ get: getBundled(cluster.objects) }, key))?.bytes ?? []).toString()

  const { body: uploaded } = await cluster.publisher.upload('con', makePng({ width: 640, height: 360, seed: 5 }), 'image/png')
  const kept = await publish('con', KEPT, { images: [{ url: String(uploaded['url']), role: 'lead' }] })
  const gone = await publish('rut', KEPT)
  const stuck = await publish('ket', TAKEN)
  const files = (feedId: string) => Promise.all(FILES.map(file => stored(`feeds/${feedId}/${file}`)))
  const all = async (feedIds: readonly string[], isSo: (file: string) => boolean) =>
    (await Promise.all(feedIds.map(files))).flat().every(isSo)
  await waitFor('the feeds to be in the store', async () => {
    const hasBoth = (file: string) => file.includes(kept) && file.includes(gone)
    const isIn = await all([KEPT, 'all'], hasBoth)
    return (
      isIn && (await all([TAKEN, 'all'], file => file.includes(stuck))) && (await stored(`feeds/${KEPT}/rss.xml`)).includes('/renditions/')
    )
  })
  await cluster.publisher.retract('rut', { mode: 'withdraw', reason: 'sai tên' })
  await waitFor('the retraction to be in the feeds', () => all([KEPT, 'all'], file => !file.includes(gone)))
  // The builder has died, so the feed of this one still has what the desk has taken back.
  await feeds.kill()
  await cluster.publisher.retract('ket', { mode: 'withdraw', reason: 'sai tên' })
  await waitFor('the retraction', async () => (await stored(`current/${cluster.articleId('ket')}.json`)).includes('"state":"retracted"'))
  assert.ok(await all([TAKEN, 'all'], file => file.includes(stuck)))

  const way = await createBrokerWay(t, parts.kafka.use().brokers[0] ?? '')
  const gateway = await startNewswire({
    args: ['run', 'gateway'],
    env: { ...cluster.env, KAFKA_BROKERS: way.address },
    deadlineMs: 120_000,
  })
  t.after(() => gateway.kill())
  const get = async (path: string, headers: Record<string, string> = {}, from = cluster.urls.gateway) => {
    const response = await fetch(new URL(path, from), { headers, redirect: 'manual' })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const otherPort = await findFreePort()
  let fresh = ''
  const readyz = async () => {
    const { status, text } = await get('/readyz')
    return { status, detail: JSON.parse(text) as Record<string, unknown> }
  }

  await t.test('feeds come from the store with their tags, and their age is told', async () => {
    const { status, headers, text } = await get(`/feeds/${KEPT}/rss.xml`)
    assert.equal(status, 200)
    assert.equal(text, await stored(`feeds/${KEPT}/rss.xml`))
    assert.equal((await get(`/feeds/${KEPT}/rss.xml`, { 'if-none-match': headers.get('etag') ?? '' })).status, 304)
    for (const file of FILES) assert.equal((await get(`/feeds/${KEPT}/${file}`)).status, 200, file)
    assert.equal((await get(`/feeds/${KEPT}/rss.xml`, { 'accept-encoding': 'gzip' })).headers.get('content-encoding'), 'gzip')
    const first = await waitFor('an age', async () => {
      const { status, detail } = await readyz()
      assert.equal(status, 503)
      const found = JSON.stringify(detail).match(/"feedsFrom":\{"from":"store","knownAgoMs":(\d+)/)
      return found !== null && { agoMs: Number(found[1]) }
    })
    await waitFor('it to grow', async () => {
      const [, agoMs] = JSON.stringify((await readyz()).detail).match(/"knownAgoMs":(\d+)/) ?? []
      return Number(agoMs) > first.agoMs
    })
    assert.equal((await get('/livez')).status, 200)
  })

  await t.test('articles, their other forms and their pictures come from the store', async () => {
    const page = await get(`/articles/${cluster.articleId('con')}`)
    assert.equal(page.status, 200)
    assert.ok(page.text.includes(kept))
    for (const form of ['print', 'article.json', 'ninjs.json'])
      assert.ok((await get(`/articles/${cluster.articleId('con')}/${form}`)).text.includes(kept), form)
    const picture = /\/renditions\/[^"\s]+\.jpg/.exec(page.text)?.[0]
    assert.ok(picture)
    assert.equal((await get(picture)).status, 200)
  })

  await t.test('nothing that was taken back comes out, also where a feed in the store still has it', async () => {
    for (const localId of ['rut', 'ket']) {
      const { status, text } = await get(`/articles/${cluster.articleId(localId)}`)
      assert.equal(status, 410)
      assert.equal(text.includes(gone) || text.includes(stuck), false)
    }
    for (const feedId of [TAKEN, 'all'])
      for (const file of FILES) {
        const { status, headers, text } = await get(`/feeds/${feedId}/${file}`)
        assert.equal(status, 503, `${feedId}/${file}`)
        assert.ok(Number(headers.get('retry-after')) > 0)
        assert.match(headers.get('content-type') ?? '', /problem\+json/)
        assert.equal(text.includes(stuck), false)
      }
  })

  await t.test('front page and sections show what the feeds in the store show, without what was taken back', async () => {
    for (const path of ['/', `/?category=${KEPT}`]) {
      const page = await waitFor(`${path} to be known`, async () => {
        const found = await get(path)
        return found.status === 200 && found
      })
      assert.ok(page.text.includes(kept))
      assert.equal(page.text.includes(gone) || page.text.includes(stuck), false)
    }
  })

  await t.test('what needs the log is 503 with a time to come back', async () => {
    for (const path of ['/search?q=tin', '/v1/search?q=tin', `/renditions/${'b'.repeat(64)}/w640-r1.jpg`, '/articles/pub.khong-biet']) {
      const { status, headers } = await get(path)
      assert.equal(status, 503, path)
      assert.ok(Number(headers.get('retry-after')) > 0, path)
    }
  })

  await t.test('once Kafka is there it is current, and no request on the way was lost', async () => {
    const answers = new Map<number, number>()
    let isWatching = true
    const watching = (async () => {
      while (isWatching) {
        for (const path of [`/feeds/${KEPT}/rss.xml`, `/articles/${cluster.articleId('con')}`]) {
          const { status } = await get(path)
          answers.set(status, (answers.get(status) ?? 0) + 1)
        }
      }
    })()
    await way.open()
    await waitFor('it to be ready', async () => (await readyz()).status === 200, { deadlineMs: 120_000 })
    assert.match(JSON.stringify((await readyz()).detail), /"feedsFrom":\{"from":"log","knownAgoMs":0/)
    const other = await startNewswire({
      args: ['run', 'feeds', 'gateway'],
      env: { ...cluster.env, NEWSWIRE_GATEWAY_PORT: String(otherPort), NEWSWIRE_DATA: join(cluster.dataDir, 'other') },
      deadlineMs: 120_000,
    })
    t.after(() => other.kill())
    fresh = await publish('moi', KEPT)
    await waitFor('the new one', async () => (await get(`/feeds/${KEPT}/rss.xml`)).text.includes(fresh), { deadlineMs: 120_000 })
    await waitFor(
      'the builder to take back what it had missed',
      async () => {
        const { status, text } = await get(`/feeds/${TAKEN}/rss.xml`)
        return status === 200 && !text.includes(stuck)
      },
      { deadlineMs: 120_000 },
    )
    await waitFor('the front page', async () => (await get('/')).text.includes(fresh))
    await waitFor('search', async () => (await get(`/v1/search?q=${encodeURIComponent(fresh)}`)).text.includes(cluster.articleId('moi')))
    isWatching = false
    await watching
    assert.deepEqual([...answers.keys()], [200])
  })

  await t.test(
    'cut off while all others have Kafka, it follows the store and says so, and shows nothing older once the way is back',
    async part => {
      const titles = [kept]
      let late = ''
      const search = (title: string) => get(`/v1/search?q=${encodeURIComponent(`"${title}"`)}`)
      /** Of what is answered: a refusal for a moment shows nothing old. */
      const watch = watchRanks(async () => {
        const [feed, front, found] = [await get(`/feeds/${KEPT}/feed.json`), await get('/'), await search(fresh)]
        const [con, moi] = [
          await get(`/articles/${cluster.articleId('con')}/article.json`),
          await get(`/articles/${cluster.articleId('moi')}`),
        ]
        const items: { _newswire: { articleId: string; version: number } }[] = feed.status === 200 ? JSON.parse(feed.text).items : []
        return {
          ...Object.fromEntries(items.map(({ _newswire: { articleId, version } }) => [`${articleId} in the feed`, version])),
          ...(con.status === 200 && { 'con as JSON': JSON.parse(con.text).version }),
          ...((moi.status === 200 || moi.status === 410) && { 'the page of moi': moi.status }),
          ...(front.status === 200 && {
            'con on the front page': titles.findLastIndex(title => front.text.includes(title)),
            'moi on the front page': front.text.includes(fresh) ? 0 : 1,
            'sau on the front page': late !== '' && front.text.includes(late) ? 1 : 0,
          }),
          ...(found.status === 200 && { 'moi in the search': found.text.includes(cluster.articleId('moi')) ? 0 : 1 }),
        }
      })
      part.after(watch.stop)
      await way.cut()
      titles.push(await publish('con', KEPT))
      late = await publish('sau', KEPT)
      await cluster.publisher.retract('moi', { mode: 'withdraw', reason: 'sai tên' })
      const isCurrent = (text: string) => text.includes(titles.at(-1) ?? '') && text.includes(late) && !text.includes(fresh)
      const ofOther = async (path: string) => (await get(path, {}, `http://127.0.0.1:${otherPort}`)).text
      const othersHaveIt = async () => isCurrent(await ofOther(`/feeds/${KEPT}/rss.xml`)) && isCurrent(await ofOther('/'))
      await waitFor('the others to have all of it', othersHaveIt, PATIENT)
      for (const feedId of [KEPT, 'all'])
        for (const file of FILES) {
          const path = `/feeds/${feedId}/${file}`
          const isSame = async () => {
            const [mine, others] = [await get(path), await ofOther(path)]
            return mine.status === 200 && mine.text === others
          }
          await waitFor(`${path} to be that of the others`, isSame, PATIENT)
        }
      const saysItsAge = async () => {
        const { status, detail } = await readyz()
        return status === 200 && /"feedsFrom":\{"from":"store","knownAgoMs":[1-9]/.test(JSON.stringify(detail))
      }
      await waitFor('its age', saysItsAge, PATIENT)
      await waitFor('the front page', async () => isCurrent((await get('/')).text), PATIENT)
      assert.equal((await get(`/articles/${cluster.articleId('moi')}`)).status, 410)
      assert.ok((await get(`/articles/${cluster.articleId('sau')}`)).text.includes(late))
      await waitFor('search', async () => (await search(late)).text.includes(cluster.articleId('sau')), PATIENT)
      assert.equal((await search(fresh)).text.includes(cluster.articleId('moi')), false)

      titles.push(await publish('con', KEPT))
      await waitFor('the others to have it', othersHaveIt, PATIENT)
      await way.open()
      const goesByTheLog = async () => JSON.stringify((await readyz()).detail).includes('"feedsFrom":{"from":"log","knownAgoMs":0')
      await waitFor('it to go by the log', goesByTheLog, PATIENT)
      for (const path of [`/feeds/${KEPT}/rss.xml`, '/']) assert.ok(isCurrent((await get(path)).text), path)
      assert.deepEqual(await watch.stop(), [])
      assert.equal((await gateway.stop()).code, 0)
    },
  )
})
