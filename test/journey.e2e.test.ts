/** One article's whole life as publisher, readers and a partner see it; and the newcomer's commands. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createWriter, type TestArticle } from './support/articles.ts'
import { attributesOf, captionsOf, paragraphsOf, textsOf } from './support/html.ts'
import { newFolder, runCommand, startNewswire } from './support/newswire.ts'
import { makeJpeg, makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, formats, PUBLIC_URL, type Running, type System, tagOf } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const CAPTIONS = ['Bến đò lúc sáu giờ <sáng> & sương', 'Người lái đò “Ba Thạnh”', 'Bảng giờ chạy mới, 5 € mỗi lượt']
const ARTICLE = '/articles/'

type Json = Record<string, unknown>
const json = (text: string): Json => JSON.parse(text) as Json

const uploadThree = async (running: Running, localId: string) => {
  const pictures = [makePng({ width: 900, height: 600, seed: 1 }), makePng({ width: 500, height: 400, seed: 2 }), makeJpeg({ width: 640, height: 480, gps: true })]
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

/** What every exit must say of an article, paragraph by paragraph. */
const assertReadsAs = (what: string, html: string, article: Pick<TestArticle, 'body'>, captions: readonly string[]) => {
  const sent = paragraphsOf('html' in article.body ? article.body.html : '')
  assert.ok(sent.length > 0)
  assert.deepEqual(paragraphsOf(html).slice(0, sent.length), sent, `${what}: the paragraphs`)
  for (const caption of captions) assert.ok(captionsOf(html).some(one => one.startsWith(caption)), `${what}: the caption ${caption}`)
}

const everyFormat = async (running: Running, feed: string, localId: string) =>
  await Promise.all(
    formats.map(async format => {
      const item = await running.item(feed, format, localId)
      assert.ok(item, `${localId} is in ${feed}/${format}`)
      return item
    }),
  )

const renditionsOf = (article: Json): string[] =>
  ((article['images'] ?? []) as { renditions: { url: string }[] }[]).flatMap(one => one.renditions.map(({ url }) => url))

const statusOf = async (running: Running, urls: readonly string[]): Promise<number[]> =>
  [...new Set(await Promise.all(urls.map(async url => (await running.get(url)).status)))].sort()

const assertOut = async (running: Running, localId: string, article: TestArticle, captions: readonly string[]) => {
  const path = ARTICLE + articleIdOf(localId)
  for (const item of await everyFormat(running, 'all', localId)) {
    assert.equal(item.title, article.title)
    assert.equal(item.url, PUBLIC_URL + path)
    assertReadsAs('feed', item.content, article, captions)
  }
  for (const view of [path, `${path}/print`]) {
    const { status, text } = await running.get(view)
    assert.equal(status, 200)
    assert.deepEqual(textsOf(text, 'h1'), [article.title])
    assertReadsAs(view, text, article, captions)
  }
  const front = await running.get('/')
  assert.ok(textsOf(front.text, 'h2').includes(article.title), 'the front page names it')
}

