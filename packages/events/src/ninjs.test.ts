import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import fc from 'fast-check'
import { articleInput, toArticle } from './article.ts'
import type { Fact, LiveFact } from './fact.ts'
import { type NinjsContext, toCanceledNinjs, toNinjs } from './ninjs.ts'
import { sampleFact, sampleRetraction } from './sample-fact.ts'

const at = '2026-01-01T01:30:00.000Z'
const sha256 = 'a'.repeat(64)
const context: NinjsContext = {
  site: { id: 'news.example,2026', publicUrl: 'https://news.example', language: 'vi' },
  categories: new Map([
    ['thoi-su', { id: 'thoi-su', name: 'Thời sự' }],
    ['giao-duc', { id: 'giao-duc', name: 'Giáo dục', parent: 'thoi-su' }],
  ]),
  publishers: new Map([['press', { name: 'Báo Ven Sông' }]]),
}
const common = { articleId: 'press.a', version: 2, sourceVersion: 7, at }
const factOf = (input: object): LiveFact => {
  const article = toArticle(articleInput.parse({ title: 'Đò đầy', body: { text: 'Một đoạn.' }, ...input }), context.site)
  const renditions = [{ preset: 'w640', key: `renditions/${sha256}/w640-x.jpg`, type: 'image/jpeg', width: 640, height: 360, bytes: 9_000 }]
  const images = article.images.map(one => ({ ...one, state: 'ready' as const, sha256, renditions }))
  return sampleFact({ action: 'corrected', ...common, article: { ...article, images } })
}
const full = factOf({
  summary: 'Tóm tắt',
  byline: 'Lê Đức',
  dateline: 'Cần Thơ',
  source: 'TTXVN',
  slug: 'do-day',
  categories: ['giao-duc'],
  tags: ['đò'],
  urgency: 2,
  publishedAt: '2026-01-01T08:30:00+07:00',
  expiresAt: '2027-01-01T00:00:00Z',
  canonicalUrl: 'https://press.example/do-day',
  change: 'correction',
  correction: { note: 'Sửa tên' },
  rights: { copyright: '© Báo', usageTerms: 'Một năm' },
  images: [{ url: `newswire:${sha256}`, role: 'lead', caption: 'Bến đò', alt: 'Người lái đò', credit: 'Ảnh: Đỗ Ân' }],
})

test('every field of an article that ninjs has a place for is there', () => {
  assert.deepEqual(toNinjs(full, context), {
    uri: 'tag:news.example,2026:press.a',
    standard: { name: 'ninjs', version: '3.1', schema: 'http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#' },
    version: '2',
    firstCreated: at,
    versionCreated: at,
    altIds: [
      { role: 'articleId', value: 'press.a' },
      { role: 'sourceVersion', value: '7' },
      { role: 'canonicalUrl', value: 'https://press.example/do-day' },
    ],
    type: 'text',
    representationType: 'full',
    pubStatus: 'usable',
    contentCreated: '2026-01-01T01:30:00.000Z',
    expires: '2027-01-01T00:00:00.000Z',
    urgency: 2,
    language: 'vi',
    title: 'Đò đầy',
    headlines: [{ role: 'main', contentType: 'text/plain', value: 'Đò đầy' }],
    descriptions: [{ role: 'summary', contentType: 'text/plain', value: 'Tóm tắt' }],
    bodies: [{ role: 'main', contentType: 'text/html', value: '<p>Một đoạn.</p>' }],
    by: 'Lê Đức',
    located: 'Cần Thơ',
    slugline: 'do-day',
    edNote: 'Sửa tên',
    copyrightNotice: '© Báo',
    usageTerms: 'Một năm',
    infoSources: [
      { name: 'Báo Ven Sông', role: 'publisher', literal: 'press' },
      { name: 'TTXVN', role: 'source' },
    ],
    subjects: [
      { name: 'Giáo dục', rel: 'category', uri: 'tag:news.example,2026:category:giao-duc', literal: 'giao-duc' },
      { name: 'Thời sự', rel: 'category', uri: 'tag:news.example,2026:category:thoi-su', literal: 'thoi-su' },
      { name: 'đò', rel: 'keyword', literal: 'đò' },
    ],
    associations: [
      {
        name: 'picture-1',
        rel: 'lead',
        uri: `newswire:${sha256}`,
        type: 'picture',
        by: 'Ảnh: Đỗ Ân',
        descriptions: [
          { role: 'caption', contentType: 'text/plain', value: 'Bến đò' },
          { role: 'altText', contentType: 'text/plain', value: 'Người lái đò' },
        ],
        renditions: [
          {
            name: 'w640',
            href: `https://news.example/renditions/${sha256}/w640-x.jpg`,
            contentType: 'image/jpeg',
            width: 640,
            height: 360,
            sizeInBytes: 9_000,
          },
        ],
      },
    ],
  })
})

const retracted = sampleRetraction({ ...common, retraction: { mode: 'withdraw', reason: 'sai tên', legal: false } })

test('what was taken back is canceled, under the same uri, with nothing of the content and not the reason', () => {
  const shown = toNinjs(retracted, context)
  assert.equal(shown.uri, toNinjs(full, context).uri)
  assert.equal(shown.pubStatus, 'canceled')
  assert.doesNotMatch(JSON.stringify(shown), /Đò đầy|sai tên/)
})

const SCHEMAS = join(import.meta.dirname, '../../../test/iptc')

test('whatever an article contains, IPTC’s schema of ninjs 3.1 accepts it', () => {
  const read = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'))
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajvFormats.default(ajv)
  ajv.addSchema(read('GeoJSON-schema.json'))
  const validate = ajv.compile(read('ninjs-schema_3.1.json'))
  const holds = (fact: Fact) => {
    assert.ok(validate(JSON.parse(JSON.stringify(toNinjs(fact, context)))), JSON.stringify(validate.errors))
  }
  holds(full)
  holds(retracted)
  const beside = toNinjs(full, { ...context, renditionFile: () => 'pictures/a.jpg' })
  assert.ok(JSON.stringify(beside).includes('"title":"pictures/a.jpg"'))
  assert.ok(validate(JSON.parse(JSON.stringify(beside))), JSON.stringify(validate.errors))
  const link = 'https://news.example/a'
  for (const detail of ['digest', 'thin'] as const)
    assert.ok(validate(JSON.parse(JSON.stringify(toNinjs(full, { ...context, detail, link })))), JSON.stringify(validate.errors))
  assert.ok(validate(JSON.parse(JSON.stringify(toCanceledNinjs(full, context, 'no longer yours')))), JSON.stringify(validate.errors))
  const line = fc.string({ unit: 'binary', maxLength: 30 })
  const input = fc.record({
    title: line.map(one => `${one}x`),
    summary: line,
    byline: line,
    source: line,
    tags: fc.array(line, { maxLength: 3 }),
    categories: fc.subarray(['giao-duc', 'khong-co']),
    type: fc.constantFrom('article', 'live', 'gallery', 'video'),
    images: fc.array(fc.record({ url: fc.constant(`newswire:${sha256}`), caption: line, alt: line, credit: line }), { maxLength: 2 }),
  })
  fc.assert(
    fc.property(input, one => holds(factOf(one))),
    { numRuns: 200 },
  )
  assert.equal(validate({ uri: 'tag:x,2026:y', pubStatus: 'gone' }), false, 'the schema must be able to refuse')
})
