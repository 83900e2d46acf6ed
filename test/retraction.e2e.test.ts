/** What was taken back, is not due yet or is not for the public shows nowhere, wherever it was on its way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter, type TestArticle } from './support/articles.ts'
import { assertOnTime } from './support/on-time.ts'
import type { Partner } from './support/partner.ts'
import { startPictureServer } from './support/picture-server.ts'
import { makePng } from './support/pictures.ts'
import { listAll, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, formats, type Running, tokens } from './support/system.ts'
import { staysTrue, waitFor } from './support/wait-for.ts'

const FEEDS = ['all', 'thoi-su', 'the-thao', 'english']

/** Every public exit as text, by its path. */
const readExits = async (running: Running, localId: string): Promise<Map<string, { status: number; text: string }>> => {
  const page = `/articles/${articleIdOf(localId)}`
  const feeds = FEEDS.flatMap(feed => formats.map(format => `/feeds/${feed}/${format}`))
  const paths = ['/', page, `${page}/print`, `${page}/article.json`, ...feeds]
  return new Map(await Promise.all(paths.map(async path => [path, await running.get(path)] as const)))
}

/** The exits that say something of the article: its words, or a page that is not gone. */
const shownIn = async (running: Running, localId: string, { title, summary }: TestArticle): Promise<string[]> => {
  const exits = await readExits(running, localId)
  return [...exits]
    .filter(([path, { status, text }]) => {
      assert.ok(status === 200 || status === 404 || status === 410, `${path}: ${status}`)
      return text.includes(title) || text.includes(summary) || (path.startsWith('/articles/') && status === 200)
    })
    .map(([path]) => path)
}

const assertNowhere = async (running: Running, localId: string, article: TestArticle, forMs = 0) =>
  await staysTrue(
    `${localId} to be in no exit`,
    async () => {
      assert.deepEqual(await shownIn(running, localId, article), [])
      return true
    },
    forMs,
    100,
  )

/** For what was out: the exits follow within moments, and stay so. */
const assertGone = async (running: Running, localId: string, article: TestArticle) => {
  await waitFor(`${localId} to be gone from every exit`, async () => (await shownIn(running, localId, article)).length === 0)
  await assertNowhere(running, localId, article, 200)
}

const unique = (article: TestArticle): TestArticle => ({ ...article, summary: `Tóm tắt riêng của ${article.title}` })
const mentions = (partner: Partner, { title }: TestArticle): boolean => partner.requests.some(one => one.body.includes(title))
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

const retract = async (running: Running, localId: string): Promise<void> => {
  const answer = await running.publisher.retract(localId, { mode: 'withdraw', reason: 'thử rút' })
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  await running.settled(String(answer.body['submissionId']))
}

