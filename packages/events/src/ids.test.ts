import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveId, isLocalId, isPublisherId, newId, parseArticleId, timeOfId, toArticleId, toTagUri } from './ids.ts'

for (const id of ['a', 'hoi-nghi-1', 'A.b_c-9', 'x'.repeat(128)])
  test(`${id.slice(0, 20)} is a local id`, () => {
    assert.equal(isLocalId(id), true)
  })
for (const id of ['', '.a', '-a', 'a..b', 'a/b', 'a b', 'đ', 'x'.repeat(129), 'a\n', '%2e'])
  test(`${JSON.stringify(id.slice(0, 20))} is no local id, so it cannot become a path`, () => {
    assert.equal(isLocalId(id), false)
  })
test('a publisher id has no dot, so the first dot always splits an article id', () => {
  assert.equal(isPublisherId('a.b'), false)
  assert.deepEqual(parseArticleId(toArticleId('baoqk', 'v1.2')), { publisher: 'baoqk', localId: 'v1.2' })
  assert.equal(parseArticleId('nodot'), null)
  assert.equal(parseArticleId('.x'), null)
})
test('the same causes give the same id, in every process', () => {
  assert.equal(deriveId('fact', 'a.b', 1), deriveId('fact', 'a.b', 1))
  assert.notEqual(deriveId('fact', 'a.b', 1), deriveId('fact', 'a.b', 2))
  assert.notEqual(deriveId('ab', 'c'), deriveId('a', 'bc'))
  assert.equal(deriveId('fact', 'a.b', 1), 'd6955d39-fb97-5789-a492-6d17ab3c1439')
})
test('a new id tells when it was made, and a derived one does not', () => {
  assert.equal(timeOfId('017f22e2-79b0-7cc3-98c4-dc0c0c07398f'), '2022-02-22T19:22:22.000Z')
  assert.equal(timeOfId(deriveId('fact', 'a.b', 1)), null)
  assert.equal(timeOfId('none'), null)
})
test('new ids rise with time', () => {
  const ids = Array.from({ length: 50 }, newId)
  assert.deepEqual([...ids].sort(), ids)
})
test('an item is named by authority, date and article for its whole life', () => {
  assert.equal(toTagUri('baoqk.example,2026', 'baoqk.hoi-nghi-1'), 'tag:baoqk.example,2026:baoqk.hoi-nghi-1')
})
