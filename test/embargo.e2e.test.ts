/** Nothing of an embargoed article shows anywhere before its time, whatever way out is looked at; at its time it is out within a second. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { createWriter, type TestArticle } from './support/articles.ts'
import { findLeaks, findLeaksToStrangers, readMetrics, type Secret, toSecret } from './support/every-exit.ts'
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
const EXITS = ['feed', 'feed as a delta', 'list of feeds', 'front page', 'article page', 'print view', 'article.json', 'ninjs.json']
const RELEASE_WITHIN_MS = 1_000

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

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

type Release = Readonly<{ version: number; releasedAt: string }>
const releaseOf = async (running: Running, localId: string, version: number): Promise<Release> =>
  await waitFor(`version ${version} of ${localId}`, async () => {
    const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
    return (body['versions'] as Release[] | undefined)?.find(one => one.version === version)
  })

/** Not a millisecond early, and within a second of its time, or of the moment since when somebody could release it. */
const assertOnTime = async (
  running: Running,
  localId: string,
  version: number,
  { dueAt, readyMs = 0 }: { dueAt: string; readyMs?: number },
) => {
  const { releasedAt } = await releaseOf(running, localId, version)
  const lateMs = Date.parse(releasedAt) - Math.max(Date.parse(dueAt), readyMs)
  assert.ok(Date.parse(releasedAt) >= Date.parse(dueAt), `${localId} was released at ${releasedAt}, before ${dueAt}`)
  assert.ok(lateMs <= RELEASE_WITHIN_MS, `${localId} was released ${lateMs} ms late`)
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
  const hold = async (localId: string, mark: string, embargoUntil: string, isNew = true): Promise<void> => {
    const seed = 1000 + secrets.size
    const url = await upload(localId, seed)
    pictureOf.set(localId, url.slice('newswire:'.length))
    const images = [{ url, role: 'lead' as const, caption: `${mark}chú`, alt: `${mark}alt`, credit: `${mark}ảnh` }]
    const id = await running.put(localId, { ...next(mark), images, embargoUntil, related: [OPEN] })
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

  await t.test('new, as an update, and out within a second of its time', async () => {
    await running.publish('da-ra', write({ categories: ['thoi-su'] }))
    const dueAt = inMs(7_000)
    await hold('cam', 'zmat01q', dueAt)
    await hold('da-ra', 'zmat02q', dueAt, false)
    await assertKept('cam', 'da-ra')
    assert.ok(Date.now() < Date.parse(dueAt), 'it was looked at before its time')
    await assertOnTime(running, 'cam', 1, { dueAt })
    await assertOnTime(running, 'da-ra', 2, { dueAt })
    await running.everywhere('cam', 1)
    await assertShown('cam', EXITS)
  })

  await t.test('over a kill, with its time before and after the next start', async () => {
    const [within, after] = [inMs(2_000), inMs(14_000)]
    await hold('trong-luc-tat', 'zmat03q', within)
    await hold('sau-khi-bat', 'zmat04q', after)
    await assertKept('sau-khi-bat')
    logs.push(running.newswire.output())
    await running.newswire.kill()
    await learnRenditions('trong-luc-tat', 'sau-khi-bat')
    await waitFor('the first to be due', () => Date.now() > Date.parse(within))
    running = await system.start()
    const readyMs = Date.now()
    await assertOnTime(running, 'trong-luc-tat', 1, { dueAt: within, readyMs })
    await assertKept('sau-khi-bat')
    assert.ok(Date.now() < Date.parse(after), 'it was looked at before its time')
    await assertOnTime(running, 'sau-khi-bat', 1, { dueAt: after })
    await assertShown('sau-khi-bat', ['rendition'])
    await assertShown('cam', ['page of a feed'])
  })

  await t.test('put off, brought forward, lifted, and taken back', async () => {
    const far = inMs(60_000)
    await hold('hoan', 'zmat05q', inMs(2_500))
    const later = inMs(9_000)
    await hold('hoan', 'zmat05q', later)
    await hold('som-hon', 'zmat06q', far)
    await hold('bo-cam', 'zmat07q', far)
    await hold('rut', 'zmat08q', inMs(3_000))
    assert.equal((await running.publisher.retract('rut', { mode: 'gone', reason: 'rút khi còn giữ' })).status, 202)
    await running.settled(secrets.get('rut')?.submissionIds[0] ?? '', 'refused')
    const sooner = inMs(1_500)
    await hold('som-hon', 'zmat06q', sooner)
    await assertOnTime(running, 'som-hon', 1, { dueAt: sooner })
    assert.equal((await running.settled(await running.put('bo-cam', next('zmat07q'))))['state'], 'released')
    const superseded = await running.publisher.submission(secrets.get('bo-cam')?.submissionIds[0] ?? '')
    assert.deepEqual([superseded.body['state'], superseded.body['code']], ['superseded', 'NEWSWIRE_DESK_SUPERSEDED'])
    await assertKept('hoan', 'rut')
    assert.ok(Date.now() < Date.parse(later), 'it was looked at before its time')
    await assertOnTime(running, 'hoan', 1, { dueAt: later })
    await assertKept('rut')
  })
  assert.deepEqual(system.partner.findOffences(), [])
})