test('a retraction ends an article wherever it is on its way, and reaches every partner that may have had it', async t => {
  const system = await createSystem(t, { retryScale: 0.1 })
  const running = await system.start()
  const { partner } = system
  const write = createWriter(51)
  const next = () => unique(write({ categories: ['thoi-su'] }))
  const pictures = await startPictureServer(makePng({ width: 700, height: 500, seed: 51 }), 'image/png')
  t.after(() => pictures.close())
  const held = next()
  let heldUntil = 0

  await t.test('held under an embargo', async () => {
    const { body } = await running.publisher.upload('cam', makePng({ width: 600, height: 400, seed: 52 }), 'image/png')
    const images = [{ url: String(body['url']), role: 'lead' as const }]
    heldUntil = Date.now() + 7_000
    const submission = await running.put('cam', { ...held, images, embargoUntil: new Date(heldUntil).toISOString() })
    await running.settled(submission, 'held')
    await assertNowhere(running, 'cam', held)
    await retract(running, 'cam')
    await assertNowhere(running, 'cam', held)
  })

  const slow = (name: string) => ({ url: pictures.url(name), role: 'lead' as const, caption: 'Ảnh chậm' })
  const [parked, out, update] = [next(), next(), next()]
  await t.test('parked for its picture, new or as an update', async () => {
    assert.equal(await running.publish('cho-anh-2', out), 1)
    const first = await running.put('cho-anh-1', { ...parked, images: [slow('mot')] })
    const second = await running.put('cho-anh-2', { ...update, images: [slow('hai')] })
    for (const submission of [first, second]) await running.settled(submission, 'parked')
    for (const localId of ['cho-anh-1', 'cho-anh-2']) await retract(running, localId)
    await waitFor('the kill of what was out', () => partner.held(articleIdOf('cho-anh-2'))?.action === 'retracted')
    pictures.letGo()
    for (const submission of [first, second]) assert.notEqual((await running.settled(submission))['state'], 'released')
    await running.everywhere('cho-anh-2', 2)
    await assertNowhere(running, 'cho-anh-1', parked, 500)
    for (const article of [out, update]) await assertGone(running, 'cho-anh-2', article)
    assert.ok(!mentions(partner, parked) && !mentions(partner, update))
  })

  await t.test('in flight to a partner that answers slowly, or never', async () => {
    for (const [localId, mode] of [
      ['dang-gui', { afterMs: 700 }],
      ['treo', 'hang'],
    ] as const) {
      const article = next()
      partner.setModeFor(articleIdOf(localId), mode)
      await running.settled(await running.put(localId, article))
      await waitFor('the request to come', () => partner.requests.some(one => one.article === articleIdOf(localId)))
      await retract(running, localId)
      await assertGone(running, localId, article)
      const kills = () => partner.requests.filter(one => one.article === articleIdOf(localId) && one.action === 'retracted').length
      await waitFor('the kill to be sent', () => kills() > 0)
      partner.setModeFor(articleIdOf(localId), null)
      await waitFor('the kill', () => partner.held(articleIdOf(localId))?.action === 'retracted', { deadlineMs: 30_000 })
      assert.deepEqual([partner.held(articleIdOf(localId))?.version, partner.held(articleIdOf(localId))?.article['title']], [2, undefined])
      await running.everywhere(localId, 2)
    }
  })

  await t.test('tried again at a partner that answers 500', async () => {
    const article = next()
    partner.setModeFor(articleIdOf('loi'), { status: 500 })
    await running.settled(await running.put('loi', article))
    await waitFor('two tries', () => partner.requests.filter(one => one.article === articleIdOf('loi')).length >= 2)
    await retract(running, 'loi')
    await waitFor('the kill to be tried', () =>
      partner.requests.some(one => one.article === articleIdOf('loi') && one.action === 'retracted'),
    )
    partner.setModeFor(articleIdOf('loi'), null)
    await waitFor('the kill', () => partner.held(articleIdOf('loi'))?.action === 'retracted', { deadlineMs: 30_000 })
    assert.deepEqual(partner.taken(articleIdOf('loi')), [2], 'what was taken back never got there')
    await assertGone(running, 'loi', article)
  })

  await t.test('past the time of the embargo, and after a restart, still nothing shows any of it', async () => {
    await waitFor('the embargo to end', () => Date.now() > heldUntil + 500)
    await assertNowhere(running, 'cam', held, 500)
    assert.ok(!mentions(partner, held))
    assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
    const renditions = await withObjects(system, objects => listAll(objects, 'renditions/'))
    assert.ok(renditions.length > 0)
    const again = await system.start()
    for (const { key } of renditions) {
      const { status } = await again.get(`/${key}`)
      assert.ok(status === 404 || status === 410, `${key}: ${status}`)
    }
    for (const [localId, article] of [
      ['cam', held],
      ['cho-anh-1', parked],
      ['cho-anh-2', out],
      ['cho-anh-2', update],
    ] as const)
      await assertNowhere(again, localId, article)
  })
  assert.deepEqual(partner.findOffences(), [])
})

