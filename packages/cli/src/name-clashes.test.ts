import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { readSettings } from '@newswire/runtime/settings'
import { importArticles } from './import.ts'
import { publish } from './publish.ts'
import { type Answer, type Asked, answering } from './sample-front-door.ts'
import type { Terminal } from './terminal.ts'
import { FailedError } from './usage-error.ts'

const story = (title: string, more: object = {}) => JSON.stringify({ title, body: { text: 'x' }, ...more })

/** A folder with these files, a front door that takes everything, and a terminal that keeps its words. */
const begin = async (t: TestContext, files: Record<string, string>, answer?: (asked: Asked) => Answer | undefined) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-names-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const write = (more: Record<string, string>) => {
    for (const [name, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
  }
  write(files)
  const door = await answering(t, answer)
  const words: string[] = []
  const terminal: Terminal = {
    settings: readSettings({ NEWSWIRE_DATA: join(folder, 'no-system') }),
    environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't' },
    json: false,
    print: line => words.push(line),
    say: line => words.push(line),
  }
  const take = () => importArticles(terminal, folder, { deliver: false, journal: join(folder, 'j') })
  return { folder, write, door, words, terminal, take }
}

const clash =
  (...names: string[]) =>
  (error: unknown) =>
    error instanceof FailedError && error.code === 'NEWSWIRE_NAMES_CLASH' && names.every(name => error.message.includes(name))

test('files whose names come to one id are all refused, named, before anything is sent', async t => {
  const files = { 'bài.json': story('a'), 'bai.json': story('b'), 'bãi.json': story('c'), 'Bai.json': story('d'), 'khac.json': story('e') }
  const { door, take, terminal, folder } = await begin(t, files)
  await assert.rejects(take(), clash('bài.json', 'bai.json', 'bãi.json'))
  const both = ['bài.json', 'bãi.json'].map(name => join(folder, name))
  await assert.rejects(
    publish(terminal, both, { category: [], image: [], caption: [], credit: [], wait: false, timeout: 1 }),
    clash(...both),
  )
  assert.deepEqual(door.asked, [])
})

test('an id in the file tells two names apart; versions that say one id themselves are taken in order', async t => {
  const files = {
    'bài.json': story('a', { id: 'bai-1' }),
    'bai.json': story('b'),
    'x.json': JSON.stringify([{ id: 'x', title: '1', body: { text: '1' } }]),
    'x!.json': story('2', { id: 'x' }),
  }
  const { door, take, words, terminal, folder } = await begin(t, files)
  assert.equal(await take(), true)
  assert.deepEqual(
    door.asked.map(one => one.split('?')[0]).sort(),
    ['bai', 'bai-1', 'x', 'x'].map(id => `PUT /v1/articles/${id}`),
  )
  assert.match(words.at(-1) ?? '', /^4 taken, 0 were there already, 0 refused/)
  await publish(terminal, [join(folder, 'bài.json')], { category: [], image: [], caption: [], credit: [], wait: false, timeout: 1 })
  assert.equal(door.asked.at(-1), 'PUT /v1/articles/bai-1')
})

test('a file that comes to the id of another file of an earlier run is refused; the same file again changes its article', async t => {
  const { door, take, words, write, folder } = await begin(t, { 'bài.json': story('a') })
  assert.equal(await take(), true)
  assert.ok(
    words.some(line => line.endsWith('bài.json is bai')),
    words.join('\n'),
  )
  write({ 'bài.json': story('a, corrected') })
  assert.equal(await take(), true)
  assert.equal(door.asked.length, 2)
  rmSync(join(folder, 'bài.json'))
  write({ 'bãi.json': story('b') })
  assert.equal(await take(), false)
  assert.equal(door.asked.length, 2)
  assert.match(words.join('\n'), /bãi\.json: it would take the place of .*bài\.json, which went in as bai before/)
  write({ 'bãi.json': story('b', { id: 'bai-2' }) })
  assert.equal(await take(), true)
  assert.equal(door.asked.at(-1)?.split('?')[0], 'PUT /v1/articles/bai-2')
})

