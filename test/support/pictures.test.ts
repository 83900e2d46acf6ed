import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { makeJpeg, makePng } from './pictures.ts'

/** Decodes with the library that the images service uses, in a process of its own, so that no test loads it beside the code under test. */
const decode = (bytes: Buffer) => {
  const script = `import sharp from 'sharp'
    const chunks = []; for await (const chunk of process.stdin) chunks.push(chunk)
    const picture = sharp(Buffer.concat(chunks), { failOn: 'warning' })
    const { format, width, height, exif } = await picture.metadata()
    const { data } = await picture.raw().toBuffer({ resolveWithObject: true })
    console.log(JSON.stringify({ format, width, height, exif: exif ? exif.length : 0, levels: new Set(data).size }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { input: bytes, encoding: 'utf8' })
  assert.ok(stdout, stderr)
  return JSON.parse(stdout) as { format: string; width: number; height: number; exif: number; levels: number }
}

test('a PNG made here is whole, and a strict decoder reads it', () => {
  const png = makePng({ width: 40, height: 30, seed: 7 })
  assert.equal(inflateSync(png.subarray(png.indexOf('IDAT') + 4, png.indexOf('IEND') - 8)).length, (40 * 3 + 1) * 30)
  const { format, width, height, levels } = decode(png)
  assert.deepEqual({ format, width, height }, { format: 'png', width: 40, height: 30 })
  assert.ok(levels > 10)
})

test('a JPEG made here is read by a strict decoder, with its position when asked for', () => {
  const plain = decode(makeJpeg({ width: 45, height: 33, seed: 3 }))
  assert.deepEqual({ ...plain, levels: plain.levels > 10 }, { format: 'jpeg', width: 45, height: 33, exif: 0, levels: true })
  assert.ok(decode(makeJpeg({ width: 45, height: 33, seed: 3, gps: true })).exif > 100)
})

test('equal seeds make equal pictures, other seeds others', () => {
  assert.deepEqual(makePng({ width: 8, height: 8, seed: 1 }), makePng({ width: 8, height: 8, seed: 1 }))
  assert.notDeepEqual(makeJpeg({ width: 8, height: 8, seed: 1 }), makeJpeg({ width: 8, height: 8, seed: 2 }))
})
