/** Read back with a tool that is not ours (`exiftool`, Debian `libimage-exiftool-perl`). */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { picturesConfig } from '@newswire/events/picture-config'
import sharp from 'sharp'
import { toPlan } from './presets.ts'
import { loadRenderer, type RenderedFile } from './sharp.ts'
import type { Words } from './words.ts'

const hasExiftool = spawnSync('exiftool', ['-ver']).status === 0
const skip = hasExiftool ? false : 'exiftool is not here (Debian: libimage-exiftool-perl)'

const silent: Words = { caption: '', credit: '', copyright: '', usageTerms: '', digitalSourceType: '', dataMining: '' }
const said: Words = {
  caption: 'Lễ khai mạc & <hội> ở Nguyễn Huệ',
  credit: 'Ảnh: An "A" Nguyễn',
  copyright: '© 2026 Báo Quân khu',
  usageTerms: 'Chỉ dùng cho tin tức',
  digitalSourceType: 'digitalCapture',
  dataMining: 'DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING',
}
const SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
const DATA_MINING = 'http://ns.useplus.org/ldf/vocab/'

const inFolder = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-exiftool-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return (name: string) => join(folder, name)
}

/** A camera's JPEG, with all that cameras and agencies write into one, and a thumbnail of what was cut off. */
const makeSource = async (file: string): Promise<Buffer> => {
  writeFileSync(
    file,
    await sharp({ create: { width: 700, height: 500, channels: 3, background: '#8899aa' } })
      .jpeg()
      .toBuffer(),
  )
  const tags = [
    '-GPSLatitude=10.77',
    '-GPSLatitudeRef=N',
    '-GPSLongitude=106.70',
    '-GPSLongitudeRef=E',
    '-Make=SecretMaker',
    '-Model=SecretModel',
    '-SerialNumber=SN-0042',
    '-LensSerialNumber=LENS-7',
    '-OwnerName=Mr Owner',
    '-XMP-exif:GPSLatitude=10.77',
    '-XMP-aux:SerialNumber=SN-0042',
    '-XMP-dc:Description=from the file',
    '-XMP-dc:Creator=Trần Văn Bình',
    '-XMP-dc:Rights=file rights',
    '-XMP-photoshop:Credit=File Agency',
    '-XMP-xmpRights:UsageTerms=file terms',
    '-XMP-xmpRights:WebStatement=https://agency.example/terms',
    `-XMP-iptcExt:DigitalSourceType=${SOURCE_TYPE}negativeFilm`,
    '-XMP-plus:LicensorURL=https://agency.example/license',
    '-IPTC:CodedCharacterSet=UTF8',
    '-IPTC:Caption-Abstract=from the old fields',
    '-IPTC:City=Somewhere',
  ]
  execFileSync('exiftool', ['-q', '-overwrite_original', ...tags, file])
  execFileSync('exiftool', ['-q', '-overwrite_original', `-ThumbnailImage<=${file}`, file])
  return readFileSync(file)
}

const renderAll = async (bytes: Uint8Array, words: Words): Promise<readonly RenderedFile[]> => {
  const renderer = await loadRenderer()
  const files: RenderedFile[] = []
  const recipe = { plan: toPlan(picturesConfig.parse({})), words, focus: null }
  const result = await renderer.render(bytes, recipe, file => files.push(file))
  assert.ok(result.ok)
  return files
}

const read = (...files: readonly string[]): readonly Record<string, unknown>[] =>
  JSON.parse(execFileSync('exiftool', ['-j', '-G1', '-n', '-a', ...files], { encoding: 'utf8' })) as Record<string, unknown>[]

const readFiles = (files: readonly RenderedFile[], at: (name: string) => string) => {
  const paths = files.map(({ name, encoding, bytes }) => {
    const path = at(`${name}.${encoding.format}`)
    writeFileSync(path, bytes)
    return path
  })
  const tags = read(...paths)
  return files.map(({ name, encoding, bytes }, index) => ({
    what: `${name} ${encoding.format}`,
    isJpeg: encoding.format === 'jpeg',
    tags: tags[index] ?? {},
    bytes,
  }))
}

