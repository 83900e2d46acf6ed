/** `newswire archive export` as an operator types it: by time, category and publisher, in every format, with progress. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { closeOnce } from '@newswire/archive/close'
import { archivedFact, openSampleArchive } from '@newswire/archive/sample-archive'
import { newswireConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { applyConfiguration } from '@newswire/runtime/apply-config'
import { newFolder, runCommand } from './support/newswire.ts'

const config = newswireConfig.parse({
  site: { id: 'press.example,2026', title: 'Báo', language: 'vi', timeZone: 'Asia/Ho_Chi_Minh', publicUrl: 'https://press.example' },
  publishers: ['press', 'other'].map(id => ({ id, name: id })),
  categories: [
    { id: 'thoi-su', name: 'Thời sự' },
    { id: 'quoc-phong', name: 'Quốc phòng', parent: 'thoi-su' },
    { id: 'the-thao', name: 'Thể thao' },
  ],
})

const NEW = '2026-03-01T08:00:00.000Z'
const OLD = '2019-05-05T00:00:00.000Z'

/** Two publishers, two days, three categories; one article has a second version, which is not packed yet. */
const createArchive = async (t: TestContext) => {
  const dataDir = await newFolder(t)
  const objects = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  const archive = await openSampleArchive({ objects })
  await applyConfiguration({ objects, publish: publishEvents(archive.log), config, now: () => archive.clock.nowMs })
  const add = (articleId: string, version: number, category: string, firstReleasedAt: string) => {
    const text = `${articleId} <${version}>`
    const fact = archivedFact(articleId, version, { text, atMs: archive.clock.nowMs }) as LiveFact
    return archive.add(articleId, version, text, { firstReleasedAt, article: { ...fact.article, categories: [category] } } as Partial<Fact>)
  }
  await add('press.quan-khu', 1, 'quoc-phong', NEW)
  await add('press.hoi-nghi', 1, 'thoi-su', NEW)
  await add('other.bong-da', 1, 'the-thao', NEW)
  await add('other.nam-xua', 1, 'thoi-su', OLD)
  await closeOnce(archive.needs)
  await add('press.hoi-nghi', 2, 'thoi-su', NEW)
  await archive.close()
  return dataDir
}

test('an export takes out what was asked for, by time, category with its children and publisher, and says how far it is', async t => {
  const dataDir = await createArchive(t)
  const folder = await newFolder(t)
  const run = (args: readonly string[]) => runCommand({ args: ['archive', 'export', '--data', dataDir, ...args] })
  const lines = async (args: readonly string[]): Promise<Record<string, unknown>[]> => {
    const { code, stdout, output } = await run([...args, '--out', '-'])
    assert.equal(code, 0, output)
    return stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }
  const idsOf = async (args: readonly string[]) => {
    const found = (await lines(args)).map(line => line['fact'] as Fact)
    return found.map(fact => `${fact.articleId} ${fact.version}`).sort()
  }

  assert.deepEqual(await idsOf([]), ['other.bong-da 1', 'other.nam-xua 1', 'press.hoi-nghi 2', 'press.quan-khu 1'])
  assert.equal((await idsOf(['--all-versions'])).length, 5)
  assert.deepEqual(await idsOf(['--to', '2025-12-31']), ['other.nam-xua 1'])
  assert.deepEqual(await idsOf(['--from', '2026-03-01', '--to', '2026-03-01', '--publisher', 'other']), ['other.bong-da 1'])
  assert.deepEqual(await idsOf(['--category', 'thoi-su', '--publisher', 'press']), ['press.hoi-nghi 2', 'press.quan-khu 1'])
  const ninjs = await lines(['--category', 'quoc-phong', '--format', 'ninjs'])
  assert.deepEqual(
    ninjs.map(one => [one['uri'], (one['standard'] as { name: string }).name]),
    [[ninjs[0]?.['uri'], 'ninjs']],
  )
  assert.match(JSON.stringify(ninjs), /quan-khu/)

  const file = join(folder, 'out', 'all.jsonl')
  const written = await run(['--out', file])
  assert.doesNotMatch(written.output, /of \d+ days/, 'how far it is, where nobody looks')
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 4)
  const html = join(folder, 'html')
  assert.equal((await run(['--format', 'html', '--out', html])).code, 0)
  const files = readdirSync(html, { recursive: true }).map(String)
  assert.equal(files.filter(name => /^2026\/03\/01\/.*\.html$/.test(name)).length, 4, 'three articles and the index of their day')
  assert.match(readFileSync(join(html, '2026/03/01/press.hoi-nghi.html'), 'utf8'), /<h1>press\.hoi-nghi &lt;2&gt;<\/h1>/)

  for (const wrong of [
    ['--category', 'khong-co'],
    ['--publisher', 'khong-co'],
    ['--from', '2026-02-31'],
    ['--format', 'html', '--all-versions'],
  ]) {
    const refused = await run([...wrong, '--out', join(folder, 'wrong')])
    assert.equal(refused.code, 2, refused.output)
    assert.ok(!existsSync(join(folder, 'wrong')))
  }
})
