import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches, newswireConfig, withAncestors } from './config.ts'
import type { Facets } from './fact.ts'

const categories = new Map([
  ['thoi-su', { id: 'thoi-su', name: 'Thời sự' }],
  ['quoc-phong', { id: 'quoc-phong', name: 'Quốc phòng', parent: 'thoi-su' }],
])
const facets: Facets = { categories: ['quoc-phong'], languages: ['vi'], publishers: ['baoqk'], types: ['article'], public: true }

test('matching a category matches its children', () => {
  assert.equal(matches({ categories: ['thoi-su'] }, facets, categories), true)
  assert.equal(matches({ categories: ['doi-song'] }, facets, categories), false)
})
test('every list of a rule must match; an absent one matches everything', () => {
  assert.equal(matches({}, facets, categories), true)
  assert.equal(matches({ languages: ['vi'], publishers: ['other'] }, facets, categories), false)
})
test('matching a language matches its regions and scripts, and not the other way', () => {
  const takes = (wanted: string, language: string) => matches({ languages: [wanted] }, { ...facets, languages: [language] }, categories)
  const shown = (pairs: readonly string[]) => pairs.map(pair => takes(...(pair.split(' ') as [string, string])))
  assert.deepEqual(shown(['en en-GB', 'vi vi-VN', 'zh-Hant zh-hant-TW', 'en-gb en-GB']), [true, true, true, true])
  assert.deepEqual(shown(['en-GB en', 'en eng', 'en-GB en-US', 'en vi']), [false, false, false, false])
})
test('what an article once was still matches, so that a retraction gets there', () => {
  assert.equal(matches({ languages: ['en'] }, { ...facets, languages: ['en', 'vi'] }, categories), true)
})
test('a circle of parents ends', () => {
  const circle = new Map([
    ['a', { id: 'a', name: 'A', parent: 'b' }],
    ['b', { id: 'b', name: 'B', parent: 'a' }],
  ])
  assert.deepEqual(withAncestors('a', circle), ['a', 'b'])
})
test('the public address loses its last slash, so that addresses made from it have one', () => {
  const config = newswireConfig.parse({ site: { id: 'a.example,2026', title: 'A', publicUrl: 'https://a.example/' } })
  assert.equal(config.site.publicUrl, 'https://a.example')
  for (const publicUrl of ['https://a.example/?b', 'https://a.example/#b', 'https://name:word@a.example/'])
    assert.equal(newswireConfig.safeParse({ site: { id: 'a.example,2026', title: 'A', publicUrl } }).success, false, publicUrl)
})
