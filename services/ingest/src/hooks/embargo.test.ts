import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HookPreset, hookMapping } from '@newswire/events/hook-config'
import { findRelease } from './embargo.ts'
import { fieldsFor, presetOf } from './presets.ts'

const NOW = Date.parse('2026-12-01T00:00:00Z')
const LATER = '2027-01-01T00:00:00+0000'
const AT = '2027-01-01T00:00:00.000Z'

const release = (name: HookPreset, document: object, fields: object = {}, around: readonly object[] = [], more: object = {}) => {
  const mapping = hookMapping.parse({ fields, ...more })
  const given = around.map(value => ({ pointer: '', value }))
  return findRelease(document, given, fieldsFor(presetOf(name), mapping), mapping, NOW)
}
const until = (...given: Parameters<typeof release>) => {
  const { embargoUntil, errors } = release(...given)
  assert.deepEqual(errors, [])
  return embargoUntil
}

test('an embargo, or a planned publication, is found by its name wherever a CMS or its plugins keep it', () => {
  const said: readonly (readonly [HookPreset, object])[] = [
    ['superdesk', { embargoed: LATER }],
    ['superdesk', { embargoedUntil: LATER }],
    ['superdesk', { publish_schedule: LATER }],
    ['superdesk', { publishScheduled: LATER }],
    ['superdesk', { schedule: LATER }],
    ['superdesk', { schedule_settings: { utc_embargo: LATER, time_zone: 'Asia/Ho_Chi_Minh' } }],
    ['superdesk', { extra: { embargo: LATER } }],
    ['generic', { embargoUntil: '2027-01-01T07:00:00+07:00' }],
    ['generic', { embargo: { until: LATER } }],
    ['cloudevents', { embargo_until: 'Fri, 01 Jan 2027 00:00:00 GMT' }],
    ['strapi', { publish_at: LATER }],
    ['sanity', { embargoDate: LATER, isEmbargoed: true }],
    ['wordpress', { meta: { _embargo_until: LATER } }],
    ['wordpress', { acf: { embargo: LATER } }],
    ['contentful', { fields: { embargo: { 'en-US': '2026-12-24T00:00:00Z', vi: LATER } } }],
    ['contentful', { fields: { publishAt: { 'en-US': LATER } } }],
    ['ghost', { embargo: LATER }],
    ['generic', { attributes: { field_embargo: [{ value: LATER }] } }],
    ['generic', { publishing: { options: { embargo: LATER } } }],
    ['generic', { custom_fields: [{ key: 'embargo_until', value: LATER }] }],
    ['generic', { cấm_vận: LATER }],
    ['generic', { hẹnGiờ: LATER }],
    ['generic', { hẹn_giờ: '01/01/2027 07:00+07:00' }],
    ['generic', { post: { publish_at: LATER } }],
    ['generic', { publication: { publish_at: LATER } }],
    ['generic', { scheduledTime: LATER }],
    ['generic', { isScheduled: true, go_live_date: LATER }],
    ['generic', { plannedPublishDate: LATER }],
    ['generic', { publish_start_time: LATER }],
    ['generic', { publishScheduledFor: LATER }],
  ]
  for (const [name, document] of said) assert.equal(until(name, document), AT, `${name} ${JSON.stringify(document)}`)
})

test('what looks like an embargo and cannot be read is no article to release', () => {
  for (const value of [
    'soon',
    'Chủ nhật',
    '2027-01-01T00:00:00',
    '2027-01-01',
    179876,
    true,
    'yes',
    { until: 'x' },
    '9999-12-31T00:00:00Z',
  ]) {
    const { errors } = release('generic', { embargo: value })
    assert.equal(errors.length, 1, JSON.stringify(value))
    assert.equal(errors[0]?.pointer, '/embargo')
    assert.match(errors[0]?.detail ?? '', /with its zone.*mapping\.fields\.embargoUntil/)
  }
  assert.equal(release('superdesk', { publish_schedule: 'tomorrow' }).errors.length, 1)
})

test('an embargo in seconds or milliseconds since 1970 is read, and one that was lifted is none', () => {
  for (const value of [1_798_761_600, '1798761600000'])
    assert.equal(release('generic', { embargo: value }).embargoUntil, '2027-01-01T00:00:00.000Z')
  for (const value of ['N', 'off', 'n/a', '-', 'inactive', 'lifted'])
    assert.deepEqual(release('generic', { embargo: value }), { warnings: [], errors: [] })
})

