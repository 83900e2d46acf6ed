/** Small real pictures made by code: PNG with colours, baseline JPEG in grey, with GPS in its EXIF when asked for. */
import { crc32, deflateSync } from 'node:zlib'
import { createRandom } from './random.ts'

type Size = Readonly<{ width: number; height: number; seed?: number }>

const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(named), 4)
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)])
}

/** An 8 bit RGB PNG: a slope of colours that the seed chooses. */
export const makePng = ({ width, height, seed = 1 }: Size): Buffer => {
  const random = createRandom(seed)
  const [red, green, blue] = [random.between(0, 255), random.between(0, 255), random.between(0, 255)]
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (width * 3 + 1) + 1 + x * 3
      rows[at] = (red + Math.floor((x * 255) / width)) & 255
      rows[at + 1] = (green + Math.floor((y * 255) / height)) & 255
      rows[at + 2] = blue
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const segment = (marker: number, ...parts: (readonly number[] | Buffer)[]): Buffer => {
  const data = Buffer.concat(parts.map(part => Buffer.from(part)))
  return Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data])
}

/** TIFF with one directory that points to a GPS directory: 10° 46' N, 106° 42' E. */
const gpsExif = (): Buffer => {
  const tiff = Buffer.alloc(140)
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    tiff.writeUInt16LE(tag, at)
    tiff.writeUInt16LE(type, at + 2)
    tiff.writeUInt32LE(count, at + 4)
    tiff.writeUInt32LE(value, at + 8)
  }
  const rationals = (at: number, values: readonly number[]) => {
    for (const [index, value] of values.entries()) {
      tiff.writeUInt32LE(value, at + index * 8)
      tiff.writeUInt32LE(1, at + index * 8 + 4)
    }
  }
  tiff.write('II*\0', 0, 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(1, 8)
  entry(10, 0x8825, 4, 1, 26)
  tiff.writeUInt16LE(4, 26)
  entry(28, 1, 2, 2, 'N'.charCodeAt(0))
  entry(40, 2, 5, 3, 84)
  entry(52, 3, 2, 2, 'E'.charCodeAt(0))
  entry(64, 4, 5, 3, 108)
  rationals(84, [10, 46, 0])
  rationals(108, [106, 42, 0])
  return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
}

/** Writes bits; after an 0xff comes a zero, so that no marker is seen in the data. */
const createBits = () => {
  const bytes: number[] = []
  let value = 0
  let length = 0
  const put = (code: number, bits: number) => {
    for (let bit = bits - 1; bit >= 0; bit -= 1) {
      value = (value << 1) | ((code >> bit) & 1)
      length += 1
      if (length < 8) continue
      bytes.push(value)
      if (value === 0xff) bytes.push(0)
      value = 0
      length = 0
    }
  }
  return {
    put,
    end: () => {
      if (length > 0) put(0xff, 8 - length)
      return Buffer.from(bytes)
    },
  }
}

/** Code lengths are all 4 bits: sizes 0 to 11 of a DC difference are the codes 0 to 11. The only AC code is "end of block", one bit. */
const DC_TABLE = [0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
const AC_TABLE = [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00]

/** A baseline JPEG of grey 8 × 8 tiles. `gps` puts a position into it that no rendition may carry. */
export const makeJpeg = ({ width, height, seed = 1, gps = false }: Size & { gps?: boolean }): Buffer => {
  const random = createRandom(seed)
  const bits = createBits()
  let before = 0
  for (let tile = 0; tile < Math.ceil(width / 8) * Math.ceil(height / 8); tile += 1) {
    const level = random.between(-64, 63)
    const difference = level - before
    before = level
    const size = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference))
    bits.put(size, 4)
    bits.put(difference < 0 ? difference + (1 << size) - 1 : difference, size)
    bits.put(0, 1)
  }
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    gps ? segment(0xe1, gpsExif()) : segment(0xe0, Buffer.from('JFIF\0', 'latin1'), [1, 1, 0, 0, 1, 0, 1, 0, 0]),
    segment(
      0xdb,
      [0],
      Array.from({ length: 64 }, () => 16),
    ),
    segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    segment(0xc4, DC_TABLE),
    segment(0xc4, AC_TABLE),
    segment(0xda, [1, 1, 0x00, 0, 63, 0]),
    bits.end(),
    Buffer.from([0xff, 0xd9]),
  ])
}
