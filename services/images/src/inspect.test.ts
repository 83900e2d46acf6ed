import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { inspectPicture } from './inspect.ts'
import { chunk, makeJpeg, makePng, toPng } from './sample-pictures.ts'

const codeOf = (bytes: Uint8Array): string => {
  const found = inspectPicture(bytes)
  return found.ok ? `ok ${found.width}×${found.height}` : found.code.slice('NEWSWIRE_PICTURE_'.length)
}
const u16 = (value: number) => Buffer.from([value & 255, value >> 8])
const u24 = (value: number) => Buffer.from([value & 255, (value >> 8) & 255, value >> 16])
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const text = (value: string) => Buffer.from(value, 'latin1')

const makeGif = (width: number, height: number, frames: number, frame: readonly [number, number] = [width, height]) => {
  const one = Buffer.concat([Buffer.from([0x2c, 0, 0, 0, 0]), u16(frame[0]), u16(frame[1]), Buffer.from([0, 2, 2, 0x44, 1, 0])])
  const blocks = Array.from({ length: frames }, () => one)
  return Buffer.concat([text('GIF89a'), u16(width), u16(height), Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255]), ...blocks, text(';')])
}
const webpChunk = (type: string, data: Buffer) => Buffer.concat([text(type), u32(data.length), data, Buffer.alloc(data.length % 2)])
const makeWebp = (...chunks: Buffer[]) => {
  const body = Buffer.concat([text('WEBP'), ...chunks])
  return Buffer.concat([text('RIFF'), u32(body.length), body])
}
const vp8 = (width: number, height: number) =>
  webpChunk('VP8 ', Buffer.concat([Buffer.from([0x10, 0, 0, 0x9d, 1, 0x2a]), u16(width), u16(height)]))
const canvas = (width: number, height: number) => webpChunk('VP8X', Buffer.concat([u32(0), u24(width - 1), u24(height - 1)]))
const box = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(body.length + 8)
  return Buffer.concat([size, text(type), body])
}
const ispe = (width: number, height: number) => {
  const body = Buffer.alloc(12)
  body.writeUInt32BE(width, 4)
  body.writeUInt32BE(height, 8)
  return box('ispe', body)
}
const makeAvif = (...properties: Buffer[]) =>
  Buffer.concat([
    box('ftyp', text('avif\0\0\0\0avif')),
    box('meta', Buffer.alloc(4), box('iprp', box('ipco', ...properties))),
    box('mdat', Buffer.alloc(8)),
  ])
const withSize = (jpeg: Buffer, width: number, height: number) => {
  const copy = Buffer.from(jpeg)
  const at = copy.indexOf(Buffer.from([0xff, 0xc0]))
  copy.writeUInt16BE(height, at + 5)
  copy.writeUInt16BE(width, at + 7)
  return copy
}
const jpeg = makeJpeg()
const png = makePng(64, 48)
const afterHeader = (extra: Buffer) => Buffer.concat([png.subarray(0, 33), extra, png.subarray(33)])

test('whole pictures of every kind are let through with the size that they say', () => {
  assert.equal(codeOf(jpeg), 'ok 40×24')
  assert.equal(codeOf(makeJpeg({ orientation: 6 })), 'ok 40×24')
  assert.equal(codeOf(png), 'ok 64×48')
  assert.equal(codeOf(makeGif(30, 20, 3)), 'ok 30×20')
  assert.equal(codeOf(makeWebp(vp8(30, 20))), 'ok 30×20')
  assert.equal(codeOf(makeWebp(canvas(30, 20), vp8(30, 20))), 'ok 30×20')
  assert.equal(codeOf(makeAvif(ispe(30, 20))), 'ok 30×20')
})

test('a picture cut short is told by its structure, wherever it was cut', () => {
  for (const whole of [jpeg, png, makeWebp(vp8(30, 20)), makeAvif(ispe(30, 20))])
    for (let length = 16; length < whole.length; length += 3)
      assert.match(codeOf(whole.subarray(0, length)), /^(TRUNCATED|STRUCTURE)$/, `${length} of ${whole.length}`)
  assert.equal(codeOf(makeGif(30, 20, 3).subarray(0, 40)), 'TRUNCATED')
})

test('bombs: more pixels than a picture may have, or more than its bytes can mean', () => {
  assert.equal(codeOf(toPng(60_000, 60_000, Buffer.alloc(10))), 'TOO_MANY_PIXELS')
  assert.equal(codeOf(withSize(jpeg, 65_000, 65_000)), 'TOO_MANY_PIXELS')
  assert.equal(codeOf(withSize(jpeg, 9_000, 9_000)), 'BOMB')
  assert.equal(codeOf(toPng(9_000, 9_000, deflateSync(Buffer.alloc(9_000 * 36_001)))), 'BOMB')
  assert.equal(codeOf(makeGif(9_000, 9_000, 1)), 'BOMB')
  assert.equal(codeOf(makeWebp(vp8(9_000, 9_000))), 'BOMB')
  assert.equal(codeOf(makeAvif(ispe(30, 20), ispe(9_000, 9_000))), 'BOMB')
})

