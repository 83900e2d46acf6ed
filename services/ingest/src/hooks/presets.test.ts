/** What each CMS sends, in the shapes of its documentation, and what becomes of it. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type HookPreset, hookMapping, hookPresets } from '@newswire/events/hook-config'
import { toLocalId } from './identity.ts'
import { fieldsFor, presetOf } from './presets.ts'
import type { Headers } from './read-notice.ts'
import { isLikeMarkdown } from './rich-text.ts'
import { isKey, type Signed, signatures } from './signatures.ts'
import { toInstant } from './times.ts'
import { type ToInput, toInput } from './to-input.ts'

const NOW = Date.parse('2026-03-01T08:00:00.000Z')

const take = (name: HookPreset, body: unknown, { headers = {}, mapping = {} }: { headers?: Headers; mapping?: object } = {}) => {
  const preset = presetOf(name)
  const given = hookMapping.parse(mapping)
  const fields = fieldsFor(preset, given)
  const notice = preset.read(body, headers, given, fields)
  return { notice, made: notice.act === 'publish' ? toInput(notice.document, preset, fields, given) : null }
}
const read = (...given: Parameters<typeof take>) => {
  const { notice, made } = take(...given)
  return made === null ? notice : { act: 'publish', input: made.input }
}
type Published = { act: string; input: Record<string, unknown> }
const madeOf = (...given: Parameters<typeof take>): ToInput => take(...given).made ?? assert.fail('it publishes nothing')
const actOf = (name: HookPreset, body: unknown, more: Parameters<typeof read>[2] = {}) => {
  const { act } = read(name, body, more)
  return act
}

const ghostPost = {
  id: '67447438e61fb200012f48e0',
  uuid: '001cdb2b-98bf-4b05-b46c-15b3b93cade0',
  title: 'Bến đò & <chợ>',
  slug: 'ben-do',
  html: '<p>Một.</p>',
  plaintext: 'Một.',
  feature_image: 'https://blog.example/content/images/a.jpg',
  feature_image_alt: 'Đò',
  feature_image_caption: '<span>Ảnh: <b>An</b></span>',
  status: 'published',
  visibility: 'public',
  created_at: '2026-02-28T12:57:28.000Z',
  updated_at: '2026-02-28T12:57:31.000Z',
  published_at: '2026-02-28T12:57:31.000Z',
  custom_excerpt: 'Ngắn',
  excerpt: 'Một.',
  canonical_url: null,
  url: 'https://blog.example/ben-do/',
  authors: [{ name: 'An' }, { name: 'Bình' }],
  tags: [
    { name: 'Thời sự', slug: 'thoi-su' },
    { name: 'Sông nước', slug: 'song-nuoc' },
    { name: '#noi-bo', slug: 'hash-noi-bo' },
  ],
}

test('Ghost: a post becomes an article, by its own id and its own times, filed as the configuration says', () => {
  const sent = { post: { current: ghostPost, previous: { status: 'draft' } } }
  assert.deepEqual(read('ghost', sent, { mapping: { categories: { 'thoi-su': 'tin' }, everyCategory: ['blog'] } }), {
    act: 'publish',
    input: {
      title: 'Bến đò & <chợ>',
      body: { html: '<p>Một.</p>' },
      categories: ['blog', 'tin'],
      tags: ['Sông nước'],
      summary: 'Ngắn',
      byline: 'An, Bình',
      sourceVersion: Date.parse('2026-02-28T12:57:31.000Z'),
      slug: 'ben-do',
      canonicalUrl: 'https://blog.example/ben-do/',
      publishedAt: '2026-02-28T12:57:31.000Z',
      updatedAt: '2026-02-28T12:57:31.000Z',
      images: [{ url: 'https://blog.example/content/images/a.jpg', role: 'lead', caption: 'Ảnh: An', alt: 'Đò' }],
    },
  })
})

test('Ghost: what happened is told from what the post is and was', () => {
  const post = (current: object, previous: object = {}) => actOf('ghost', { post: { current, previous } })
  assert.equal(post(ghostPost, { title: 'x' }), 'publish')
  assert.equal(actOf('ghost', { page: { current: ghostPost, previous: {} } }), 'publish')
  assert.equal(post({ ...ghostPost, status: 'draft' }, { status: 'published' }), 'unpublish')
  assert.equal(post({ ...ghostPost, visibility: 'paid' }, { visibility: 'public' }), 'unpublish')
  assert.equal(post({}, { id: 'a', status: 'published' }), 'delete')
  for (const [current, previous] of [
    [{ ...ghostPost, status: 'draft' }, {}],
    [{ ...ghostPost, status: 'scheduled' }, { status: 'draft' }],
    [{ ...ghostPost, status: 'sent' }, {}],
    [{ ...ghostPost, visibility: 'members' }, { status: 'draft' }],
    [{}, { id: 'a', status: 'draft' }],
    [{}, {}],
  ] as const)
    assert.equal(post(current, previous), 'ignore')
  for (const body of [null, [], 'x', 1, { post: null }, { post: { current: [] } }, { member: { current: { id: 'm' } } }])
    assert.equal(actOf('ghost', body), 'ignore')
})

test('Ghost: what is for members only inside of a public post stays with Ghost', () => {
  const gated = (whom: string, text: string) => `<!--kg-gated-block:begin ${whom} --><p>${text}</p><!--kg-gated-block:end-->`
  const html = `<p>Một.</p>${gated('nonMember:false memberSegment:"status:free,status:-free"', 'Riêng')}${gated('nonMember:true memberSegment:""', 'Chung')}`
  const bodyOf = (post: object) =>
    (read('ghost', { post: { current: { ...ghostPost, ...post }, previous: {} } }) as Published).input['body']
  assert.deepEqual(bodyOf({ html }), { html: `<p>Một.</p>${gated('nonMember:true memberSegment:""', 'Chung')}` })
  const alone = gated('nonMember:false memberSegment:"status:-free"', 'Riêng')
  for (const only of [alone, alone.replace('<!--kg-gated-block:end-->', '')])
    assert.deepEqual(bodyOf({ html: only, plaintext: 'Riêng' }), { text: '' })
  const open = gated('nonMember:true memberSegment:""', 'Chung')
  const within = alone.replace('</p>', `</p>${open}<p>Cũng</p>`)
  assert.deepEqual(bodyOf({ html: `<p>1</p>${within}` }), { html: '<p>1</p><p>Cũng</p><!--kg-gated-block:end-->' }, 'as Ghost reads it')
})

test('a body of beginnings alone is read in one pass', () => {
  const began = performance.now()
  const post = { ...ghostPost, html: '<!--kg-gated-block:begin x'.repeat(40_000), plaintext: '' }
  assert.equal(actOf('ghost', { post: { current: post, previous: {} } }), 'publish')
  assert.equal(isLikeMarkdown('!['.repeat(500_000)), false)
  const brackets = { event: 'published', article: { id: '1', title: 'T', text: '!['.repeat(500_000) } }
  assert.match(madeOf('generic', brackets, { mapping: { bodyFormat: 'markdown' } }).errors[0]?.detail ?? '', /too many marks/)
  assert.ok(performance.now() - began < 2_000, 'the square of it takes minutes')
})

test('WordPress: a post as the REST API gives it', () => {
  const post = {
    id: 4711,
    date_gmt: '2026-01-02T03:04:05',
    modified_gmt: '2026-01-03T03:04:05',
    slug: 'bai-viet',
    status: 'publish',
    type: 'post',
    link: 'https://wp.example/bai-viet/',
    title: { rendered: 'L&#8217;été &amp; la mer' },
    content: { rendered: '<p>Thân bài</p>', protected: false },
    excerpt: { rendered: '<p>Mở đầu [&hellip;]</p>', protected: false },
    _embedded: {
      author: [{ name: 'Nguyễn A' }],
      'wp:featuredmedia': [{ source_url: 'https://wp.example/a.jpg', alt_text: 'A', caption: { rendered: '<p>Chú thích</p>' } }],
      'wp:term': [[{ name: 'Tin tức', slug: 'tin-tuc' }], [{ name: 'biển', slug: 'bien' }]],
    },
  }
  assert.deepEqual(read('wordpress', post, { mapping: { categories: { 'tin-tuc': 'tin' }, language: 'vi' } }), {
    act: 'publish',
    input: {
      title: 'L’été & la mer',
      body: { html: '<p>Thân bài</p>' },
      categories: ['tin'],
      tags: ['biển'],
      summary: 'Mở đầu […]',
      byline: 'Nguyễn A',
      sourceVersion: Date.parse('2026-01-03T03:04:05Z'),
      language: 'vi',
      slug: 'bai-viet',
      canonicalUrl: 'https://wp.example/bai-viet/',
      publishedAt: '2026-01-02T03:04:05.000Z',
      updatedAt: '2026-01-03T03:04:05.000Z',
      images: [{ url: 'https://wp.example/a.jpg', role: 'lead', caption: 'Chú thích', alt: 'A' }],
    },
  })
  for (const status of ['draft', 'trash', 'private', 'pending', 'future', 'of-a-plugin'])
    assert.equal(actOf('wordpress', { ...post, status }), 'unpublish')
  assert.equal(actOf('wordpress', { ...post, status: undefined }), 'ignore')
  assert.equal(
    actOf('wordpress', { ...post, content: { rendered: '', protected: true } }),
    'unpublish',
    'a password is for some, and feeds for all',
  )
  assert.equal(actOf('wordpress', { ...post, password: 'x' }), 'unpublish')
  assert.equal(actOf('wordpress', { deleted: true, previous: post }), 'delete')
  assert.equal(actOf('wordpress', { deleted: true, previous: { ...post, status: 'draft' } }), 'ignore')
})

test('Strapi, Sanity, Contentful: what is published goes out, drafts do not', () => {
  const entry = {
    id: 3,
    documentId: 'abc',
    title: 'T',
    content: 'Một.\n\nHai.',
    publishedAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-02T00:00:00.000Z',
  }
  const strapi = (event: string, changes: object = {}) => read('strapi', { event, model: 'article', entry: { ...entry, ...changes } })
  assert.deepEqual((strapi('entry.publish') as { input: unknown }).input, {
    title: 'T',
    body: { text: 'Một.\n\nHai.' },
    categories: [],
    tags: [],
    sourceVersion: Date.parse(entry.updatedAt),
    publishedAt: entry.publishedAt,
    updatedAt: entry.updatedAt,
  })
  assert.deepEqual(
    [
      strapi('entry.update', { publishedAt: null }),
      strapi('entry.update'),
      strapi('entry.unpublish'),
      strapi('entry.delete'),
      strapi('media.create'),
    ].map(one => one.act),
    ['ignore', 'publish', 'unpublish', 'delete', 'ignore'],
  )

  const document = {
    _id: 'post-1',
    _type: 'post',
    title: 'S',
    slug: { current: 's-1' },
    html: '<p>S</p>',
    _updatedAt: '2026-01-02T00:00:00Z',
  }
  const sanity = (operation: string, body: object, headers: Headers = {}) =>
    read('sanity', body, { headers: { 'sanity-operation': operation, ...headers } })
  assert.equal((sanity('create', document) as Published).input['slug'], 's-1')
  assert.deepEqual(sanity('delete', {}, { 'sanity-document-id': 'post-1' }), { act: 'delete', id: 'post-1', document: null })
  assert.equal(sanity('update', { ...document, _id: 'drafts.post-1' }).act, 'ignore')
  const bySlug = { fields: { id: '/slug/current' } }
  for (const [body, headers] of [
    [{ ...document, _id: 'drafts.post-1' }, {}],
    [{ title: 'S', slug: document.slug }, { 'sanity-document-id': 'versions.r1.post-1' }],
  ] as const)
    assert.equal(actOf('sanity', body, { headers: { 'sanity-operation': 'update', ...headers }, mapping: bySlug }), 'ignore')
  assert.equal(sanity('update', { ...document, status: 'private' }).act, 'unpublish')

  const contentful = {
    sys: { id: 'e1', type: 'Entry', publishedAt: '2026-01-02T00:00:00Z' },
    fields: { title: { 'en-US': 'C' }, body: { 'en-US': 'Text' }, tags: { 'en-US': ['a', 'b'] } },
  }
  const topic = (happened: string) => ({ headers: { 'x-contentful-topic': `ContentManagement.Entry.${happened}` } })
  const { input } = read('contentful', contentful, topic('publish')) as { input: Record<string, unknown> }
  assert.deepEqual([input['title'], input['body'], input['tags']], ['C', { text: 'Text' }, ['a', 'b']])
  assert.deepEqual(
    ['unpublish', 'archive', 'delete', 'auto_save', 'create'].map(one => actOf('contentful', contentful, topic(one))),
    ['unpublish', 'unpublish', 'delete', 'ignore', 'ignore'],
  )
})

test('Superdesk: ninjs, whose kill is a version that cannot be used', () => {
  const item = {
    guid: 'urn:newsml:localhost:2026-01-02T03:04:05.123456:abc',
    version: '4',
    type: 'text',
    pubstatus: 'usable',
    headline: 'A &amp; B',
    body_html: '<p>Text</p>',
    byline: 'By C',
    source: 'AAP',
    language: 'en',
    firstpublished: '2026-01-02T03:04:05+0000',
    versioncreated: '2026-01-02T04:04:05+0000',
    subject: [{ name: 'sport', code: '15000000' }],
    associations: { featuremedia: { renditions: { original: { href: 'https://s.example/a.jpg' } }, description_text: 'D', byline: 'P' } },
  }
  const { input } = read('superdesk', item, { mapping: { categories: { '15000000': 'the-thao' } } }) as { input: Record<string, unknown> }
  assert.deepEqual(
    [input['title'], input['categories'], input['tags'], input['sourceVersion'], input['publishedAt'], input['images']],
    [
      'A & B',
      ['the-thao'],
      [],
      4,
      '2026-01-02T03:04:05.000Z',
      [{ url: 'https://s.example/a.jpg', role: 'lead', caption: 'D', credit: 'P' }],
    ],
  )
  assert.deepEqual(
    [{ pubstatus: 'canceled' }, { pubstatus: 'withheld' }, { pubstatus: 'held' }, { pubstatus: undefined }, { type: 'picture' }].map(
      changes => actOf('superdesk', { ...item, ...changes }),
    ),
    ['delete', 'unpublish', 'unpublish', 'publish', 'ignore'],
  )
})

test('those that say what happened in a word: another Newswire, CloudEvents, and whatever the configuration describes', () => {
  const article = { id: 'baoqk.a-1', version: 3, title: 'T', body: { html: '<p>T</p>' }, language: 'vi', tags: ['x'] }
  const told = (type: string, data: object = {}) => read('standard-webhooks', { type, timestamp: '', data: { article, ...data } })
  assert.equal((told('article.corrected') as Published).input['sourceVersion'], 3)
  assert.equal(told('article.retracted', { retraction: { mode: 'withdraw' } }).act, 'unpublish')
  assert.equal(told('article.retracted', { retraction: { mode: 'gone' } }).act, 'delete')
  assert.equal(told('test').act, 'ignore')
  const uploaded = {
    url: 'newswire:ab',
    renditions: [320, 960].map(width => ({ preset: `w${width}`, width, url: `https://o.example/renditions/ab/w${width}.jpg` })),
  }
  const { input: shown } = read('standard-webhooks', {
    type: 'article.published',
    data: { article: { ...article, images: [uploaded] } },
  }) as Published
  assert.deepEqual(shown['images'], [{ url: 'https://o.example/renditions/ab/w960.jpg' }])
  const { input: excerpt } = read('standard-webhooks', {
    type: 'article.published',
    data: { article: { ...article, body: undefined, digest: true } },
  }) as Published
  assert.equal(excerpt['body'], undefined, 'an excerpt is no article with an empty body')

  assert.equal(actOf('cloudevents', { specversion: '1.0', type: 'com.example.article.published', data: article }), 'publish')
  assert.equal(actOf('cloudevents', article, { headers: { 'ce-type': 'com.example.article.deleted' } }), 'delete')
  const packed = (text: string) => ({ specversion: '1.0', type: 'article.deleted', data_base64: Buffer.from(text).toString('base64') })
  assert.equal(actOf('cloudevents', packed(JSON.stringify(article))), 'delete', 'of a sender that has bytes (JSON format §3.1.1)')
  assert.equal(actOf('cloudevents', packed('%PDF')), 'refuse', 'a retraction is not passed over')
  const another = { ...packed('%PDF'), type: 'com.example.image.resized' }
  assert.equal(actOf('cloudevents', another), 'ignore', 'what is no event for us is no fault of its sender')
  assert.equal(actOf('cloudevents', another, { mapping: { event: '/data/what' } }), 'refuse', 'these bytes may say that it is one')

  const mapping = {
    document: '/payload',
    event: '/kind',
    events: { publish: ['LIVE'], unpublish: ['OFF'] },
    fields: { id: '/nr', title: '/head', text: '/words/*/t', image: '/media/0/src' },
  }
  const body = { kind: 'LIVE', payload: { nr: 7, head: 'H', words: [{ t: 'W' }], media: [{ src: 'https://x.example/i.png' }] } }
  assert.deepEqual((read('generic', body, { mapping }) as { input: unknown }).input, {
    title: 'H',
    body: { text: 'W' },
    categories: [],
    tags: [],
    images: [{ url: 'https://x.example/i.png', role: 'lead' }],
  })
  assert.equal(actOf('generic', { ...body, kind: 'OFF' }, { mapping }), 'unpublish')
  assert.equal(actOf('generic', { ...body, kind: 'published' }, { mapping }), 'ignore', 'named events replace our words for them')
  assert.equal(actOf('generic', { event: 'delete', article: { id: 'a' } }), 'delete')
})

