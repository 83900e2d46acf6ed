import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { sampleFact } from '@newswire/events/sample-fact'
import type { Retraction } from '@newswire/events/submission'
import { keys } from './keys.ts'
import { findMissingSubstitute } from './missing-substitute.ts'

const replace: Retraction = { mode: 'replace', reason: 'r', legal: false, redirectTo: 'b' }
const live = (audience: 'public' | 'editorial') => sampleFact({ articleId: 'press.b', article: { audience } })
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
