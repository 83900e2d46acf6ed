/** Nothing of an embargoed article shows anywhere before its time, whatever way out is looked at; at its time it is out within a second. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { createWriter, type TestArticle } from './support/articles.ts'
import { findLeaks, findLeaksToStrangers, readMetrics, type Secret, toSecret } from './support/every-exit.ts'
import { assertOnTime, tellInTime } from './support/on-time.ts'
import { makePng } from './support/pictures.ts'
import { listAll, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, PUBLIC_URL, type Running, type System, tokens } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'
import { type Subscriber, startSubscriber } from './support/websub-subscriber.ts'

const FEEDS = ['all', 'thoi-su', 'the-thao', 'english', 'ngan']
/** Public all the while; changes, so that everything is built, pinged and delivered while others wait. */
const OPEN = 'cong-khai'
const CONSOLE_TOKEN = 'nw_test_console_0b44'
const OTHER_TOKEN = 'nw_test_other_91d2'
/** Where an article is that is out. */
const EXITS = [
  ...['feed', 'feed as a delta', 'list of feeds', 'front page', 'article page', 'print view', 'article.json', 'ninjs.json'],
  ...['search', 'search for a program', 'search as a feed', 'list of the archive'],
]

const toIso = (ms: number): string => new Date(ms).toISOString()

/** A second publisher, who may do everything with what is his, and a feed so short that most of it is on its pages. */
const configure = async ({ configFile }: System): Promise<void> => {
  const config = parse(await readFile(configFile, 'utf8')) as { publishers: unknown[]; feeds: unknown[] }
  const sha256 = createHash('sha256').update(OTHER_TOKEN).digest('hex')
  config.publishers.push({ id: 'baokhac', name: 'Báo khác', tokens: [{ id: 'cms', sha256, scopes: ['publish', 'retract', 'read'] }] })
  config.feeds.push({ id: 'ngan', title: 'Ngắn', match: {}, limit: 1 })
  await writeFile(configFile, stringify(config))
}

const subscribe = async (running: Running, subscriber: Subscriber, format: string): Promise<void> => {
  const topic = `${PUBLIC_URL}/feeds/all/${format}`
  const { status, text } = await subscriber.subscribe({ hub: `${running.newswire.url('gateway')}/hub`, topic })
  assert.equal(status, 202, text)
  await waitFor('its verification', () => subscriber.isSubscribed(topic))
}

