import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findMarkupOffence } from '@newswire/events/markup'
import { MAX_TAGS } from '@newswire/events/markup-excess'
import { placeFigures, toBlocks } from './body.ts'

const body = (html: string): string => (toBlocks(html, { tableName: 'Table' }) ?? ['null']).join('')

test('what is not on the allow-list does not get into a page, though a fact says it was cleaned', () => {
  for (const html of [
    '<script>alert(1)</script><p>a</p>',
    '<p onclick="alert(1)">a</p>',
    '<p>a</p><img src="x" onerror="alert(1)">',
    '<p>a</p><iframe src="https://x.example"></iframe>',
    '<p>a</p><a href="javascript:alert(1)">b</a>',
    '<svg><script>alert(1)</script></svg><p>a</p>',
    '<p style="position:fixed">a</p>',
    '<p>a</p><!-- <script> -->',
    '<form action="/x"><p>a</p></form>',
  ]) {
    const shown = body(html)
    assert.match(shown, /a/, html)
    assert.doesNotMatch(shown, /script|onclick|onerror|iframe|svg|style|form|<!--/, html)
    const ours = / (loading|decoding|referrerpolicy)="[^"]*"|<\/?div>/g
    assert.equal(findMarkupOffence(shown.replaceAll(ours, '')), null, html)
  }
})

test('what no parser may be given is not shown at all', () => {
  assert.equal(toBlocks('<b>'.repeat(MAX_TAGS * 2 + 1), { tableName: 'Table' }), null)
})

test('headings begin below the title and go down one at a time, and equal ones stay equal', () => {
  const levels = (html: string) => [...body(html).matchAll(/<h(\d)>/g)].map(([, level]) => Number(level))
  assert.deepEqual(levels('<h4>a</h4><h4>b</h4><h6>c</h6><h5>d</h5><h2>e</h2>'), [2, 2, 3, 3, 2])
  assert.deepEqual(levels('<h2>a</h2><h3> </h3><h3>b</h3>'), [2, 3], 'an empty one is none')
})

test('lists hold items, items stand in lists, terms are followed by what is said of them', () => {
  assert.equal(body('<ul>text<li>a</li></ul>'), '<ul><li>text</li><li>a</li></ul>')
  assert.equal(body('<li>a</li>'), '<div>a</div>')
  assert.equal(body('<dl><dt>a</dt><dd>b</dd></dl>'), '<dl><dt>a</dt><dd>b</dd></dl>')
  assert.equal(body('<dl><dd>b</dd><dt>a</dt></dl>'), '<div><div>b</div><div>a</div></div>')
})

test('a picture in a body always has an alternative text, and a link something to read', () => {
  assert.match(body('<p><img src="https://x.example/a.jpg"></p>'), /<img src="https:\/\/x\.example\/a\.jpg" alt="" loading="lazy"/)
  assert.doesNotMatch(body('<p><a href="https://x.example"><img src="https://x.example/a.jpg"></a></p>'), /<a/)
  assert.match(body('<p><a href="https://x.example"><img src="https://x.example/a.jpg" alt="A"></a></p>'), /<a/)
  assert.equal(body('<p><a>a</a></p>'), '<p>a</p>')
})

test('a picture without an address is none', () => {
  assert.equal(body('<p>a <img alt="x"> b</p>'), '<p>a  b</p>')
  assert.equal(body('<img src="">'), '')
})

test('a wide table is scrolled on its own, also with the keyboard', () => {
  assert.match(
    body('<table><tbody><tr><th></th><th scope="x">a</th></tr></tbody></table>'),
    /^<div class="scroll" role="group" aria-label="Table" tabindex="0"><table><tbody><tr><td><\/td><th>a<\/th><\/tr><\/tbody><\/table><\/div>$/,
  )
})

test('words that stand in no block stay one text, with every space as it was', () => {
  const words = 'Một <b>hai</b>, <i>ba</i> &lt;bốn&gt;<br>năm'
  assert.deepEqual(toBlocks(`${words}<p>x</p>\n\n`, { tableName: 'Table' }), [`<div>${words}</div>`, '<p>x</p>'])
})

test('pictures are spread over the text, never under a heading, and those that do not fit come after it', () => {
  const blocks = ['<p>1</p>', '<p>2</p>', '<h2>3</h2>', '<p>4</p>', '<p>5</p>', '<p>6</p>']
  assert.deepEqual(placeFigures(blocks, ['A', 'B', 'C']), {
    body: '<p>1</p>\n<p>2</p>\nA\n<h2>3</h2>\n<p>4</p>\nB\n<p>5</p>\n<p>6</p>',
    rest: ['C'],
  })
  assert.equal(placeFigures(['<p>1</p>', '<h2>2</h2>', '<p>3</p>'], ['A']).body, '<p>1</p>\n<h2>2</h2>\n<p>3</p>\nA')
  assert.deepEqual(placeFigures(['<p>1</p>'], ['A']), { body: '<p>1</p>', rest: ['A'] })
  assert.deepEqual(placeFigures([], ['A']), { body: '', rest: ['A'] })
})

test('every picture is shown once, in order, whatever the text', () => {
  for (let count = 0; count < 12; count += 1)
    for (let pictures = 0; pictures < 6; pictures += 1) {
      const blocks = Array.from({ length: count }, (_, index) => (index % 2 === 1 ? `<h2>${index}</h2>` : `<p>${index}</p>`))
      const figures = Array.from({ length: pictures }, (_, index) => `[${index}]`)
      const { body: placed, rest } = placeFigures(blocks, figures)
      assert.deepEqual([...(placed + rest.join('')).matchAll(/\[\d+\]/g)].map(String), figures, `${count} blocks, ${pictures} pictures`)
      assert.equal(placed.replaceAll(/\[\d+\]|\n/g, ''), blocks.join(''))
    }
})

test('a block that is one picture gives its place to another showing of it, and nothing else does', () => {
  const show = (html: string) =>
    toBlocks(html, {
      tableName: 'Table',
      replacePicture: (src, hasWords) => (src === 'https://x.example/a.jpg' && !hasWords ? '[A]' : null),
    })
  const image = '<img src="https://x.example/a.jpg">'
  assert.deepEqual(show(`<p>1</p><p> ${image} </p><figure>${image}</figure>`), ['<p>1</p>', '[A]', '[A]'])
  for (const html of [
    `<p>words ${image}</p>`,
    `<figure>${image}<figcaption>words</figcaption></figure>`,
    '<p><img src="https://x.example/b.jpg"></p>',
    `<p>${image}${image}</p>`,
  ])
    assert.doesNotMatch(String(show(html)), /\[A\]/, html)
})
