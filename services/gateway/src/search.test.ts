import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { Log } from '@newswire/log/log'
import { makeLive, makePicture, makeRetracted, toFactRecord } from './sample-facts.ts'
import { openSearch, type Search } from './search.ts'
import { toPlaces } from './search-index.ts'
import type { SearchFound, SearchQuery } from './search-reader.ts'
import { categoryTerm, languageTerm, publisherTerm } from './search-text.ts'

const ALL: Omit<SearchQuery, 'typed'> = {
  filed: [],
  from: 0,
  to: Number.MAX_SAFE_INTEGER,
  sort: 'relevance',
  begin: 0,
  limit: 20,
  counts: true,
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 60_000; !(await holds()); await setTimeout(5))
    if (Date.now() > deadline) throw new Error('it did not come about')
}

/** `followAs`: how the search follows, in place of the log's own way. */
const open = async (t: TestContext, facts: readonly Fact[] = [], followAs: (log: Log) => Log['follow'] = log => log.follow) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-search-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const troubles: Error[] = []
  const followed = { ...log, follow: followAs(log) }
  const openAgain = () => openSearch({ log: followed, dataDir, onTrouble: error => void troubles.push(error), againAfterMs: 10 })
  let search: Search = openAgain()
  t.after(async () => {
    await search.stop()
    await log.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const publish = async (...more: Fact[]) => {
    await until(() => search.isReady())
    const before = search.revision()
    await log.publish(more.map(toFactRecord))
    await until(() => search.revision() > before)
  }
  if (facts.length > 0) await publish(...facts)
  await until(() => search.isReady())
  const ask = (typed: string, changes: Partial<SearchQuery> = {}): Promise<SearchFound> => search.find({ ...ALL, typed, ...changes })
  return {
    dataDir,
    log,
    troubles,
    publish,
    ask,
    search: () => search,
    /** What is found, in order. */
    ids: async (typed: string, changes: Partial<SearchQuery> = {}) =>
      (await ask(typed, changes)).hits.map(hit => hit.articleId.replace('press.', '')),
    restart: async () => {
      await search.stop()
      search = openAgain()
      await until(() => search.isReady())
    },
  }
}

let minutes = 0
/** Articles of one after the other minute, the newest last. */
const story = (
  id: string,
  article: NonNullable<Parameters<typeof makeLive>[0]>['article'],
  changes: Parameters<typeof makeLive>[0] = {},
): Fact => {
  minutes += 1
  const at = new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString()
  return makeLive({
    articleId: `press.${id}`,
    firstReleasedAt: at,
    releasedAt: at,
    updatedAt: at,
    ...changes,
    ...(article === undefined ? {} : { article }),
  })
}

test('Vietnamese is found with and without its marks, in any case, composed or not, wherever the tone is written', async t => {
  const { ids } = await open(t, [
    story('peace', { title: 'Thành phố Hoà Bình đón khách' }),
    story('river', { title: 'Đường thủy nội địa' }),
    story('other', { title: 'Tin khác' }),
  ])
  for (const typed of ['Hoà Bình', 'hòa bình', 'hoa binh', 'HOA BINH', 'hoà bình'.normalize('NFD'), 'HÒA  BÌNH!'])
    assert.deepEqual(await ids(typed), ['peace'], typed)
  for (const typed of ['đường thuỷ', 'đường thủy', 'duong thuy', 'Dường thuỷ', 'ĐƯỜNG'])
    assert.deepEqual(await ids(typed), ['river'], typed)
})

test('what has the very marks that were typed comes first, in the title or not, then what differs only in marks', async t => {
  const { ids } = await open(t, [
    story('body', { body: { html: '<p>Chúng tôi bán hàng ở chợ.</p>' } }),
    story('title', { title: 'Bán hàng qua mạng' }),
    story('friend', { title: 'Bạn hàng lâu năm' }),
  ])
  assert.deepEqual(await ids('bán hàng'), ['title', 'body', 'friend'])
  assert.deepEqual(await ids('bạn hàng'), ['friend', 'title', 'body'])
  assert.deepEqual(await ids('ban hang'), ['friend', 'title', 'body'], 'without marks all are equal: the title first, then the newest')
  assert.deepEqual(await ids('bán'), ['title', 'body', 'friend'])
})

test('words in a row come before the same words apart, and pairs before single syllables', async t => {
  const { ids } = await open(t, [
    story('row', { body: { html: '<p>Hôm qua hội nghị tổng kết công tác năm đã họp.</p>' } }),
    story('pairs', { body: { html: '<p>Công tác dân vận, hội nghị đầu năm và tổng kết.</p>' } }),
    story('apart', { body: { html: '<p>Hội đồng nghị luận, tổng số, kết quả; công việc tác động.</p>' } }),
    story('some', { body: { html: '<p>Hội nghị khác.</p>' } }),
  ])
  assert.deepEqual(await ids('hội nghị tổng kết công tác'), ['row', 'pairs', 'apart'])
})

test('what was typed as one word is found as one, whatever else stands side by side', async t => {
  const { ids } = await open(t, [
    story('yes', { body: { html: '<p>Ca mắc COVID-19 mới.</p>' } }),
    story('no', { body: { html: '<p>Thêm 19 ca mới vì COVID.</p>' } }),
  ])
  assert.deepEqual(await ids('COVID-19 ca mới'), ['yes'])
})

test('a quoted phrase is found as it was typed and nothing else', async t => {
  const { ids } = await open(t, [
    story('yes', { body: { html: '<p>Họ bán hàng rong.</p>' } }),
    story('marks', { body: { html: '<p>Bạn hàng rong, và bán, hàng.</p>' } }),
    story('apart', { body: { html: '<p>Bán nhiều hàng rong.</p>' } }),
  ])
  assert.deepEqual(await ids('"bán hàng rong"'), ['yes'])
  assert.deepEqual(await ids('“bán hàng rong”'), ['yes'])
  assert.deepEqual((await ids('"ban hang rong"')).sort(), ['marks', 'yes'])
  assert.deepEqual(await ids('"bán hàng rong'), ['yes'], 'a quote that was not closed')
  assert.deepEqual(await ids('"hàng rong" nhiều'), ['apart'])
})

test('a word is found while it is typed', async t => {
  const { ids, ask } = await open(t, [story('school', { title: 'Học sinh đến trường' }), story('flower', { title: 'Hoa nở ở Hà Nội' })])
  assert.deepEqual(await ids('học s'), ['school'])
  assert.deepEqual(await ids('hoc si'), ['school'])
  assert.deepEqual(await ids('trươ'), ['school'])
  assert.deepEqual(await ids('ho*'), ['flower', 'school'])
  assert.deepEqual(await ids('ho'), ['flower', 'school'])
  assert.deepEqual(await ids('hoa'), ['flower'], 'a whole word is itself')
  assert.equal((await ask('hoc si')).reach, 'open')
  assert.match((await ask('hoc si')).hits[0]?.titleHtml ?? '', /<mark>Học sinh<\/mark>/)
})

test('other languages: European marks, and scripts without spaces as they stand side by side', async t => {
  const { ids } = await open(t, [
    story('fr', { title: 'L’été à Besançon : œuvres d’élèves', language: 'fr' }),
    story('ja', { title: '東京大学の研究', language: 'ja' }),
    story('ja-apart', { title: '京都と東北の大きな学校', language: 'ja' }),
    story('th', { title: 'ข่าวภาษาไทยวันนี้', language: 'th' }),
    story('ru', { title: 'Йод и новый музей', language: 'ru' }),
    story('de', { title: 'Straße nach Österreich', language: 'de' }),
    story('soft', { title: 'Zi\u00adtro\u00adnen', body: { html: '<p>Donau&shy;dampf&shy;schiff</p>' }, language: 'de' }),
    story('ko', { title: '서울특별시 소식', language: 'ko' }),
    story('ar', { title: 'الأَخبار العربية', language: 'ar' }),
  ])
  assert.deepEqual(await ids('ete besancon'), ['fr'])
  assert.deepEqual(await ids('oeuvres'), ['fr'])
  assert.deepEqual(await ids('東京大学'), ['ja'])
  assert.deepEqual(await ids('大学'), ['ja'])
  assert.deepEqual(await ids('ภาษาไทย'), ['th'])
  assert.deepEqual(await ids('новыи музеи'), ['ru'])
  assert.deepEqual(await ids('STRASSE osterreich'), ['de'])
  assert.deepEqual(await ids('zitronen'), ['soft'])
  assert.deepEqual(await ids('Donau\u00addampfschiff'), ['soft'], 'where a word may be broken is no part of it')
  assert.deepEqual(await ids('서울'), ['ko'])
  assert.deepEqual(await ids('الأخبار'), ['ar'])
})

test('an emoji is no word, and no part of one, however it is to be drawn', async t => {
  const { ids, ask } = await open(t, [
    story('a', { title: 'Quán phở ❤️ ngon', body: { html: '<p>Số 1️⃣: gọi☎️ngay</p>' } }),
    story('b', { title: '葛󠄀城' }),
  ])
  for (const typed of ['phở ❤️', '❤️ ngon', 'ngay', 'số 1', '1️⃣']) assert.deepEqual(await ids(typed), ['a'], typed)
  assert.deepEqual(await ids('葛城'), ['b'])
  assert.equal((await ask('pho ngon')).hits[0]?.titleHtml, 'Quán <mark>phở</mark> ❤️ <mark>ngon</mark>')
})

test('captions, credits, bylines, tags and numbers are found; a picture that is not for all is not', async t => {
  const { ids } = await open(t, [
    story('a', {
      byline: 'Nguyễn Văn Ất',
      tags: ['lũ quét'],
      dateline: 'Điện Biên',
      images: [
        makePicture('a'.repeat(64), { caption: 'Cầu phao', credit: 'Phóng viên Tí' }),
        makePicture('b'.repeat(64), { caption: 'Riêng tư', rights: { outlets: ['partner'] } }),
      ],
      body: { html: '<p>Ngày 30/4 có COVID-19, giá 1.250 &amp; hơn.</p>' },
    }),
  ])
  for (const typed of ['nguyen van at', 'lũ quét', 'điện biên', 'cau phao', 'phóng viên tí', 'covid-19', '30/4', '1.250'])
    assert.deepEqual(await ids(typed), ['a'], typed)
  assert.deepEqual(await ids('rieng tu'), [])
})

test('a retraction, an editorial version and a purge take an article out; an older version that comes late brings nothing back', async t => {
  const { ids, publish } = await open(t, [story('a', { title: 'Bí mật' }), story('b', { title: 'Bí mật khác' })])
  assert.deepEqual(await ids('bí mật'), ['b', 'a'])
  await publish(makeRetracted({ articleId: 'press.a', version: 2 }))
  assert.deepEqual(await ids('bí mật'), ['b'])
  await publish(makeLive({ articleId: 'press.a', version: 1, article: { title: 'Bí mật' } }))
  assert.deepEqual(await ids('bí mật'), ['b'])
  await publish(makeLive({ articleId: 'press.b', version: 2, article: { title: 'Bí mật', audience: 'editorial' } }))
  assert.deepEqual(await ids('bí mật'), [])
  assert.deepEqual(await ids(''), [])
  await publish(makeLive({ articleId: 'press.a', version: 3, article: { title: 'Hết bí mật' } }))
  assert.deepEqual(await ids('bí mật'), ['a'])
  await publish(makeLive({ articleId: 'press.a', version: 4, article: { title: 'Công khai' } }))
  assert.deepEqual(await ids('bí mật'), [], 'words of an earlier version are not found')
})

test('filters and counts: category, publisher, language, time; an import stands where its own date puts it', async t => {
  const { ids, ask } = await open(t, [
    story('new', { categories: ['sport', 'news'], language: 'en-GB', title: 'Bóng đá' }),
    story('old', { categories: ['news'], title: 'Bóng đá' }, { firstReleasedAt: '1954-05-07T17:30:00.000Z', lane: 'backfill' }),
    story('x', { categories: ['sport'], title: 'Bóng đá' }, { articleId: 'other.x', publisher: 'other' }),
  ])
  assert.deepEqual(await ids('bóng đá'), ['other.x', 'new', 'old'])
  assert.deepEqual(await ids('bóng', { filed: [[categoryTerm('sport'), categoryTerm('none')], [publisherTerm('press')]] }), ['new'])
  assert.deepEqual(await ids('bóng', { filed: [[languageTerm('EN')]] }), ['new'])
  assert.deepEqual(await ids('bóng', toPlaces({ fromMs: Date.UTC(1954, 4, 7), beforeMs: Date.UTC(1954, 4, 8) })), ['old'])
  assert.deepEqual(await ids('', { filed: [[categoryTerm('news')]] }), ['new', 'old'])
  const { counts } = await ask('bóng')
  assert.deepEqual(
    counts.map(({ publisher, language, categories, articles }) => [publisher, language, categories.join(), articles]).sort(),
    [
      ['other', 'vi', 'sport', 1],
      ['press', 'en-GB', 'news,sport', 1],
      ['press', 'vi', 'news', 1],
    ],
  )
})

test('pages neither repeat nor skip while articles come in and go', async t => {
  const stories = Array.from({ length: 25 }, (_, index) =>
    story(`s${index}`, index % 2 === 0 ? { title: 'Mùa lúa chín' } : { body: { html: '<p>Lúa mùa</p>' } }),
  )
  const { ask, publish } = await open(t, stories)
  const before = (await ask('mùa lúa', { limit: 100 })).hits.map(hit => hit.articleId)
  assert.equal(before.length, 25)
  for (const sort of ['relevance', 'time'] as const) {
    const seen: string[] = []
    let begin: SearchQuery['begin'] = 0
    for (let page = 0; ; page += 1) {
      const { hits, next } = await ask('mùa lúa', { limit: 4, begin, sort })
      seen.push(...hits.map(hit => hit.articleId))
      if (next === null) break
      begin = next
      await publish(story(`late-${sort}-${page}`, { title: 'Mùa lúa mới' }))
    }
    assert.equal(new Set(seen).size, seen.length, 'nothing twice')
    for (const id of before) assert.ok(seen.includes(id), `${id} was skipped`)
  }
})

test('a snippet shows where it was found, escaped, with marks; common words alone are left unmarked beside a phrase', async t => {
  const filler = '<p>Một đoạn văn dài không liên quan gì đến điều đang tìm. </p>'.repeat(30)
  const { ask } = await open(t, [
    story('a', { title: 'Giá & <b>cả</b>', body: { html: `${filler}<p>Người dân nói về giá cả &lt;script&gt; chợ quê.</p>${filler}` } }),
  ])
  const { hits } = await ask('gia ca')
  assert.equal(hits[0]?.titleHtml, '<mark>Giá</mark> &amp; &lt;b&gt;<mark>cả</mark>&lt;/b&gt;')
  const beside = await open(t, [story('b', { title: 'Mùa vải', byline: 'Nguyễn Thị Hoà', tags: ['Hoà Bình'] })])
  assert.equal(
    (await beside.ask('hoà')).hits[0]?.snippetHtml,
    'Nguyễn Thị <mark>Hoà</mark> · <mark>Hoà</mark> Bình',
    'a name and a tag are two',
  )
  assert.match(hits[0]?.snippetHtml ?? '', /^… .*Người dân nói về <mark>giá cả<\/mark> &lt;script&gt; chợ quê\..* …$/)
})

const HOSTILE = [
  '"',
  '""',
  '" AND "',
  'a AND',
  'NOT',
  'a* b* c*',
  '***',
  'NEAR(a b, 5)',
  'title:x',
  '{title}: y',
  '^a',
  '-a',
  "';DROP TABLE words;--",
  '\0',
  'a\0b',
  '\ud800',
  '\u202e',
  '(((((',
  'a"b"c"d',
  '*'.repeat(500),
  'ă'.repeat(10_000),
  'a '.repeat(5_000),
  `"${'x '.repeat(400)}`,
  '🙂🙂',
  '\u0301\u0301',
  'ﷺ',
  'c.news',
  '.exact',
  'filed : all',
  '%',
  '_',
  '東'.repeat(300),
]

test('whatever is typed is answered, and soon', async t => {
  const { ask } = await open(t, [story('a', { title: 'Tin x', body: { html: '<p>a b c d x y</p>' } })])
  for (const typed of HOSTILE)
    for (const sort of ['relevance', 'time'] as const) {
      const found = await ask(typed, { sort })
      assert.ok(found.words.length <= 12, typed)
    }
})

test('the index goes on where it stood; what was published meanwhile is found', async t => {
  const { ids, publish, log, restart } = await open(t, [story('a', { title: 'Một' })])
  await publish(makeRetracted({ articleId: 'press.a', version: 2 }))
  const search = restart()
  await log.publish([toFactRecord(story('b', { title: 'Hai' }))])
  await search
  await until(async () => (await ids('hai')).length === 1)
  assert.deepEqual(await ids('một'), [])
})

test('a new index takes the place of the old one whole: who searches meanwhile is answered, and nothing that came meanwhile is lost', async t => {
  const { ids, search, publish, dataDir } = await open(
    t,
    Array.from({ length: 200 }, (_, index) => story(`r${index}`, { title: `Lúa ${index}` })),
  )
  let isDone = false
  const rebuilt = search()
    .rebuild()
    .then(() => {
      isDone = true
    })
  let asked = 0
  while (!isDone) {
    assert.ok((await ids('lúa')).length === 20)
    if (asked === 0) {
      await publish(story('meanwhile', { title: 'Giữa chừng' }), makeRetracted({ articleId: 'press.r0', version: 2 }))
      await until(async () => (await ids('giữa chừng')).length === 1 && (await ids('"lúa 0"')).length === 0)
    }
    asked += 1
  }
  await rebuilt
  assert.ok(asked > 0)
  assert.deepEqual(await ids('giữa chừng'), ['meanwhile'])
  assert.deepEqual(await ids('"lúa 0"'), [])
  assert.deepEqual(
    readdirSync(join(dataDir, 'views')).filter(name => name.endsWith('.db')),
    ['gateway-search-2.db'],
  )
  await publish(story('after', { title: 'Về sau' }))
  assert.deepEqual(await ids('về sau'), ['after'])
})

test('a new index takes the place once it has all that was found in the old one, however late it is told of it', async t => {
  const told = Promise.withResolvers<void>()
  t.after(() => told.resolve())
  const atChange: (readonly string[])[] = []
  const found = async () => [await ids('giữa chừng'), await ids('"lúa 0"')]
  let followers = 0
  const { ids, search } = await open(t, [story('r0', { title: 'Lúa 0' })], log => async options => {
    followers += 1
    if (followers === 1) {
      const old = await log.follow(options)
      const stop = async () => {
        try {
          atChange.push(...(await found()))
        } finally {
          told.resolve()
        }
        await old.stop()
      }
      return { ...old, stop }
    }
    // The second makes the new index; the third goes on with it, and is told late of what comes once it has the log's end.
    if (followers === 2) return await log.follow(options)
    let isReached = false
    const late = await log.follow({
      ...options,
      onRecords: async records => {
        if (isReached) await told.promise
        await options.onRecords(records)
      },
    })
    await late.ready
    isReached = true
    const records = [story('meanwhile', { title: 'Giữa chừng' }), makeRetracted({ articleId: 'press.r0', version: 2 })]
    await log.publish(records.map(toFactRecord))
    await until(async () => (await ids('giữa chừng')).length === 1 && (await ids('"lúa 0"')).length === 0)
    return late
  })
  await search().rebuild()
  assert.equal(followers, 3)
  assert.deepEqual(atChange, [['meanwhile'], []], 'when the old one ends')
  assert.deepEqual(await found(), [['meanwhile'], []], 'when the new one has taken the place')
})

test('a new index takes the place although the log was made anew meanwhile and is shorter than what the old one was told', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-search-'))
  const [lost, anew] = await Promise.all(
    ['lost.db', 'anew.db'].map(name => createEmbeddedLog({ file: join(dataDir, name), fsync: 'normal' })),
  )
  assert.ok(lost && anew)
  const many = Array.from({ length: 100 }, (_, index) => story(`old${index}`, { title: `Lúa ${index}` }))
  await lost.publish(many.map(toFactRecord))
  await anew.publish([toFactRecord(story('new', { title: 'Lúa mới' }))])
  let log: Log = lost
  const there: Pick<Log, 'kind' | 'ends' | 'read' | 'follow'> = {
    kind: 'embedded',
    ends: topic => log.ends(topic),
    read: options => log.read(options),
    follow: options => log.follow(options),
  }
  const search = openSearch({ log: there, dataDir, onTrouble: error => assert.fail(error) })
  t.after(async () => {
    await search.stop()
    await Promise.all([lost.close(), anew.close()])
    rmSync(dataDir, { recursive: true, force: true })
  })
  await until(() => search.isReady())
  log = anew
  await search.rebuild()
  const { hits } = await search.find({ ...ALL, typed: 'lúa' })
  assert.deepEqual(
    hits.map(({ articleId }) => articleId),
    ['press.new'],
  )
})