test('a document that says of itself that it is not for everybody does not go out, whatever happened', () => {
  const act = (changes: object, event = 'update') => actOf('generic', { event, article: { id: 'a', title: 'T', text: 'T', ...changes } })
  for (const changes of [{ status: 'Draft' }, { status: 'in_review' }, { state: 'scheduled' }, { draft: true }, { published: false }])
    assert.equal(act(changes, 'publish'), 'ignore', JSON.stringify(changes))
  for (const changes of [{ status: 'private' }, { visibility: 'members' }, { status: 'archived' }, { public: false }])
    assert.equal(act(changes), 'unpublish', JSON.stringify(changes))
  for (const changes of [{ status: 'published' }, { visibility: 'public' }, { published: true }, { status: 'live' }])
    assert.equal(act(changes), 'publish', JSON.stringify(changes))
  for (const changes of [
    { status: 'pendingReview' },
    { status: 'ready for review' },
    { status: 'Draft (2)' },
    { draft: 1 },
    { Is_Draft: 'TRUE' },
    { published: '0' },
  ])
    assert.equal(act(changes, 'publish'), 'ignore', JSON.stringify(changes))
  for (const changes of [
    { visibility: 'members-only' },
    { access: 'paid_members' },
    { access: 'subscriber' },
    { private: 1 },
    { public: 'false' },
    { premium: true },
    { membersOnly: true },
    { isDeleted: true },
  ])
    assert.equal(act(changes), 'unpublish', JSON.stringify(changes))
  for (const changes of [
    { draft: 0, published: 1, private: 'false', public: '1', premium: false, deleted: null, membersOnly: '' },
    { status: 'review passed', state: 'WA', access: 'all', visibility: ['public'] },
    { published: '2026-01-01T00:00:00Z', archived: [], author: { public: false, draft: true } },
    { published: null, protected: 'no', premium: {}, status: 'active' },
  ])
    assert.equal(act(changes), 'publish', JSON.stringify(changes))
  assert.equal(
    actOf('strapi', { event: 'entry.publish', entry: { id: 1, publishedAt: '2026-01-01T00:00:00Z', visibility: 'members' } }),
    'unpublish',
  )
  assert.equal(actOf('cloudevents', { type: 'x.article.updated', data: { id: 'a', status: 'draft' } }), 'ignore')
})

