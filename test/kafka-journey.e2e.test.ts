/** The whole way of an article on Kafka and S3: eight processes, two of a service, one for all; and a log that is delivered twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { type Cluster, createCluster, type Service, services } from './support/cluster.ts'
import { createFeedReader } from './support/feed-reader.ts'
import { createLedger, feedIds, revisionsIn, watchFeeds } from './support/ledger.ts'
import { portsOf, startUp } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { readRealParts } from './support/real-parts.ts'
import { readTopic } from './support/stopped.ts'
import { formats } from './support/system.ts'
import { staysTrue, waitFor } from './support/wait-for.ts'

const skip = readRealParts().both.skip
/** A busy machine, and sessions of killed members that must end first. */
const DEADLINE_MS = 120_000

const get = async (url: string) => {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  return { status: response.status, text: await response.text() }
}

/** The numbers of archived versions, and the last one's text. */
const archived = async ({ objects, articleId }: Cluster, localId: string) => {
  const all = (await objects.list('archive/')).map(({ key }) => key).filter(key => key.includes(`/${articleId(localId)}/`))
  const last = all.sort().at(-1)
  const text = last === undefined ? '' : Buffer.from((await objects.get(last))?.bytes ?? []).toString()
  return { versions: all.length, text }
}

/** Waits until every sink shows the article in this version with this title; gives back its page. */
const everywhere = async (cluster: Cluster, localId: string, title: string, version: number): Promise<string> =>
  await waitFor(
    `version ${version} everywhere`,
    async () => {
      for (const file of formats) {
        const { items } = await createFeedReader(`${cluster.urls.gateway}/feeds/all/${file}`).read()
        assert.equal(items.find(one => one.id === cluster.guid(localId))?.title, title, file)
      }
      const { status, text: page } = await get(`${cluster.urls.gateway}/articles/${cluster.articleId(localId)}`)
      assert.equal(status, 200)
      assert.ok(page.includes(title))
      const { versions, text } = await archived(cluster, localId)
      assert.equal(versions, version)
      assert.ok(text.includes(title))
      const held = cluster.partner.held(cluster.articleId(localId))
      assert.deepEqual([held?.version, held?.article['title']], [version, title])
      return page
    },
    { deadlineMs: DEADLINE_MS },
  )

const goneEverywhere = async (cluster: Cluster, localId: string, title: string, version: number, picture: string): Promise<void> => {
  const guid = cluster.guid(localId)
  await waitFor(
    `version ${version}, a retraction, everywhere`,
    async () => {
      const [rss, atom, json] = await Promise.all(formats.map(file => createFeedReader(`${cluster.urls.gateway}/feeds/all/${file}`).read()))
      assert.ok(rss && atom && json)
      assert.ok(
        rss.items.some(one => one.id === guid),
        'RSS keeps the guid, with a notice',
      )
      assert.ok(atom.deleted.includes(guid))
      const notice = (JSON.parse(json.text) as { items: { id: string; _newswire: { status?: string } }[] }).items.find(
        one => one.id === guid,
      )
      assert.equal(notice?._newswire.status, 'retracted')
      for (const { text } of [rss, atom, json]) assert.ok(!text.includes(title))
      assert.equal((await get(`${cluster.urls.gateway}/articles/${cluster.articleId(localId)}`)).status, 410)
      assert.equal((await get(picture)).status, 410)
      assert.equal((await archived(cluster, localId)).versions, version)
      const held = cluster.partner.held(cluster.articleId(localId))
      assert.deepEqual([held?.version, held?.action, held?.retraction?.['mode']], [version, 'retracted', 'withdraw'])
      return true
    },
    { deadlineMs: DEADLINE_MS },
  ).catch(async error => assert.fail(`${(error as Error).message}\n${await cluster.report()}`))
}