test('a date of publication that cannot be read is said: the article goes out now', () => {
  const [warning, ...more] = release('generic', { publishedAt: '01/01/2027' }).warnings
  assert.deepEqual([warning?.pointer, more.length], ['/publishedAt', 0])
  assert.equal(release('generic', { publishedAt: 1_798_761_600 }).embargoUntil, '2027-01-01T00:00:00.000Z')
})

test('no embargo, an old plan and an old time without a zone hold nothing', () => {
  for (const value of [null, false, '', '0', 'false', [], {}, 'no', '2020-01-01T00:00:00'])
    assert.equal(until('generic', { embargo: value }), undefined)
  assert.equal(until('superdesk', { publish_schedule: '2026-11-30T23:59:00+0000' }), undefined)
  assert.equal(
    until('generic', { embargoUntil: '2026-11-30T00:00:00Z' }),
    '2026-11-30T00:00:00.000Z',
    'it is for ingest to say that it has passed',
  )
})

test('the day of publication, in a field that others plan with, holds nothing once it has begun', () => {
  for (const publishDate of ['2026-12-01', '2026-11-30']) assert.equal(until('generic', { publishDate }), undefined)
  assert.equal(until('contentful', { fields: { publicationDate: { vi: '2026-12-01' } } }), undefined)
  for (const one of [
    { publishDate: '2026-12-02' },
    { publishDate: '2026-12-01T00:00' },
    { publishOn: '2026-12-01' },
    { embargoDate: '2026-12-01' },
  ])
    assert.equal(release('sanity', one).errors.length, 1, JSON.stringify(one))
  const fields = { publishedAt: '/publishDate' }
  assert.equal(until('generic', { publishDate: '2026-11-30T23:00' }, fields), undefined, 'the mapping says that it is no plan')
  assert.equal(until('generic', { publishDate: LATER }, fields), AT)
  assert.equal(release('generic', { publishDate: 'soon' }, fields).errors.length, 1, 'nobody knows what it says')
})

test('a date of publication that is ahead holds the article, and a warning says so', () => {
  for (const [name, document] of [
    ['wordpress', { date_gmt: '2027-01-01T00:00:00' }],
    ['ghost', { published_at: '2027-01-01T00:00:00.000Z' }],
    ['strapi', { publishedAt: '2027-01-01T00:00:00.000Z' }],
    ['contentful', { fields: { publishedAt: { vi: '2027-01-01T00:00:00Z' } } }],
  ] as const) {
    const { embargoUntil, warnings } = release(name, document)
    assert.equal(embargoUntil, AT, name)
    assert.deepEqual(warnings, [{ pointer: '/publishedAt', detail: `${AT} is ahead, so it is held until then as under an embargo` }])
  }
  assert.deepEqual(release('ghost', { published_at: '2026-12-01T00:00:30Z' }), { warnings: [], errors: [] }, 'by another clock it is now')
})

test('the mapping names the field that counts; where that is not there, what looks like an embargo still is one', () => {
  const fields = { embargoUntil: '/release/at' }
  assert.equal(until('generic', { release: { at: LATER }, embargoNote: 'x' }, fields), AT)
  assert.equal(until('generic', { release: { at: null }, embargoNote: 'x' }, fields), undefined)
  assert.equal(release('generic', { release: { at: 'soon' } }, fields).errors[0]?.pointer, '/release/at')
  assert.equal(release('generic', { embargo: 'x' }, fields).errors[0]?.pointer, '/embargo')
  for (const name of ['utc_embargo', 'utc_publish_schedule'])
    assert.equal(until('superdesk', { schedule_settings: { [name]: LATER, time_zone: 'Asia/Ho_Chi_Minh' } }, fields), AT, name)
  assert.equal(until('standard-webhooks', { release: { at: LATER } }, fields), AT)
})

test('an embargo or a plan beside the article, in what it is sent in, holds it as well; one of its author, its pictures or another article does not', () => {
  const article = { id: 'a' }
  for (const around of [{ embargo: LATER }, { meta: { embargoUntil: LATER } }, { publish_at: LATER }])
    assert.equal(release('generic', article, {}, [{ event: 'publish', article, ...around }]).embargoUntil, AT, JSON.stringify(around))
  assert.equal(release('generic', article, {}, [{ embargo: 'soon', article }]).errors.length, 1)
  for (const others of [
    { author: { embargo: LATER } },
    { associations: { featuremedia: { embargoed: LATER } } },
    { related: [{ embargo: LATER }] },
    { previous: { embargo: LATER } },
  ])
    assert.deepEqual(release('generic', others), { warnings: [], errors: [] }, JSON.stringify(others))
  assert.deepEqual(release('generic', article, {}, [{ article, previous: { embargo: LATER } }]), { warnings: [], errors: [] })
})

