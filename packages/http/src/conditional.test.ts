import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchEtag, notModifiedSince, prefersGzip } from './conditional.ts'

test('If-None-Match names a tag in a list, weakly or strongly, and nothing else does', () => {
  const tags = ['"abc"', '"abc-gz"']
  for (const header of ['"abc"', 'W/"abc"', '"x", W/"abc-gz" ,"y"', '*', ' * ', '"a,b","abc"'])
    assert.equal(matchEtag(header, tags), true, header)
  for (const header of [undefined, '', 'abc', '"ab"', '"abc', '"ABC"', 'w/"xbc"', '"*"'])
    assert.equal(matchEtag(header, tags), false, header)
})

test('If-Modified-Since compares whole seconds, in all three forms of an HTTP date', () => {
  const changed = new Date('2026-11-24T03:00:00.900Z')
  for (const header of [
    'Tue, 24 Nov 2026 03:00:00 GMT',
    'Tuesday, 24-Nov-26 03:00:00 GMT',
    'Tue Nov 24 03:00:00 2026',
    'Wed, 25 Nov 2026 00:00:00 GMT',
  ])
    assert.equal(notModifiedSince(header, changed), true, header)
  for (const header of [undefined, 'Tue, 24 Nov 2026 02:59:59 GMT', '2027', '1', 'tomorrow', '2027-01-01T00:00:00Z'])
    assert.equal(notModifiedSince(header, changed), false, header)
})

test('gzip is sent to those who take it and do not like the plain bytes better', () => {
  for (const header of ['gzip', 'br, gzip', 'GZIP', 'x-gzip', '*', 'gzip;q=0.5', 'gzip;q=1.0, identity; q=0.5', 'identity;q=0, *;q=0.5'])
    assert.equal(prefersGzip(header), true, header)
  for (const header of [undefined, '', 'identity', 'br', 'gzip;q=0', 'gzip;q=0, *', 'gzip;q=0.5, identity', '*;q=0', 'gzip;q=nonsense'])
    assert.equal(prefersGzip(header), false, header)
})
