/** The newcomer's commands: publish from a shell, stop, start again, the demo. */
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { assertOut, heldBy, pageOf } from './support/exits.ts'
import { captionsOf, paragraphsOf } from './support/html.ts'
import { newFolder, portsOf, runCommand, startUp } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, formats, type Running, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const CAPTIONS = ['Bến đò lúc sáu giờ <sáng> & sương', 'Người lái đò “Ba Thạnh”', 'Bảng giờ chạy mới, 5 € mỗi lượt']

const command = async (system: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', system.dataDir], env: system.env })

const exits = async (running: Running, localIds: readonly string[]) => {
  const feeds = await Promise.all(formats.map(async format => (await running.feed('all', format).read()).text))
  const pages = await Promise.all(localIds.map(async localId => (await running.get(pageOf(localId))).text))
  return [...feeds, ...pages]
}

/** On a busy machine an article may go out before its picture, which is one more version then. */
const untilCaptioned = async (system: System, running: Running, localId: string, words: string) =>
  await waitFor(`the caption of ${localId}`, async () => {
    const shown = await exits(running, [localId])
    return [...shown, JSON.stringify(system.partner.held(articleIdOf(localId)) ?? null)].every(one => one.includes(words))
  })

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
  await writeFile(
    join(folder, 'bai-mot.json'),
    JSON.stringify({ ...article, images: [{ url: 'anh.png', role: 'lead', caption: CAPTIONS[1] }] }),
  )
  const paragraphs = ['Đoạn thứ nhất: a < b && c.', 'Đoạn thứ hai,\nvới hai dòng.', 'Đoạn cuối “ngoặc kép” – 👩‍🌾']
  await writeFile(join(folder, 'Bài hai.txt'), `${paragraphs.join('\n\n')}\n`)
  const json = await command(system, ['publish', join(folder, 'bai-mot.json'), '--wait', '--json'])
  assert.equal(json.code, 0, json.output)
  assert.equal((JSON.parse(json.stdout) as { articleId: string }).articleId, articleIdOf('bai-mot'))
  const picture = join(folder, 'anh.png')
  const text = await command(system, [
    'publish',
    join(folder, 'Bài hai.txt'),
    '--title',
    'Bài hai',
    '--category',
    'thoi-su',
    '--image',
    picture,
    '--caption',
    CAPTIONS[0] ?? '',
    '--wait',
  ])
  assert.equal(text.code, 0, text.output)
  await untilCaptioned(system, running, 'bai-mot', 'Người lái đò')
  await untilCaptioned(system, running, 'Bai-hai', 'Bến đò lúc sáu giờ')
  await assertOut(running, 'bai-mot', article, [CAPTIONS[1] ?? ''])
  const page = (await running.get(pageOf('Bai-hai'))).text
  assert.deepEqual(paragraphsOf(page), paragraphs)
  assert.deepEqual(captionsOf(page), [CAPTIONS[0]])
  assert.equal((await command(system, ['publish', join(folder, 'bai-mot.json')])).code, 0, 'again is a duplicate')
  const missing = await command(system, ['publish', join(folder, 'khong-co.json')])
  assert.equal(missing.code, 2)

  for (const localId of ['bai-mot', 'Bai-hai']) {
    const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
    await running.everywhere(localId, (body['versions'] as unknown[]).length)
  }
  const before = await exits(running, ['bai-mot', 'Bai-hai'])
  const delivered = system.partner.requests.length
  assert.deepEqual(await interrupt(running), { code: 0, signal: null })
  const again = await system.start()
  await waitFor('the gateway to answer', async () => (await again.get(pageOf('bai-mot'))).status === 200)
  assert.deepEqual(await exits(again, ['bai-mot', 'Bai-hai']), before)
  assert.equal(await again.publish('bai-ba', createWriter(13)({ categories: ['thoi-su'] })), 1)
  assert.equal(system.partner.requests.length, delivered + 1, 'nothing is sent twice')
  assert.deepEqual(await interrupt(again), { code: 0, signal: null })
})

