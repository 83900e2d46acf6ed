import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { evaluateConditions, findEtag, matchEtag, mayRange, notModifiedSince, parseRange } from './conditional.ts'

const CHANGED = new Date('2026-11-24T03:00:00.900Z')
const AT = 'Tue, 24 Nov 2026 03:00:00 GMT'
const BEFORE = 'Tue, 24 Nov 2026 02:59:59 GMT'

test('If-None-Match names a tag in a list, weakly or strongly, and nothing else does', () => {
  const tags = ['"abc"', '"abc-gz"']
  for (const header of ['"abc"', 'W/"abc"', '"x", W/"abc-gz" ,"y"', '*', ' * ', '"a,b","abc"', ',, "abc",'])
    assert.equal(matchEtag(header, tags), true, header)
  for (const header of [undefined, '', 'abc', '"ab"', '"abc', '"ABC"', 'w/"abc"', '"*"', 'x"abc"', '"abc"x'])
    assert.equal(matchEtag(header, tags), false, header)
  assert.equal(
    findEtag('"x", W/"abc-gz"', tag => tag.startsWith('"abc')),
    '"abc-gz"',
  )
})

test('If-Modified-Since compares whole seconds, in all three forms of an HTTP date', () => {
  for (const header of [AT, 'Tuesday, 24-Nov-26 03:00:00 GMT', 'Tue Nov 24 03:00:00 2026', 'Wed, 25 Nov 2026 00:00:00 GMT'])
    assert.equal(notModifiedSince(header, CHANGED), true, header)
  for (const header of [undefined, BEFORE, '2027', '1', 'tomorrow', '2027-01-01T00:00:00Z'])
    assert.equal(notModifiedSince(header, CHANGED), false, header)
})

test('conditions are looked at in the order of RFC 9110 §13.2.2', () => {
  const outcome = (headers: Record<string, string>) => evaluateConditions(headers, ['"a"'], CHANGED)
  const table: readonly [Record<string, string>, ReturnType<typeof outcome>][] = [
    [{}, 'proceed'],
    [{ 'if-match': '"a"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': 'W/"a"' }, 'failed'],
    [{ 'if-match': '"b"' }, 'failed'],
    [{ 'if-match': '"a"', 'if-unmodified-since': BEFORE }, 'proceed'],
    [{ 'if-unmodified-since': BEFORE }, 'failed'],
    [{ 'if-unmodified-since': AT }, 'proceed'],
    [{ 'if-unmodified-since': 'never' }, 'proceed'],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-none-match': '"b"', 'if-modified-since': AT }, 'proceed'],
    [{ 'if-none-match': '', 'if-modified-since': AT }, 'proceed'],
    [{ 'if-modified-since': AT }, 'not-modified'],
  ]
  for (const [headers, expected] of table) assert.equal(outcome(headers), expected, JSON.stringify(headers))
})

test('one range is answered, several are ignored, and one behind the end cannot be satisfied', () => {
  const table: readonly [string | undefined, ReturnType<typeof parseRange>][] = [
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=90-', { first: 90, last: 99 }],
    ['bytes=-10', { first: 90, last: 99 }],
    ['bytes=-1000', { first: 0, last: 99 }],
    ['Bytes=5-200', { first: 5, last: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-3', null],
    ['bytes=0-1,5-6', null],
    ['items=0-1', null],
    ['bytes=-', null],
    ['bytes=a-b', null],
    [undefined, null],
  ]
  for (const [header, expected] of table) assert.deepEqual(parseRange(header, 100), expected, String(header))
})

test('whatever a Range header says, the range lies within the bytes', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(1000), (text, size) => {
      const range = parseRange(`bytes=${text}`, size)
      if (range !== null && range !== 'unsatisfiable') assert.ok(range.first >= 0 && range.first <= range.last && range.last < size)
    }),
  )
})

test('If-Range wants the very bytes: the same strong tag, or a date that is old enough to be one', () => {
  const soon = CHANGED.getTime() + 1000
  const later = CHANGED.getTime() + 120_000
  assert.equal(mayRange(undefined, '"a"', CHANGED, soon), true)
  assert.equal(mayRange('"a"', '"a"', CHANGED, soon), true)
  assert.equal(mayRange('W/"a"', '"a"', CHANGED, soon), false)
  assert.equal(mayRange('"a-gz"', '"a"', CHANGED, soon), false)
  assert.equal(mayRange(AT, '"a"', CHANGED, later), true)
  assert.equal(mayRange(AT, '"a"', CHANGED, soon), false)
  assert.equal(mayRange(BEFORE, '"a"', CHANGED, later), false)
  assert.equal(mayRange('nonsense', '"a"', CHANGED, later), false)
})

test('without a date of what is there, conditions and ranges by date are ignored', () => {
  for (const name of ['if-modified-since', 'if-unmodified-since'])
    assert.equal(evaluateConditions({ [name]: AT }, ['"a"'], null), 'proceed', name)
  assert.equal(evaluateConditions({ 'if-none-match': '"a"' }, ['"a"'], null), 'not-modified')
  assert.equal(mayRange(AT, '"a"', null, Date.now()), false)
  assert.equal(mayRange('"a"', '"a"', null, Date.now()), true)
})