test('an article goes out everywhere letter for letter, is corrected, taken back and brought back', async t => {
  const system = await createSystem(t)
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
      (await Promise.all(['thoi-su', 'the-thao', 'english'].map(async feed => ((await running.item(feed, 'atom.xml', localId)) ? feed : '')))).join(' ').trim()
    assert.equal(await where('ben-do'), 'thoi-su', 'a category matches its children')
    assert.equal((await where('ferry')).trim(), 'the-thao english')
  })

  const path = `${ARTICLE}${articleIdOf('ben-do')}`
  const document = json((await running.get(`${path}/article.json`)).text)
  const renditions = renditionsOf(document)
  await t.test('article.json, its renditions, the archive and the partner have it whole', async () => {
    assert.equal(document['title'], vietnamese.title)
    assert.equal(document['version'], 1)
    assert.ok(renditions.length >= 6, 'three pictures in several sizes')
    assert.deepEqual(await statusOf(running, renditions), [200])
    for (const url of renditions) {
      const bytes = Buffer.from(await (await fetch(new URL(new URL(url).pathname, running.newswire.url('gateway')))).arrayBuffer())
      assert.deepEqual([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff], 'a JPEG')
    }
    const shown = attributesOf((await running.get(path)).text, 'img', 'src')
    assert.equal(shown.length, 3)
    const archived = await running.console(`/v1/articles/${articleIdOf('ben-do')}/versions/1`)
    const fact = archived.body['fact'] as { version: number; article: { title: string; body: { html: string }; images: { caption: string }[] } }
    assert.equal(fact.article.title, vietnamese.title)
    assertReadsAs('archive', fact.article.body.html, vietnamese, [])
    assert.deepEqual(fact.article.images.map(one => one.caption), CAPTIONS)
    const held = system.partner.held(articleIdOf('ben-do'))
    assert.equal(held?.action, 'published')
    assert.equal(held?.article['title'], vietnamese.title)
    assertReadsAs('partner', String((held?.article['body'] as { html: string }).html), vietnamese, [])
    assert.deepEqual((held?.article['images'] as { caption: string }[]).map(one => one.caption), CAPTIONS)
    assert.deepEqual(renditionsOf(held?.article ?? {}), renditions)
  })

  await t.test('a correction shows its note and moves "updated"; a minor change moves no date', async () => {
    const before = await running.item('all', 'atom.xml', 'ben-do')
    const corrected = { ...vietnamese, change: 'correction' as const, correction: { note: 'Bản trước ghi sai giờ chạy.' }, title: `${vietnamese.title}.` }
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
    assert.deepEqual([kill?.action, kill?.version, kill?.retraction?.['mode'], kill?.retraction?.['reason']], ['retracted', 4, 'gone', 'sai người'])
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
    assert.equal(system.partner.held(articleIdOf('ben-do'))?.article['title'], `${vietnamese.title}.`)
    const { body } = await running.console(`/v1/articles/${articleIdOf('ben-do')}/versions`)
    assert.deepEqual(body['versions'], [1, 2, 3, 4, 5])
  })
  assert.deepEqual(system.partner.findOffences(), [])
})

const command = async (system: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', system.dataDir], env: system.env })

const exits = async (running: Running, localIds: readonly string[]) => {
  const feeds = await Promise.all(formats.map(async format => (await running.feed('all', format).read()).text))
  const pages = await Promise.all(localIds.map(async localId => (await running.get(ARTICLE + articleIdOf(localId))).text))
  return [...feeds, ...pages]
}

const interrupt = async (running: Running) => {
  process.kill(running.newswire.pid, 'SIGINT')
  return await running.newswire.ended
}

test('files published from a shell are found again after Ctrl-C and a second start', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const folder = await newFolder(t)
  const article = createWriter(12)({ categories: ['thoi-su'] })
  await writeFile(join(folder, 'anh.png'), makePng({ width: 800, height: 500 }))
  await writeFile(join(folder, 'bai-mot.json'), JSON.stringify({ ...article, images: [{ url: 'anh.png', role: 'lead', caption: CAPTIONS[1] }] }))
  const paragraphs = ['Đoạn thứ nhất: a < b && c.', 'Đoạn thứ hai,\nvới hai dòng.', 'Đoạn cuối “ngoặc kép” – 👩‍🌾']
  await writeFile(join(folder, 'Bài hai.txt'), `${paragraphs.join('\n\n')}\n`)
  const json = await command(system, ['publish', join(folder, 'bai-mot.json'), '--wait', '--json'])
  assert.equal(json.code, 0, json.output)
  assert.equal((JSON.parse(json.stdout) as Json)['articleId'], articleIdOf('bai-mot'))
  const picture = join(folder, 'anh.png')
  const text = await command(system, ['publish', join(folder, 'Bài hai.txt'), '--title', 'Bài hai', '--category', 'thoi-su', '--image', picture, '--caption', CAPTIONS[0] ?? '', '--wait'])
  assert.equal(text.code, 0, text.output)
  await assertOut(running, 'bai-mot', article, [CAPTIONS[1] ?? ''])
  const page = (await running.get(`${ARTICLE}${articleIdOf('Bai-hai')}`)).text
  assert.deepEqual(paragraphsOf(page), paragraphs)
  assert.deepEqual(captionsOf(page), [CAPTIONS[0]])
  assert.equal((await command(system, ['publish', join(folder, 'bai-mot.json')])).code, 0, 'again is a duplicate')
  const missing = await command(system, ['publish', join(folder, 'khong-co.json')])
  assert.equal(missing.code, 2)

  const before = await exits(running, ['bai-mot', 'Bai-hai'])
  const delivered = system.partner.requests.length
  assert.deepEqual(await interrupt(running), { code: 0, signal: null })
  const again = await system.start()
  await waitFor('the gateway to answer', async () => (await again.get(`${ARTICLE}${articleIdOf('bai-mot')}`)).status === 200)
  assert.deepEqual(await exits(again, ['bai-mot', 'Bai-hai']), before)
  assert.equal(await again.publish('bai-ba', createWriter(13)({ categories: ['thoi-su'] })), 1)
  assert.equal(system.partner.requests.length, delivered + 1, 'nothing is sent twice')
  assert.deepEqual(await interrupt(again), { code: 0, signal: null })
})

