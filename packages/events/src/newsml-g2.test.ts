import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { SaxesParser } from 'saxes'
import { type Article, articleInput, toArticle } from './article.ts'
import type { LiveFact } from './fact.ts'
import { toCanceledNewsml, toNewsml } from './newsml-g2.ts'
import type { NinjsContext } from './ninjs.ts'
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
const common = { articleId: 'press.a', version: 2, at }
const factOf = (input: object, raw: Partial<Article> = {}): LiveFact => {
  const article = toArticle(articleInput.parse({ title: 'Đò đầy', body: { text: 'Một đoạn.' }, ...input }), context.site)
  const renditions = [{ preset: 'w640', key: `renditions/${sha256}/w640-x.jpg`, type: 'image/jpeg', width: 640, height: 360, bytes: 9_000 }]
  const images = article.images.map(one => ({ ...one, state: 'ready' as const, sha256, renditions }))
  return sampleFact({ action: 'corrected', ...common, article: { ...article, images, ...raw } })
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
  embargoUntil: '2026-01-01T08:00:00+07:00',
  expiresAt: '2027-01-01T00:00:00Z',
  canonicalUrl: 'https://press.example/do-day?a=1&b=2',
  change: 'correction',
  correction: { note: 'Sửa tên' },
  rights: { copyright: '© Báo', usageTerms: 'Một năm' },
  images: [{ url: `newswire:${sha256}`, role: 'lead', caption: 'Bến đò', alt: 'Người lái đò', credit: 'Ảnh: Đỗ Ân' }],
})
const retracted = sampleRetraction({ ...common, retraction: { mode: 'gone', reason: 'Tên sai', legal: false } })

type Found = Readonly<{ name: string; attributes: Readonly<Record<string, string>>; text: string }>

/** Throws for what is not well-formed. Elements in the order in which they end. */
const parse = (xml: string): Found[] => {
  const found: Found[] = []
  const open: { name: string; attributes: Record<string, string>; text: string }[] = []
  const parser = new SaxesParser({ xmlns: true })
  parser.on('opentag', tag => {
    const attributes = Object.fromEntries(Object.entries(tag.attributes).map(([name, { value }]) => [name, value]))
    open.push({ name: tag.name, attributes, text: '' })
  })
  parser.on('text', piece => {
    const last = open.at(-1)
    if (last) last.text += piece
  })
  parser.on('closetag', () => found.push(open.pop() as Found))
  parser.write(xml).close()
  return found
}
const one = (found: readonly Found[], name: string): Found => {
  const all = found.filter(element => element.name === name)
  assert.equal(all.length, 1, `one ${name}`)
  return all[0] as Found
}

test('every field of an article that NewsML-G2 has a place for is there, letter for letter', () => {
  const found = parse(toNewsml(full, context))
  const item = one(found, 'newsItem').attributes
  assert.deepEqual(
    [item['guid'], item['version'], item['standard'], item['conformance'], item['xml:lang']],
    ['tag:news.example,2026:press.a', '2', 'NewsML-G2', 'power', 'vi'],
  )
  const texts = Object.fromEntries(
    [
      'headline',
      'by',
      'dateline',
      'slugline',
      'keyword',
      'edNote',
      'urgency',
      'copyrightNotice',
      'usageTerms',
      'creditline',
      'inlineData',
    ].map(name => [name, one(found, name).text]),
  )
  assert.deepEqual(texts, {
    headline: 'Đò đầy',
    by: 'Lê Đức',
    dateline: 'Cần Thơ',
    slugline: 'do-day',
    keyword: 'đò',
    edNote: 'Sửa tên',
    urgency: '2',
    copyrightNotice: '© Báo',
    usageTerms: 'Một năm',
    creditline: 'Ảnh: Đỗ Ân',
    inlineData: '<p>Một đoạn.</p>',
  })
  assert.equal(one(found, 'pubStatus').attributes['qcode'], 'stat:usable')
  assert.equal(one(found, 'signal').attributes['qcode'], 'sig:correction')
  assert.equal(one(found, 'embargoed').text, '2026-01-01T01:00:00.000Z')
  assert.equal(one(found, 'altId').text, 'https://press.example/do-day?a=1&b=2')
  assert.deepEqual(
    found.filter(element => element.name === 'subject').map(element => element.attributes['literal']),
    ['giao-duc', 'thoi-su'],
  )
  const remote = one(found, 'remoteContent').attributes
  assert.equal(remote['href'], `https://news.example/renditions/${sha256}/w640-x.jpg`)
  assert.equal(one(found, 'partMeta').attributes['contentrefs'], remote['id'])
})

