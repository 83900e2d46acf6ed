import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { isLocalId } from '@newswire/events/ids'
import { toFileArticle, withUploads } from './article-file.ts'
import { UsageError } from './usage-error.ts'

const none = { category: [], image: [], caption: [], credit: [] }
const isUsage = (error: unknown) => error instanceof UsageError

test('a text goes in letter for letter, with its pictures, captions and credits in their places', () => {
  const text = 'Đoạn một.\n\nĐoạn “hai”…\n'
  const options = {
    ...none,
    title: 'Hội chợ',
    category: ['van-hoa'],
    image: ['a.jpg', 'https://x.example/b.jpg'],
    caption: ['Khai mạc'],
    credit: ['An'],
  }
  const { localId, article, pictures } = toFileArticle('in/Hội chợ sách.txt', text, options)
  assert.equal(localId, 'Hoi-cho-sach')
  assert.deepEqual(article.body, { text })
  assert.deepEqual(article.categories, ['van-hoa'])
  assert.deepEqual(article.images, [
    { url: 'a.jpg', role: 'lead', caption: 'Khai mạc', alt: 'Khai mạc', credit: 'An' },
    { url: 'https://x.example/b.jpg', role: 'inline' },
  ])
  assert.deepEqual(pictures, [{ index: 0, path: resolve('a.jpg') }])
})

test('whatever a file is called, its id is one that the front door takes', () => {
  for (const name of ['Đường sắt.txt', '..hidden..txt', 'a..b...txt', '--x--.txt', `${'dài '.repeat(60)}.txt`, 'ＡＢＣ 1.txt'])
    assert.ok(isLocalId(toFileArticle(name, 'x', { ...none, title: 't' }).localId), name)
  assert.throws(() => toFileArticle('日本.txt', 'x', { ...none, title: 't' }), isUsage)
  assert.equal(toFileArticle('日本.txt', 'x', { ...none, title: 't', id: 'jp' }).localId, 'jp')
})

test('JSON is passed on as it is; pictures named by a path lie beside the file, those in a data: address in it', () => {
  const json = { title: 'T', images: [{ url: 'p/a.jpg' }, { url: 'newswire:abc' }, { url: 7 }, null], extensions: { x: 1 } }
  const { article, pictures } = toFileArticle('folder/story.json', `\uFEFF${JSON.stringify(json)}`, none)
  assert.deepEqual(article, json)
  assert.deepEqual(pictures, [{ index: 0, path: resolve('folder/p/a.jpg') }])
  const inside = { title: 'T', images: [{ url: 'data:image/png;base64,iVBORw0K' }, { url: 'data:text/plain,no' }] }
  assert.deepEqual(toFileArticle('a.json', JSON.stringify(inside), none).pictures, [{ index: 0, bytes: Buffer.from('iVBORw0K', 'base64') }])
  assert.deepEqual(withUploads({ title: 'T', images: [{ url: 'a', alt: 'A' }, { url: 'b' }] }, [{ index: 1, url: 'newswire:x' }]).images, [
    { url: 'a', alt: 'A' },
    { url: 'newswire:x' },
  ])
  assert.deepEqual(withUploads({ title: 'T' }, []), { title: 'T' })
})

test('wrong use is said before anything is sent', () => {
  const wrong: (() => unknown)[] = [
    () => toFileArticle('a.txt', 'x', none),
    () => toFileArticle('a.txt', 'x', { ...none, title: 't', caption: ['c'] }),
    () => toFileArticle('a.txt', 'x', { ...none, title: 't', credit: ['c'] }),
    () => toFileArticle('a.json', '{"half', none),
    () => toFileArticle('a.json', '[]', none),
    () => toFileArticle('a.json', 'null', none),
    () => toFileArticle('a.pdf', 'x', none),
    () => toFileArticle('-', '{}', none),
  ]
  for (const use of wrong) assert.throws(use, isUsage)
  assert.throws(() => toFileArticle('a.txt', 'x', { ...none, title: 't', caption: ['c'] }), /captions: 1, pictures: 0; give --image FILE/)
})

test('a text says with options what JSON says in fields: when it goes out, what it corrects, what a picture shows', () => {
  const { article } = toFileArticle('a.txt', 'x', {
    ...none,
    title: 't',
    dateline: 'Huế',
    slug: 'tin-hue',
    embargoUntil: '2026-12-01T06:00:00+07:00',
    expiresAt: '2026-12-02T06:00:00+07:00',
    correction: 'Sai tên.',
    tag: ['Huế'],
    image: ['a.jpg'],
    caption: ['Cầu'],
    alt: ['Một cây cầu'],
  })
  assert.deepEqual(article, {
    title: 't',
    dateline: 'Huế',
    slug: 'tin-hue',
    embargoUntil: '2026-12-01T06:00:00+07:00',
    expiresAt: '2026-12-02T06:00:00+07:00',
    change: 'correction',
    correction: { note: 'Sai tên.' },
    categories: [],
    tags: ['Huế'],
    body: { text: 'x' },
    images: [{ url: 'a.jpg', role: 'lead', caption: 'Cầu', alt: 'Một cây cầu' }],
  })
})

test('options of a text are refused beside JSON, by name; standard input says that it is JSON', () => {
  const options = { ...none, title: 't', embargoUntil: 'x', category: ['c'] }
  assert.throws(() => toFileArticle('a.json', '{}', options), /a\.json is JSON, so --title, --embargo-until, --category would not be used/)
  assert.throws(
    () => toFileArticle('-', 'Một đoạn văn.', { ...none, id: 'a' }),
    /standard input is not JSON: .*only JSON is read from there/,
  )
})