test('the demo is ready soon, and both of its articles are at its partner site', async t => {
  const folder = await newFolder(t)
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const start = async () => {
    const demo = await startNewswire({ args: ['up', '--demo', '--data', join(folder, 'data'), ...ports], deadlineMs: 30_000 })
    t.after(() => demo.kill())
    const site = await waitFor('the addresses to be told', () => /Partner site\s+(\S+)/.exec(demo.output())?.[1])
    const titles = await waitFor('both articles at the partner', async () => {
      const held = (await (await fetch(`${site}/articles.json`)).json()) as { title: string }[]
      return held.length === 2 && held.map(one => one.title).sort()
    })
    const feed = await waitFor('both articles in a feed', async () => {
      const text = await (await fetch(`${demo.url('gateway')}/feeds/all/rss.xml`)).text()
      return titles.every(title => text.includes(title)) && text
    })
    return { demo, titles, feed }
  }
  const first = await start()
  assert.deepEqual(await first.demo.stop(), { code: 0, signal: null })
  const second = await start()
  assert.deepEqual(second.titles, first.titles)
  assert.equal(second.feed, first.feed)
  assert.deepEqual(await second.demo.stop(), { code: 0, signal: null })
})

/** A newspaper's text of the operator's own, never kept here: paragraphs at blank lines, furniture and captions left out by whoever gives it. */
const REAL_TEXT = process.env['NEWSWIRE_TEST_REAL_TEXT']

const skipReal = REAL_TEXT === undefined ? 'NEWSWIRE_TEST_REAL_TEXT names no text file' : false
test('a real text with three pictures comes out of every exit letter for letter', { skip: skipReal }, async (t: TestContext) => {
  const system = await createSystem(t)
  const running = await system.start()
  const folder = await newFolder(t)
  const source = (await readFile(REAL_TEXT ?? '', 'utf8')).normalize('NFC')
  const expected = source.split(/\n[ \t]*\n/).map(one => one.trim()).filter(one => one !== '')
  const pictures = await Promise.all(
    CAPTIONS.map(async (caption, index) => {
      const file = join(folder, `${index}.png`)
      await writeFile(file, makePng({ width: 1400, height: 900, seed: index + 20 }))
      return ['--image', file, '--caption', caption]
    }),
  )
  await writeFile(join(folder, 'real.txt'), source)
  const published = await command(system, ['publish', join(folder, 'real.txt'), '--title', 'Bài thật', '--category', 'thoi-su', ...pictures.flat(), '--wait'])
  assert.equal(published.code, 0, published.output)
  const path = ARTICLE + articleIdOf('real')
  const archived = (await running.console(`/v1/articles/${articleIdOf('real')}/versions/1`)).body['fact'] as { article: { body: { html: string } } }
  const exitsByName: Record<string, string> = {
    page: (await running.get(path)).text,
    print: (await running.get(`${path}/print`)).text,
    archive: archived.article.body.html,
    partner: (system.partner.held(articleIdOf('real'))?.article['body'] as { html: string }).html,
    ...Object.fromEntries(await Promise.all(formats.map(async format => [format, (await running.item('all', format, 'real'))?.content ?? '']))),
  }
  for (const [name, html] of Object.entries(exitsByName)) assert.deepEqual(paragraphsOf(html), expected, name)
  for (const name of ['page', 'print', ...formats]) assert.deepEqual(captionsOf(exitsByName[name] ?? ''), CAPTIONS, name)
})