test('eight processes on Kafka and S3 do all that one does: publish, correct, take back, bring back', { skip }, async t => {
  const cluster = await createCluster(t)
  await Promise.all(services.map(service => cluster.start([service])))
  const { publisher } = cluster
  const write = createWriter(31)
  const upload = await publisher.upload('bai-1', makePng({ width: 640, height: 480 }), 'image/png')
  assert.equal(upload.status, 201)
  const images = [
    { url: String(upload.body['url']), role: 'lead' as const, caption: 'Bến đò lúc sáu giờ', alt: 'bến đò', credit: 'Lê Thị Hường' },
  ]
  // What decodes starts with the first picture; on a loaded machine that article goes out before it, and versions are counted below.
  // Another picture: one that is shown elsewhere stays when an article is taken back.
  const other = await publisher.upload('truoc', makePng({ width: 320, height: 240, seed: 7 }), 'image/png')
  assert.equal(
    (await publisher.put('truoc', { ...write({ categories: ['c2'] }), images: [{ url: String(other.body['url']) }] })).status,
    202,
  )
  await waitFor('the first picture', async () =>
    (await (await fetch(`${cluster.urls.gateway}/articles/${cluster.articleId('truoc')}`)).text()).includes('/renditions/'),
  )
  const first = { ...write({ categories: ['c1'] }), images, sourceVersion: 1 }
  assert.equal((await publisher.put('bai-1', first)).status, 202)
  const page = await everywhere(cluster, 'bai-1', first.title, 1)
  assert.ok(page.includes('Bến đò lúc sáu giờ') && page.includes('Lê Thị Hường'))
  const picture = /\/renditions\/[^"\s]+/.exec(page)?.[0]
  assert.ok(picture, 'the page shows the picture')
  const rendition = await fetch(cluster.urls.gateway + picture)
  assert.equal(rendition.status, 200)
  assert.match(rendition.headers.get('content-type') ?? '', /^image\//)

  const second = {
    ...first,
    ...write(),
    categories: ['c1'],
    images,
    sourceVersion: 2,
    change: 'correction',
    correction: { note: 'Sửa tên người' },
  }
  assert.equal((await publisher.put('bai-1', second)).status, 202)
  assert.ok((await everywhere(cluster, 'bai-1', second.title, 2)).includes('Sửa tên người'))
  assert.equal(cluster.partner.held(cluster.articleId('bai-1'))?.action, 'corrected')

  assert.equal((await publisher.retract('bai-1', { mode: 'withdraw', reason: 'sai người' })).status, 202)
  await goneEverywhere(cluster, 'bai-1', second.title, 3, cluster.urls.gateway + picture)

  assert.equal((await publisher.republish('bai-1')).status, 202)
  await everywhere(cluster, 'bai-1', second.title, 4)
  assert.equal((await fetch(cluster.urls.gateway + picture)).status, 200)

  const events = await fetch(`${cluster.urls.console}/v1/events`)
  let told = ''
  const listening = (async () => {
    for await (const part of events.body ?? []) told += Buffer.from(part).toString()
  })().catch(() => undefined) // ended by the stop, however far it had come
  const resent = await fetch(`${cluster.urls.console}/v1/articles/${cluster.articleId('bai-1')}/resend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  assert.equal(resent.status, 202, await resent.clone().text())
  await waitFor('the article once more', () => cluster.partner.taken(cluster.articleId('bai-1')).length === 5, { deadlineMs: DEADLINE_MS })
  await waitFor('that to be told', () => /event: resent\ndata: \{"articleId":"pub\.bai-1"/.test(told), { deadlineMs: DEADLINE_MS })
  assert.deepEqual(cluster.partner.findOffences(), [])
  assert.deepEqual(cluster.partner.taken(cluster.articleId('bai-1')), [1, 2, 3, 4, 4])

  const endings = await Promise.all(services.map(service => cluster.process(service).stop()))
  assert.deepEqual(
    endings,
    services.map(() => ({ code: 0, signal: null })),
  )
  await listening
})

/** How long articles go on coming in after a kill. */
const LOAD_MS = 3000
const lasting = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

const SHARED: readonly Service[] = ['desk', 'feeds', 'outlets']
/** Groups that every member of a pair takes part in once there is some load. */
const STAGES: Readonly<Record<string, readonly string[]>> = { desk: ['desk'], feeds: ['feeds'], outlets: ['outlets-route'] }

/** How many records a process has handled, by group. */
const handledBy = async (cluster: Cluster, name: string): Promise<Map<string, number>> => {
  const { text } = await get(`${cluster.process(name).urls['health']}/metrics`)
  return new Map(
    [...text.matchAll(/^newswire_stage_messages_total\{([^}]*)\} (\d+)/gm)]
      .filter(([, labels = '']) => labels.includes('result="done"'))
      .map(([, labels = '', count]) => [/stage="([^"]+)"/.exec(labels)?.[1] ?? '', Number(count)]),
  )
}

test('two processes of one service share its work, and killing either loses nothing', { skip }, async t => {
  const cluster = await createCluster(t)
  const ledger = createLedger(cluster, 32)
  const pairs = SHARED.map(service => [`${service} 1`, `${service} 2`] as const)
  await Promise.all([
    cluster.start(['ingest', 'gateway', 'console'], 'front'),
    cluster.start(['images', 'archive'], 'middle'),
    ...SHARED.flatMap(service => [cluster.start([service], `${service} 1`), cluster.start([service], `${service} 2`)]),
  ])
  const watching = watchFeeds(t, cluster)
  const loadDuring = async (work: Promise<unknown>) => await ledger.load({ perSecond: 15, until: work })
  const report = async (error: Error) => assert.fail(`${error.message}\n${await cluster.report()}`)

  await loadDuring(
    waitFor(
      'both of each pair to work',
      async () => {
        for (const name of pairs.flat()) {
          const handled = await handledBy(cluster, name)
          for (const stage of STAGES[name.split(' ')[0] ?? ''] ?? [])
            assert.ok((handled.get(stage) ?? 0) > 0, `${name} did nothing as ${stage}`)
        }
        return true
      },
      { deadlineMs: DEADLINE_MS },
    ).catch(report),
  )
  // The other one of each takes over what the killed one held.
  await loadDuring(Promise.all(pairs.map(([first]) => cluster.process(first).kill())).then(() => lasting(LOAD_MS)))
  await ledger.settled(DEADLINE_MS).catch(report)
  // And back: what came again is alone after the second of each has gone.
  await loadDuring(Promise.all(pairs.map(([first]) => cluster.killAndRestart(first))))
  await loadDuring(Promise.all(pairs.map(([, second]) => cluster.process(second).kill())).then(() => lasting(LOAD_MS)))
  await ledger.settled(DEADLINE_MS).catch(report)
  await watching.stop()
  assert.deepEqual(watching.offences, [])
  assert.deepEqual(cluster.partner.findOffences(), [])
})

test('all submissions delivered a second time change nothing and send nothing', { skip }, async t => {
  const cluster = await createCluster(t)
  const ledger = createLedger(cluster, 33)
  await Promise.all([
    cluster.start(['ingest', 'gateway', 'console'], 'front'),
    cluster.start(['desk', 'feeds', 'archive', 'outlets'], 'back'),
  ])
  await cluster.start(['images'])
  for (const id of ['x1', 'x2', 'x3', 'x4', 'x5', 'x6']) await ledger.publish(id)
  await ledger.settled(DEADLINE_MS)
  await Promise.all(['x1', 'x2', 'x3'].map(id => ledger.publish(id)))
  await ledger.retract('x3')
  await ledger.settled(DEADLINE_MS).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))

  const log = await cluster.log()
  const look = async () => ({
    requests: cluster.partner.requests.length,
    ends: await Promise.all(['articles', 'feeds', 'deliveries', 'dead-letters'].map(topic => log.ends(topic))),
    // A sweep looks at every feed from time to time; such a look names no article.
    intents: (await readTopic(log, 'feed-changes')).filter(({ value }) => !Buffer.from(value ?? []).includes('"articleId":null')).length,
    objects: (await cluster.objects.list(''))
      .map(({ key, etag }) => `${key} ${etag}`)
      .filter(one => !/^(log|store|idempotency|native)\//.test(one)),
    feeds: await Promise.all(feedIds.flatMap(feed => formats.map(file => get(`${cluster.urls.gateway}/feeds/${feed}/${file}`)))),
  })
  const before = await look()
  await cluster.process('images').stop()
  await waitFor('the group of images to be empty', async () => await log.replay('images', 'submissions', 'start').then(() => true), {
    deadlineMs: DEADLINE_MS,
  })
  const behind = async (group: string) => (await log.lag(group)).reduce((sum, one) => sum + one.records, 0)
  const again = await behind('images')
  assert.ok(again >= 10, `only ${again} submissions are delivered again`)
  await cluster.start(['images'])
  await waitFor('everything to be handled again', async () => (await behind('images')) + (await behind('desk')) === 0, {
    deadlineMs: DEADLINE_MS,
  })
  await staysTrue(
    'nothing to be sent',
    async () => (await look()).requests === before.requests && (await behind('outlets')) === 0,
    3000,
    250,
  )
  assert.deepEqual(await look(), before)
})

test('newswire up runs all services in one process on Kafka and S3, and is there again after a kill', { skip }, async t => {
  const cluster = await createCluster(t)
  const ledger = createLedger(cluster, 34)
  const ports = {
    gateway: Number(new URL(cluster.urls.gateway).port),
    ingest: Number(new URL(cluster.urls.ingest).port),
    console: Number(new URL(cluster.urls.console).port),
  }
  const start = () => startUp(t, { dataDir: cluster.dataDir, configFile: cluster.configFile, env: cluster.env, ports, deadlineMs: 40_000 })
  const running = await start()
  assert.deepEqual(portsOf(running), ports)
  for (const id of ['u1', 'u2', 'u3']) await ledger.publish(id)
  await ledger.settled(DEADLINE_MS).catch(error => assert.fail(`${error.message}\n${running.output()}`))
  await ledger.publish('u1')
  await running.kill()
  const next = await start()
  await ledger.publish('u4')
  await ledger.settled(DEADLINE_MS).catch(error => assert.fail(`${error.message}\n${next.output()}`))
  assert.equal(revisionsIn(JSON.stringify(cluster.partner.held(cluster.articleId('u1'))?.article)).get('u1'), 2)
  assert.deepEqual(cluster.partner.findOffences(), [])
  assert.deepEqual(await next.stop(), { code: 0, signal: null })
})
