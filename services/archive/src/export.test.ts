/** Taking the archive out. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Fact } from '@newswire/events/fact'
import { sampleArticle } from '@newswire/events/sample-article'
import { sampleFact, samplePicture, sampleRetraction } from '@newswire/events/sample-fact'
import { closeOnce } from './close.ts'
import { exportArchive, type Wanted } from './export.ts'
import { partOf } from './put-file.ts'
import { archivedFact, openSampleArchive } from './sample-archive.ts'

const context = {
  site: { id: 'press.example,2026', publicUrl: 'https://press.example', language: 'vi' },
  categories: new Map([
    ['thoi-su', { id: 'thoi-su', name: 'Thời sự' }],
    ['quoc-phong', { id: 'quoc-phong', name: 'Quốc phòng', parent: 'thoi-su' }],
  ]),
  publishers: new Map([['press', { name: 'Báo' }]]),
}
const readLater = async (run: Promise<{ out: string }>) => readFileSync((await run).out, 'utf8')
const ALL: Wanted = { days: {}, format: 'jsonl', allVersions: false }

/** Two days, two publishers, an update, a retraction; some packed, some loose. */
const open = async (t: TestContext) => {
  const archive = await openSampleArchive()
  const folder = mkdtempSync(join(tmpdir(), 'newswire-export-'))
  t.after(async () => {
    await archive.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await archive.add('press.a', 1)
  const filed = archivedFact('press.b', 1, { text: 'Quốc phòng & <an ninh>', atMs: archive.clock.nowMs })
  const categories = filed.state === 'live' ? { article: { ...filed.article, categories: ['quoc-phong'] } } : {}
  await archive.add('press.b', 1, 'b', categories as Partial<Fact>)
  await archive.add('other.c', 1, 'Từ năm 2019', { firstReleasedAt: '2019-05-05T00:00:00.000Z' })
  await closeOnce(archive.needs)
  await archive.add('press.a', 2)
  const run = async (wanted: Partial<Wanted>, name = 'out') => {
    const out = join(folder, name)
    const exported = await exportArchive(archive.objects, { ...ALL, ...wanted }, { out, context, report: () => undefined })
    return { exported, out }
  }
  const lines = async (wanted: Partial<Wanted>) =>
    readFileSync((await run(wanted)).out, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  return { run, lines, folder, archive }
}

test('each article comes out as it stands, packed or loose, and every version when that is asked for', async t => {
  const { lines } = await open(t)
  const said = (await lines({})).map(({ fact }) => `${fact.articleId} ${fact.version}`)
  assert.deepEqual(said.sort(), ['other.c 1', 'press.a 2', 'press.b 1'])
  assert.equal((await lines({ allVersions: true })).length, 4)
})

test('by time, by publisher, and by category with its children', async t => {
  const { lines } = await open(t)
  const ids = async (wanted: Partial<Wanted>) => (await lines(wanted)).map(({ fact }) => fact.articleId).sort()
  assert.deepEqual(await ids({ days: { from: '2020/01/01' } }), ['press.a', 'press.b'])
  assert.deepEqual(await ids({ days: { to: '2019/05/05' } }), ['other.c'])
  assert.deepEqual(await ids({ publisher: 'other' }), ['other.c'])
  assert.deepEqual(await ids({ category: 'quoc-phong' }), ['press.b'])
  assert.deepEqual(await ids({ category: 'thoi-su' }), ['other.c', 'press.a', 'press.b'])
})

test('as ninjs, and as a folder of HTML in which text stays text', async t => {
  const { lines, run } = await open(t)
  const ninjs = await lines({ format: 'ninjs', publisher: 'press' })
  assert.deepEqual(ninjs.map(one => [one.standard.name, one.version]).sort(), [
    ['ninjs', '1'],
    ['ninjs', '2'],
  ])
  const { out } = await run({ format: 'html' }, 'html')
  const files = readdirSync(out, { recursive: true }).map(String).sort()
  assert.ok(files.includes('2019/05/05/other.c.html') && files.includes('2026/03/01/index.html'))
  assert.match(readFileSync(join(out, '2026/03/01/press.b.html'), 'utf8'), /<h1>Quốc phòng &amp; &lt;an ninh&gt;<\/h1>/)
})

test('a folder of HTML has what everybody may see, unless everything is asked for, and made again it loses what was taken back', async t => {
  const { run, archive } = await open(t)
  const rights = { outlets: ['tinh-doan'] }
  const [shown, hidden] = [samplePicture({ caption: 'Ảnh chung' }), samplePicture({ sha256: 'b'.repeat(64), caption: 'Ảnh riêng', rights })]
  const fact = sampleFact({
    articleId: 'press.anh',
    article: sampleArticle({
      body: { html: `<p>Chữ</p><figure><img src="${hidden.url}" alt="riêng tư"></figure>` },
      images: [shown, hidden],
    }),
  })
  await archive.add('press.anh', 1, 'ảnh', fact)
  await archive.add(
    'press.noi-bo',
    1,
    'nội bộ',
    sampleFact({ articleId: 'press.noi-bo', article: sampleArticle({ audience: 'editorial' }) }),
  )
  const files = (out: string) => readdirSync(out, { recursive: true }).map(String)
  const read = (out: string, name: string) => readFileSync(join(out, files(out).find(one => one.endsWith(name)) ?? ''), 'utf8')
  const { out: whole } = await run({ format: 'html', everything: true }, 'whole')
  assert.match(read(whole, 'press.anh.html'), /Ảnh chung.*Ảnh riêng|Ảnh riêng.*Ảnh chung/s)
  assert.ok(files(whole).some(one => one.endsWith('press.noi-bo.html')))

  const { out } = await run({ format: 'html' }, 'whole')
  assert.match(read(out, 'press.anh.html'), /Ảnh chung/)
  assert.doesNotMatch(read(out, 'press.anh.html'), /riêng|bbbb/)
  assert.equal(
    files(out).some(one => one.includes('noi-bo')),
    false,
  )

  await archive.add('press.anh', 2, 'ảnh', sampleRetraction({ articleId: 'press.anh', version: 2, firstReleasedAt: fact.firstReleasedAt }))
  await run({ format: 'html' }, 'whole')
  assert.equal(
    files(out).some(one => one.includes('press.anh')),
    false,
  )
})

test('a folder of HTML of one category, made again, loses what has left the category', async t => {
  const { run, archive } = await open(t)
  const files = (out: string) => readdirSync(out, { recursive: true }).map(String)
  const at = (category: string) => sampleFact({ articleId: 'press.di', article: sampleArticle({ categories: [category] }) })
  const [before, after] = [at('quoc-phong'), at('thoi-su')]
  await archive.add('press.di', 1, 'đi', before)
  const { out } = await run({ format: 'html', category: 'quoc-phong' }, 'quoc-phong')
  assert.ok(files(out).some(one => one.endsWith('press.di.html')))
  const moved = { ...after, version: 2, facetsEver: { ...after.facetsEver, categories: ['quoc-phong', 'thoi-su'] } }
  await archive.add('press.di', 2, 'đi', moved)
  const { exported } = await run({ format: 'html', category: 'quoc-phong' }, 'quoc-phong')
  assert.equal(exported.articles, 1, 'press.b')
  assert.equal(
    files(out).some(one => one.endsWith('press.di.html')),
    false,
  )
})

test('two exports to the same file at once do not get into each other: the file is that of one of them', async t => {
  const { run, folder } = await open(t)
  const [all, few] = await Promise.all([readLater(run({}, 'all')), readLater(run({ publisher: 'other' }, 'few'))])
  await Promise.all([run({}, 'same'), run({ publisher: 'other' }, 'same'), run({}, 'same')])
  assert.ok([all, few].includes(readFileSync(join(folder, 'same'), 'utf8')))
  assert.deepEqual(readdirSync(folder).sort(), ['all', 'few', 'same'])
})

test('what an export left that was killed goes with the next one, and what another makes meanwhile stays', async t => {
  const { run, folder } = await open(t)
  const dead = spawnSync(process.execPath, [
    '--input-type=module',
    '-e',
    `import { partOf } from ${JSON.stringify(new URL('./put-file.ts', import.meta.url).href)}; process.stdout.write(partOf('all'))`,
  ]).stdout.toString()
  const own = partOf('all')
  const alive = dead.replace(/-\d+-/, `-${process.ppid}-`)
  const other = dead.replace('all', 'other')
  for (const name of [dead, own, alive, other]) writeFileSync(join(folder, name), 'half')
  await run({}, 'all')
  assert.deepEqual(readdirSync(folder).sort(), ['all', alive, own, other].sort())
  const { out } = await run({ format: 'html' }, 'html')
  const day = join(out, '2019/05/05')
  for (const name of [dead, alive]) writeFileSync(join(day, name), 'half')
  await run({ format: 'html' }, 'html')
  assert.deepEqual(readdirSync(day).sort(), [alive, 'index.html', 'other.c.html'])
})

test('a long export waits for the disk again and again without leaving something behind each time', async t => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  t.after(() => process.off('warning', warned))
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  for (let n = 0; n < 30; n++) await archive.add(`press.dai-${n}`, 1, 'dài '.repeat(10_000))
  const folder = mkdtempSync(join(tmpdir(), 'newswire-export-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await exportArchive(archive.objects, ALL, { out: join(folder, 'out'), context, report: () => undefined })
  await setImmediate()
  assert.deepEqual(warnings.map(String), [])
})

test('an export that fails leaves no half file', async t => {
  const { folder } = await open(t)
  const away = {
    get: () => Promise.reject(new Error('away')),
    list: async () => [{ key: 'archive/2026/03/01/press.a/v0001.json', size: 1, etag: '', lastModified: new Date(0) }],
  }
  await assert.rejects(exportArchive(away, ALL, { out: join(folder, 'half'), context, report: () => undefined }), /away/)
  assert.deepEqual(readdirSync(folder), [])
})
