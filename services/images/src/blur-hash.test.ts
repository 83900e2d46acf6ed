import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBlurHash } from './blur-hash.ts'

const filled = (width: number, height: number, colourAt: (x: number, y: number) => readonly [number, number, number]) => {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colourAt(x, y), (y * width + x) * 3)
  return { data, width, height, channels: 3 }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'
const average = (hash: string) => [...hash.slice(2, 6)].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0)

test('the average that a BlurHash tells is that of the picture', () => {
  const hash = toBlurHash(filled(8, 6, () => [216, 104, 136]))
  assert.equal(hash.length, 6 + 2 * 11)
  assert.equal(hash[0], 'L')
  assert.equal(average(hash).toString(16), 'd86888')
})

test('left and right are told apart', () => {
  const leftDark = toBlurHash(filled(16, 12, x => (x < 8 ? [0, 0, 0] : [255, 255, 255])))
  const rightDark = toBlurHash(filled(16, 12, x => (x < 8 ? [255, 255, 255] : [0, 0, 0])))
  assert.notEqual(leftDark, rightDark)
  assert.equal(average(leftDark), average(rightDark))
})
