import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput } from './article.ts'
import { toComplaints } from './complaints.ts'
import { cleanHtml, findMarkupOffence, htmlToText, textToHtml } from './markup.ts'
import { findMarkupExcess, MAX_TAGS } from './markup-excess.ts'

/** Processor time, generous for a busy machine: they take less than 0.3 s, and without the bounds from 12 s to minutes. */
const WITHIN_MS = 5_000
const cpuMs = (): number => process.cpuUsage().user / 1000
const MAX_CHARS = 2_000_000
const fill = (piece: string): string => piece.repeat(Math.floor(MAX_CHARS / piece.length))

const complaintsOf = (body: object) => {
  const value = { title: 'x', body }
  const result = articleInput.safeParse(value)
  return result.success ? [] : toComplaints(result.error, value).map(({ path, expected }) => `${path.join('/')}: ${expected}`)
}

test('markup that is too deep or too much is refused where it is, before anything parses it', () => {
  assert.deepEqual(complaintsOf({ html: '<b>'.repeat(20_000) }), ['body/html: elements at most 100 deep'])
  assert.deepEqual(complaintsOf({ html: fill('<dl></dl>') }), [`body/html: at most ${MAX_TAGS} tags`])
  assert.deepEqual(complaintsOf({ text: fill('a\n') }), [`body/text: at most ${MAX_TAGS / 2} lines`])
})

test('what hides tags from a reader does not hide them from the count', () => {
  for (const start of ['<p title="<script>">', '<!--', '<p title="<style>">', '<![CDATA['])
    assert.equal(findMarkupExcess(start + fill('<dl>')), `at most ${MAX_TAGS} tags`)
})

test('what writers really send is not too much', () => {
  const fine = [
    '<p>một<br>hai<img src="https://a.example/x.jpg">'.repeat(2_000),
    `<ul>${'<li>một'.repeat(2_000)}</ul>`,
    `<dl>${'<dt>a<dd>b'.repeat(2_000)}</dl>`,
    `<table>${'<tr><th>a<td>b'.repeat(2_000)}</table>`,
    `<script>${'if (a<b) c<d;'.repeat(500)}</script><p>x</p>`,
    '<a name="x"/>'.repeat(500),
    '<div>'.repeat(99) + '</div>'.repeat(99),
    `<table>${'<tr><td><b>một</b></td></tr>'.repeat(6_000)}</table>`,
  ]
  for (const html of fine) {
    assert.deepEqual(complaintsOf({ html }), [], html.slice(0, 40))
    assert.equal(findMarkupOffence(cleanHtml(html)), null, html.slice(0, 40))
  }
})

test('a text that the front door takes is clean for the desk', () => {
  for (const text of ['a\n'.repeat(MAX_TAGS / 2 - 1), 'a\n\n'.repeat(MAX_TAGS / 4 - 1)]) {
    assert.deepEqual(complaintsOf({ text }), [])
    assert.equal(findMarkupOffence(textToHtml(text)), null)
  }
})

for (const piece of ['<', '<b>', '<dl>', '</p>', '<b><i></b>', '<p title="</b>"><b>', '<!--', '<script>', '<a "', '<li><ul>', '<x/>'])
  test(`a body full of ${JSON.stringify(piece)} is refused, or cleaned and read, without holding the process up`, () => {
    const beganAt = cpuMs()
    const html = fill(piece)
    if (complaintsOf({ html }).length === 0) findMarkupOffence(cleanHtml(html))
    findMarkupOffence(html)
    htmlToText(html)
    assert.ok(cpuMs() - beganAt < WITHIN_MS, `${cpuMs() - beganAt} ms`)
  })

test('as many tags as may be, with their ends hidden from the count of depth, hold nothing up and are refused as a tree', () => {
  const html = '<b title="</b>">'.repeat(MAX_TAGS / 2)
  assert.equal(findMarkupExcess(html), null)
  const beganAt = cpuMs()
  const clean = cleanHtml(html)
  assert.match(findMarkupOffence(clean) ?? '', /deep/)
  assert.ok(cpuMs() - beganAt < WITHIN_MS)
})

test('a hostile topic cannot make the desk or a feed run out of stack', () => {
  for (const html of ['<b>'.repeat(20_000), '<b title="</b>">'.repeat(20_000), '<table><td>'.repeat(20_000)]) {
    assert.notEqual(findMarkupOffence(html), null)
    assert.equal(typeof htmlToText(html), 'string')
  }
})
