import assert from 'node:assert/strict'
import { test } from 'node:test'
import { picturesConfig } from '@newswire/events/picture-config'
import sharp from 'sharp'
import { type Recipe, toPlan } from './presets.ts'
import { loadRenderer, masterWidth, type RenderedFile } from './sharp.ts'

const plan = toPlan(picturesConfig.parse({}))
const words = { caption: '', credit: '', copyright: '', usageTerms: '', digitalSourceType: '', dataMining: '' }

const render = async (bytes: Uint8Array, recipe: Partial<Recipe> = {}) => {
  const renderer = await loadRenderer()
  const files: RenderedFile[] = []
  const result = await renderer.render(bytes, { plan, words, focus: null, ...recipe }, file => files.push(file))
  return {
    result,
    files,
    file: (name: string) => files.find(one => one.name === name && one.encoding.format === 'jpeg')?.bytes ?? Buffer.alloc(0),
  }
}

type Colour = Readonly<{ r: number; g: number; b: number }>
const GREY: Colour = { r: 128, g: 128, b: 128 }
const solid = (width: number, height: number, background: Colour) => sharp({ create: { width, height, channels: 3, background } })
const meanOf = async (bytes: Buffer) => (await sharp(bytes).stats()).channels.map(one => Math.round(one.mean))

/** A red square of a fifth of the height on grey, in the middle of the height, `x` of the way across. */
const withMark = (width: number, height: number, x: number): Promise<Buffer> => {
  const side = Math.round(height / 5)
  const mark = { create: { width: side, height: side, channels: 3 as const, background: { r: 230, g: 20, b: 20 } } }
  return solid(width, height, GREY)
    .composite([{ input: mark, left: Math.round(x * (width - side)), top: Math.round((height - side) / 2) }])
    .jpeg({ quality: 95 })
    .toBuffer()
}
const redIn = async (bytes: Buffer): Promise<number> => {
  const [red = 0, green = 0] = await meanOf(bytes)
  return red - green
}

test('a crop is cut around the focus point that is given', async () => {
  const source = await withMark(2000, 800, 0.95)
  const right = await render(source, { focus: { x: 0.95, y: 0.5 } })
  const left = await render(source, { focus: { x: 0.05, y: 0.5 } })
  assert.ok((await redIn(right.file('square'))) > 2)
  assert.ok((await redIn(left.file('square'))) < 1)
})

test('without one a crop goes where eyes go', async () => {
  for (const x of [0.03, 0.97]) {
    const { file } = await render(await withMark(2000, 800, x))
    assert.ok((await redIn(file('square'))) > 2, `the mark at ${x} is in the crop`)
  }
})

test('an animated AVIF shows its still picture, as an animated GIF does', async () => {
  const sequence = await solid(640, 400, { r: 200, g: 30, b: 30 }).avif().toBuffer()
  sequence.write('avis', 8, 'latin1')
  const { result, file } = await render(sequence)
  assert.ok(result.ok, JSON.stringify(result))
  assert.ok((await redIn(file('w640'))) > 100)
})

test('every format is what it says, baseline where it is a JPEG, and has the size that is told', async () => {
  const { result, files } = await render(await withMark(2400, 1600, 0.5))
  assert.ok(result.ok)
  assert.match(result.preview.blurHash, /^L[\x21-\x7e]{27}$/)
  assert.deepEqual([...new Set(files.map(one => one.encoding.format))].sort(), ['avif', 'jpeg', 'webp'])
  for (const { encoding, width, height, bytes } of files) {
    const found = await sharp(bytes).metadata()
    assert.equal(found.format, encoding.format === 'avif' ? 'heif' : encoding.format)
    assert.deepEqual([found.width, found.height], [width, height])
    assert.equal(found.isProgressive, false)
    assert.equal(found.space, 'srgb')
  }
})

test('widths keep the shape of the picture, whatever was cut from what', async () => {
  const { files } = await render(await solid(3001, 2003, GREY).jpeg().toBuffer())
  for (const { name, width, height } of files.filter(one => one.name.startsWith('w')))
    assert.equal(height, Math.round((width * 1367) / 2048), `${name} ${width}`)
})