test('what was taken back is canceled under the same guid, with nothing of the content', () => {
  for (const xml of [toNewsml(retracted, context), toCanceledNewsml(full, context, 'no longer available to this outlet')]) {
    const found = parse(xml)
    assert.equal(one(found, 'pubStatus').attributes['qcode'], 'stat:canceled')
    assert.equal(one(found, 'newsItem').attributes['guid'], 'tag:news.example,2026:press.a')
    assert.doesNotMatch(xml, /Đò đầy|Một đoạn|Bến đò/)
  }
})

test('a digest has no body and a thin item no content, and both say where the rest is', () => {
  const link = 'https://news.example/partners/p/articles/press.a/article.json'
  const digest = parse(toNewsml(full, { ...context, detail: 'digest', link }))
  assert.equal(one(digest, 'altRep').text, link)
  assert.equal(one(digest, 'headline').text, 'Đò đầy')
  assert.ok(!digest.some(({ name }) => name === 'inlineData'))
  const thin = toNewsml(full, { ...context, detail: 'thin', link })
  assert.equal(one(parse(thin), 'altRep').text, link)
  assert.doesNotMatch(thin, /Đò đầy|Bến đò/)
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    ']]>',
    '<!--',
    '&#0;',
    '\u0000\u0008\uFFFE\uFFFF',
    '\uD800',
    '"\'><x y="',
    '<?xml?>',
    '\u202E\u2028',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:">]>&e;',
  ),
)
/** Written past every door: what a fact may hold when somebody wrote it straight into a topic. */
const hostileFact = fc
  .record({
    title: hostile,
    summary: hostile,
    byline: hostile,
    dateline: hostile,
    source: hostile,
    slug: hostile,
    tags: fc.array(hostile, { maxLength: 3 }),
    categories: fc.array(hostile, { maxLength: 2 }),
    correction: fc.record({ note: hostile }),
    rights: fc.record({ copyright: hostile, usageTerms: hostile }),
    body: fc.record({ html: hostile }),
  })
  .map(raw => factOf({ images: full.article.images.map(({ url, caption }) => ({ url, caption })) }, raw))

test('whatever an article contains, the item is well-formed and says the same', () => {
  fc.assert(
    fc.property(hostileFact, fact => {
      const found = parse(toNewsml(fact, context))
      assert.equal(found.at(-1)?.name, 'newsItem')
      assert.ok(!found.some(({ name }) => name === 'x'))
    }),
    { numRuns: 500 },
  )
})

const SCHEMA = join(import.meta.dirname, '../../../test/iptc/NewsML-G2_2.35-spec-All-Power.xsd')

test('whatever an article contains, IPTC’s schema of NewsML-G2 2.35 accepts it', t => {
  xmlRegisterFsInputProviders()
  const schema = XmlDocument.fromBuffer(readFileSync(SCHEMA), { url: SCHEMA })
  const validator = XsdValidator.fromDoc(schema)
  t.after(() => {
    validator.dispose()
    schema.dispose()
  })
  const holds = (xml: string) => {
    const document = XmlDocument.fromString(xml)
    try {
      validator.validate(document)
    } finally {
      document.dispose()
    }
  }
  const link = 'https://news.example/a'
  holds(toNewsml(full, context))
  holds(toNewsml(factOf({}), context))
  holds(toNewsml(retracted, context))
  for (const detail of ['digest', 'thin'] as const) holds(toNewsml(full, { ...context, detail, link }))
  for (const type of ['live', 'gallery', 'video']) holds(toNewsml(factOf({ type }), context))
  fc.assert(
    fc.property(hostileFact, fact => holds(toNewsml(fact, context))),
    { numRuns: 200 },
  )
  assert.throws(() => holds(toNewsml(full, context).replace('<pubStatus', '<published')), /published/, 'the schema must be able to refuse')
})