/** What becomes of an article with these fields, and of what is sent around it. */
const standing = (changes: object, { mapping = {}, around = {} }: { mapping?: object; around?: object } = {}) =>
  take('generic', { event: 'update', article: { id: 'a', title: 'T', text: 'T', ...changes }, ...around }, { mapping }).notice

test('a status is understood in Vietnamese as in English, as a word, a number, a truth value or an object, wherever a CMS keeps it', () => {
  const said: readonly (readonly [string, readonly object[]])[] = [
    [
      'ignore',
      [
        ...['nháp', 'Bản nháp', 'NHÁP', 'ban-nhap', 'chờ duyệt', 'Chờ xuất bản', 'chưa xuất bản', 'đang biên tập', 'hẹn giờ', 'trả lại'],
        ...['in progress', 'autoDraft', 'on hold', 'not published', 'submitted', 'Nháp (2)'],
      ].map(status => ({ status })),
    ],
    [
      'unpublish',
      [
        ...[
          'lưu trữ',
          'đã xoá',
          'Đã xóa',
          'ẩn',
          'gỡ bài',
          'thu hồi',
          'riêng tư',
          'nội bộ',
          'ngừng xuất bản',
          'huỷ xuất bản',
          'không công khai',
        ],
        ...['not public', 'disabled', 'taken down', 0, false],
      ].map(status => ({ status })),
    ],
    [
      'publish',
      [
        ...[
          'đã xuất bản',
          'Xuất bản',
          'XUẤT BẢN',
          'công khai',
          'Đã đăng',
          'da-xuat-ban',
          'PUBLISHED',
          'publish',
          'stat:usable',
          'Published (2)',
        ],
        ...[1, true, '1', null, '', [], {}, '—'],
      ].map(status => ({ status })),
    ],
    [
      'ignore',
      [
        { workflow_state: 'draft' },
        { moderation_state: [{ value: 'draft' }], status: [{ value: true }] },
        { status: { name: 'Draft', id: 3 } },
        { status: { id: 1, slug: 'published', label: 'Nháp' } },
        { workflow: { status: { name: 'Chờ duyệt' } } },
        { trạng_thái: 'nháp' },
        { trangThai: 'nhap' },
        { fields: { status: 'draft' } },
        { attributes: { moderation_state: 'draft' } },
        { system: { workflow_step: 'draft' } },
        { custom_fields: [{ key: 'status', value: 'draft' }] },
        { status: { vi: 'Nháp', en: 'Published' } },
        { state: 'nháp' },
        { approvalStatus: 'pending' },
        { stage: 'DRAFT' },
        { _isDraft: 'true' },
        { title: undefined, post: { post_status: 'draft' } },
        { revision: { published: false } },
        { xuất_bản: 0 },
        { la_ban_nhap: true },
        { meta: { draft: true } },
        { attributes: { published: false } },
        { published: 'no' },
        { approved: false },
        { pending: true },
        { moderation: { state: 'draft' } },
        { editorial: { status: 'Nháp' } },
        { isDraft: 'Yes' },
        { nháp: 'có' },
        { published: { vi: false, 'en-GB': true } },
      ],
    ],
    [
      'unpublish',
      [
        { active: 'off' },
        { isInternal: true },
        { status: 'un-published' },
        { status: 'Unpublish' },
        { status: 'depublished' },
        { unlisted: true },
        { restricted: 1 },
        { expired: true },
        { unpublished: true },
        { withdrawn: true },
        { công_khai: 'Không' },
        { hidden: { mobile: true, desktop: true } },
        { status: [{ value: false }] },
        { attributes: { status: false } },
        { deleted_at: '2026-01-01 00:00:00' },
        { hidden: true },
        { visibility: { name: 'Members' } },
        { enabled: false },
        { _state: -1 },
        { hien_thi: 0 },
        { ẩn: 1 },
        { daXoa: true },
        { state: 0 },
        { audience: 'internal' },
        { isAccessibleForFree: 'False' },
        { paywall: { enabled: true, level: 'metered' } },
      ],
    ],
    [
      'publish',
      [
        { status: [{ value: true }], moderation_state: [{ value: 'published' }] },
        { status: { id: 2, name: 'Published' } },
        { state: 'WA' },
        { state: { name: 'California' } },
        { reviewStatus: 'approved' },
        { audience: 'editorial' },
        { _state: 1 },
        { paywall: { enabled: false } },
        { comment_status: 'closed', ping_status: 'closed', paymentStatus: 'due' },
        { deleted_at: null, archivedAt: '' },
        { author: { status: 'suspended' }, categories: [{ name: 'x', status: 'draft' }], images: [{ url: '', status: 'pending' }] },
        { schedule_settings: { enabled: false } },
        { status: 'updated' },
        { published: { web: true, print: false } },
        { visible: { mobile: false, desktop: true } },
        { enabled: { comments: false, ads: true } },
        { hasDraft: true, live: false },
        { deleted_at: '1970-01-01T00:00:00.000Z' },
        { post: { platform: 'x', status: 'scheduled' }, story: { title: 'x', status: 'developing' }, document: { status: 'processed' } },
        {
          visibility: { site: true, newsletter: false },
          published: { at: '2026-01-01', featured: false },
          draft: { title: 'x', version: 1 },
        },
        { status: { code: 200, message: 'OK' }, access: { read: ['public'] } },
      ],
    ],
  ]
  for (const [act, all] of said) for (const changes of all) assert.equal(standing(changes).act, act, JSON.stringify(changes))
  for (const [act, around] of [
    ['ignore', { status: 'nháp' }],
    ['unpublish', { visibility: 'private' }],
    ['publish', { status: 'success', state: 'delivered' }],
  ] as const)
    assert.equal(standing({}, { around }).act, act, JSON.stringify(around))
})