test('a colour profile is turned into sRGB and left out', async () => {
  const red = await solid(400, 300, { r: 255, g: 0, b: 0 })
    .withIccProfile('p3')
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer()
  assert.ok((await sharp(red).metadata()).icc !== undefined)
  const { file } = await render(red)
  const rendered = file('w320')
  assert.equal((await sharp(rendered).metadata()).icc, undefined)
  const [r = 0, g = 0, b = 0] = await meanOf(rendered)
  assert.ok(r > 245 && g < 20 && b < 20, `${r} ${g} ${b}`)
})

test('CMYK, grey, sixteen bits and transparency all come out as eight bits of sRGB', async () => {
  const sources = {
    cmyk: await solid(400, 300, GREY).toColourspace('cmyk').jpeg().toBuffer(),
    grey: await solid(400, 300, GREY).greyscale().png().toBuffer(),
    deep: await solid(400, 300, GREY).toColourspace('rgb16').png().toBuffer(),
    clear: await solid(400, 300, GREY).ensureAlpha(0).webp({ lossless: true }).toBuffer(),
    gif: await solid(400, 300, GREY).gif().toBuffer(),
    avif: await solid(400, 300, GREY).avif({ effort: 0 }).toBuffer(),
  }
  for (const [name, source] of Object.entries(sources)) {
    const { result, file } = await render(source)
    assert.ok(result.ok, `${name}: ${result.ok ? '' : result.reason}`)
    const found = await sharp(file('w320')).metadata()
    assert.deepEqual([found.width, found.height, found.channels, found.depth, found.space], [320, 240, 3, 'uchar', 'srgb'], name)
    const [red = 0] = await meanOf(file('w320'))
    assert.ok(name === 'clear' ? red > 250 : Math.abs(red - 128) < 20, `${name}: ${red}`)
  }
})

test('of an animation the first frame is shown', async () => {
  const frames = [
    await solid(60, 40, { r: 250, g: 0, b: 0 }).png().toBuffer(),
    await solid(60, 40, { r: 0, g: 0, b: 250 }).png().toBuffer(),
  ]
  const { file } = await render(
    await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
  )
  const [red = 0, , blue = 0] = await meanOf(file('w320'))
  assert.ok(red > 200 && blue < 50, `${red} ${blue}`)
})

test('what the first frame of a GIF leaves free is white, and not black', async () => {
  const red = await solid(150, 100, { r: 250, g: 0, b: 0 }).gif().toBuffer()
  const gif = Buffer.from(red)
  gif.writeUInt16LE(300, 6)
  gif.writeUInt16LE(200, 8)
  const at = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 150, 0, 100, 0]))
  gif.writeUInt16LE(100, at + 1)
  gif.writeUInt16LE(60, at + 3)
  const control = gif.indexOf(Buffer.from([0x21, 0xf9, 4]))
  gif[control + 3] = 0
  const { result, files, file } = await render(gif)
  assert.ok(result.ok, JSON.stringify(result))
  assert.deepEqual([files[0]?.width, files[0]?.height], [300, 200])
  const part = (left: number, top: number, width: number, height: number) =>
    sharp(file('w320')).extract({ left, top, width, height }).png().toBuffer()
  const [, free = 0] = await meanOf(await part(0, 0, 90, 50))
  assert.ok(free > 245, `${free}`)
  assert.ok((await redIn(await part(110, 70, 130, 80))) > 230)
  assert.ok((await redIn(await part(260, 170, 40, 30))) < 5)
})

test('loaders that are not on the list stay closed', async () => {
  await loadRenderer()
  for (const [name, bytes] of Object.entries({
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'),
    tiff: Buffer.from('II*\0\x08\0\0\0\0\0'),
    pdf: Buffer.from('%PDF-1.4\n%%EOF'),
  })) {
    const { result, files } = await render(bytes)
    assert.equal(result.ok, false, name)
    assert.deepEqual(files, [], name)
  }
})

test('a master is wide and high enough for what is cut from it, never enlarged, and never more than memory allows', () => {
  assert.equal(masterWidth({ width: 6000, height: 4000 }, plan), 2048)
  assert.equal(masterWidth({ width: 6000, height: 1500 }, plan), 4800)
  assert.equal(masterWidth({ width: 800, height: 600 }, plan), 800)
  const tall = masterWidth({ width: 2200, height: 44_000 }, plan)
  assert.ok(tall * tall * 20 <= 24_100_000, String(tall))
})
