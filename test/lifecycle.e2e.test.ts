/** What ends by itself, is put right, taken back or brought back, seen by readers and by partners. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { createWriter } from './support/articles.ts'
import { everyFormat } from './support/exits.ts'
import { assertOnTime, tellInTime } from './support/on-time.ts'
import { makePng } from './support/pictures.ts'
import { createPublisher, type Retraction } from './support/publisher.ts'
import { articleIdOf, createSystem, formats, PUBLIC_URL, type Running, type System, tagOf, tokens } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const toIso = (ms: number): string => new Date(ms).toISOString()
const pageOf = (localId: string): string => `/articles/${articleIdOf(localId)}`

/** Each outlet takes what is filed under one category. */
const matchByCategory = async ({ configFile }: System, categoryOf: Readonly<Record<string, string>>): Promise<void> => {
  const config = parse(await readFile(configFile, 'utf8')) as { outlets: { id: string; match: unknown }[] }
  for (const outlet of config.outlets) outlet.match = categoryOf[outlet.id] === undefined ? {} : { categories: [categoryOf[outlet.id]] }
  await writeFile(configFile, stringify(config))
}

/** Nothing of it in any feed but its end; its page answers 410. */
const assertEnded = async (running: Running, localId: string, title: string): Promise<void> => {
  await waitFor(`${localId} to be gone`, async () => (await running.get(pageOf(localId))).status === 410)
  await waitFor(`${localId} to leave the feeds`, async () => {
    const texts = await Promise.all([...formats, 'news-sitemap.xml'].map(async format => (await running.get(`/feeds/all/${format}`)).text))
    return texts.every(text => !text.includes(title))
  })
  const feed = await running.feed('all', 'atom.xml').read()
  assert.ok(
    feed.deleted.some(one => JSON.stringify(one).includes(tagOf(localId))),
    'Atom says that it was deleted',
  )
}

test('an article takes itself back within a second of its time, by its mode, also over a kill and when its time comes while nothing runs', async t => {
  const system = await createSystem(t)
  let running = await system.start()
  const write = createWriter(91)
  const assertExpired = async (localId: string, title: string, dueMs: number, readyMs = 0, expiryMode = 'gone') => {
    const { action } = await assertOnTime(running, localId, 2, { dueMs, readyMs })
    assert.equal(action, 'retracted')
    await running.everywhere(localId, 2)
    await assertEnded(running, localId, title)
    const held = system.partner.held(articleIdOf(localId))
    assert.deepEqual([held?.action, held?.retraction], ['retracted', { mode: expiryMode, reason: 'expired', legal: false }])
  }

  await t.test('by each of its modes', () =>
    tellInTime(async round => {
      const dueMs = round.in(4_000)
      const expiring = (['gone', 'withdraw'] as const).map(expiryMode => ({ ...write(), expiresAt: toIso(dueMs), expiryMode }))
      const nameOf = (expiryMode: string) => `het-${expiryMode}${round.name}`
      await round.before(dueMs, async () => {
        for (const one of expiring) assert.equal(await running.publish(nameOf(one.expiryMode), one), 1)
      })
      for (const { expiryMode, title } of expiring) await assertExpired(nameOf(expiryMode), title, dueMs, 0, expiryMode)
    }),
  )

  await t.test('while nothing runs, and after the next start', () =>
    tellInTime(async round => {
      const [withinMs, afterMs] = [round.in(3_000), round.in(12_000)]
      const [within, after] = [
        { ...write(), expiresAt: toIso(withinMs) },
        { ...write(), expiresAt: toIso(afterMs) },
      ]
      const [withinId, afterId] = [`het-luc-tat${round.name}`, `het-sau-khi-bat${round.name}`]
      await round.before(withinMs, async () => {
        await Promise.all([running.publish(withinId, within), running.publish(afterId, after)])
        await running.newswire.kill()
      })
      let readyMs = 0
      await round.before(afterMs, async () => {
        await waitFor('the first to be due', () => Date.now() > withinMs)
        running = await system.start()
        readyMs = Date.now()
      })
      await assertExpired(withinId, within.title, withinMs, readyMs)
      await assertExpired(afterId, after.title, afterMs)
      // What expires later after all is live again.
      const prolonged = { ...within, title: `${within.title} (gia hạn)`, expiresAt: toIso(Date.now() + 3_600_000) }
      assert.equal(await running.publish(withinId, prolonged), 3)
      assert.equal((await running.get(pageOf(withinId))).status, 200)
    }),
  )
  assert.deepEqual(system.partner.findOffences(), [])
})