test('a word that nobody knows, in a field that is a status, releases nothing: it is named, with how to say what it means', () => {
  for (const [pointer, changes] of [
    ['/status', { status: 'đang xét' }],
    ['/status', { status: 'ready to publish' }],
    ['/status', { status: 3 }],
    ['/status', { status: 'N' }],
    ['/status', { status: { id: 3, name: 'Duyệt lần 2' } }],
    ['/workflow_state', { workflow_state: 'Legal' }],
    ['/visibility', { visibility: 'gold' }],
    ['/state', { state: 2 }],
    ['/access', { access: 2 }],
    ['/fields/status', { fields: { status: '草稿' } }],
  ] as const) {
    const notice = standing(changes)
    assert.ok(notice.act === 'refuse', JSON.stringify(changes))
    assert.equal(notice.errors[0]?.pointer, pointer)
    assert.match(notice.errors[0]?.detail ?? '', /is no status that is known.*mapping\.statuses.*mapping\.fields\.status/)
  }
  const mapping = { statuses: { publish: ['Duyệt lần 2', '2'], draft: ['đang xét', 'live'], unpublish: ['Hết hạn đăng'] } }
  for (const [status, act] of [
    ['duyệt lần 2', 'publish'],
    [2, 'publish'],
    ['Đang Xét', 'ignore'],
    ['live', 'ignore'],
    ['hết hạn đăng', 'unpublish'],
    ['published', 'publish'],
  ] as const)
    assert.equal(standing({ status }, { mapping }).act, act, String(status))
  const elsewhere = { status: 'breaking', draft: true, flow: { now: 'nháp' } }
  assert.equal(standing(elsewhere, { mapping: { fields: { status: 'none' } } }).act, 'publish')
  assert.equal(standing(elsewhere, { mapping: { fields: { status: '/flow/now' } } }).act, 'ignore')
  assert.equal(standing({ status: 'nháp' }, { mapping: { fields: { status: '/flow/now' } } }).act, 'ignore', 'it is not there')
  const doubt = standing({ state: 'gaseous' })
  assert.match((doubt.act === 'publish' && doubt.warnings[0]?.detail) || '', /taken for no status.*mapping\.statuses/)
})

