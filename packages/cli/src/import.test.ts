import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { importArticles } from './import.ts'
import { answering } from './sample-front-door.ts'
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
  assert.match(door.requests.findLast(one => one.method === 'PUT')?.body ?? '', /newswire:abc/)
})

const open = async (t: TestContext, answer: Parameters<typeof answering>[1] = () => undefined) => {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const door = await answering(t, answer)
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
    folder,
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

test('an id that comes more than once in a source is told, with where: only the last of its articles stands', async t => {
  const { folder, told, write, run, result } = await open(t)
  await write('all.jsonl', ...['one', 'two', 'undefined', 'undefined', 'undefined'].map((id, at) => ({ id, title: `T${at}` })))
  assert.equal(await run(false), true)
  const file = (line: number) => join(folder, `all.jsonl:${line}`)
  assert.deepEqual(
    told.filter(line => line.includes('times')),
    [`! undefined came 3 times: ${file(5)} stands, and took the place of ${file(3)}, ${file(4)}`],
  )
  assert.deepEqual((await result()).repeated, [{ id: 'undefined', times: 3, where: [3, 4, 5].map(file) }])
})

test('what was sent before and is overtaken by what has left the source since is told, with what stands and what to do', async t => {
  const { folder, told, write, run, result } = await open(t)
  await write('a.json', { id: 'x', title: 'A' })
  await write('b.json', { id: 'x', title: 'B' })
  assert.equal(await run(false), true)
  const [a, b] = ['a.json', 'b.json'].map(name => join(folder, name))
  assert.deepEqual((await result()).overtaken, [], 'all of the source is as it was')
  await rm(String(b))
  told.length = 0
  assert.equal(await run(false), true)
  const what = 'change it (a later "updatedAt" will do) and import it again'
  assert.deepEqual(
    told.filter(line => line.startsWith('!')),
    [`! x: ${a} was sent before, and what came from ${b} after it took its place; if ${a} is to stand, ${what}`],
  )
  assert.deepEqual((await result()).overtaken, [{ id: 'x', where: a, by: b }])
  await write('a.json', { id: 'x', title: 'A', updatedAt: '2026-01-01T08:00:00Z' })
  assert.deepEqual((await result()).overtaken, [])
})

test('ids that differ in their capitals alone are told: they are two articles', async t => {
  const { folder, told, write, run, result } = await open(t)
  await write('Bai.json', {})
  await write('bai.json', {})
  await write('khac.json', {})
  assert.equal(await run(false), true)
  const [one, other] = ['Bai.json', 'bai.json'].map(name => join(folder, name))
  assert.ok(told.includes(`! Bai (${one}) and bai (${other}) differ in capitals alone, and are articles of their own`), told.join('\n'))
  assert.deepEqual((await result()).alike, [['Bai', 'bai']])
})

test('a picture that did not come is told at the end, also when that is known only a while after its article was taken', async t => {
  const asked = new Map<string, number>()
  const { told, write, run, result } = await open(t, ({ method, path }) => {
    const id = path.split('?')[0]?.split('/')[3] ?? ''
    if (method === 'PUT') return { status: 202, body: { submissionId: `s-${id}`, articleId: `press.${id}`, trace: '' } }
    asked.set(id, (asked.get(id) ?? 0) + 1)
    if (id === 's-slow' && asked.get(id) === 1) return { body: { submissionId: id, state: 'parked' } }
    if (id === 's-late' && asked.get(id) === 1) return { status: 404, body: { title: 'Not found', code: 'NEWSWIRE_SUBMISSION_UNKNOWN' } }
    if (id === 's-closed') return { status: 403, body: { title: 'Not allowed', code: 'NEWSWIRE_AUTH_SCOPE' } }
    if (id === 's-dead') return { body: { submissionId: id, state: 'dead' } }
    const detail = id === 's-slow' ? '0 of 1 pictures ready; http://a.example/a.jpg: its server did not answer' : '1 of 1 pictures ready'
    return { body: { submissionId: id, state: 'released', pictures: detail } }
  })
  const images = [{ url: 'http://a.example/a.jpg' }]
  await write(
    'all.jsonl',
    { id: 'fine', images },
    { id: 'slow', images },
    { id: 'late', images },
    { id: 'dead', images },
    { id: 'closed', images },
    { id: 'without' },
  )
  assert.equal(await run(false), true)
  assert.match(told.join('\n'), /waiting for the pictures of 2 of them/)
  assert.match(told.join('\n'), /^! \S+all\.jsonl:2: press\.slow went on with 0 of 1 pictures ready; http:.*did not answer$/m)
  assert.match(
    told.join('\n'),
    /^! not known yet whether their pictures came: press\.dead, press\.closed; `newswire trace press\.dead` says so$/m,
  )
  assert.deepEqual([asked.get('s-fine'), asked.get('s-closed'), asked.get('s-without')], [1, 1, undefined])
  assert.deepEqual((await result()).pictures, { missing: [], unknown: [] }, 'the second run has sent nothing')
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
