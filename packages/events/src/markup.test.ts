import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFragment } from 'parse5'
import { cleanHtml, completeAddresses, findMarkupOffence, htmlToText, textToHtml } from './markup.ts'

const hostile = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" java\nscript:alert(1)">x</a>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<iframe src="https://evil.example"></iframe>',
  '<p style="position:fixed" class="x" id="y" data-z="1">x</p>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<a href="//evil.example/x">x</a>',
  '<form action="https://evil.example"><input name="q"></form>',
  '<p>unclosed <b>and <i>crossed</b></i>',
  '<plaintext>all the rest',
  '<xmp><img src=x onerror=alert(1)></xmp>',
]
for (const html of hostile)
  test(`nothing outside the allow-list is left of ${JSON.stringify(html.slice(0, 60))}`, () => {
    assert.equal(findMarkupOffence(cleanHtml(html)), null)
  })

test('whatever is cleaned holds no offence, also when it is cleaned again', () => {
  const piece = fc.oneof(
    fc.constantFrom(...hostile, '<p>', '</p>', '<b>', '<table><tr><td>', '&amp;', '&#60;', '<', '>', '"', "'", '<!--', '-->', ']]>'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const clean = cleanHtml(pieces.join(''))
      assert.equal(findMarkupOffence(clean), null)
      assert.equal(findMarkupOffence(cleanHtml(clean)), null)
    }),
    { numRuns: 500 },
  )
})

test('a body that is taken for clean without parsing it is clean, and flat, when it is parsed', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '<p>',
      '</p>',
      '<br>',
      '<br />',
      '<h2>',
      '</h2>',
      '<h6>',
      '</h3>',
      '&lt;script&gt;',
      '&#60;',
      'x',
      '-->',
      '/>',
      '\0',
      '\n',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }).map(text => text.replaceAll('<', '')),
  )
  const depthOf = (node: { childNodes?: readonly object[]; tagName?: string }): number => {
    if (node.tagName !== undefined) assert.match(node.tagName, /^(p|br|h[2-6])$/)
    return 1 + Math.max(0, ...(node.childNodes ?? []).map(depthOf))
  }
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
      const html = pieces.join('')
      assert.equal(findMarkupOffence(html), null)
      assert.ok(depthOf(parseFragment(html)) <= 5, html)
    }),
    { numRuns: 2000 },
  )
})

test('what the second parser would refuse is named', () => {
  assert.equal(findMarkupOffence('<p>ok</p><script>x</script>'), '<script>')
  assert.equal(findMarkupOffence('<p onclick="x">ok</p>'), 'onclick on <p>')
  assert.match(findMarkupOffence('<a href="javascript:x">ok</a>') ?? '', /address of href/)
})

test('text becomes paragraphs at blank lines, and comes back letter for letter', () => {
  const text = 'Một & hai <ba>\ncùng đoạn\n\n\nĐoạn “mới”'
  assert.equal(textToHtml(text), '<p>Một &amp; hai &lt;ba&gt;<br />cùng đoạn</p>\n<p>Đoạn “mới”</p>')
  assert.equal(htmlToText(textToHtml('Một & hai <ba>\n\nĐoạn “mới”')), 'Một & hai <ba> Đoạn “mới”')
  assert.equal(
    textToHtml('Một\n\u00a0\nHai\r\n \t\r\n\u3000\r\nBa'),
    '<p>Một</p>\n<p>Hai</p>\n<p>Ba</p>',
    'blank is what a reader sees as blank',
  )
})

test('the HTML made of a text is clean as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => assert.equal(findMarkupOffence(textToHtml(text)), null)),
    { numRuns: 300 },
  )
})

test('a picture whose address is not let in is left out, and what stands beside it is not', () => {
  for (const address of ['data:image/png;base64,AAAA', 'javascript:alert(1)', `newswire:${'a'.repeat(64)}`, 'file:///a.jpg', ''])
    assert.equal(cleanHtml(`<p>a<img src="${address}" alt="x">b</p>`), '<p>ab</p>', address)
  assert.equal(cleanHtml('<p>a<img alt="x">b</p>'), '<p>ab</p>')
  const lost = '<figure class="x"><a href="https://x.example/full.jpg"><img src="data:image/gif;base64,R0"></a></figure>'
  assert.equal(cleanHtml(`<p>a</p>\n<figure>${lost}</figure>\n<p>b</p>`), '<p>a</p>\n<p>b</p>', 'nor is its empty frame shown')
  assert.equal(completeAddresses('<figure><img src="/a.jpg" /></figure><p>b</p>', undefined).html, '<p>b</p>')
  for (const kept of [
    '<figure><a href="#"><img src="https://x.example/a.jpg" /></a></figure>',
    '<figure><figcaption>a</figcaption></figure>',
  ])
    assert.match(cleanHtml(kept), /<figure>/)
  assert.equal(cleanHtml('<img src="//cdn.example/a.jpg?x&amp;y">'), '<img src="https://cdn.example/a.jpg?x&amp;y" />')
  assert.equal(cleanHtml('<p><img src="https://x.example/a.jpg" /><img src="/b.jpg" /></p>').match(/<img/g)?.length, 2)
})