test('a correction carries its note to pages, feeds and partners, to those who have the article and to those who match now', async t => {
  const system = await createSystem(t, { outlets: ['co-roi', 'moi-hop', 'khong-hop'] })
  await matchByCategory(system, { 'co-roi': 'doi-song', 'moi-hop': 'the-thao', 'khong-hop': 'thoi-su' })
  const running = await system.start()
  const write = createWriter(92)
  const article = { ...write(), categories: ['doi-song'] }
  // The child's parent matches as well; an outlet of neither never hears of it.
  await running.publish('sua', article)
  const note = 'Tên người phụ trách là Ngô Quốc Bảo, không phải như đã đưa.'
  const corrected = {
    ...article,
    title: `${article.title} (đã sửa)`,
    categories: ['the-thao'],
    change: 'correction' as const,
    correction: { note },
  }
  assert.equal(await running.publish('sua', corrected), 2)

  for (const id of ['co-roi', 'moi-hop', 'khong-hop']) {
    const held = system.partners[id]?.held(articleIdOf('sua'))
    assert.deepEqual([id, held?.version, held?.action], [id, 2, 'corrected'])
    assert.deepEqual(held?.article['correction'], { note }, `${id} is told what was wrong`)
    assert.equal(held?.article['title'], corrected.title)
  }
  assert.deepEqual(system.partners['moi-hop']?.taken(articleIdOf('sua')), [2])
  const page = await running.get(pageOf('sua'))
  assert.ok(page.text.includes(note), 'the page says it')
  assert.match(page.text, /CorrectionComment/)
  assert.ok((await running.get(`${pageOf('sua')}/print`)).text.includes(note), 'so does the print view')
  for (const format of formats) assert.ok((await running.get(`/feeds/all/${format}`)).text.includes(note), `${format} says it`)
  for (const item of await everyFormat(running, 'all', 'sua')) assert.equal(item.title, corrected.title)
  for (const partner of Object.values(system.partners)) assert.deepEqual(partner.findOffences(), [])
})

test('each way of taking back is what readers and partners get, and only a republish of its own scope brings it back', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const write = createWriter(93)
  await running.publish('thay', write())
  const notice = 'Bài này không còn nữa.'
  const elsewhere = 'https://elsewhere.example/bai-moi'
  const cases: readonly (readonly [retraction: Retraction, status: number, location: string | null])[] = [
    [{ mode: 'withdraw', reason: 'rút', notice }, 410, null],
    [{ mode: 'gone', reason: 'xóa', notice }, 410, null],
    [{ mode: 'redirect', reason: 'chuyển', redirectTo: elsewhere, notice }, 301, elsewhere],
    [{ mode: 'replace', reason: 'thay', redirectTo: 'thay', notice }, 302, `${PUBLIC_URL}${pageOf('thay')}`],
  ]
  for (const [retraction, status, location] of cases) {
    const { mode } = retraction
    const article = write()
    await running.publish(mode, article)
    const { body } = await running.publisher.retract(mode, retraction)
    const settled = await running.settled(String(body['submissionId']))
    assert.deepEqual([settled['state'], settled['version']], ['released', 2])
    await running.everywhere(mode, 2)
    const page = await waitFor(`the page of ${mode}`, async () => {
      const answer = await running.get(pageOf(mode))
      return answer.status !== 200 && answer
    })
    assert.deepEqual([mode, page.status, page.headers.get('location')], [mode, status, location])
    if (status === 410) assert.ok(page.text.includes(notice))
    const held = system.partner.held(articleIdOf(mode))
    assert.deepEqual([held?.action, held?.retraction?.['mode'], held?.retraction?.['reason']], ['retracted', mode, retraction.reason])
    assert.equal(held?.retraction?.['redirectTo'], retraction['redirectTo'])
    for (const format of formats)
      assert.ok(!(await running.get(`/feeds/all/${format}`)).text.includes(article.title), `${format} of ${mode}`)
    const rss = await running.item('all', 'rss.xml', mode)
    assert.ok(rss?.content.includes(notice), 'the same item says that it is gone')
  }

  await t.test('what a submission after the retraction says waits for the republish', async () => {
    const newer = write()
    const submission = await running.put('gone', newer)
    assert.equal((await running.settled(submission, 'held'))['code'], 'NEWSWIRE_DESK_AWAITS_REPUBLISH')
    const powerless = createPublisher(running.newswire.url('ingest'), tokens.publishOnly)
    const refused = await powerless.republish('gone')
    assert.deepEqual([refused.status, refused.body['code']], [403, 'NEWSWIRE_AUTH_SCOPE'])
    assert.equal((await running.get(pageOf('gone'))).status, 410)
    const { body } = await running.publisher.republish('gone')
    assert.equal((await running.settled(String(body['submissionId'])))['version'], 3)
    assert.equal((await running.settled(submission))['version'], 3)
    await running.everywhere('gone', 3)
    for (const item of await everyFormat(running, 'all', 'gone')) assert.equal(item.title, newer.title)
    assert.deepEqual(
      [system.partner.held(articleIdOf('gone'))?.action, system.partner.held(articleIdOf('gone'))?.version],
      ['published', 3],
    )
    const again = await running.publisher.republish('gone')
    const outcome = await running.settled(String(again.body['submissionId']))
    assert.deepEqual([outcome['state'], outcome['code']], ['refused', 'NEWSWIRE_DESK_NOT_RETRACTED'])
  })
  assert.deepEqual(system.partner.findOffences(), [])
})