test('an embargoed update of a public article shows nowhere before its time, then soon, also over a restart', async t => {
  const system = await createSystem(t, { env: { NEWSWIRE_LOG_LEVEL: 'trace' } })
  const write = createWriter(61)
  const first = await system.start()
  const [before, after] = [unique(write()), unique(write())]
  for (const localId of ['som', 'muon']) assert.equal(await first.publish(localId, { ...before, title: `${before.title} ${localId}` }), 1)

  /** What was read before the time is up must not show it; a look that took longer says nothing. */
  const assertHeld = async (running: Running, localId: string, dueAt: string) => {
    const exits = await readExits(running, localId)
    const isMentioned = mentions(system.partner, after)
    if (Date.now() >= Date.parse(dueAt)) return
    for (const [path, { text }] of exits) {
      assert.ok(!text.includes(after.title) && !text.includes(after.summary), `${path} shows it early`)
      if (path.startsWith('/articles/')) assert.ok(text.includes(before.title), `${path} shows what is out`)
    }
    assert.ok(!isMentioned, 'the partner was not told')
  }
  /** Released no earlier than its time, and soon after it, or after the start if that was later. */
  const assertReleasedAt = async (running: Running, localId: string, dueAt: string, readyMs = 0) => {
    await waitFor(`${localId} to be released`, async () => (await running.item('all', 'atom.xml', localId))?.title === after.title)
    await running.everywhere(localId, 2)
    await assertOnTime(running, localId, 2, { dueMs: Date.parse(dueAt), readyMs })
    assert.match(
      (await running.get(`/articles/${articleIdOf(localId)}`)).text,
      new RegExp(after.summary.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')),
    )
    assert.equal(system.partner.held(articleIdOf(localId))?.article['title'], after.title)
  }

  const [soon, later] = [inMs(3_000), inMs(8_000)]
  for (const [localId, embargoUntil] of [
    ['som', soon],
    ['muon', later],
  ] as const)
    await first.settled(await first.put(localId, { ...after, embargoUntil }), 'held')
  while (Date.now() < Date.parse(soon)) await assertHeld(first, 'som', soon)
  await assertReleasedAt(first, 'som', soon)
  await first.newswire.stop()
  const logged = first.newswire.output()
  const second = await system.start()
  const readyMs = Date.now()
  while (Date.now() < Date.parse(later)) {
    const { text } = await second.get(`/articles/${articleIdOf('muon')}`)
    assert.ok(Date.now() >= Date.parse(later) || !text.includes(after.summary), 'it shows early after a restart')
  }
  await assertReleasedAt(second, 'muon', later, readyMs)
  for (const output of [logged, second.newswire.output()])
    for (const secret of [after.title, after.summary, tokens.all, system.partner.secret, system.partner.secret.slice(6)])
      assert.ok(!output.includes(secret), 'the log keeps it to itself')
  assert.deepEqual(system.partner.findOffences(), [])
})

test('an editorial article is in no public exit and goes only to outlets that ask for it, also when it was public before', async t => {
  const system = await createSystem(t, { editorialOutlet: 'toa-soan' })
  const running = await system.start()
  const { 'tinh-doan': open, 'toa-soan': desk } = system.partners
  assert.ok(open && desk)
  const write = createWriter(71)
  const [inside, narrowed] = [unique(write()), unique(write())]
  const { body } = await running.publisher.upload('noi-bo', makePng({ width: 640, height: 480, seed: 71 }), 'image/png')
  const images = [{ url: String(body['url']), role: 'lead' as const }]

  await running.publish('noi-bo', { ...inside, images, audience: 'editorial' })
  await assertNowhere(running, 'noi-bo', inside, 300)
  assert.equal(desk.held(articleIdOf('noi-bo'))?.article['title'], inside.title)
  assert.ok(!mentions(open, inside))
  const renditions = ((desk.held(articleIdOf('noi-bo'))?.article['images'] ?? []) as { renditions: { url: string }[] }[]).flatMap(
    one => one.renditions,
  )
  assert.ok(renditions.length > 0)
  for (const { url } of renditions) assert.equal((await running.get(url)).status, 404)

  await running.publish('thu-hep', narrowed)
  assert.equal(open.held(articleIdOf('thu-hep'))?.article['title'], narrowed.title)
  const changed = unique(write())
  const version = await running.publish('thu-hep', { ...changed, audience: 'editorial' })
  for (const article of [narrowed, changed]) await assertGone(running, 'thu-hep', article)
  assert.deepEqual([open.held(articleIdOf('thu-hep'))?.action, open.held(articleIdOf('thu-hep'))?.version], ['retracted', version])
  assert.equal(desk.held(articleIdOf('thu-hep'))?.article['title'], changed.title)
  assert.ok(!mentions(open, changed))
  for (const partner of [open, desk]) assert.deepEqual(partner.findOffences(), [])
})