test('a publisher whose fields of that name mean something else says that there is no embargo; a date of publication ahead still holds', () => {
  const document = { embargo: 'Báo in', publishOn: '2026-12-24T08:00', scheduled: true }
  assert.match(release('generic', document).errors[0]?.detail ?? '', /mapping\.fields\.embargoUntil which field counts \(none/)
  assert.deepEqual(release('generic', document, { embargoUntil: 'none' }), { warnings: [], errors: [] })
  assert.equal(release('generic', { ...document, publishedAt: LATER }, { embargoUntil: 'none' }).embargoUntil, AT)
  const none = { embargoUntil: 'none', publishedAt: 'none' }
  assert.deepEqual(release('generic', { ...document, publishedAt: LATER }, none), { warnings: [], errors: [] })
})

test('times without a zone are in that of the mapping, and in UTC where their name says so', () => {
  const at = (document: object, timeZone = 'Asia/Ho_Chi_Minh', name: HookPreset = 'generic') => {
    const { embargoUntil, errors } = release(name, document, {}, [], { timeZone })
    return errors.length > 0 ? 'refused' : embargoUntil
  }
  for (const document of [
    { embargo: '2027-01-01 07:00' },
    { publishOn: '2027-01-01T07:00:00' },
    { publishedAt: '2027-01-01T07:00' },
    { embargo: '2027-01-01T02:00:00+02:00' },
    { utc_embargo: '2027-01-01T00:00:00' },
  ])
    assert.equal(at(document), AT, JSON.stringify(document))
  assert.equal(at({ embargo: '2027-01-01' }), '2026-12-31T17:00:00.000Z')
  assert.equal(at({ embargo: '2027-07-01T08:00' }, 'America/New_York'), '2027-07-01T12:00:00.000Z')
  assert.equal(at({ embargo: '2027-01-01T08:00' }, 'America/New_York'), '2027-01-01T13:00:00.000Z')
  assert.equal(at({ date_gmt: '2027-01-01T00:00:00' }, 'Asia/Ho_Chi_Minh', 'wordpress'), AT)
  assert.equal(at({ embargo: 'soon' }), 'refused')
  assert.equal(release('generic', { outcome_embargo: '2027-01-01T00:00' }).errors.length, 1, 'it only has the letters of UTC in it')
})

test('a date of publication that is ahead holds under each of the names that CMSs have for it', () => {
  for (const document of [
    { datePublished: LATER },
    { date_published: '2027-01-01T00:00:00' },
    { pubDate: 'Fri, 01 Jan 2027 07:00:00 +0700' },
    { published: AT },
    { attributes: { published_on: 1_798_761_600 } },
    { meta: { first_published_at: AT } },
    { publication_scheduled_at: LATER },
    { postDate: LATER },
    { date: AT },
    { publish_up: '2027-01-01 00:00:00' },
    { post: { post_date: '2027-01-01 00:00:00', post_date_gmt: '2027-01-01 00:00:00' } },
    { ngày_đăng: '1/1/2027' },
    { publication: { date: AT } },
    { dates: { published: AT } },
    { publishSettings: { publishAt: AT } },
    { hold_until: AT },
    { do_not_publish_before: AT },
    { thoi_gian_xuat_ban: '01-01-2027 00:00' },
  ])
    assert.equal(until('generic', document), AT, JSON.stringify(document))
  assert.equal(until('contentful', { fields: { publishedAt: { 'en-US': '2026-01-01T00:00:00Z', vi: LATER } } }), AT)
  // NOW is 00:00 in UTC.
  for (const document of [
    { ngay_dang: '01/12/2026' },
    { thoiGianDang: '01/12/2026 07:05' },
    { post_date: '2026-12-01 07:05:00' },
    { meta: { date: LATER } },
    { event: { date: LATER } },
    { acf: { schedule_date: LATER } },
    { publishedAt: '2026-11-01T00:00:00Z', date: LATER, publication: { name: 'An issue', date: LATER } },
  ])
    assert.equal(until('generic', document), undefined, JSON.stringify(document))
  const zoned = release('generic', { ngay_dang: '01/12/2026 08:00' }, {}, [], { timeZone: 'Asia/Ho_Chi_Minh' })
  assert.equal(zoned.embargoUntil, '2026-12-01T01:00:00.000Z')
  const [begun, end] = ['2026-11-01T00:00:00Z', '2028-01-01T00:00:00Z']
  for (const name of ['published', 'schedule']) {
    assert.equal(until('generic', { [name]: { from: LATER, until: end } }), AT)
    assert.equal(
      until('generic', { [name]: { start: begun, end_date: end, unpublishAt: end, to: end } }),
      undefined,
      'its end holds nothing',
    )
  }
  assert.equal(until('generic', { date_published: '2026-11-30', published: true, pubDate: 'sometime' }), undefined)
  assert.equal(
    until('generic', { shown: '2026-01-01', pubDate: LATER }, { publishedAt: '/shown' }),
    undefined,
    'the mapping says which one',
  )
})

test('a field of very many times costs nobody else theirs', () => {
  const began = performance.now()
  const many = Array.from({ length: 100_000 }, () => '2020-01-01T00:00:00')
  const { errors } = release('generic', { schedule: many, date: many }, {}, [], { timeZone: 'Asia/Ho_Chi_Minh' })
  assert.match(errors[0]?.detail ?? '', /found 100000 of them$/)
  assert.ok(performance.now() - began < 2_000, 'each by a formatter of its own takes half a minute')
})

test('nor do very many fields of a time, or of a few', () => {
  const fields = (name: string, count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}${index}`, value]))
  const mapping = { timeZone: 'Asia/Ho_Chi_Minh' }
  const few = Array.from({ length: 900 }, () => '2020-01-01T00:00:00')
  assert.match(release('generic', fields('embargo', 40, few), {}, [], mapping).errors[0]?.detail ?? '', /found 36000 of them$/)
  assert.match(release('generic', fields('publishAt', 1_001, few[0]), {}, [], mapping).errors[0]?.detail ?? '', /found 1001 of them$/)
  assert.match(release('generic', fields('pubDate', 1_001, few[0]), {}, [], mapping).errors[0]?.detail ?? '', /found 1001 of them$/)
  assert.deepEqual(release('generic', fields('embargo', 1, few), {}, [], mapping).errors, [])
})

test('what is held by the words of an editor alone is not released; an article about an embargo is', () => {
  for (const [pointer, document] of [
    ['/ednote', { ednote: 'EMBARGO until 1 Jan, 6am' }],
    ['/editorialNote', { editorialNote: 'Cấm đăng trước 6h ngày 1/1' }],
    ['/meta/note_to_editors', { meta: { note_to_editors: 'Not for publication before the vote' } }],
    ['/title', { title: 'EMBARGOED: Kết quả bầu cử' }],
    ['/title', { title: '[Embargoed until 1 Jan] Results' }],
    ['/title', { title: 'CẤM ĐĂNG trước 6h: kết quả bầu cử' }],
    ['/isScheduled', { isScheduled: true }],
    ['/holdForRelease', { holdForRelease: true }],
    ['/ednote', { ednote: 'Graphic to come. EMBARGO: 6pm' }],
    ['/ednote', { ednote: 'UNDER STRICT EMBARGO' }],
    ['/ednote', { ednote: 'This copy is embargoed' }],
    ['/ghi_chú', { ghi_chú: 'Cấm vận đến 6h' }],
  ] as const) {
    const { errors } = release('generic', document)
    assert.deepEqual([errors[0]?.pointer, errors.length], [pointer, 1], JSON.stringify(document))
    assert.match(errors[0]?.detail ?? '', /mapping\.fields\.embargoUntil/)
  }
  for (const document of [
    { title: 'Embargo: what it means for Cuba', ednote: 'Second write-through' },
    { title: 'EMBARGO ON OIL LIFTED', text: 'embargoed until' },
    { title: 'Cấm đăng ảnh trẻ em lên mạng' },
    { ednote: 'Embargo lifted' },
    { ednote: 'ADDS details on the EU arms embargo in paras 4-6' },
    { ednote: 'No longer under embargo' },
    { ghi_chú: 'Bài về lệnh cấm vận Iran' },
    { ednote: 'Embargo as agreed', embargoed: '2026-01-01T00:00:00Z' },
  ])
    assert.deepEqual(release('generic', document).errors, [], JSON.stringify(document))
  assert.equal(until('superdesk', { ednote: 'EMBARGO', embargoed: LATER }), AT)
  assert.deepEqual(release('generic', { ednote: 'EMBARGO' }, { embargoUntil: 'none' }).errors, [])
})
