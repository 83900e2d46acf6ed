/** Pictures to measure with: a photograph-like one of any size, the same for the same seed, and files that mean harm. */
import { deflateSync } from 'node:zlib'
import { chunk } from '@newswire/images/sample-pictures'
import sharp from 'sharp'

/** Rough shapes, finer ones, texture and grain, as share of the whole: together they pack like a camera's picture (2 to 3 bits a pixel at q90). */
const LAYERS = [
  { divisor: 500, share: 1 },
  { divisor: 20, share: 0.3 },
  { divisor: 4, share: 0.18 },
  { divisor: 1, share: 0.05 },
] as const

const noise = (width: number, height: number, seed: number) => {
  const data = Buffer.alloc(width * height * 3)
  let state = seed
  for (let index = 0; index < data.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    data[index] = state >>> 24
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

export const makePhoto = async (width: number, height: number, seed: number): Promise<Buffer> => {
  const layers = await Promise.all(
    LAYERS.map(({ divisor }, index) =>
      noise(Math.max(2, Math.round(width / divisor)), Math.max(2, Math.round(height / divisor)), seed + index)
        .resize({ width, height, fit: 'fill', kernel: 'cubic' })
        .raw()
        .toBuffer(),
    ),
  )
  const data = Buffer.alloc(width * height * 3)
  for (let index = 0; index < data.length; index++) {
    let value = 128
    for (const [layer, { share }] of LAYERS.entries()) value += ((layers[layer]?.[index] ?? 128) - 128) * share
    data[index] = Math.max(0, Math.min(255, value))
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}

const toPng = (width: number, height: number, data: Buffer, extra: Buffer = Buffer.alloc(0)): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), extra, chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}
const solid = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#345' }, limitInputPixels: false })

/** `photo`: a whole JPEG of 24 megapixels, to be cut and changed. */
export const makeHostile = async (photo: Buffer): Promise<ReadonlyArray<readonly [string, Buffer]>> => {
  const frame = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#345' } })
    .gif()
    .toBuffer()
  const image = frame.subarray(frame.indexOf(0x2c, 13), -1)
  const profile = chunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(1_000_000_000))]))
  const frames = Array.from({ length: 5_000 }, () => image)
  return [
    ['PNG of 256 megapixels', await solid(16_000, 16_000).png().toBuffer()],
    ['progressive JPEG of 256 megapixels', await solid(16_000, 16_000).jpeg({ progressive: true }).toBuffer()],
    ['progressive JPEG of 50 megapixels, one colour', await solid(7_100, 7_100).jpeg({ progressive: true }).toBuffer()],
    ['AVIF of 64 megapixels, one colour', await solid(8_000, 8_000).avif({ effort: 0 }).toBuffer()],
    ['PNG that says 30 000 × 3 000', toPng(30_000, 3_000, deflateSync(Buffer.alloc(1_000)))],
    ['JPEG of 24 megapixels, cut in half', photo.subarray(0, photo.length >> 1)],
    ['JPEG of 24 megapixels, cut at a tenth and closed', Buffer.concat([photo.subarray(0, photo.length / 10), Buffer.from([0xff, 0xd9])])],
    ['GIF of 5 000 frames', Buffer.concat([frame.subarray(0, frame.indexOf(0x2c, 13)), ...frames, Buffer.from(';')])],
    ['1 × 65 535', toPng(1, 65_535, deflateSync(Buffer.alloc(65_535 * 4)))],
    ['colour profile of 1 GB', toPng(64, 64, deflateSync(Buffer.alloc(64 * 193)), profile)],
    ['JPEG and ZIP', Buffer.concat([photo, Buffer.from('PK\x05\x06'), Buffer.alloc(18)])],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>')],
  ]
}