test('every rendition says in XMP what the article says of the picture, and every JPEG in IPTC too', { skip }, async t => {
  const at = inFolder(t)
  const files = readFiles(await renderAll(await makeSource(at('source.jpg')), said), at)
  assert.ok(files.length > 8)
  for (const { what, isJpeg, tags } of files) {
    assert.equal(tags['XMP-dc:Description'], said.caption, what)
    assert.equal(tags['XMP-photoshop:Credit'], said.credit, what)
    assert.equal(tags['XMP-dc:Rights'], said.copyright, what)
    assert.equal(tags['XMP-xmpRights:UsageTerms'], said.usageTerms, what)
    assert.equal(tags['XMP-iptcExt:DigitalSourceType'], `${SOURCE_TYPE}${said.digitalSourceType}`, what)
    assert.equal(tags['XMP-plus:DataMining'], `${DATA_MINING}${said.dataMining}`, what)
    if (!isJpeg) continue
    assert.equal(tags['IPTC:Caption-Abstract'], said.caption, what)
    assert.equal(tags['IPTC:Credit'], said.credit, what)
    assert.equal(tags['IPTC:CopyrightNotice'], said.copyright, what)
  }
})

test('what the article does not say, the file does', { skip }, async t => {
  const at = inFolder(t)
  const [first] = readFiles(await renderAll(await makeSource(at('source.jpg')), { ...silent, credit: 'Báo' }), at)
  const tags = first?.tags ?? {}
  assert.equal(tags['XMP-photoshop:Credit'], 'Báo')
  assert.equal(tags['XMP-dc:Description'], 'from the file')
  assert.equal(tags['XMP-dc:Creator'], 'Trần Văn Bình')
  assert.equal(tags['IPTC:By-line'], 'Trần Văn Bình')
  assert.equal(tags['XMP-dc:Rights'], 'file rights')
  assert.equal(tags['XMP-xmpRights:UsageTerms'], 'file terms')
  assert.equal(tags['XMP-xmpRights:WebStatement'], 'https://agency.example/terms')
  assert.equal(tags['XMP-plus:LicensorURL'], 'https://agency.example/license')
  assert.equal(tags['XMP-iptcExt:DigitalSourceType'], `${SOURCE_TYPE}negativeFilm`)
})

test('where the file has only the old fields, those are taken', { skip }, async t => {
  const at = inFolder(t)
  await makeSource(at('source.jpg'))
  execFileSync('exiftool', ['-q', '-overwrite_original', '-XMP:all=', at('source.jpg')])
  const [first] = readFiles(await renderAll(readFileSync(at('source.jpg')), silent), at)
  assert.equal(first?.tags['XMP-dc:Description'], 'from the old fields')
})

test('position, serial numbers, names of camera and owner, and the thumbnail are in no rendition', { skip }, async t => {
  const at = inFolder(t)
  const source = await makeSource(at('source.jpg'))
  const before = Object.keys(read(at('source.jpg'))[0] ?? {}).join()
  assert.match(before, /GPS/)
  assert.match(before, /Serial/)
  assert.match(before, /ThumbnailImage/)
  for (const { what, tags, bytes } of readFiles(await renderAll(source, said), at)) {
    assert.doesNotMatch(Object.keys(tags).join(), /GPS|Serial|Make|Model|Owner|Thumbnail|City|MakerNote|ExifIFD|IFD0/, what)
    assert.doesNotMatch(bytes.toString('latin1'), /SecretMaker|SN-0042|LENS-7|Mr Owner/, what)
  }
})

test('an XMP packet that is broken, endless or hostile says what could be read of it, and harms nothing', async () => {
  const { readXmp } = await import('./read-xmp.ts')
  const packet = (inside: string) =>
    Buffer.from(
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"${inside}`,
    )
  const plus = 'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'
  assert.deepEqual(readXmp(packet(` ${plus} plus:DataMining="${DATA_MINING}DMI-ALLOWED"/>`)), { dataMining: 'DMI-ALLOWED' })
  assert.deepEqual(readXmp(packet(` ${plus} plus:DataMining="${DATA_MINING}whatever"/>`)), {})
  assert.deepEqual(readXmp(packet(' photoshop:Credit="An"><dc:rights>cut')), { credit: 'An' })
  assert.deepEqual(
    readXmp(packet('><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">R</rdf:li><rdf:li xml:lang="vi">V</rdf:li></rdf:Alt></dc:rights>')),
    {
      copyright: 'R',
    },
  )
  assert.deepEqual(readXmp(Buffer.from('<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>')), {})
  assert.deepEqual(readXmp(Buffer.alloc(200_000, '<a>')), {})
  assert.deepEqual(readXmp(Buffer.from([0xff, 0xfe, 0, 1])), {})
})
