import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import { topics } from '@newswire/events/topics'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { makeLive, makePicture, makeRetracted, toFactRecord } from './sample-facts.ts'
import { openView } from './view.ts'

const open = async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-view-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const poison: string[] = []
  const view = await openView({ log, dataDir, onPoison: ({ code }) => poison.push(code) })
  t.after(async () => {
    await view.stop()
    await log.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const release = async (...facts: Fact[]) => {
    await log.publish(facts.map(toFactRecord))
    await view.caughtUp(AbortSignal.timeout(60_000))
  }
  return { view, log, poison, release, dataDir }
}

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)

test('an older version, come late, never replaces a newer one', async t => {
  const { view, release } = await open(t)
  const first = makeLive({ article: { title: 'First', images: [makePicture(A)] } })
  const second = makeLive({ version: 2, article: { title: 'Second', images: [makePicture(B)] } })
  await release(first, second, first)
  const seen = view.article('press.a')
  assert.equal(seen?.state === 'public' && seen.fact.article.title, 'Second')
  assert.equal(view.picture(A), 'gone')
  assert.equal(view.picture(B), 'shown')
  await release(makeRetracted({ version: 3 }), second)
  assert.equal(view.article('press.a')?.state, 'gone')
  assert.equal(view.picture(B), 'gone')
  assert.deepEqual(view.list({ limit: 10 }), [])
})

test('what is for editors alone is not there, nor are its pictures; what was public before is gone', async t => {
  const { view, release } = await open(t)
  await release(makeLive({ article: { audience: 'editorial', images: [makePicture(A)] } }))
  assert.equal(view.article('press.a'), null)
  assert.equal(view.picture(A), 'unknown')
  await release(makeLive({ articleId: 'press.b', article: { images: [makePicture(B)] } }))
  const narrowed = makeLive({ articleId: 'press.b', version: 2, article: { audience: 'editorial', images: [makePicture(B)] } })
  await release({ ...narrowed, facetsEver: { ...narrowed.facetsEver, public: true } })
  assert.equal(view.article('press.b')?.state, 'gone')
  assert.equal(view.picture(B), 'gone')
  assert.deepEqual(view.list({ limit: 10 }), [])
})

test('a picture of two articles is shown until both are gone', async t => {
  const { view, release } = await open(t)
  await release(
    makeLive({ article: { images: [makePicture(A)] } }),
    makeLive({ articleId: 'press.b', article: { images: [makePicture(A)] } }),
  )
  await release(makeRetracted({ version: 2 }))
  assert.equal(view.picture(A), 'shown')
  await release(makeRetracted({ articleId: 'press.b', version: 2 }))
  assert.equal(view.picture(A), 'gone')
})

test('the newest are by first release, so an update does not move an article up', async t => {
  const { view, release } = await open(t)
  await release(
    makeLive({ articleId: 'press.old', firstReleasedAt: '2026-01-01T00:00:00.000Z' }),
    makeLive({ articleId: 'press.new', firstReleasedAt: '2026-01-02T00:00:00.000Z' }),
    makeLive({ articleId: 'press.old', version: 2, firstReleasedAt: '2026-01-01T00:00:00.000Z', releasedAt: '2026-01-03T00:00:00.000Z' }),
  )
  assert.deepEqual(
    view.list({ limit: 10 }).map(fact => fact.articleId),
    ['press.new', 'press.old'],
  )
})

test('poison in the topic is passed over and told, and what comes after it is seen', async t => {
  const { view, log, poison, release } = await open(t)
  const [size] = makePicture(A).renditions
  assert.ok(size)
  const crooked = [
    makeLive({ articleId: '"><script>' }),
    makeLive({ articleId: 'press.b', firstReleasedAt: 'yesterday' }),
    makeLive({ articleId: 'press.c', firstReleasedAt: '' }),
    makeLive({ articleId: 'press.c2', firstReleasedAt: 'yesterday 1' }),
    makeLive({ articleId: 'press.c3', releasedAt: '2026-03-01 08:00' }),
    makeRetracted({ articleId: 'press.d', updatedAt: '+275760-09-13T00:00:00.000Z' }),
    makeLive({ articleId: 'press.e', article: { expiresAt: 'never' } }),
    makeLive({ articleId: 'press.f', article: { images: [makePicture(A, { rights: { outlets: ['*'], until: 'never' } })] } }),
    makeLive({ articleId: 'press.g', article: { images: [makePicture(A, { renditions: [{ ...size, key: 'secrets/signing' }] })] } }),
  ]
  await log.publish([
    { topic: topics.articles.name, key: 'x', value: Buffer.from('{"half') },
    { ...toFactRecord(makeLive()), value: Buffer.from('{}') },
    ...crooked.map(toFactRecord),
    { topic: topics.articles.name, key: 'x', value: null },
  ])
  await release(makeLive({ articleId: 'press.good' }))
  assert.equal(poison.length, crooked.length + 3)
  assert.equal(view.failure(), null)
  assert.deepEqual(
    view.list({ limit: 10 }).map(fact => fact.articleId),
    ['press.good'],
  )
})

