import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { readLetters, showChanges, splitId, status, wholeId } from './commands.ts'
import { answering } from './sample-front-door.ts'
import { FailedError } from './usage-error.ts'

test('an id on the command line is a local one, with dots or without, or the whole one of our own publisher', () => {
  assert.deepEqual(splitId('story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.story', 'press'), { localId: 'story', articleId: 'press.story' })
  assert.deepEqual(splitId('press.v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('v1.2', 'press'), { localId: 'v1.2', articleId: 'press.v1.2' })
  assert.deepEqual(splitId('press.story', null), { localId: 'story', articleId: 'press.story' })
})

test('an operator reaches the articles of every publisher by their whole ids, and ours by the local ones, dots or not', async () => {
  const using = {
    whose: async () => 'press',
    console: async (_: string, path: string) => {
      if (path !== '/v1/articles/other.story/versions') throw new FailedError('Not found', { code: 'NEWSWIRE_NOT_FOUND' })
      return {}
    },
  }
  assert.equal(await wholeId(using, 'other.story'), 'other.story')
  assert.equal(await wholeId(using, 'v1.2'), 'press.v1.2')
  assert.equal(await wholeId(using, 'story'), 'press.story')
  assert.equal(await wholeId(using, 'press.unheard'), 'press.unheard')
  await assert.rejects(
    wholeId({ ...using, console: async () => Promise.reject(new Error('away')) }, 'other.story'),
    /away/,
    'a console that does not answer must not make it another article',
  )
})

test('an id that two articles could be meant by is none: neither ours nor that of another publisher is taken for the other', async () => {
  const known = new Set(['other.story', 'press.other.story', 'press.v1.2'].map(id => `/v1/articles/${id}/versions`))
  const using = {
    whose: async () => 'press',
    console: async (_: string, path: string) => {
      if (!known.has(path)) throw new FailedError('Not found', { code: 'NEWSWIRE_NOT_FOUND' })
      return {}
    },
  }
  await assert.rejects(wholeId(using, 'other.story'), { name: 'UsageError', message: /press\.other\.story/ })
  assert.equal(await wholeId(using, 'press.other.story'), 'press.other.story', 'ours is reached by its whole id')
  assert.equal(
    await wholeId({ ...using, whose: async () => null }, 'other.story'),
    'other.story',
    'that of the other where no publisher is known',
  )
  assert.equal(await wholeId(using, 'v1.2'), 'press.v1.2')
  const away = async (method: string, path: string) => {
    if (path.startsWith('/v1/articles/press.')) throw new Error('away')
    return using.console(method, path)
  }
  await assert.rejects(wholeId({ ...using, console: away }, 'other.story'), /away/, 'what cannot be looked up may be there')
})

test('all dead letters are listed, however many there are, and of the open ones all', async () => {
  const ids = Array.from({ length: 1001 }, (_, index) => `d-${index}`)
  const asked: string[] = []
  const console = async (path: string) => {
    asked.push(path)
    const { searchParams } = new URL(path, 'http://console')
    const from = ids.indexOf(searchParams.get('after') ?? '') + 1
    return ids.slice(from, from + Number(searchParams.get('limit'))).map(id => ({ id }))
  }
  assert.deepEqual(
    (await readLetters(console, false)).map(({ id }) => id),
    ids,
  )
  assert.equal((await readLetters(console, true)).length, 1001)
  assert.deepEqual([asked.length, asked.filter(path => path.includes('state=open')).length], [6, 3])
})

test('what a file no longer names is told, with how to retire it, also when nothing else changes', () => {
  const one = (change: 'unnamed' | 'update' | 'unchanged', id: string, detail = '') => ({ kind: 'feeds' as const, id, change, detail })
  const left = [one('unchanged', 'all'), one('unnamed', 'english', 'no longer named')]
  assert.equal(showChanges(left, false), 'Nothing to change.\n1 no longer named and still in force: feeds/english (retire with --prune)')
  assert.equal(
    showChanges([...left, one('update', 'thoi-su', 'limit: 50 → 20')], true),
    '  update  feeds/thoi-su  limit: 50 → 20\nNothing was applied (--dry-run).\n1 no longer named and still in force: feeds/english (retire with --prune)',
  )
  assert.equal(showChanges([one('unchanged', 'all')], false), 'Nothing to change.')
})

test('status names what is held and until when in the zone of the site, the next first', async t => {
  const until = (at: string) => `it waits for its embargo to end at ${at}`
  const held = [7, 3, 9, 1, 8, 2].map(day => ({ articleId: `press.tet-${day}`, detail: until(`2027-01-0${day}T23:00:00.000Z`) }))
  const overview = { healthy: true, sentence: 'Everything flows.', articles: 9, releasedLastMinute: 0, deadLetters: 0, stages: [] }
  let count = held.length
  const zone = { timeZone: 'Asia/Ho_Chi_Minh' }
  const door = await answering(t, ({ path }) => ({
    body: path.startsWith('/v1/config') ? zone : path === '/v1/overview' ? { ...overview, submissions: { held: count } } : held,
  }))
  const printed: string[] = []
  const terminal = {
    settings: readSettings({ NEWSWIRE_DATA: '/no-system' }),
    environment: { NEWSWIRE_CONSOLE_URL: door.url },
    json: false,
    print: (line: string) => printed.push(line),
    say: () => undefined,
  }
  assert.equal(await status(terminal), true)
  const [, , ...lines] = printed.join('\n').split('\n')
  assert.deepEqual(lines.slice(0, 7), [
    '6 held:',
    ...[1, 2, 3, 7, 8].map(day => `  press.tet-${day}  ${until(`2027-01-0${day + 1}T06:00:00+07:00`)}`),
    '  and 1 more',
  ])
  printed.length = 0
  count = 0
  await status(terminal)
  assert.doesNotMatch(printed.join('\n'), /held/)
  await status({ ...terminal, json: true })
  const zoned = ['GET /v1/overview', 'GET /v1/config/site/main']
  assert.deepEqual(door.asked, [...zoned, 'GET /v1/articles?state=held&limit=500', ...zoned, 'GET /v1/overview'])
})
