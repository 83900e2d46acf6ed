import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { answering } from './front-door.ts'
import { importArticles } from './import.ts'
import type { Terminal } from './terminal.ts'

test('the pictures of an article go once, however often there is no room for it yet', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'a.jpg'), 'picture')
  await writeFile(join(folder, 'a.json'), JSON.stringify({ id: 'a', title: 'A', body: { text: 'A' }, images: [{ url: 'a.jpg' }] }))
  let sentAway = 0
  const door = await answering(t, ({ method, path }) => {
    if (path.endsWith('/pictures')) return { status: 201, body: { url: 'newswire:abc' } }
    if (method !== 'PUT' || sentAway >= 3) return undefined
    sentAway += 1
    return { status: 429, body: { title: 'Full', code: 'NEWSWIRE_BACKFILL_FULL' }, headers: { 'retry-after': '0' } }
  })
  const terminal: Terminal = {
    settings: readSettings({ NEWSWIRE_DATA: join(folder, 'data') }),
    environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't' },
    json: false,
    print: () => undefined,
    say: () => undefined,
  }
  assert.equal(await importArticles(terminal, folder, { deliver: false, journal: `${folder}.journal` }), true)
  t.after(() => rm(`${folder}.journal`))
  assert.deepEqual(
    ['POST', 'PUT'].map(method => door.requests.filter(one => one.method === method).length),
    [1, 4],
  )
  assert.match(door.requests.at(-1)?.body ?? '', /newswire:abc/)
})

const open = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const door = await answering(t, () => undefined)
  const told: string[] = []
  const results: unknown[] = []
  const run = (json: boolean) =>
    importArticles(
      {
        settings: readSettings({ NEWSWIRE_DATA: join(folder, 'data') }),
        environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't' },
        json,
        print: text => void results.push(text),
        say: line => void told.push(line),
      },
      folder,
      { journal: join(folder, '.journal') },
    )
  return {
    told,
    write: (name: string, ...articles: readonly object[]) =>
      writeFile(join(folder, name), articles.map(one => JSON.stringify({ title: 'T', body: { text: 'A' }, ...one })).join('\n')),
    run,
    result: async () => {
      await run(true)
      return JSON.parse(String(results.at(-1)))
    },
  }
}

test('an id that comes more than once in a source is told, with how often: only the last of its articles stands', async t => {
  const { told, write, run, result } = await open(t)
  await write('all.jsonl', ...['one', 'two', 'undefined', 'undefined', 'undefined'].map((id, at) => ({ id, title: `T${at}` })))
  assert.equal(await run(false), true)
  assert.deepEqual(
    told.filter(line => line.includes('more than once')),
    ['! more than once in the source: undefined (3 times); each is one article, and the last one stands'],
  )
  assert.deepEqual((await result()).repeated, [{ id: 'undefined', times: 3 }])
})

test('what says no time is told: it would stand above older news', async t => {
  const { told, write, run } = await open(t)
  await write('all.jsonl', { id: 'dated', publishedAt: '2020-01-31T08:00:00Z' }, { id: 'undated' })
  assert.equal(await run(false), true)
  assert.match(told.join('\n'), /^! without a "publishedAt", so dated now, above older news: \S+all\.jsonl:2$/)
})

test('an article whose picture cannot be read is refused, and what comes after it is taken', async t => {
  const { told, write, run, result } = await open(t)
  await write('a.json', { images: [{ url: 'missing.jpg' }] })
  await write('b.json', {})
  assert.equal(await run(false), false)
  assert.match(told.join('\n'), /a\.json: picture \S+missing\.jpg cannot be read/)
  const { sent, skipped, refused } = await result()
  assert.deepEqual([sent, skipped, refused.length], [0, 1, 1])
})

test('an address that is none ends an import at once, and is not told of every article', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'all.jsonl'), ['one', 'two'].map(id => JSON.stringify({ id, title: 'T', body: { text: 'A' } })).join('\n'))
  const told: string[] = []
  const terminal: Terminal = {
    settings: readSettings({ NEWSWIRE_DATA: join(folder, 'data') }),
    environment: { NEWSWIRE_INGEST_URL: 'no-address', NEWSWIRE_TOKEN: 't' },
    json: false,
    print: () => undefined,
    say: line => void told.push(line),
  }
  const importing = importArticles(terminal, folder, { journal: join(folder, '.journal') })
  await assert.rejects(importing, { name: 'UsageError', message: /must be addresses like/ })
  assert.match(told.join('\n'), /^stopped after 0 articles[^\n]+$/)
})