test('a second start finds everything without reading the log again', async t => {
  const { view, log, release, dataDir } = await open(t)
  await release(makeLive())
  await view.stop()
  const again = await openView({ log, dataDir, onPoison: () => undefined })
  assert.equal(again.article('press.a')?.state, 'public')
  await again.stop()
})

test('a list goes on from between two articles, whatever comes or is taken back after', async t => {
  const { view, release } = await open(t)
  const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`
  const write = (...minutes: number[]) => release(...minutes.map(one => makeLive({ articleId: `press.m${one}`, firstReleasedAt: at(one) })))
  await write(1, 2, 3, 4, 5, 6)
  const ids = (query: Parameters<typeof view.list>[0]) => view.list(query).map(fact => fact.articleId.slice(7))
  const cursor = { at: at(4), articleId: 'press.m4' }
  assert.deepEqual(ids({ limit: 2 }), ['6', '5'])
  assert.deepEqual(ids({ limit: 2, before: cursor }), ['3', '2'])
  assert.deepEqual(ids({ limit: 1, after: cursor }), ['5'], 'the nearest that are newer')
  await write(7)
  await release(makeRetracted({ articleId: 'press.m4', firstReleasedAt: at(4), version: 2 }))
  assert.deepEqual(ids({ limit: 2, before: cursor }), ['3', '2'])
  assert.deepEqual(ids({ limit: 9, after: cursor }), ['7', '6', '5'])
})

test('articles of one moment are told apart by their ids, also when times are written another way', async t => {
  const { view, release } = await open(t)
  const same = ['2026-01-01T07:00:00+07:00', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z']
  await release(...same.map((firstReleasedAt, index) => makeLive({ articleId: `press.${index}`, firstReleasedAt })))
  const before = { at: '2026-01-01T00:00:00.000Z', articleId: 'press.1' }
  assert.deepEqual(
    view.list({ limit: 5, before }).map(fact => fact.articleId),
    ['press.0'],
  )
})

test('a section holds what is filed under any of its categories, once each, and follows an article that is filed elsewhere', async t => {
  const { view, release } = await open(t)
  const file = (articleId: string, version: number, ...categories: string[]) =>
    release(makeLive({ articleId, version, article: { categories } }))
  await file('press.both', 1, 'news', 'culture')
  await file('press.news', 1, 'news')
  const section = (...categories: string[]) => view.list({ limit: 9, categories }).map(fact => fact.articleId)
  assert.deepEqual(section('news', 'culture'), ['press.news', 'press.both'])
  await file('press.both', 2, 'culture')
  assert.deepEqual(section('news'), ['press.news'])
  await release(makeRetracted({ articleId: 'press.news', version: 2 }))
  assert.equal(view.hasAny(['news']), false)
  assert.equal(view.hasAny(['news', 'culture']), true)
})

test('a preview holds what the feed’s match takes', async t => {
  const { view, release } = await open(t)
  await release(
    makeLive({ articleId: 'press.vi', article: { categories: ['culture'] } }),
    makeLive({ articleId: 'press.en', article: { language: 'en', categories: ['culture'] } }),
    makeLive({ articleId: 'other.vi', publisher: 'other', article: { type: 'video' } }),
    makeLive({ articleId: 'press.secret', article: { audience: 'editorial' } }),
  )
  const preview = (match: Parameters<typeof view.preview>[0], categories?: string[]) =>
    view
      .preview(match, categories, 5)
      .map(fact => fact.articleId)
      .sort()
  assert.deepEqual(preview({}), ['other.vi', 'press.en', 'press.vi'])
  assert.deepEqual(preview({ languages: ['vi'], categories: ['news'] }, ['news', 'culture']), ['press.vi'])
  assert.deepEqual(preview({ publishers: ['other'] }), ['other.vi'])
  assert.deepEqual(preview({ languages: [] }), [])
  assert.deepEqual(preview({ types: ['video'], publishers: ['press'] }), [])
  await release(makeLive({ articleId: 'press.gb', article: { language: 'en-GB', categories: ['culture'] } }))
  assert.deepEqual(preview({ languages: ['EN', 'fr'] }, ['culture']), ['press.en', 'press.gb'])
  assert.deepEqual(preview({ languages: ['en-gb'] }), ['press.gb'])
})

test('translations are those of the same publisher: nobody puts a link on another’s page', async t => {
  const { view, release } = await open(t)
  await release(
    makeLive({ articleId: 'press.a' }),
    makeLive({ articleId: 'press.en', article: { language: 'en', translationOf: 'a' } }),
    makeLive({ articleId: 'press.fr', article: { language: 'fr', translationOf: 'press.a' } }),
    makeLive({ articleId: 'other.de', publisher: 'other', article: { language: 'de', translationOf: 'press.a' } }),
  )
  assert.deepEqual(
    view.translationsOf('press.a').map(fact => fact.articleId),
    ['press.en', 'press.fr'],
  )
})