test('a status of very many words, as deep as a body may be, costs nobody else theirs', () => {
  let status: unknown = Array.from({ length: 60_000 }, () => 'no word of ours')
  for (let depth = 0; depth < 90; depth += 1) status = { name: status }
  const began = performance.now()
  assert.equal(standing({ status }).act, 'refuse')
  assert.ok(performance.now() - began < 700, 'each is read once, and not once for every level')
})

test('what happened is the last word of an event, however its words are put together; one that is not done yet is none', () => {
  const act = (event: string) => actOf('generic', { event, article: { id: 'a', title: 'T', text: 'T' } })
  for (const event of [
    'post_updated',
    'ENTRY-PUBLISHED',
    'collection_item_published',
    'ArticleCreated',
    'vn:bai-viet/update',
    'com.draft-kings.article.published',
  ])
    assert.equal(act(event), 'publish', event)
  for (const event of ['entry_unpublished', 'article.un-published', 'unPublish', 'item_archived', 'depublish'])
    assert.equal(act(event), 'unpublish', event)
  for (const event of ['POST_DELETED', 'postRemoved', 'content.item.remove']) assert.equal(act(event), 'delete', event)
  for (const event of [
    'draft.updated',
    'draft_created',
    'article.draft.created',
    'entry.schedule.publish',
    'pre_publish',
    'publish.requested',
    'post.scheduled',
    'save',
    '',
  ])
    assert.equal(act(event), 'ignore', event)
  const mapping = { events: { publish: ['draft.updated'] } }
  assert.equal(actOf('generic', { event: 'draft.updated', article: { id: 'a', title: 'T', text: 'T' } }, { mapping }), 'publish')
})

test('Contentful: a status in the fields counts as it does elsewhere, whatever language it is said in', () => {
  const entry = (fields: object) =>
    actOf(
      'contentful',
      { sys: { id: 'e' }, fields: { title: { vi: 'T' }, body: { vi: 'T' }, ...fields } },
      { headers: { 'x-contentful-topic': 'ContentManagement.Entry.publish' } },
    )
  for (const status of [{ vi: 'Nháp' }, { 'en-US': 'Published', vi: 'chờ duyệt' }]) assert.equal(entry({ status }), 'ignore')
  assert.equal(entry({ isDraft: { vi: true } }), 'ignore')
  assert.equal(entry({ visibility: { vi: 'Nội bộ' } }), 'unpublish')
  assert.equal(entry({ status: { vi: 'Nóng' } }), 'refuse')
  assert.equal(entry({ status: { vi: 'đã xuất bản' }, premium: { vi: false } }), 'publish')
})

const span = (text: string, ...marks: string[]) => ({ _type: 'span', text, marks })
const words = (value: string, ...marks: string[]) => ({ nodeType: 'text', value, marks: marks.map(type => ({ type })), data: {} })
const node = (nodeType: string, content: object[], data: object = {}) => ({ nodeType, data, content })

test('the trees that editors of Contentful, Sanity and Strapi keep become HTML; what has no address or words in them is named', () => {
  const contentful = (body: unknown) =>
    madeOf(
      'contentful',
      { sys: { id: 'e' }, fields: { title: { vi: 'T' }, body: { vi: body } } },
      { headers: { 'x-contentful-topic': 'ContentManagement.Entry.publish' } },
    )
  const document = node('document', [
    node('heading-2', [words('Tiêu <đề>')]),
    node('paragraph', [
      words('đậm', 'bold'),
      node('hyperlink', [words('x')], { uri: 'https://x.example/?a&b' }),
      node('entry-hyperlink', [words('bài')]),
    ]),
    node('embedded-asset-block', [], { target: { sys: { id: 'asset', type: 'Link' } } }),
  ])
  const made = contentful(document)
  assert.deepEqual(made.input['body'], {
    html: '<h2>Tiêu &lt;đề&gt;</h2><p><b>đậm</b><a href="https://x.example/?a&b">x</a>bài</p>',
  })
  assert.deepEqual(
    made.warnings.map(one => one.pointer),
    ['/body'],
  )
  assert.match(made.warnings[0]?.detail ?? '', /no address and no words.*: entry-hyperlink, embedded-asset-block$/)

  const sanity = madeOf('sanity', {
    _id: 's',
    title: 'T',
    body: [
      { _type: 'block', style: 'h2', markDefs: [], children: [span('Tiêu <đề>')] },
      {
        _type: 'block',
        markDefs: [{ _key: 'l', _type: 'link', href: 'https://x.example/' }],
        children: [span('đậm', 'strong'), span('x', 'l'), span('y', 'unknown')],
      },
      { _type: 'block', listItem: 'bullet', level: 1, children: [span('một')] },
      { _type: 'image', asset: { url: 'https://cdn.example/a.jpg' }, alt: 'A', caption: 'C' },
      { _type: 'image', asset: { _ref: 'image-abc-1x1-jpg' } },
      { _type: 'youtube', url: 'x' },
    ],
  })
  assert.deepEqual(sanity.input['body'], {
    html: '<h2>Tiêu &lt;đề&gt;</h2><p><strong>đậm</strong><a href="https://x.example/">x</a>y</p><ul><li>một</li></ul><figure><img src="https://cdn.example/a.jpg" alt="A"><figcaption>C</figcaption></figure>',
  })
  assert.match(sanity.warnings[0]?.detail ?? '', /: image, youtube$/)

  const strapi = madeOf(
    'strapi',
    {
      event: 'entry.publish',
      entry: {
        documentId: 'd',
        title: 'T',
        content: [
          { type: 'heading', level: 2, children: [{ type: 'text', text: 'Tiêu <đề>' }] },
          {
            type: 'paragraph',
            children: [
              { type: 'text', text: 'đậm\nhai', bold: true, italic: true },
              { type: 'link', url: 'https://x.example/"', children: [{ type: 'text', text: 'x' }] },
            ],
          },
          { type: 'list', format: 'ordered', children: [{ type: 'list-item', children: [{ type: 'text', text: 'một' }] }] },
          { type: 'image', image: { url: '/uploads/a.png', alternativeText: 'A' }, children: [{ type: 'text', text: '' }] },
          { type: 'code', children: [{ type: 'text', text: 'a < b' }] },
        ],
        cover: { url: '/uploads/c.png', alternativeText: 'Bìa', caption: 'Chú thích' },
      },
    },
    { mapping: { baseUrl: 'https://cms.example/' } },
  )
  assert.deepEqual(strapi.input['body'], {
    html: '<h2>Tiêu &lt;đề&gt;</h2>\n<p><em><strong>đậm<br />hai</strong></em><a href="https://x.example/&quot;" rel="noopener nofollow">x</a></p>\n<ol><li>một</li></ol>\n<figure><img src="https://cms.example/uploads/a.png" alt="A" /></figure>\n<pre><code>a &lt; b</code></pre>',
  })
  assert.deepEqual(strapi.input['images'], [{ url: 'https://cms.example/uploads/c.png', role: 'lead', caption: 'Chú thích', alt: 'Bìa' }])
  assert.deepEqual([strapi.warnings, strapi.errors], [[], []])
})

