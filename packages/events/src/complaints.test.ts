import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { articleInput } from './article.ts'
import { toComplaints } from './complaints.ts'
import { newswireConfig } from './config.ts'
import { deliverConfig } from './deliver.ts'

const complain = (schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value)
  assert.ok(error, 'the value was meant to be wrong')
  return toComplaints(error, value).map(({ path, expected, found }) => `${path.join('.')}: ${expected}; ${found}`)
}

test('every complaint names where, what was expected and what was found', () => {
  const article = {
    title: 5,
    body: { text: '' },
    sourceVersion: 1.5,
    type: 'novel',
    tags: Array(101).fill('x'),
    publishedAt: 'yesterday',
    images: [7],
    rights: { outlets: [] },
    tittle: 'x',
  }
  assert.deepEqual(complain(articleInput, article), [
    'sourceVersion: a whole number; 1.5',
    'type: one of "article", "live", "gallery", "video"; "novel"',
    'title: a string; 5',
    'tags: at most 100 items; a list of 101',
    'publishedAt: an RFC 3339 date and time with an offset, like 2026-01-01T08:30:00+07:00; "yesterday"',
    'images.0: an object; 7',
    'rights.outlets: a known field; "outlets"',
    'tittle: a known field; "tittle"',
  ])
})

test('a value meant for one branch of a union is told what is wrong inside it', () => {
  assert.deepEqual(complain(articleInput, { title: 'x', body: { html: 3 } }), ['body.html: a string; 3'])
})

test('a value that fits no branch of a union is told all of them', () => {
  assert.deepEqual(complain(articleInput, { title: 'x', body: 'x' }), [
    'body: {"html": "…"} or {"text": "…"}, one of them and nothing else; "x"',
  ])
  assert.deepEqual(complain(articleInput, { title: 'x', body: { text: '' }, images: [{ url: 'ftp://x' }] }), [
    'images.0.url: an http or https address, or newswire:<sha256> of an upload; "ftp://x"',
  ])
  assert.deepEqual(complain(articleInput, { title: 'x', body: { text: '' }, images: [{}] }), [
    'images.0.url: an http or https address, or newswire:<sha256> of an upload; nothing',
  ])
  const outlets = [{ id: 'a', deliver: { kind: 'fax' } }]
  const kinds = deliverConfig.options.map(one => JSON.stringify(one.shape.kind.value))
  const site = { id: 'x.example,2026', title: 'x', publicUrl: 'http://x.example' }
  assert.deepEqual(complain(newswireConfig, { site, outlets }), [`outlets.0.deliver.kind: one of ${kinds.join(', ')}; "fax"`])
})

test('what was found is short, whatever it is', () => {
  const [shown = ''] = complain(z.object({ a: z.number() }), { a: 'x'.repeat(1_000_000) })
  assert.ok(shown.length < 150, shown)
  assert.match(shown, /1000002 characters/)
})

test('inherited properties are not found values', () => {
  assert.deepEqual(complain(z.object({ constructor: z.string() }), {}), ['constructor: a string; nothing'])
})