test('an index made from thousands of articles has all of them as they are now, and what is published while it is made', async t => {
  const many = Array.from({ length: 3_000 }, (_, index) => story(`m${index}`, { title: `Lúa m${index}` }))
  const { ids, ask, search, publish } = await open(t, many)
  await until(async () => (await ids('"m2999"')).length === 1)
  await publish(makeRetracted({ articleId: 'press.m7', version: 2 }), story('m2900', { title: 'Bản sau' }, { version: 2 }))
  const rebuilt = search().rebuild()
  await publish(story('meanwhile', { title: 'Giữa chừng' }))
  await until(async () => (await ids('giữa chừng')).length === 1)
  await rebuilt
  assert.deepEqual(await ids('giữa chừng'), ['meanwhile'])
  assert.deepEqual([await ids('"m7"'), await ids('"m2900"'), await ids('bản sau'), await ids('"m2999"')], [[], [], ['m2900'], ['m2999']])
  assert.ok((await ask('lúa')).isAbout, 'more than are counted')
  assert.equal(
    (await ask('lua', toPlaces({ fromMs: Date.parse(many[2_500]?.firstReleasedAt ?? ''), beforeMs: null }))).counts[0]?.articles,
    499,
  )
})

test('what is found, and in which order, does not hang on how much of it there is or whether it is counted', async t => {
  const syllables = 'học hoc họp sinh sính nhà nhá nước lúa hội nghị tổng'.split(' ')
  const word = (at: number) => syllables[(at * at + 7 * at) % (at % 5 === 0 ? syllables.length : 7)] as string
  const words = (from: number, count: number) => Array.from({ length: count }, (_, index) => word(from + index)).join(' ')
  const { ask } = await open(
    t,
    Array.from({ length: 1_300 }, (_, index) =>
      story(`n${index}`, {
        title: `${words(index, 3)}${index % 400 === 0 ? ' hiếm' : ''}`,
        summary: '',
        body: { html: `<p>${words(3 * index, index % 40 === 0 ? 9 : 4)}</p>` },
      }),
    ),
  )
  const sizes = new Set<string>()
  for (const typed of [
    'hoc',
    'học',
    'học sinh',
    'hoc sinh',
    'hội nghị tổng',
    'sinh hoc nha',
    '"nhà nước"',
    'tổng hội',
    'nghị lúa nhá họp',
    'lúa xa',
    'hoi*',
    'hiếm',
  ])
    for (const sort of ['relevance', 'time'] as const) {
      const first = await ask(typed, { sort })
      const total = first.counts.reduce((sum, { articles }) => sum + articles, 0)
      sizes.add(total === 0 ? 'none' : total <= 20 ? 'a page' : total <= 1_000 ? 'more' : 'too many')
      for (const begin of [0, 13, ...(first.next === null ? [] : [first.next])]) {
        const [counted, uncounted] = await Promise.all([ask(typed, { sort, begin }), ask(typed, { sort, begin, counts: false })])
        assert.deepEqual(
          { ...uncounted, counts: counted.counts, isAbout: counted.isAbout },
          counted,
          `${typed} ${sort} ${JSON.stringify(begin)}`,
        )
      }
    }
  assert.deepEqual([...sizes].sort(), ['a page', 'more', 'none', 'too many'])
})