test('an import counts what it did not take, but not pictures', async t => {
  const { take, words, folder } = await begin(t, { 'a.json': story('a'), 'b.txt': 'b', 'c.TXT': 'c', 'd.jpg': '', '.hidden': '' })
  const { symlinkSync } = await import('node:fs')
  symlinkSync(join(folder, 'a.json'), join(folder, 'link.json'))
  assert.equal(await take(), true)
  assert.match(words.at(-1) ?? '', /; not taken: 2 × \.txt, 1 × symbolic link$|; not taken: 1 × symbolic link, 2 × \.txt$/)
})

test('an import says how many were taken with a warning, and the first of them', async t => {
  const files = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`${n}.json`, story('a')]))
  const warnings = [{ pointer: '/categories/0', detail: 'is not in the configuration' }]
  const { take, words } = await begin(t, files, () => ({
    status: 202,
    body: { submissionId: 's', articleId: 'press.a', trace: '', warnings },
  }))
  assert.equal(await take(), true)
  assert.equal(words.filter(line => /^! .*json \/categories\/0: is not/.test(stripVTControlCharacters(line))).length, 5)
  assert.match(words.at(-1) ?? '', /^7 taken, 0 were there already, 0 refused, 7 with warnings/)
})

test('a file whose name comes to an article that is out under another title is sent, and that is told', async t => {
  const answer = ({ method, path }: Asked): Answer | undefined => {
    if (method !== 'GET') return undefined
    if (path === '/v1/articles/bom') return { body: { id: 'press.bom', version: 2, state: 'live', title: 'Bơm nước' } }
    if (path === '/v1/articles/gone') return { body: { id: 'press.gone', version: 2, state: 'withdrawn' } }
    return { status: 403, body: { title: 'May not read' } }
  }
  const files = {
    'bom.json': story('Bom mìn'),
    'same/bom.json': story(' Bơm  nước '.normalize('NFD')),
    'meant/bom.json': story('Bom mìn', { change: 'correction' }),
    'id.json': story('Bom mìn', { id: 'bom' }),
    'gone.json': story('Bom mìn'),
    'secret.json': story('Bom mìn'),
  }
  const { folder, terminal, words } = await begin(t, files, answer)
  const warningsOf = async (name: string) => {
    words.length = 0
    const options = { category: [], image: [], caption: [], credit: [], wait: false, timeout: 1 }
    assert.equal(await publish(terminal, [join(folder, name)], options), true)
    return words.map(stripVTControlCharacters).filter(line => line.startsWith('!'))
  }
  const [warning, ...more] = await warningsOf('bom.json')
  assert.match(warning ?? '', /^! press\.bom: version 2 is out as “Bơm nước”, and bom\.json takes its place.*--id/)
  assert.deepEqual(more, [])
  for (const name of Object.keys(files).slice(1)) assert.deepEqual(await warningsOf(name), [], name)
  const asMachine = { ...terminal, json: true }
  words.length = 0
  await publish(asMachine, [join(folder, 'bom.json')], { category: [], image: [], caption: [], credit: [], wait: false, timeout: 1 })
  assert.equal((JSON.parse(words[0] ?? '') as { warnings: unknown[] }).warnings.length, 1)
})

test('publish takes an article by its whole id too: the one that is out is changed, and no second one is made', async t => {
  const tokens: Answer = { body: [{ publisher: 'press', id: 'cms', scopes: [], from: 'file' }] }
  const files = { 'a.json': story('a'), 'press.b.json': story('b'), 'v1.2.json': story('c'), 'a2.json': story('d', { id: 'press.a' }) }
  const { door, terminal, folder } = await begin(t, files, ({ path }) => (path.startsWith('/v1/tokens?') ? tokens : undefined))
  const send = (names: string[], more: object = {}, environment: object = { NEWSWIRE_CONSOLE_URL: door.url }) =>
    publish(
      { ...terminal, environment: { ...terminal.environment, ...environment } },
      names.map(name => join(folder, name)),
      { category: [], image: [], caption: [], credit: [], wait: false, timeout: 1, ...more },
    )
  await send(['a.json'], { id: 'press.story' })
  await send(['press.b.json', 'v1.2.json'])
  const sent = () => door.requests.filter(one => one.method === 'PUT').map(one => one.path.split('/')[3])
  assert.deepEqual(sent(), ['story', 'b', 'v1.2'])
  await assert.rejects(send(['a.json', 'a2.json']), clash('a.json', 'a2.json'))
  await send(['press.b.json'], {}, {})
  assert.equal(sent().at(-1), 'press.b', 'whose the token is cannot be known')
})
