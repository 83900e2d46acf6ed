/** Small real pictures to try the renderer with: a grey baseline JPEG, with what cameras write into it, and PNGs of any size. */
import { crc32, deflateSync } from 'node:zlib'

/** 40 × 24, grey, without Exif. */
const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBD/wAALCAAYACgBAREA/8QAHwAAAAAMAAAAAAAAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAAPwBeHTm2McewZsMypNNKZEgnolCah//Z',
  'base64',
)
export const jpegWidth = 40
export const jpegHeight = 24

/** Exif (TIFF, little endian): an orientation, a camera's name, and a position of 10° N. */
const toExif = (orientation: number): Buffer => {
  const tiff = Buffer.alloc(110)
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    tiff.writeUInt16LE(tag, at)
    tiff.writeUInt16LE(type, at + 2)
    tiff.writeUInt32LE(count, at + 4)
    tiff.writeUInt32LE(value, at + 8)
  }
  tiff.write('II*\0', 0, 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(3, 8)
  entry(10, 0x010f, 2, 12, 98)
  entry(22, 0x0112, 3, 1, orientation)
  entry(34, 0x8825, 4, 1, 50)
  tiff.writeUInt16LE(1, 50)
  entry(52, 2, 5, 1, 68)
  tiff.writeUInt32LE(10, 68)
  tiff.writeUInt32LE(1, 72)
  tiff.write('SecretMaker\0', 98, 'latin1')
  const data = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  return Buffer.concat([Buffer.from([0xff, 0xe1, (data.length + 2) >> 8, (data.length + 2) & 255]), data])
}

export const makeJpeg = ({ orientation }: { orientation?: number } = {}): Buffer =>
  orientation === undefined ? JPEG : Buffer.concat([JPEG.subarray(0, 2), toExif(orientation), JPEG.subarray(2)])

export const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

/** A PNG of RGB with alpha that says it is so large, with whatever data. */
export const toPng = (width: number, height: number, data: Buffer): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** RGB with alpha, of one colour. */
export const makePng = (width: number, height: number, colour: readonly [number, number, number, number] = [120, 40, 200, 255]): Buffer => {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 4, Buffer.from(colour))])
  return toPng(width, height, deflateSync(Buffer.concat(Array.from({ length: height }, () => row))))
}
