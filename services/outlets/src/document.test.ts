import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { documentFormats } from '@newswire/events/deliver'
import type { Fact } from '@newswire/events/fact'
import { toDocument } from './document.ts'
import { contextOf, killFact, liveFact, outletOf } from './samples.ts'

const SHA = 'a'.repeat(64)
const KEY = `renditions/${SHA}/w1280-r1.jpg`
const context = contextOf({ id: 'news.example,2026', publicUrl: 'https://news.example' })
const picture = (rights?: { outlets: string[] }) => ({
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: '',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: SHA,
  renditions: [{ preset: 'w1280', key: KEY, type: 'image/jpeg', width: 1280, height: 720, bytes: 5 }],
  ...(rights ? { rights } : {}),
})
const tokens = [{ id: 't', sha256: 'b'.repeat(64) }]
const live = (article: Parameters<typeof liveFact>[0]['article'] = {}) => liveFact({ articleId: 'press.a', version: 2, article })
type Options = Omit<Parameters<typeof toDocument>[2], 'format' | 'payload'> &
  Partial<Pick<Parameters<typeof toDocument>[2], 'format' | 'payload'>>
const make = (fact: Fact, options: Options = {}, outlet: Partial<Parameters<typeof outletOf>[0]> = {}) =>
  toDocument({ fact, due: fact.state === 'live' ? 'content' : 'retraction', outlet: outletOf({ id: 'partner', ...outlet }) }, context, {
    format: 'newswire',
    payload: 'full',
    ...options,
  })
const textOf = (...args: Parameters<typeof make>) => Buffer.from(make(...args).bytes).toString()
const articleOf = (...args: Parameters<typeof make>) => JSON.parse(textOf(...args)).data.article

const PARTNER_LINK = 'https://news.example/partners/partner/articles/press.a/article.json'
const PUBLIC_LINK = 'https://news.example/articles/press.a/article.json'

describe('how much an outlet is given', () => {
  test('thin is id, version and a link that its own token opens', () => {
    assert.deepEqual(articleOf(live(), { payload: 'thin' }, { tokens }), {
      id: 'press.a',
      version: 2,
      supersedes: 1,
      thin: true,
      url: PARTNER_LINK,
    })
    assert.equal(JSON.parse(textOf(live(), { payload: 'thin' }, { tokens })).type, 'article.updated')
    assert.equal(articleOf(live(), { payload: 'thin' }).url, PUBLIC_LINK)
  })

  test('digest is everything but the body, with a link', () => {
    const { body, digest, url, title, summary } = articleOf(live(), { payload: 'digest' }, { tokens })
    assert.deepEqual([body, digest, url], [undefined, true, PARTNER_LINK])
    assert.deepEqual([title, summary], ['The bridge is open again', 'Traffic flows since noon.'])
  })

  test('an editorial article goes whole to an outlet that could open no link, and thin to one that can', () => {
    const editorial = live({ audience: 'editorial' })
    for (const payload of ['thin', 'digest'] as const) {
      assert.ok(articleOf(editorial, { payload }).body)
      assert.equal(articleOf(editorial, { payload }, { tokens }).url, PARTNER_LINK)
    }
  })

  test('what is longer than maxBytes becomes thin in every format', () => {
    const long = live({ body: { html: `<p>${'x'.repeat(5_000)}</p>` } })
    for (const format of documentFormats) {
      const { bytes } = make(long, { format, maxBytes: 4_000 })
      assert.ok(bytes.byteLength < 2_000, `${format}: ${bytes.byteLength}`)
      assert.ok(Buffer.from(bytes).includes(PUBLIC_LINK), format)
      assert.ok(make(long, { format, maxBytes: 20_000 }).bytes.byteLength > 5_000, format)
      assert.ok(make(long, { format }).bytes.byteLength > 5_000, format)
    }
  })
})

describe('pictures', () => {
  test('that are not for everybody are named where the outlet’s own token opens them', () => {
    const restricted = live({ images: [picture({ outlets: ['partner'] })] })
    const partnerUrl = `https://news.example/partners/partner/renditions/press.a/${SHA}/w1280-r1.jpg`
    const publicUrl = `https://news.example/${KEY}`
    const urlIn = (...args: Parameters<typeof make>) => articleOf(...args).images[0].renditions[0].url
    assert.equal(urlIn(restricted, {}, { tokens }), partnerUrl)
    assert.equal(urlIn(restricted), publicUrl, 'an outlet without a token keeps the address that only it is told')
    assert.equal(urlIn(live({ images: [picture()] }), {}, { tokens }), publicUrl)
    assert.equal(urlIn(live({ audience: 'editorial', images: [picture()] }), {}, { tokens }), partnerUrl)
    for (const format of ['ninjs', 'newsml-g2'] as const) assert.ok(textOf(restricted, { format }, { tokens }).includes(partnerUrl), format)
  })

  test('that the outlet has no right to are in no format', () => {
    const foreign = live({ images: [picture({ outlets: ['other'] })] })
    for (const format of documentFormats) assert.ok(!textOf(foreign, { format }, { tokens }).includes(SHA), format)
  })
})

test('a retraction says in every format that the article was taken back, and nothing of its content', () => {
  for (const format of documentFormats) {
    const text = textOf(killFact({ articleId: 'press.a', version: 3 }), { format, payload: 'full' })
    assert.match(text, /article\.retracted|canceled/)
    assert.ok(text.includes('a name was wrong'))
    assert.ok(!text.includes('bridge'))
  }
})

test('Vietnamese is whole in every format', () => {
  const title = 'Đường về Quảng Ngãi: “ngõ nghách, khuỷu tay, giếng khơi”'
  for (const format of documentFormats) {
    const text = textOf(live({ title }), { format })
    assert.ok(text.replaceAll('&quot;', '"').includes(title), format)
    assert.equal(text, text.normalize('NFC'))
  }
})