test('a gateway can end while an index is being made', async t => {
  const { search, restart, ids } = await open(
    t,
    Array.from({ length: 3_000 }, (_, index) => story(`e${index}`, { title: `Lúa e${index}` })),
  )
  const rebuilt = search()
    .rebuild()
    .catch(() => undefined)
  await restart()
  await rebuilt
  assert.deepEqual(await ids('e2999'), ['e2999'])
})

test('facts that the log no longer has come back from elsewhere, and never over a newer version', async t => {
  const { ids, search } = await open(t, [story('a', { title: 'Bản mới' }, { version: 2 })])
  const archived = [
    [JSON.stringify(story('a', { title: 'Bản cũ' }, { version: 1 }))],
    [JSON.stringify(story('lost', { title: 'Chuyện xưa' })), JSON.stringify(makeRetracted({ articleId: 'press.gone', version: 3 }))],
  ]
  await search().rebuild({
    seeds: (async function* () {
      yield* archived
    })(),
  })
  assert.deepEqual(await ids('chuyện xưa'), ['lost'])
  assert.deepEqual([await ids('bản mới'), await ids('bản cũ')], [['a'], []])
})

test('an index that cannot be used is made again', async t => {
  const { dataDir, search, restart, ids, troubles } = await open(t, [story('a', { title: 'Tin' })])
  await search().stop()
  writeFileSync(join(dataDir, 'views', 'gateway-search-1.db'), 'this is no database, and long enough to be looked at as one'.repeat(200))
  for (const end of ['-wal', '-shm']) rmSync(join(dataDir, 'views', `gateway-search-1.db${end}`), { force: true })
  await restart()
  assert.deepEqual(await ids('tin'), ['a'])
  assert.deepEqual(troubles, [])
})

test('more articles of one second than have a place there are all found', async t => {
  const at = { firstReleasedAt: '2026-01-01T00:00:00.000Z' }
  const { ask } = await open(
    t,
    Array.from({ length: 600 }, (_, index) => story(`q${index}`, { title: 'Cùng giây' }, at)),
  )
  assert.equal(
    (await ask('cùng giây')).counts.reduce((sum, { articles }) => sum + articles, 0),
    600,
  )
})

test('what the store has told is found before the log tells it, and the log changes nothing by telling it late', async t => {
  const { search, ids, publish } = await open(t)
  const first = story('one', { title: 'Bản đầu' })
  const second = { ...first, version: 2, article: { ...(first as LiveFact).article, title: 'Bản sau' } } as Fact
  search().take(second)
  await until(async () => (await ids('bản sau')).length === 1)
  await publish(first, second, story('two', { title: 'Bản khác' }))
  await until(async () => (await ids('bản khác')).length === 1)
  assert.deepEqual(await ids('"bản đầu"'), [])
  assert.deepEqual(await ids('"bản sau"'), ['one'])
})
