import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import { UnavailableError } from '@newswire/events/errors'
import type { Retraction } from '@newswire/events/submission'
import { keys } from './keys.ts'
import { findMissingSubstitute } from './missing-substitute.ts'

const replace: Retraction = { mode: 'replace', reason: 'r', legal: false, redirectTo: 'b' }
const live = (audience: 'public' | 'editorial') => ({
  state: 'live',
  action: 'published',
  articleId: 'press.b',
  publisher: 'press',
  version: 1,
  submissionId: '0193a5b0-0000-7000-8000-000000000000',
  lane: 'live',
  firstReleasedAt: '2026-11-24T00:00:00.000Z',
  releasedAt: '2026-11-24T00:00:00.000Z',
  updatedAt: '2026-11-24T00:00:00.000Z',
  facetsEver: { categories: [], languages: [], publishers: [], types: [], public: true },
  aliases: [],
  article: toArticle(articleInput.parse({ title: 'B', body: { text: 'B' }, audience }), { language: 'vi' }),
})
const storeWith = (fact: object | null) => ({
  get: async (key: string) => {
    if (fact === null || key !== keys.current('press.b')) return null
    const bytes = Buffer.from(JSON.stringify({ released: { fact } }))
    return { bytes, etag: '1', contentType: 'application/json', lastModified: new Date(0) }
  },
})
const find = async (fact: object | null, retraction = replace) =>
  (await findMissingSubstitute(storeWith(fact), retraction, 'press')).map(one => one.pointer)

test('a substitute that is not out is doubted', async () => {
  assert.deepEqual(await find(null), ['/redirectTo'])
  assert.deepEqual(await find(live('public')), [])
  assert.deepEqual(await find(live('editorial')), ['/redirectTo'], 'readers may not read that one')
  assert.deepEqual(await find(null, { ...replace, mode: 'redirect' }), [])
})

test('a store that is away, or has it damaged, doubts nothing', async () => {
  const away = { get: () => Promise.reject(new UnavailableError('NEWSWIRE_OBJECTS', 'it is away')) }
  assert.deepEqual(await findMissingSubstitute(away, replace, 'press'), [])
  assert.deepEqual(await find({ state: 'half' }), [])
})
