/** One article's whole life as publisher, readers and a partner see it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { assertOut, assertReadsAs, everyFormat, heldBy, pageOf } from './support/exits.ts'
import { attributesOf } from './support/html.ts'
import { makeJpeg, makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, formats, type Running, tagOf } from './support/system.ts'

const CAPTIONS = ['Bến đò lúc sáu giờ <sáng> & sương', 'Người lái đò “Ba Thạnh”', 'Bảng giờ chạy mới, 5 € mỗi lượt']

type Json = Record<string, unknown>
const json = (text: string): Json => JSON.parse(text) as Json

const uploadThree = async (running: Running, localId: string) => {
  const pictures = [
    makePng({ width: 900, height: 600, seed: 1 }),
    makePng({ width: 500, height: 400, seed: 2 }),
    makeJpeg({ width: 640, height: 480, gps: true }),
  ]
  return await Promise.all(
    pictures.map(async (bytes, index) => {
      const { status, body } = await running.publisher.upload(localId, bytes, index === 2 ? 'image/jpeg' : 'image/png')
      assert.equal(status, 201, JSON.stringify(body))
      return {
        url: String(body['url']),
        role: index === 0 ? ('lead' as const) : ('inline' as const),
        caption: CAPTIONS[index] ?? '',
        alt: `Ảnh ${index + 1}`,
        credit: 'Ảnh: Lê Thị Hường',
      }
    }),
  )
}

const renditionsOf = (article: Json): string[] =>
  ((article['images'] ?? []) as { renditions: { url: string }[] }[]).flatMap(one => one.renditions.map(({ url }) => url))

const statusOf = async (running: Running, urls: readonly string[]): Promise<number[]> =>
  [...new Set(await Promise.all(urls.map(async url => (await running.get(url)).status)))].sort()

test('an article goes out everywhere letter for letter, is corrected, taken back and brought back', async t => {
  // Pictures are waited for as long as in earnest: on a busy machine the first version would be out without them.
  const system = await createSystem(t, { retryScale: 1 })
  const running = await system.start()
  const { publisher } = running
  const write = createWriter(11)
  const vietnamese = { ...write({ categories: ['doi-song'] }), images: await uploadThree(running, 'ben-do') }
  const english = write({ language: 'en', categories: ['the-thao'] })
  assert.equal(await running.publish('ben-do', vietnamese), 1)
  assert.equal(await running.publish('ferry', english), 1)

  await t.test('feeds, pages, front page and print view say what was sent', async () => {
    await assertOut(running, 'ben-do', vietnamese, CAPTIONS)
    await assertOut(running, 'ferry', english, [])
    const where = async (localId: string) =>
      (
        await Promise.all(
          ['thoi-su', 'the-thao', 'english'].map(async feed => ((await running.item(feed, 'atom.xml', localId)) ? feed : '')),
        )
      )
        .join(' ')
        .trim()
    assert.equal(await where('ben-do'), 'thoi-su', 'a category matches its children')
    assert.equal((await where('ferry')).trim(), 'the-thao english')
  })

  const path = pageOf('ben-do')
  const document = json((await running.get(`${path}/article.json`)).text)
  const renditions = renditionsOf(document)
  await t.test('article.json, its renditions, the archive and the partner have it whole', async () => {
    assert.equal(document['title'], vietnamese.title)
    assert.equal(document['version'], 1)
    assert.ok(renditions.length >= 6, 'three pictures in several sizes')
    assert.deepEqual(await statusOf(running, renditions), [200])
    for (const url of renditions) {
      const bytes = Buffer.from(await (await fetch(new URL(new URL(url).pathname, running.newswire.url('gateway')))).arrayBuffer())
      const signature = { jpg: '\xff\xd8\xff', avif: 'ftypavif', webp: 'WEBP' }[url.slice(url.lastIndexOf('.') + 1)]
      assert.ok(bytes.subarray(0, 12).includes(signature ?? 'none', 0, 'latin1'), `${url} is what its name says`)
    }
    const shown = attributesOf((await running.get(path)).text, 'img', 'src')
    assert.equal(shown.length, 3)
    const archived = await running.console(`/v1/articles/${articleIdOf('ben-do')}/versions/1`)
    const fact = archived.body['fact'] as {
      version: number
      article: { title: string; body: { html: string }; images: { caption: string }[] }
    }
    assert.equal(fact.article.title, vietnamese.title)
    assertReadsAs('archive', fact.article.body.html, vietnamese, [])
    assert.deepEqual(
      fact.article.images.map(one => one.caption),
      CAPTIONS,
    )
    const held = heldBy(system.partner, 'ben-do')
    assert.deepEqual([held.action, held.title, held.captions], ['published', vietnamese.title, CAPTIONS])
    assertReadsAs('partner', held.html, vietnamese, [])
    assert.deepEqual(renditionsOf(held.article), renditions)
  })

  await t.test('a correction shows its note and moves "updated"; a minor change moves no date', async () => {
    const before = await running.item('all', 'atom.xml', 'ben-do')
    const corrected = {
      ...vietnamese,
      change: 'correction' as const,
      correction: { note: 'Bản trước ghi sai giờ chạy.' },
      title: `${vietnamese.title}.`,
    }
    assert.equal(await running.publish('ben-do', corrected), 2)
    assert.match((await running.get(path)).text, /Bản trước ghi sai giờ chạy\./)
    const after = await everyFormat(running, 'all', 'ben-do')
    for (const item of after) {
      assert.equal(item.title, corrected.title)
      assert.match(item.content, /Bản trước ghi sai giờ chạy\./)
    }
    const atom = await running.item('all', 'atom.xml', 'ben-do')
    assert.equal(atom?.published, before?.published)
    assert.ok(Date.parse(atom?.updated ?? '') > Date.parse(before?.updated ?? ''), 'updated moved')
    assert.equal(await running.publish('ben-do', { ...corrected, change: 'minor', byline: 'Ban biên tập' }), 3)
    assert.match((await running.get(path)).text, /Ban biên tập/)
    const minor = await running.item('all', 'atom.xml', 'ben-do')
    assert.deepEqual([minor?.published, minor?.updated], [atom?.published, atom?.updated])
    assert.deepEqual(system.partner.taken(articleIdOf('ben-do')), [1, 2, 3])
    assert.equal(system.partner.requests.find(one => one.version === 2)?.action, 'corrected')
  })

  await t.test('a retraction ends it in every exit, and tells everyone', async () => {
    const answer = await publisher.retract('ben-do', { mode: 'gone', reason: 'sai người', notice: 'Bài đã được rút.' })
    const { version } = await running.settled(String(answer.body['submissionId']))
    assert.equal(version, 4)
    await running.everywhere('ben-do', 4)
    for (const view of [path, `${path}/print`, `${path}/article.json`]) {
      const { status, text } = await running.get(view)
      assert.equal(status, 410, view)
      assert.match(text, /Bài đã được rút\./)
      assert.ok(!text.includes(vietnamese.title))
    }
    assert.deepEqual(await statusOf(running, renditions), [410])
    assert.ok(!(await running.get('/')).text.includes(vietnamese.title))
    const [rss, atom, feed] = await Promise.all(formats.map(format => running.feed('all', format).read()))
    const id = tagOf('ben-do')
    const notice = rss?.items.find(one => one.id === id)
    assert.equal(notice?.title, 'Bài đã được rút.')
    assert.match(rss?.text ?? '', /<dcterms:valid>[^<]*end=/)
    assert.deepEqual(atom?.deleted, [id])
    assert.ok(!atom?.items.some(one => one.id === id))
    const items = (json(feed?.text ?? '')['items'] as { id: string; _newswire: { status: string } }[]).find(one => one.id === id)
    assert.equal(items?._newswire.status, 'retracted')
    for (const view of [rss, atom, feed]) assert.ok(!view?.text.includes(vietnamese.title))
    const kill = system.partner.held(articleIdOf('ben-do'))
    assert.deepEqual(
      [kill?.action, kill?.version, kill?.retraction?.['mode'], kill?.retraction?.['reason']],
      ['retracted', 4, 'gone', 'sai người'],
    )
    assert.equal(kill?.article['title'], undefined)
  })

  await t.test('republishing brings back what was withdrawn, as one more version', async () => {
    const answer = await publisher.republish('ben-do')
    assert.equal(answer.status, 202)
    const { version } = await running.settled(String(answer.body['submissionId']))
    assert.equal(version, 5)
    await running.everywhere('ben-do', 5)
    await assertOut(running, 'ben-do', { ...vietnamese, title: `${vietnamese.title}.` }, CAPTIONS)
    assert.deepEqual(await statusOf(running, renditions), [200])
    assert.deepEqual((await running.feed('all', 'atom.xml').read()).deleted, [])
    assert.equal(heldBy(system.partner, 'ben-do').title, `${vietnamese.title}.`)
    const { body } = await running.console(`/v1/articles/${articleIdOf('ben-do')}/versions`)
    assert.deepEqual(body['versions'], [1, 2, 3, 4, 5])
  })
  assert.deepEqual(system.partner.findOffences(), [])
})
