import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from './article.ts'
import { publicPictureUrl, toPublicArticle } from './public-article.ts'
import { sampleFact } from './sample-fact.ts'

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