test('of what is not known in a tree the words are kept, and it is named', () => {
  const of = (preset: HookPreset, body: unknown) => {
    const headers = { 'x-contentful-topic': 'ContentManagement.Entry.publish' }
    const sent = {
      contentful: { sys: { id: 'e' }, fields: { title: { vi: 'T' }, body: { vi: body } } },
      sanity: { _id: 's', title: 'T', body },
      strapi: { event: 'entry.publish', entry: { documentId: 'd', title: 'T', content: body } },
    }[preset as 'contentful' | 'sanity' | 'strapi']
    const { input, warnings } = madeOf(preset, sent, { headers })
    return [(input['body'] as { html: string }).html, ...warnings.map(one => one.detail)]
  }
  const plain = 'not known, so only the words of it are kept: '
  const left = 'left out of it, because what is sent has no address and no words for it: '
  const target = { fields: { file: { vi: { url: '//images.example/a.jpg' } }, title: { vi: 'Ảnh' } } }
  const unknown = [
    node('callout', [node('paragraph', [words('Một')])]),
    node('lead', [words('Hai & ba')]),
    node('paragraph', [words('Bốn '), node('footnote', [words('năm')])]),
    { nodeType: 'formula', data: {}, content: [], value: 'a<b' },
    { nodeType: 'widget', data: {} },
    { nodeType: 'embedded-entry-block', data: {} },
    node('embedded-asset-block', [], { target }),
  ]
  assert.deepEqual(of('contentful', node('document', unknown)), [
    '<p>Một</p><p>Hai &amp; ba</p><p>Bốn năm</p>a&lt;b<figure><img src="https://images.example/a.jpg" alt=""><figcaption>Ảnh</figcaption></figure>',
    `${left}widget, embedded-entry-block`,
    `${plain}callout, lead, footnote, formula`,
  ])
  const portable = [
    { _type: 'block', children: [span('Một '), { _type: 'stock', name: 'VN-INDEX' }] },
    { _type: 'callout', content: [{ _type: 'block', children: [span('Hai')] }] },
    { _type: 'pullQuote', quote: 'Ba & bốn', author: 'An', align: 'left' },
    {
      _type: 'faq',
      items: [{ _key: 'k', question: 'Năm?', answer: { body: [{ _type: 'block', children: [span('Sáu')] }] } }],
      motto: 'bảy tám chín',
    },
    { _type: 'code', code: 'a < b', language: 'js' },
    { _type: 'table', rows: [{ cells: ['x', 'y'] }] },
    { _type: 'reference', _ref: 'abc' },
  ]
  assert.deepEqual(of('sanity', portable), [
    '<p>Một VN-INDEX</p><p>Hai</p><p>Ba &amp; bốn</p><p>An</p><p>Năm?</p><p>Sáu</p><p>bảy tám chín</p><pre><code>a &lt; b</code></pre><table><tbody><tr><td>x</td><td>y</td></tr></tbody></table>',
    `${left}reference`,
    `${plain}stock, callout, pullQuote, faq`,
  ])
  const blocks = [
    { type: 'callout', children: [{ type: 'text', text: 'Một' }] },
    { type: 'embed', children: [] },
  ]
  assert.deepEqual(of('strapi', blocks), ['Một\n', `${left}embed`, `${plain}callout`])
})

test('a tree that is not taken is named, with what to send in its place; a strange one makes nothing throw', () => {
  const found = (body: unknown) => {
    const { errors } = madeOf('generic', { event: 'publish', article: { id: 'a', title: 'T', body } })
    return errors[0]?.detail
  }
  assert.match(found({ type: 'doc', content: [] }) ?? '', /at \/body, found a ProseMirror document.*send HTML.*mapping\.fields\.html/)
  assert.match(found({ root: { children: [] } }) ?? '', /Lexical/)
  assert.match(found([{ insert: 'x' }]) ?? '', /a list of blocks/)
  assert.match(found({ schema: 'dast', document: {} }) ?? '', /DatoCMS/)
  for (const content of [[null], 'x', [{ nodeType: 'paragraph' }], [{ nodeType: 'hyperlink', content: [] }], [{ nodeType: 'text' }]])
    assert.match(found({ nodeType: 'document', content }) ?? '', /Contentful rich text that is not/)
  for (const children of [[null], [{ _type: 'span', text: 'q', marks: ['constructor', '__proto__'] }], 'x', undefined])
    assert.doesNotThrow(() => found([{ _type: 'block', style: 'constructor', children }]))
  for (const children of [[null], [{ type: 'text' }], [{ type: 'list', children: 'x' }]])
    assert.doesNotThrow(() => found([{ type: 'paragraph', children }]))
  assert.equal(found({}), undefined)
})

