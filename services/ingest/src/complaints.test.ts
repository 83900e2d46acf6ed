import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import { findContradictions, findDoubts, findLostAddresses } from './complaints.ts'

const articleOf = (more: object) => toArticle(articleInput.parse({ title: 'Tin', body: { text: 'Nội dung' }, ...more }), { language: 'vi' })
const contradictions = (more: object) => findContradictions(articleOf(more), 'press').map(one => one.pointer)
const NOW = Date.parse('2026-12-01T00:00:00Z')
const categories = new Map(['thoi-su', 'van-hoa'].map(id => [id, {}]))
const doubts = (more: object) => findDoubts(articleOf(more), categories, NOW)

test('an article in which nothing is written and nothing shown is no article', () => {
  for (const body of [{ text: '' }, { text: ' \n\n ' }, { html: '<p> </p><p>&nbsp;<br></p>' }, { html: '<div><script>x</script></div>' }])
    assert.deepEqual(contradictions({ body }), ['/body'], JSON.stringify(body))
  for (const body of [{ text: '.' }, { html: '<p><b>x</b></p>' }, { html: `${'<p></p>'.repeat(5_000)}x` }])
    assert.deepEqual(contradictions({ body }), [], JSON.stringify(body).slice(0, 80))
  const images = [{ url: 'https://x.example/a.jpg' }]
  for (const more of [{ images }, { type: 'gallery' }, { type: 'video' }])
    assert.deepEqual(contradictions({ body: { text: '' }, ...more }), [], JSON.stringify(more))
})

test('an embargo that ends when the article expires, or later, is no embargo', () => {
  const expiresAt = '2026-12-01T06:00:00+07:00'
  for (const embargoUntil of ['2026-12-01T06:00:00+07:00', '2026-12-01T00:00:00Z'])
    assert.deepEqual(contradictions({ embargoUntil, expiresAt }), ['/embargoUntil'])
  assert.deepEqual(contradictions({ embargoUntil: '2026-12-01T05:59:00+07:00', expiresAt }), [])
})

test('an article is named by its id, local or whole', () => {
  const named = { related: ['a.b', 'press.a', 'a b'], translationOf: 'https://x.example/a', duplicateOf: '../a' }
  assert.deepEqual(contradictions(named), ['/translationOf', '/duplicateOf', '/related/2'])
})

test('a category that nobody can ask for is named, with the one that was probably meant', () => {
  assert.deepEqual(doubts({ categories: ['van-hoa', 'thoisu', 'zzzzzzzzzz'] }), [
    {
      pointer: '/categories/1',
      detail: 'category "thoisu" is not in the configuration, so no feed or outlet can ask for it; did you mean "thoi-su"?',
    },
    { pointer: '/categories/2', detail: 'category "zzzzzzzzzz" is not in the configuration, so no feed or outlet can ask for it' },
  ])
})

test('a correction that says nothing is doubted', () => {
  assert.deepEqual(
    doubts({ change: 'correction' }).map(one => one.pointer),
    ['/correction'],
  )
  assert.deepEqual(
    doubts({ change: 'correction', correction: { note: '' } }).map(one => one.pointer),
    ['/correction'],
  )
  assert.deepEqual(doubts({ change: 'correction', correction: { note: 'Sai tên.' } }), [])
})

test('a date far ahead, and an expiry that has passed, are doubted; the date that an embargo ends with is not', () => {
  const pointers = (more: object) => doubts(more).map(one => one.pointer)
  assert.deepEqual(pointers({ publishedAt: '9999-12-31T00:00:00Z' }), ['/publishedAt'])
  assert.deepEqual(pointers({ publishedAt: '2026-12-02T00:00:00Z', expiresAt: '2026-12-01T00:00:01Z' }), [])
  assert.deepEqual(pointers({ publishedAt: '2026-12-20T06:00:00Z', embargoUntil: '2026-12-20T06:00:00Z' }), [])
  assert.deepEqual(pointers({ expiresAt: '2020-01-01T00:00:00Z' }), ['/expiresAt'])
})

test('pictures in a body that are none of its images stay where they are, and somebody is told', () => {
  const html = ['a', 'b', 'c', 'd', 'e']
    .map(name => `<p><img src="https://x.example/${name}.jpg?x&amp;y" alt="&quot; src=&quot;z"></p>`)
    .join('')
  const [doubt, ...more] = doubts({ body: { html }, images: [{ url: 'https://x.example/a.jpg?x&y' }] })
  assert.equal(doubt?.pointer, '/body')
  assert.match(doubt?.detail ?? '', /not kept.*: https:\/\/x\.example\/b\.jpg\?x&y, .*c\.jpg.*d\.jpg\S* and 1 more$/)
  assert.deepEqual(more, [])
  assert.deepEqual(doubts({ body: { text: '<img src="https://x.example/a.jpg">' } }), [])
})

test('pictures of a body that no reader could open are left out, and said: an upload is placed by images alone', () => {
  const lost = (html: string) =>
    findLostAddresses(articleInput.parse({ title: 'T', canonicalUrl: 'https://x.example/', body: { html } })).map(one => one.detail)
  const upload = `newswire:${'a'.repeat(64)}`
  const [detail, ...more] = lost(`<p><img alt="x" src="${upload}"><img\nSRC = 'DATA:image/png;base64,AAAA'></p><img src=file:///a.jpg>`)
  assert.match(detail ?? '', new RegExp(`no reader .*images.*: ${upload}, DATA:image/png;base64,AAAA, file:///a.jpg$`))
  assert.deepEqual(more, [])
  const shown =
    '<img src="https://x.example/a.jpg"><img src="//x.example/b.jpg"><img src="/c.jpg"><a href="newswire:x">y</a><p>src="data:x"</p>'
  assert.deepEqual(lost(shown), [])
  const began = performance.now()
  lost(`${'<img src='.repeat(30_000)}<img src="${' '.repeat(300_000)}`)
  assert.ok(performance.now() - began < 1_000, 'read through once, whatever it is')
})

test('relative addresses in a body that has no address of its own are left out, and said', () => {
  const lost = (more: object) => findLostAddresses(articleInput.parse({ title: 'T', ...more })).map(one => one.detail)
  const body = { html: '<p><img src="/a.jpg"><a href="b/c?d&amp;e">x</a><a href="#f">y</a></p>' }
  assert.match(lost({ body })[0] ?? '', /: \/a\.jpg, b\/c\?d&e$/)
  assert.deepEqual(lost({ body, canonicalUrl: 'https://x.example/' }), [])
  assert.deepEqual(lost({ body: { html: '<p><img src="https://x.example/a.jpg"><a href=\'mailto:a@x.example\'>x</a></p>' } }), [])
})