test('what is started with a configuration of one’s own says where to look and where to publish', async t => {
  const { newswire } = await (await createSystem(t)).start()
  await waitFor('its last words', () => newswire.output().includes('Ctrl-C stops it.'))
  const [gateway, ingest, console] = (['gateway', 'ingest', 'console'] as const).map(name => newswire.url(name))
  const places = { 'Front page': gateway, Feeds: `${gateway}/feeds`, Console: console, 'Publish to': ingest }
  for (const [what, url] of Object.entries(places)) assert.match(newswire.output(), new RegExp(`^ {2}${what} +${url}( |$)`, 'm'))
})

test('the demo is ready soon, both of its articles are at its partner site, and the doctor misses none of its secrets', async t => {
  const dataDir = join(await newFolder(t), 'data')
  const start = async (ports?: ReturnType<typeof portsOf>) => {
    const demo = await startUp(t, { dataDir, more: ['--demo'], deadlineMs: 30_000, ...(ports ? { ports } : {}) })
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
  // Its addresses are in the feed's bytes.
  const second = await start(portsOf(first.demo))
  assert.deepEqual(second.titles, first.titles)
  assert.equal(second.feed, first.feed)
  assert.deepEqual(await second.demo.stop(), { code: 0, signal: null })
  assert.doesNotMatch(second.demo.output(), /nothing is sent until/)
  // Its ports may be somebody else's by now.
  await rm(join(dataDir, 'client.json'))
  const ports = { NEWSWIRE_GATEWAY_PORT: '0', NEWSWIRE_INGEST_PORT: '0', NEWSWIRE_CONSOLE_PORT: '0' }
  const { stdout, output } = await runCommand({ args: ['doctor', '--data', dataDir, '--json'], env: ports, deadlineMs: 120_000 })
  const { findings } = JSON.parse(stdout || '{"findings":[]}') as { findings: readonly Readonly<{ check: string; state: string }>[] }
  assert.equal(findings.find(one => one.check === 'secrets')?.state, 'ok', output)
})

/** A newspaper's text of the operator's own, never kept here: paragraphs at blank lines, furniture and captions left out by whoever gives it. */
const REAL_TEXT = process.env['NEWSWIRE_TEST_REAL_TEXT']

const skipReal = REAL_TEXT === undefined ? 'NEWSWIRE_TEST_REAL_TEXT names no text file' : false
test('a real text with three pictures comes out of every exit letter for letter', { skip: skipReal }, async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const folder = await newFolder(t)
  const source = (await readFile(REAL_TEXT ?? '', 'utf8')).normalize('NFC')
  const expected = source
    .split(/\n[ \t]*\n/)
    .map(one => one.trim())
    .filter(one => one !== '')
  const pictures = await Promise.all(
    CAPTIONS.map(async (caption, index) => {
      const file = join(folder, `${index}.png`)
      await writeFile(file, makePng({ width: 1400, height: 900, seed: index + 20 }))
      return ['--image', file, '--caption', caption]
    }),
  )
  await writeFile(join(folder, 'real.txt'), source)
  const published = await command(system, [
    'publish',
    join(folder, 'real.txt'),
    '--title',
    'Bài thật',
    '--category',
    'thoi-su',
    ...pictures.flat(),
    '--wait',
  ])
  assert.equal(published.code, 0, published.output)
  for (const words of ['Bến đò lúc sáu giờ', 'Người lái đò', 'Bảng giờ chạy mới']) await untilCaptioned(system, running, 'real', words)
  const path = pageOf('real')
  const archived = (await running.console(`/v1/articles/${articleIdOf('real')}/versions/1`)).body['fact'] as {
    article: { body: { html: string } }
  }
  const exitsByName: Record<string, string> = {
    page: (await running.get(path)).text,
    print: (await running.get(`${path}/print`)).text,
    archive: archived.article.body.html,
    partner: heldBy(system.partner, 'real').html,
    ...Object.fromEntries(
      await Promise.all(formats.map(async format => [format, (await running.item('all', format, 'real'))?.content ?? ''])),
    ),
  }
  for (const [name, html] of Object.entries(exitsByName)) assert.deepEqual(paragraphsOf(html), expected, name)
  for (const name of ['page', 'print', ...formats]) assert.deepEqual(captionsOf(exitsByName[name] ?? ''), CAPTIONS, name)
})