test('a body in parts is all of them, and a text that is longer than the one that was taken is told', () => {
  const made = (article: object, mapping: object = {}) =>
    madeOf('generic', { event: 'publish', article: { id: 'a', title: 'T', ...article } }, { mapping })
  assert.deepEqual(made({ body: ['Một', 'Hai'] }).input['body'], { text: 'Một\n\nHai' })
  const words = { fields: { text: '/words/*/t' } }
  assert.deepEqual(made({ words: [{ t: 'Một' }, { t: '' }, { t: 'Hai' }] }, words).input['body'], { text: 'Một\n\nHai' })
  assert.deepEqual(made({ words: { vi: { t: 'Một' }, en: { t: 'One' } } }, words).input['body'], { text: 'Một' }, 'one language')
  for (const article of [{ content: { rendered: '<p>Một</p>' } }, { body: { value: '<p>x</p>', processed: '<p>Một</p>' } }])
    assert.deepEqual(made(article).input['body'], { html: '<p>Một</p>' })
  const teaser = made({ text: 'Một', content: 'Hai ba bốn' })
  assert.match(teaser.warnings[0]?.detail ?? '', /^the text at \/content is longer.*mapping\.fields\.text/)
  assert.match(made({ text: 'Một', content: 'Một hai' }).warnings[0]?.detail ?? '', /^the text at \/content is longer/)
  assert.deepEqual(made({ text: 'Một', content: 'Hai ba bốn' }, { fields: { text: '/text' } }).warnings, [])
  assert.equal(made({ text: 'T', audience: 'editorial' }).input['audience'], 'editorial')
  assert.equal(made({ text: 'T', audience: 'teens' }).input['audience'], undefined)
})

test('Markdown is HTML where the mapping says so, and doubted where it does not', () => {
  const content = '## Tiêu đề\n\n**đậm** và [x](https://x.example/)\n\n| a | b |\n|---|---|\n| 1 | 2 |'
  const strapi = (mapping: object, text = content) =>
    madeOf('strapi', { event: 'entry.publish', entry: { id: 1, title: 'T', content: text } }, { mapping })
  const { html } = strapi({ bodyFormat: 'markdown' }).input['body'] as { html: string }
  assert.match(html, /^<h2>Tiêu đề<\/h2>\n<p><strong>đậm<\/strong> và <a href="https:\/\/x\.example\/">x<\/a><\/p>\n<table>/)
  assert.deepEqual(strapi({ bodyFormat: 'markdown' }).warnings, [])
  const plain = strapi({})
  assert.deepEqual(plain.input['body'], { text: content })
  assert.match(plain.warnings[0]?.detail ?? '', /looks like Markdown.*mapping\.bodyFormat/)
  assert.deepEqual(strapi({ bodyFormat: 'text' }).warnings, [])
  assert.match(strapi({}, '<p>x</p>').warnings[0]?.detail ?? '', /looks like HTML.*mapping\.fields\.html/)
  assert.deepEqual(strapi({}, 'Một # hai * ba ** bốn [5] (6)\n\n- bảy < 8').warnings, [])
})

test('what is said of a picture is said of no other', () => {
  const imagesOf = (article: object) =>
    madeOf('generic', { event: 'publish', article: { id: 'a', title: 'T', text: 'T', ...article } }).input['images']
  const [a, b] = ['https://x.example/a.jpg', 'https://x.example/b.jpg']
  assert.deepEqual(imagesOf({ images: [{ url: a }, { url: b, caption: 'B', alt: 'B' }] }), [{ url: a, role: 'lead' }])
  assert.deepEqual(imagesOf({ images: [{}, { url: b, caption: 'B', alt: 'B' }] }), [{ url: b, role: 'lead', caption: 'B', alt: 'B' }])
  const several = { id: 'a', title: 'T', text: 'T', images: [{ url: a }, { url: b }, { url: b }] }
  assert.match(
    madeOf('generic', { event: 'publish', article: several }).warnings[0]?.detail ?? '',
    /the others of its list \(1\) are left out/,
  )
  const entry = { id: 1, title: 'T', image: { url: a }, cover: { url: b, caption: 'B', alternativeText: 'B' } }
  assert.deepEqual(madeOf('strapi', { event: 'entry.publish', entry }).input['images'], [{ url: a, role: 'lead' }])
})

test('a lead picture without a whole address is resolved against the hook’s base, or left out with a warning', () => {
  const ghost = (image: string, mapping: object = {}) => {
    const { input, warnings } = madeOf('ghost', { post: { current: { ...ghostPost, feature_image: image }, previous: {} } }, { mapping })
    return [(input['images'] as { url: string }[] | undefined)?.[0]?.url, warnings.map(one => one.pointer)]
  }
  assert.deepEqual(ghost('/content/a.jpg', { baseUrl: 'https://blog.example/x/' }), ['https://blog.example/content/a.jpg', []])
  assert.deepEqual(ghost('/content/a.jpg'), [undefined, ['/images']])
  assert.deepEqual(ghost('//cdn.example/a.jpg'), ['https://cdn.example/a.jpg', []])
  assert.deepEqual(ghost(''), [undefined, []])
  assert.deepEqual(ghost('javascript:x', { baseUrl: 'https://blog.example/' }), [undefined, ['/images']])
})

test('a picture of the body that no reader could open is left out with a warning, also where relative addresses are completed first', () => {
  const html = '<p>Một.</p><img src="data:image/png;base64,AAAA"><img src="/a.jpg">'
  const post = { post: { current: { ...ghostPost, html }, previous: {} } }
  const { input, warnings } = madeOf('ghost', post, { mapping: { baseUrl: 'https://blog.example/' } })
  assert.deepEqual(input['body'], { html: '<p>Một.</p><img src="https://blog.example/a.jpg" />' })
  assert.match(warnings.map(one => one.detail).join(), /^pictures are left out of the text.*: data:image\/png;base64,AAAA$/)
})

test('no body makes a preset throw, and no prototype is reached by a pointer', () => {
  const odd: unknown[] = [null, 1, 'x', [], {}, [[[]]], { post: [] }, { entry: 'x' }, { sys: 1 }, { data: null, type: 'a.published' }]
  for (const name of hookPresets) for (const body of odd) assert.doesNotThrow(() => read(name, body), name)
  const { input } = read(
    'generic',
    { event: 'publish', article: {} },
    { mapping: { fields: { title: '/constructor/name', text: '/__proto__/x' } } },
  ) as {
    input: Record<string, unknown>
  }
  assert.deepEqual([input['title'], input['body']], ['', { text: '' }])
})

