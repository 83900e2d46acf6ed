import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDataAddress, readDataPicture } from './data-picture.ts'

const MAX = 1_000

test('what was put into an address comes out of it, byte for byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: MAX }), bytes => {
      const url = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`
      const found = readDataPicture(url, MAX)
      assert.ok(found.ok && Buffer.from(bytes).equals(found.bytes))
    }),
  )
})

test('a picture above the limit is refused by its length, and one at the limit is taken', () => {
  const of = (bytes: number) => readDataPicture(`data:image/jpeg;base64,${Buffer.alloc(bytes).toString('base64')}`, MAX)
  assert.ok(of(MAX).ok)
  assert.deepEqual(of(MAX + 10), { ok: false, reason: 'the picture in it has more than 1000 bytes' })
})

test('other types, other encodings and broken base64 are refused, with what was expected', () => {
  const refused = [
    'data:image/svg+xml;base64,PHN2Zy8+',
    'data:text/html;base64,PGI+',
    'data:image/png,%89PNG',
    'data:image/png;charset=utf-8;base64,iVBORw0K',
    'data:image/png;base64;base64,iVBORw0K',
    'data:;base64,iVBORw0K',
    'data:image/png;base64,',
    'data:image/png;base64,iVBORw0',
    'data:image/png;base64,iVBO Rw0K',
    'data:image/png;base64,iVBO-w0_',
    'data:image/png;base64,iV=BORw0K===',
    `data:${'x'.repeat(100)},`,
    'data:image/png;base64',
    'data:',
  ]
  for (const url of refused) {
    const found = readDataPicture(url, MAX)
    assert.ok(!found.ok, url)
    assert.ok(found.reason.length < 300, url)
  }
})

test('the scheme is told in any case, and nothing else is taken for one', () => {
  for (const url of ['data:image/png;base64,aaaa', 'DATA:x']) assert.ok(isDataAddress(url))
  for (const url of ['https://press.example/data:', ' data:', 'database.png', 7, null, undefined]) assert.ok(!isDataAddress(url))
  assert.ok(readDataPicture('DATA:IMAGE/PNG;BASE64,aaaa', MAX).ok)
})