test('a picture goes when the right to it ends: from pages, feeds, its own address and partners, also over a kill', async t => {
  const system = await createSystem(t)
  let running = await system.start()
  const write = createWriter(94)
  const imagesHeld = (localId: string) =>
    (system.partner.held(articleIdOf(localId))?.article['images'] ?? []) as { caption: string; renditions: { url: string }[] }[]
  const captionsHeld = (localId: string) => imagesHeld(localId).map(one => one.caption)
  const publishWith = async (localId: string, untilMs: number) => {
    const pictures = []
    for (const [at, rights] of [{ until: new Date(untilMs).toISOString() }, undefined].entries()) {
      const bytes = makePng({ width: 640, height: 480, seed: 940 + at + untilMs })
      const { body } = await running.publisher.upload(localId, bytes, 'image/png')
      pictures.push({ url: String(body['url']), caption: `${localId}-${at}`, ...(rights ? { rights } : {}) })
    }
    assert.equal(await running.publish(localId, { ...write(), images: pictures }), 1)
    assert.deepEqual(captionsHeld(localId), [`${localId}-0`, `${localId}-1`])
    return { renditions: imagesHeld(localId).map(one => one.renditions[0]?.url ?? '') }
  }
  const assertRecalled = async (localId: string, { renditions }: { renditions: readonly string[] }, endMs: number, readyMs = 0) => {
    const version = await assertOnTime(running, localId, 2, { dueMs: endMs, readyMs })
    assert.equal(version.action, 'updated')
    assert.equal(version.detail, `the right to a picture ended at ${new Date(endMs).toISOString()}`)
    await running.everywhere(localId, 2)
    assert.equal(system.partner.held(articleIdOf(localId))?.action, 'updated')
    assert.deepEqual(captionsHeld(localId), [`${localId}-1`])
    const texts = await Promise.all([pageOf(localId), ...formats.map(format => `/feeds/all/${format}`)].map(path => running.get(path)))
    for (const { text } of texts) assert.ok(text.includes(`${localId}-1`) && !text.includes(`${localId}-0`), 'the other picture stays')
    await waitFor('its address to be gone', async () => (await running.get(renditions[0] ?? '')).status === 410)
    assert.equal((await running.get(renditions[1] ?? '')).status, 200)
  }

  await tellInTime(async round => {
    const [soonMs, laterMs] = [round.in(5_000), round.in(13_000)]
    const [soonId, laterId] = [`quyen-som${round.name}`, `quyen-muon${round.name}`]
    const shown = { soon: { renditions: [] as string[] }, later: { renditions: [] as string[] } }
    await round.before(soonMs, async () => {
      shown.soon = await publishWith(soonId, soonMs)
      for (const url of shown.soon.renditions) assert.equal((await running.get(url)).status, 200)
    })
    await round.before(laterMs, async () => {
      shown.later = await publishWith(laterId, laterMs)
      await assertRecalled(soonId, shown.soon, soonMs)
      await running.newswire.kill()
    })
    await waitFor('the right to end', () => Date.now() > laterMs)
    running = await system.start()
    await assertRecalled(laterId, shown.later, laterMs, Date.now())
    const { body } = await running.console(`/v1/articles/${articleIdOf(soonId)}/trace`)
    assert.equal((body['versions'] as unknown[]).length, 2, 'it ended once')
  })
  assert.deepEqual(system.partner.findOffences(), [])
})
