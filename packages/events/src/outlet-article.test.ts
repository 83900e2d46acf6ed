import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Article, contentOf, type Picture } from './article.ts'
import { canonicalSha256 } from './canonical.ts'
import type { LiveFact } from './fact.ts'
import { findPictureOffence, isSameForAllOutlets, toFactForOutlet } from './outlet-article.ts'
import { sampleFact, samplePicture } from './sample-fact.ts'

const RELEASED = '2026-11-24T03:00:00.000Z'
const SITE = 'news.example,2026'
const picture = (url: string, rights?: Picture['rights']): Picture => samplePicture({ url, role: 'inline', ...(rights ? { rights } : {}) })
const factOf = (article: Partial<Article>): LiveFact => sampleFact({ at: RELEASED, article: { title: 'x', ...article } })
const forPartner = (fact: LiveFact) => toFactForOutlet(fact, { outletId: 'partner', siteId: SITE }).article

test('a picture that an outlet has no right to is left out, and the article goes', () => {
  const images = [
    picture('https://p.example/free'),
    picture('https://p.example/others', { outlets: ['other'] }),
    picture('https://p.example/ended', { outlets: ['*'], until: RELEASED }),
    picture('https://p.example/named', { outlets: ['partner'], until: '2027-01-01T00:00:00.000Z' }),
  ]
  const shown = forPartner(factOf({ images }))
  assert.deepEqual(
    shown.images.map(one => one.url),
    ['https://p.example/free', 'https://p.example/named'],
  )
  assert.equal(shown.title, 'x')
})

test('why a picture is left out is told, with the time at which its right ended', () => {
  assert.equal(findPictureOffence(picture('https://p.example/1'), 'partner', RELEASED), null)
  assert.deepEqual(findPictureOffence(picture('https://p.example/1', { outlets: [] }), 'partner', RELEASED), { why: 'outlet-not-named' })
  const ended = { outlets: ['partner'], until: '2026-11-24T02:59:59.999Z' }
  assert.deepEqual(findPictureOffence(picture('https://p.example/1', ended), 'partner', RELEASED), {
    why: 'right-ended',
    endedAt: '2026-11-24T02:59:59.999Z',
  })
})

test('a picture that is left out is not shown by the body either, and its neighbours are', () => {
  const url = 'https://p.example/a.jpg?x=1&y="2"'
  const html =
    '<p>One</p><img src="https://p.example/a.jpg?x=1&amp;y=&quot;2&quot;" alt="a &gt; b" /><img src="https://p.example/a.jpg?x=1" /><p>Two</p>'
  const shown = forPartner(factOf({ body: { html }, images: [picture(url, { outlets: ['other'] })] }))
  assert.equal(shown.body.html, '<p>One</p><img src="https://p.example/a.jpg?x=1" /><p>Two</p>')
})

test('the outlet gets an article with ourselves at the end of the way that it came, once', () => {
  assert.deepEqual(forPartner(factOf({})).via, [SITE])
  const again = toFactForOutlet(factOf({ via: ['a.example,2020', SITE] }), { outletId: 'partner', siteId: SITE })
  assert.deepEqual(again.article.via, ['a.example,2020', SITE])
})

test('a version without rights of its own is the same for all outlets', () => {
  assert.ok(isSameForAllOutlets(factOf({ images: [picture('https://p.example/1')] })))
  assert.ok(!isSameForAllOutlets(factOf({ images: [picture('https://p.example/1', { outlets: ['*'] })] })))
})

test('an article that came another way is the same article', () => {
  const hash = (via?: string[]) => canonicalSha256(contentOf(factOf(via ? { via } : {}).article))
  assert.equal(hash(['a.example,2020']), hash())
})