test('a line is no picture', () => {
  assert.equal(codeOf(withSize(jpeg, 1, 65_535)), 'SHAPE')
  assert.equal(codeOf(toPng(65_535, 1, deflateSync(Buffer.alloc(65_535 * 4 + 1)))), 'SHAPE')
})

test('a header that contradicts itself is refused', () => {
  const frame = jpeg.subarray(jpeg.indexOf(Buffer.from([0xff, 0xc0])))
  const twice = Buffer.concat([jpeg.subarray(0, jpeg.length - frame.length), frame.subarray(0, 13), frame])
  assert.equal(codeOf(twice), 'STRUCTURE')
  assert.equal(codeOf(withSize(jpeg, 0, 10)), 'STRUCTURE')
  assert.equal(codeOf(afterHeader(png.subarray(8, 33))), 'STRUCTURE')
  assert.equal(codeOf(toPng(3_000, 3_000, deflateSync(Buffer.alloc(100)))), 'STRUCTURE')
  assert.equal(codeOf(makeGif(10, 10, 1, [4_000, 4_000])), 'STRUCTURE')
  assert.equal(codeOf(makeWebp(canvas(4_000, 4_000), vp8(8, 8))), 'STRUCTURE')
  assert.equal(codeOf(makeWebp(canvas(10, 10))), 'STRUCTURE')
})

test('thousands of frames are no picture', () => {
  assert.equal(codeOf(makeGif(10, 10, 1_001)), 'FRAMES')
  const frame = webpChunk('ANMF', Buffer.alloc(16))
  assert.equal(codeOf(makeWebp(canvas(10, 10), ...Array.from({ length: 1_001 }, () => frame))), 'FRAMES')
})

test('a JPEG drawn in hundreds of scans is refused', () => {
  const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 0x3f, 0, 0])
  const header = jpeg.subarray(0, jpeg.indexOf(Buffer.from([0xff, 0xda])))
  assert.equal(codeOf(Buffer.concat([header, ...Array.from({ length: 101 }, () => scan), Buffer.from([0xff, 0xd9])])), 'BOMB')
})

test('profiles and texts that unpack without end are refused', () => {
  const packed = deflateSync(Buffer.alloc(50_000_000))
  assert.equal(codeOf(afterHeader(chunk('iCCP', Buffer.concat([text('x\0\0'), packed])))), 'PROFILE')
  assert.equal(codeOf(afterHeader(chunk('zTXt', Buffer.concat([text('x\0\0'), packed])))), 'BOMB')
  assert.equal(codeOf(afterHeader(chunk('iTXt', Buffer.concat([text('x\0\x01\0\0\0'), packed])))), 'BOMB')
  const segment = Buffer.concat([Buffer.from([0xff, 0xe2, 0xff, 0xff]), text('ICC_PROFILE\0\x01\x01'), Buffer.alloc(0xffff - 16)])
  const segments = Array.from({ length: 70 }, () => segment)
  assert.equal(codeOf(Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])), 'PROFILE')
  assert.equal(codeOf(makeWebp(canvas(30, 20), webpChunk('ICCP', Buffer.alloc(4_000_002)), vp8(30, 20))), 'PROFILE')
  assert.match(codeOf(afterHeader(chunk('iCCP', Buffer.concat([text('x\0\0'), deflateSync(Buffer.alloc(3_000))])))), /^ok/)
})

test('a file that is something else as well is refused; what phones append is not', () => {
  assert.equal(codeOf(Buffer.concat([jpeg, text('PK\x03\x04…PK\x05\x06'), Buffer.alloc(18)])), 'POLYGLOT')
  assert.equal(codeOf(Buffer.concat([png, text('<?php system($_GET[1]);')])), 'POLYGLOT')
  assert.equal(codeOf(Buffer.concat([makeGif(10, 10, 1), text('*/<script>alert(1)</script>')])), 'POLYGLOT')
  const comment = text('\xff\xfe\0\x0c%PDF-1.7..')
  assert.equal(codeOf(Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)])), 'POLYGLOT')
  assert.equal(codeOf(Buffer.concat([jpeg, box('ftyp', text('mp42'))])), 'ok 40×24')
})

test('what is no picture is refused by its first bytes, however it is called', () => {
  for (const bytes of ['<svg xmlns="http://www.w3.org/2000/svg"/>', '<!doctype html>', '', 'II*\0', '\0\0\0\x18ftypheic'])
    assert.equal(codeOf(text(bytes)), 'TYPE')
})

test('nothing that a stranger may send makes it throw or run on', () => {
  const seeds = [jpeg, png, makeGif(30, 20, 3), makeWebp(canvas(30, 20), vp8(30, 20)), makeAvif(ispe(30, 20))]
  let state = 1
  const random = (below: number) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state % below
  }
  for (let round = 0; round < 4_000; round++) {
    const bytes = Buffer.from(seeds[round % seeds.length] ?? jpeg)
    for (let change = 0; change <= random(6); change++) bytes[12 + random(bytes.length - 12)] = [0, 255, 0x80, random(256)][random(4)] ?? 0
    const found = inspectPicture(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length))
    assert.equal(typeof found.ok, 'boolean')
  }
})
