import assert from 'node:assert/strict'
import { test } from 'node:test'
import jsQR from 'jsqr'
import { toQrCode } from './qr.ts'

/** The drawing as a picture, a few pixels a module, for a reader that is not ours. */
const rasterise = (svg: string, scale = 4) => {
  const size = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])
  const width = size * scale
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, x = '', y = '', length = ''] of svg.matchAll(/M(\d+) (\d+)h(\d+)/g))
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1)
      for (let column = Number(x) * scale; column < (Number(x) + Number(length)) * scale; column += 1)
        pixels.set([0, 0, 0], (row * width + column) * 4)
  return { pixels, width }
}

test('the QR code of an address is read back to that address, by another library', () => {
  for (const address of ['https://news.example/articles/press.a', `https://news.example/${'dài/'.repeat(60)}?a=1&b=<"'>`]) {
    const { pixels, width } = rasterise(toQrCode(address, 'QR'))
    assert.equal(jsQR.default(pixels, width, width)?.data, address)
  }
})

test('an address that no phone would read off paper has none; what is said of it is escaped', () => {
  assert.equal(toQrCode(`https://news.example/${'x'.repeat(300)}`, ''), '')
  assert.match(toQrCode('https://news.example/', 'a "b" <c>'), /aria-label="a &quot;b&quot; &lt;c&gt;"/)
})
