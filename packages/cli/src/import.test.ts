import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
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

test('an id that comes more than once in a source is told, with how often: only the last of its articles stands', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const lines = ['one', 'two', 'undefined', 'undefined', 'undefined'].map((id, at) =>
    JSON.stringify({ id, title: `T${at}`, body: { text: 'A' } }),
  )
  await writeFile(join(folder, 'all.jsonl'), lines.join('\n'))
  const door = await answering(t, () => undefined)
  const told: string[] = []
  const results: unknown[] = []
  const terminalOf = (json: boolean): Terminal => ({
    settings: readSettings({ NEWSWIRE_DATA: join(folder, 'data') }),
    environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't' },
    json,
    print: text => void results.push(text),
    say: line => void told.push(line),
  })
  const run = (json: boolean) => importArticles(terminalOf(json), folder, { journal: join(folder, '.journal') })
  assert.equal(await run(false), true)
  assert.deepEqual(
    told.filter(line => line.includes('more than once')),
    ['! more than once in the source: undefined (3 times); each is one article, and the last one stands'],
  )
  await run(true)
  assert.deepEqual((JSON.parse(String(results.at(-1))) as { repeated: unknown }).repeated, [{ id: 'undefined', times: 3 }])
})
