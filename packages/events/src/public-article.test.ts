import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from './article.ts'
import { publicPictureUrl, toFactForAll, toPublicArticle } from './public-article.ts'
import { sampleArticle } from './sample-article.ts'
import { sampleFact, samplePicture } from './sample-fact.ts'

test('what opens a publisher’s picture does not leave with the article', () => {
  const url = 'https://user:pass@cms.example:8443/a%20b.jpg?X-Amz-Signature=secret&x=1#token'
  const input = articleInput.parse({ title: 'x', body: { text: 'x' }, images: [{ url }, { url: `newswire:${'a'.repeat(64)}` }] })
  const article = toArticle(input, { language: 'vi' })
  const fact = sampleFact({ article: { ...article, images: article.images.map(one => ({ ...one, state: 'ready' })) } })
  const shown = toPublicArticle(fact, 'https://news.example')
  assert.deepEqual(
    shown.images.map(one => one.url),
    ['https://cms.example:8443/a%20b.jpg', `newswire:${'a'.repeat(64)}`],
  )
  assert.doesNotMatch(JSON.stringify(shown), /secret|pass|token/)
})

test('an address that is none, or of another kind, is not shown at all', () => {
  for (const url of ['', 'x', 'data:image/png;base64,AAAA', 'file:///etc/passwd']) assert.equal(publicPictureUrl(url), '')
})

const a = samplePicture({ url: 'https://cms.example/a.jpg?w=1&h=2', caption: 'Ảnh A', sha256: 'a'.repeat(64) })
const b = samplePicture({ url: 'https://cms.example/b.jpg', caption: 'Ảnh B', role: 'inline', sha256: 'b'.repeat(64) })
test('a picture that is not for all is not shown to all by the body either', () => {
  const html = '<p>1</p><figure><img src="https://cms.example/b.jpg" alt="x" /></figure><p>2</p>'
  for (const rights of [{ outlets: ['partner'] }, { outlets: ['*'], until: '2000-01-01T00:00:00.000Z' }]) {
    const { article } = toFactForAll(sampleFact({ article: sampleArticle({ body: { html }, images: [a, { ...b, rights }] }) }))
    assert.doesNotMatch(article.body.html, /b\.jpg/)
    assert.deepEqual(article.images, [a])
  }
  const fact = sampleFact({ article: sampleArticle({ body: { html }, images: [a, b] }) })
  assert.equal(toFactForAll(fact), fact)
})
