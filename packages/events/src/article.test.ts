import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, contentOf, toArticle } from './article.ts'
import { canonicalSha256 } from './canonical.ts'

const site = { language: 'vi' }
const minimal = { title: 'Tin', body: { text: 'Một.' } }
const parse = (value: unknown) => articleInput.parse(value)

test('a minimal article gets the site language and every default', () => {
  const article = toArticle(parse(minimal), site)
  assert.equal(article.language, 'vi')
  assert.equal(article.urgency, 4)
  assert.equal(article.audience, 'public')
  assert.deepEqual(article.images, [])
  assert.equal(article.body.html, '<p>Một.</p>')
})

test('an unknown top-level field is refused, so that a typo never loses data', () => {
  assert.equal(articleInput.safeParse({ ...minimal, titel: 'x' }).success, false)
})

test('decomposed Vietnamese becomes NFC, letter for letter', () => {
  const nfd = 'Đoàn kết nội bộ, đường sá, ổn định'.normalize('NFD')
  const article = toArticle(parse({ ...minimal, title: nfd, body: { text: nfd } }), site)
  assert.equal(article.title, 'Đoàn kết nội bộ, đường sá, ổn định')
  assert.equal(article.body.html, '<p>Đoàn kết nội bộ, đường sá, ổn định</p>')
})

test('a language is a tag of at most 35 characters (RFC 5646 §4.4.1)', () => {
  const taken = (language: string) => articleInput.safeParse({ ...minimal, language }).success
  assert.deepEqual(['vi', 'zh-Hant-TW', `de${'-abcdefgh'.repeat(3)}-abcde`].map(taken), [true, true, true])
  assert.deepEqual(['', 'tiếng Việt', `de${'-abcdefgh'.repeat(4)}`].map(taken), [false, false, false])
})

test('an instant without an offset is refused', () => {
  assert.equal(articleInput.safeParse({ ...minimal, publishedAt: '2026-01-01T08:30:00' }).success, false)
})

test('an instant whose year no exit can say is refused, whatever its offset makes of it', () => {
  const parse = (publishedAt: string) => articleInput.safeParse({ title: 'a', body: { text: 'b' }, publishedAt })
  for (const at of ['9999-12-31T23:59:59-00:01', '9999-12-31T23:59:59-14:00', '0001-01-01T00:00:00+00:01', '0000-01-01T00:00:00Z'])
    assert.equal(parse(at).success, false, at)
  for (const at of ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59+14:00', '0001-01-01T00:00:00Z'])
    assert.match(parse(at).data?.publishedAt ?? '', /^\d{4}-\d\d-\d\dT/, at)
})

test('equal instants are equal strings', () => {
  assert.equal(parse({ ...minimal, publishedAt: '2026-01-01T08:30:00+07:00' }).publishedAt, '2026-01-01T01:30:00.000Z')
})

test('a title of nothing but spaces and controls is refused', () => {
  assert.equal(articleInput.safeParse({ ...minimal, title: ' \u0000\t ' }).success, false)
})

for (const url of ['ftp://a.example/x.jpg', 'javascript:alert(1)', 'newswire:zz', '/x.jpg'])
  test(`a picture cannot be at ${url}`, () => {
    assert.equal(articleInput.safeParse({ ...minimal, images: [{ url }] }).success, false)
  })

test('content is told apart by everything the publisher said, but not by his version number or by what became of the pictures', () => {
  const image = { url: 'https://a.example/x.jpg', caption: 'Một' }
  const one = toArticle(parse({ ...minimal, sourceVersion: 1, images: [image] }), site)
  const two = toArticle(parse({ ...minimal, sourceVersion: 2, images: [image] }), site)
  const settled = { ...one, images: one.images.map(picture => ({ ...picture, state: 'ready' as const, sha256: 'a'.repeat(64) })) }
  const recaptioned = toArticle(parse({ ...minimal, images: [{ ...image, caption: 'Hai' }] }), site)
  const hash = (article: typeof one) => canonicalSha256(contentOf(article))
  assert.equal(hash(one), hash(two))
  assert.equal(hash(one), hash(settled))
  assert.notEqual(hash(one), hash(recaptioned))
})

test("addresses in a body are whole: relative ones are of the article's own address, or left out", () => {
  const html =
    '<p>src="/x" <img src="/a.jpg?b&amp;c" alt="src=&quot;/x&quot;"><a href="../d">x</a><a href="#e">y</a><q cite="//f.example/">z</q></p>'
  const bodyOf = (more: object) => toArticle(articleInput.parse({ title: 'T', body: { html }, ...more }), { language: 'vi' }).body.html
  assert.equal(
    bodyOf({ canonicalUrl: 'https://x.example/2026/bai' }),
    '<p>src="/x" <img src="https://x.example/a.jpg?b&amp;c" alt="src=&quot;/x&quot;" /><a href="https://x.example/d" rel="noopener nofollow">x</a><a href="#e" rel="noopener nofollow">y</a><q>z</q></p>',
  )
  assert.equal(bodyOf({}), '<p>src="/x" <a rel="noopener nofollow">x</a><a href="#e" rel="noopener nofollow">y</a><q>z</q></p>')

  const canonicalUrl = 'https://x.example/onerror=alert(1)//bai'
  const titled = '<p><a title="x href=" href="/d">x</a><img alt="x src=" width="1" src="/o\'b.jpg"></p>'
  assert.equal(
    bodyOf({ canonicalUrl, body: { html: titled } }),
    '<p><a title="x href=" href="https://x.example/d" rel="noopener nofollow">x</a><img alt="x src=" width="1" src="https://x.example/o\'b.jpg" /></p>',
    'what only looks like an address is left alone',
  )
})
