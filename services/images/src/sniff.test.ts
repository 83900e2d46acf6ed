import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeJpeg, makePng } from './sample-pictures.ts'
import { sniffPicture } from './sniff.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')

test('a picture is told by its first bytes', () => {
  assert.equal(sniffPicture(makeJpeg()), 'image/jpeg')
  assert.equal(sniffPicture(makePng(1, 1)), 'image/png')
  assert.equal(sniffPicture(latin1('RIFF\x10\0\0\0WEBPVP8 ')), 'image/webp')
  assert.equal(sniffPicture(latin1('GIF89a\x01\0')), 'image/gif')
  assert.equal(sniffPicture(latin1('\0\0\0\x1cftypavif\0\0\0\0')), 'image/avif')
})

test('everything that is not on the list is no picture, however it is called', () => {
  const others = [
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<!doctype html><img>',
    '%PDF-1.7',
    'II*\0',
    '\0\0\0\x18ftypheic',
    'BM',
    'RIFF....WAVE',
    '\xff\xd8',
    '',
  ]
  for (const bytes of others) assert.equal(sniffPicture(latin1(bytes)), null, bytes)
})