test('an embargoed article shows at no way out before its time, also over a kill, and is out within a second of it', async t => {
  const system = await createSystem(t, { env: { NEWSWIRE_LOG_LEVEL: 'trace', NEWSWIRE_CONSOLE_TOKEN: CONSOLE_TOKEN } })
  await configure(system)
  const write = createWriter(81)
  const next = (mark: string): TestArticle => toSecret(write({ categories: ['thoi-su'] }), mark)
  const subscriber = await startSubscriber({ host: '127.0.1.81' })
  t.after(() => subscriber.close())
  const secrets = new Map<string, { secret: Secret; submissionIds: string[] }>()
  /** SHA-256 of each one's own picture. */
  const pictureOf = new Map<string, string>()
  const logs: string[] = []
  let running = await system.start()
  let poked = 0

  const upload = async (localId: string, seed: number) => {
    const bytes = makePng({ width: 640, height: 420, seed })
    const { status, body } = await running.publisher.upload(localId, bytes, 'image/png')
    assert.equal(status, 201, JSON.stringify(body))
    return String(body['url'])
  }
  /** Submits it under an embargo, with a picture of its own whose words nobody else has. */
  const hold = async (localId: string, mark: string, dueMs: number, isNew = true): Promise<void> => {
    const seed = 1000 + secrets.size
    const url = await upload(localId, seed)
    pictureOf.set(localId, url.slice('newswire:'.length))
    const images = [{ url, role: 'lead' as const, caption: `${mark}chú`, alt: `${mark}alt`, credit: `${mark}ảnh` }]
    const id = await running.put(localId, { ...next(mark), images, embargoUntil: toIso(dueMs), related: [OPEN] })
    assert.equal((await running.settled(id, 'held'))['code'], 'NEWSWIRE_DESK_EMBARGOED')
    const known = secrets.get(localId)?.submissionIds ?? []
    secrets.set(localId, { secret: { localId, words: [mark], renditions: [], isNew }, submissionIds: [...known, id] })
  }
  /** Of those still to come: everything that anybody can see, and all that went out, until now. */
  const assertKept = async (...localIds: string[]): Promise<void> => {
    // Something public changes meanwhile, so that feeds are built, pinged and delivered while the secret waits.
    poked += 1
    const isPoked = (one: { body: string | Buffer }) => one.body.toString().includes(`lần ${poked}.`)
    await running.publish(OPEN, { ...shown, summary: `Có gì mới lần ${poked}.` })
    await waitFor('the ping', () => subscriber.distributions.some(isPoked))
    for (const localId of localIds) {
      const { secret, submissionIds } = secrets.get(localId) ?? assert.fail(localId)
      assert.deepEqual(await findLeaks(running, secret, FEEDS), [])
      const strangers = [OTHER_TOKEN, tokens.publishOnly, null]
      assert.deepEqual(await findLeaksToStrangers(running, secret, { submissionIds, strangers }), [])
      const went = [...system.partner.requests.map(one => one.body), ...subscriber.distributions.map(one => one.body.toString())]
      const metrics = await readMetrics(running, CONSOLE_TOKEN)
      const output = [...logs, running.newswire.output()].join('\n')
      for (const mark of secret.words) {
        assert.ok(!went.some(body => body.includes(mark)), `${mark} was delivered or pinged early`)
        assert.ok(!metrics.includes(mark), `${mark} is in the metrics`)
        assert.ok(!output.includes(mark), `${mark} is in the log`)
      }
      assert.ok(!metrics.includes(articleIdOf(localId)), `${localId} is in the metrics`)
      if (secret.isNew) assert.ok(!went.some(body => body.includes(articleIdOf(localId))), `${localId} was named early`)
    }
  }
  /** Asks the store of the stopped process for the addresses that nobody could guess. */
  const learnRenditions = async (...localIds: string[]): Promise<void> => {
    for (const localId of localIds) {
      const { secret, submissionIds } = secrets.get(localId) ?? assert.fail(localId)
      const renditions = await withObjects(system, objects => listAll(objects, `renditions/${pictureOf.get(localId)}/`))
      assert.ok(renditions.length > 0, `${localId} has renditions while it is held`)
      secrets.set(localId, { secret: { ...secret, renditions: renditions.map(({ key }) => `/${key}`) }, submissionIds })
    }
  }
  /** Once it is out, every exit shows it: else the check above could not fail. */
  const assertShown = async (localId: string, expected: readonly string[]): Promise<void> => {
    const { secret } = secrets.get(localId) ?? assert.fail(localId)
    await waitFor(`${localId} to be shown by ${expected.join(', ')}`, async () => {
      const shown = await findLeaks(running, secret, FEEDS)
      return expected.every(exit => shown.some(one => one.startsWith(`${exit} /`))) || Promise.reject(shown)
    })
  }

  const shown = {
    ...write({ categories: ['thoi-su'] }),
    images: [{ url: await upload(OPEN, 1), role: 'lead' as const, caption: 'Ảnh chung' }],
  }
  await running.publish(OPEN, shown)
  for (const format of ['rss.xml', 'atom.xml', 'feed.json']) await subscribe(running, subscriber, format)

  let shownOut = ''
  await t.test('new, as an update, and out within a second of its time', async () => {
    await tellInTime(async round => {
      const [fresh, update] = [`cam${round.name}`, `da-ra${round.name}`]
      await running.publish(update, write({ categories: ['thoi-su'] }))
      const dueMs = round.in(7_000)
      await round.before(dueMs, async () => {
        await hold(fresh, `zmat01q${round.name}`, dueMs)
        await hold(update, `zmat02q${round.name}`, dueMs, false)
        await assertKept(fresh, update)
      })
      await assertOnTime(running, fresh, 1, { dueMs })
      await assertOnTime(running, update, 2, { dueMs })
      shownOut = fresh
    })
    await running.everywhere(shownOut, 1)
    await assertShown(shownOut, EXITS)
  })

  await t.test('over a kill, with its time before and after the next start', async () => {
    await tellInTime(async round => {
      const [within, after] = [`trong-luc-tat${round.name}`, `sau-khi-bat${round.name}`]
      const [withinMs, afterMs] = [round.in(2_000), round.in(14_000)]
      await round.before(withinMs, () => hold(within, `zmat03q${round.name}`, withinMs))
      let readyMs = 0
      await round.before(afterMs, async () => {
        await hold(after, `zmat04q${round.name}`, afterMs)
        await assertKept(after)
        logs.push(running.newswire.output())
        await running.newswire.kill()
        await learnRenditions(within, after)
        await waitFor('the first to be due', () => Date.now() > withinMs)
        running = await system.start()
        readyMs = Date.now()
        await assertOnTime(running, within, 1, { dueMs: withinMs, readyMs })
        await assertKept(after)
      })
      await assertOnTime(running, after, 1, { dueMs: afterMs })
      await assertShown(after, ['rendition'])
    })
    await assertShown(shownOut, ['page of a feed'])
  })

  await t.test('put off, brought forward, lifted, and taken back', async () => {
    await tellInTime(async round => {
      const named = (localId: string) => `${localId}${round.name}`
      const [late, early, lifted, taken] = [named('hoan'), named('som-hon'), named('bo-cam'), named('rut')]
      const [farMs, takenMs] = [round.in(60_000), round.in(5_000)]
      const firstMs = round.in(2_500)
      await round.before(firstMs, () => hold(late, `zmat05q${round.name}`, firstMs))
      const laterMs = round.in(9_000)
      await round.before(firstMs, () => hold(late, `zmat05q${round.name}`, laterMs))
      await round.before(takenMs, async () => {
        await hold(taken, `zmat08q${round.name}`, takenMs)
        assert.equal((await running.publisher.retract(taken, { mode: 'gone', reason: 'rút khi còn giữ' })).status, 202)
        await running.settled(secrets.get(taken)?.submissionIds[0] ?? '', 'refused')
      })
      await hold(early, `zmat06q${round.name}`, farMs)
      await hold(lifted, `zmat07q${round.name}`, farMs)
      const soonerMs = round.in(1_500)
      await round.before(soonerMs, () => hold(early, `zmat06q${round.name}`, soonerMs))
      await assertOnTime(running, early, 1, { dueMs: soonerMs })
      assert.equal((await running.settled(await running.put(lifted, next(`zmat07q${round.name}`))))['state'], 'released')
      const superseded = await running.publisher.submission(secrets.get(lifted)?.submissionIds[0] ?? '')
      assert.deepEqual([superseded.body['state'], superseded.body['code']], ['superseded', 'NEWSWIRE_DESK_SUPERSEDED'])
      await round.before(laterMs, () => assertKept(late, taken))
      await assertOnTime(running, late, 1, { dueMs: laterMs })
      await waitFor('the time of what was taken back', () => Date.now() > takenMs)
      await assertKept(taken)
    })
  })
  assert.deepEqual(system.partner.findOffences(), [])
})