test('ids and times are ours: what cannot be one is made one that is the same every time, and times without a zone are UTC', () => {
  assert.equal(toInstant('Fri, 27 Nov 2026 10:00:00 +0700'), '2026-11-27T03:00:00.000Z')
  for (const text of ['2026-11-27', '2026-11-27 00:00', '27 Nov 2026 00:00 GMT']) assert.equal(toInstant(text), '2026-11-27T00:00:00.000Z')
  // What these would be depends on the zone of the machine, or on nothing.
  for (const text of ['27 Nov 2026 10:00', '11/27/2026', '5', 'Nov 2026', '2026-11-27T10']) assert.equal(toInstant(text), null, text)
  assert.equal(toLocalId('67447438e61fb200012f48e0', {}), '67447438e61fb200012f48e0')
  assert.equal(toLocalId('7', { idPrefix: 'wp-' }), 'wp-7')
  const urn = toLocalId('urn:newsml:x/..%2f', {}) ?? ''
  assert.match(urn, /^urn-newsml-x-2f-[0-9a-f]{12}$/)
  assert.equal(toLocalId('urn:newsml:x/..%2f', {}), urn)
  assert.notEqual(toLocalId('urn:newsml:x/..%3f', {}), urn)
  assert.equal(toLocalId('', {}), null)
  assert.equal(toInstant('2026-01-02T03:04:05'), '2026-01-02T03:04:05.000Z')
  assert.equal(toInstant('2026-01-02T03:04:05+07:00'), '2026-01-01T20:04:05.000Z')
  for (const text of ['1798761600', '1798761600000']) assert.equal(toInstant(text), '2027-01-01T00:00:00.000Z')
  for (const text of ['', 'x', '1969-01-01T00:00:00Z', '9999-01-01T00:00:00Z', '179876160', '99999999999999'])
    assert.equal(toInstant(text), null)
})

const body = Buffer.from('{"a":1}')
const request = (headers: Headers): Signed => ({ method: 'POST', url: '/v1/hooks/p/h', headers, body })
const hmac = (algorithm: string, secret: string | Buffer, ...parts: (string | Buffer)[]) =>
  parts.reduce((mac, part) => mac.update(part), createHmac(algorithm, secret))

test('each signature is made as its CMS makes it; a changed body, another secret and an old time are refused', () => {
  const ms = String(NOW)
  const seconds = String(NOW / 1000)
  const canonical = ['POST', '/v1/hooks/p/h', `x-contentful-timestamp:${ms};x-contentful-topic:ContentManagement.Entry.delete`, ''].join(
    '\n',
  )
  const signed: [keyof typeof signatures, Headers, boolean][] = [
    ['ghost', { 'x-ghost-signature': `sha256=${hmac('sha256', 's', body, ms).digest('hex')}, t=${ms}` }, true],
    ['sanity', { 'sanity-webhook-signature': `t=${ms},v1=${hmac('sha256', 's', `${ms}.`, body).digest('base64url')}` }, true],
    [
      'standardWebhooks',
      {
        'webhook-id': 'msg_1',
        'webhook-timestamp': seconds,
        'webhook-signature': `v1,AAAA v1,${hmac('sha256', 's', `msg_1.${seconds}.`, body).digest('base64')}`,
      },
      true,
    ],
    [
      'contentful',
      {
        'x-contentful-signature': hmac('sha256', 's', canonical, body).digest('hex'),
        'x-contentful-signed-headers': 'x-contentful-timestamp,x-contentful-topic',
        'x-contentful-topic': 'ContentManagement.Entry.delete',
        'x-contentful-timestamp': ms,
      },
      true,
    ],
    ['superdesk', { 'x-superdesk-signature': `sha1=${hmac('sha1', 's', body).digest('hex')}` }, false],
    ['plain', { 'x-hub-signature-256': `sha256=${hmac('sha256', 's', body).digest('hex')}` }, false],
    ['plain', { authorization: 'Bearer s' }, false],
    ['bearer', { authorization: 'Bearer s' }, false],
  ]
  for (const [name, headers, hasTime] of signed) {
    const verify = (changes: Partial<Signed>, secret = 's', now = NOW) => signatures[name]({ ...request(headers), ...changes }, secret, now)
    const first = verify({})
    assert.ok(first.ok, name)
    assert.equal(first.isOnce, hasTime, name)
    assert.deepEqual(verify({}, 's', NOW + 200_000), first, 'the same delivery again is known as that')
    assert.equal(verify({}, 'other').ok, false, name)
    assert.equal(verify({ headers: {} }).ok, false, name)
    if (headers['authorization'] === undefined) assert.equal(verify({ body: Buffer.from('{"a":2}') }).ok, false, name)
    assert.equal(verify({}, 's', NOW + 301_000).ok, !hasTime, name)
    assert.equal(verify({}, 's', NOW - 301_000).ok, !hasTime, name)
  }
})

test('Contentful: what happened must be signed, as it is said in a header', () => {
  const [ms, names] = [String(NOW), 'x-contentful-timestamp']
  const canonical = `POST\n/v1/hooks/p/h\nx-contentful-timestamp:${ms}\n`
  const headers = {
    'x-contentful-signature': hmac('sha256', 's', canonical, body).digest('hex'),
    'x-contentful-signed-headers': names,
    'x-contentful-timestamp': ms,
    'x-contentful-topic': 'ContentManagement.Entry.delete',
  }
  assert.equal(signatures.contentful(request(headers), 's', NOW).ok, false)
})

test('a secret that anybody could guess or that decodes to nothing is no key', () => {
  for (const secret of ['', '1234567', 'whsec_', 'whsec_!!', `whsec_${Buffer.alloc(15, 'a').toString('base64')}`]) assert.ok(!isKey(secret))
  for (const secret of ['12345678', `whsec_${Buffer.alloc(16, 'a').toString('base64')}`]) assert.ok(isKey(secret))
})

test('a signature of another shape is refused, and no refusal says the secret or what would have been right', () => {
  for (const name of Object.keys(signatures) as (keyof typeof signatures)[])
    for (const value of ['', 'sha256=', 'sha256=zz, t=1', 't=1,v1=', 'v1,', 'x'.repeat(5_000), 'sha1=', 'Bearer', 'sha256=00, t=1, t=2']) {
      const headers = Object.fromEntries(
        [
          'x-ghost-signature',
          'sanity-webhook-signature',
          'webhook-signature',
          'x-contentful-signature',
          'x-superdesk-signature',
          'x-hub-signature-256',
          'authorization',
        ].map(header => [header, value]),
      )
      const answer = signatures[name](request(headers), 'top-secret', NOW)
      assert.ok(!answer.ok && !answer.detail.includes('top-secret') && !/[0-9a-f]{40}/.test(answer.detail), name)
    }
})
