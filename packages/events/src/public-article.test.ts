import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from './article.ts'
import { publicPictureUrl, toContentHtml, toFactForAll, toPublicArticle } from './public-article.ts'
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
/** Which picture is shown where, and which are still the publisher's own. */
const shownIn = (html: string): string[] =>
  [...html.matchAll(/<img src="([^"]*)"|<p>(.)<\/p>/g)].map(
    ([, src, word]) => word ?? /renditions\/(.)/.exec(src ?? '')?.[1] ?? String(src),
  )

test('a picture that the text shows is in the content once, where the text has it, in our sizes', () => {
  const content = (html: string, images = [a, b]) => toContentHtml(sampleArticle({ body: { html }, images }), 'https://news.example')
  const srcA = 'src="https://cms.example/a.jpg?w=1&amp;h=2" alt="x"'
  const srcB = 'src="https://cms.example/b.jpg"'
  assert.deepEqual(shownIn(content(`<figure><img ${srcA} /></figure><p>1</p><p> <img ${srcB} /> </p><p>2</p>`)), ['a', '1', 'b', '2'])
  assert.deepEqual(shownIn(content(`<p>1</p><p><img ${srcB} /></p><figure><img ${srcB} /></figure><p>2</p>`)), ['a', '1', 'b', '2'])
  assert.deepEqual(shownIn(content('<p>1</p><p>2</p>')), ['a', '1', '2', 'b'], 'one that it does not show comes after it')
  const words = `<figure><img ${srcB} /><figcaption>words</figcaption></figure>`
  assert.doesNotMatch(content(words), /words/, 'the caption of the picture itself stands')
  assert.match(content(words, [a, { ...b, caption: '' }]), /words/)
  const foreign = '<p><img src="https://other.example/c.jpg" /></p>'
  assert.ok(content(foreign).includes(foreign))
  assert.deepEqual(
    shownIn(content(`<p><img ${srcB} /></p>`, [a, { ...b, state: 'refused' }])),
    ['a', b.url],
    'nothing of ours stands for it',
  )
})

test('words about a picture that have pictures of their own stay as they are', () => {
  const html = `<figure><img src="${b.url}" /><figcaption>1 <figure><img src="https://cms.example/c.jpg" /><figcaption>2</figcaption></figure> 3</figcaption></figure>`
  const captioned = { ...b, caption: 'B' }
  assert.ok(toContentHtml(sampleArticle({ body: { html }, images: [a, captioned] }), 'https://p.example').includes(html))
})

test('a picture that is not for all is not shown to all by the body either', () => {
  const html = '<p>1</p><figure><img src="https://cms.example/b.jpg" alt="x" /></figure><p>2</p>'
  for (const rights of [{ outlets: ['partner'] }, { outlets: ['*'], until: '2000-01-01T00:00:00.000Z' }]) {
    const { article } = toFactForAll(sampleFact({ article: sampleArticle({ body: { html }, images: [a, { ...b, rights }] }) }))
    assert.equal(article.body.html, '<p>1</p><p>2</p>')
    assert.deepEqual(article.images, [a])
  }
  const fact = sampleFact({ article: sampleArticle({ body: { html }, images: [a, b] }) })
  assert.equal(toFactForAll(fact), fact)

  const rights = { outlets: ['partner'] }
  const hidden = { ...b, url: "https://cms.example/ả'b.jpg".normalize('NFD'), rights }
  const written = ["https://cms.example/ả'b.jpg", 'HTTPS://CMS.example/%E1%BA%A3&#39;b.jpg#x']
  for (const url of written) {
    const body = { html: `<p><a href="${url}" rel="nofollow"><img src="${url}" alt="x" /></a><a href="https://cms.example/">y</a></p>` }
    const { article } = toFactForAll(sampleFact({ article: sampleArticle({ body, images: [a, hidden] }) }))
    assert.equal(article.body.html, '<p><a rel="nofollow"></a><a href="https://cms.example/">y</a></p>', 'however it is written')
  }
})
