/** One picture, from a real server on loopback to files in a real store. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import { sha256Hex } from '@newswire/events/ids'
import { createDiskObjects } from '@newswire/objects/disk'
import { createOutbound } from '@newswire/outbound/create-outbound'
import { createLimit } from './limit.ts'
import { jpegHeight, jpegWidth, makeJpeg, makePng } from './sample-pictures.ts'
import { settlePicture } from './settle-picture.ts'
import { loadRenderer, type Renderer } from './sharp.ts'

type Answer = { status?: number; body?: Uint8Array; type?: string; location?: string }

const open = async (t: TestContext, answers: Record<string, Answer> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-pictures-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const server = createServer((request, response) => {
    const { status = 200, body = Buffer.alloc(0), type = 'image/jpeg', location } = answers[request.url ?? ''] ?? { status: 404 }
    response.writeHead(status, { 'content-type': type, ...(location ? { location } : {}) }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const outbound = createOutbound({ network: () => ({ allow: ['127.0.0.0/8'], allowHttp: true }) })
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await outbound.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const loaded = await loadRenderer()
  let rendered = 0
  const counting: Renderer = {
    ...loaded,
    render: (...args) => {
      rendered++
      return loaded.render(...args)
    },
  }
  const needs = { objects, outbound, renderer: async () => counting, limit: createLimit(2) }
  const settle = (picture: Picture) => settlePicture(needs, picture, AbortSignal.timeout(10_000))
  const upload = async (bytes: Uint8Array) => {
    const sha256 = sha256Hex(bytes)
    await objects.put(`originals/${sha256}`, bytes)
    return `newswire:${sha256}`
  }
  const read = async (key: string) => Buffer.from((await objects.get(key))?.bytes ?? [])
  return { objects, base, settle, upload, read, renderer: loaded, rendered: () => rendered }
}

const pictureAt = (url: string, words: Partial<Picture> = {}): Picture => ({
  url,
  role: 'lead',
  caption: 'Lễ khai mạc & <hội>',
  alt: '',
  credit: 'Ảnh: An "A" Nguyễn',
  state: 'waiting',
  renditions: [],
  ...words,
})

const settledOf = (result: Awaited<ReturnType<typeof settlePicture>>): Picture => {
  assert.ok(result.outcome === 'settled', `not settled: ${JSON.stringify(result)}`)
  return result.picture
}

test('a picture from a server is kept as it came, and rendered under the hash of its content', async t => {
  const bytes = makePng(700, 350)
  const { base, settle, read, renderer } = await open(t, { '/a.png': { body: bytes, type: 'text/plain' } })
  const picture = settledOf(await settle(pictureAt(`${base}/a.png`)))
  assert.equal(picture.state, 'ready')
  assert.equal(picture.sha256, sha256Hex(bytes))
  assert.deepEqual(await read(`originals/${picture.sha256}`), bytes)
  assert.deepEqual(
    picture.renditions.map(({ preset, width, height, type }) => [preset, width, height, type]),
    [
      ['w960', 700, 350, 'image/jpeg'],
      ['w640', 640, 320, 'image/jpeg'],
      ['w320', 320, 160, 'image/jpeg'],
    ],
  )
  for (const one of picture.renditions) {
    const file = await read(one.key)
    assert.match(one.key, new RegExp(`^renditions/${picture.sha256}/${one.preset}-[a-z0-9]+\\.jpg$`))
    assert.equal(file.byteLength, one.bytes)
    assert.deepEqual(await renderer.measure(file), { ok: true, width: one.width, height: one.height })
  }
})

test('credit and caption are in the file; position, camera and the rest of the Exif are not', async t => {
  const { settle, upload, read } = await open(t)
  const source = makeJpeg({ orientation: 1 })
  assert.match(source.toString('latin1'), /SecretMaker/)
  const picture = settledOf(await settle(pictureAt(await upload(source))))
  const file = await read(picture.renditions[0]?.key ?? '')
  const text = file.toString('utf8')
  assert.match(text, /Lễ khai mạc &amp; &lt;hội&gt;/)
  assert.match(text, /<photoshop:Credit>Ảnh: An &quot;A&quot; Nguyễn<\/photoshop:Credit>/)
  assert.doesNotMatch(file.toString('latin1'), /SecretMaker|Exif\0/)
})

test('a picture is shown the way up that its Exif says', async t => {
  const { settle, upload } = await open(t)
  const upright = settledOf(await settle(pictureAt(await upload(makeJpeg({ orientation: 1 })))))
  const turned = settledOf(await settle(pictureAt(await upload(makeJpeg({ orientation: 6 })))))
  assert.deepEqual([upright.renditions[0]?.width, upright.renditions[0]?.height], [jpegWidth, jpegHeight])
  assert.deepEqual([turned.renditions[0]?.width, turned.renditions[0]?.height], [jpegHeight, jpegWidth])
})

test('transparency becomes white, not black', async t => {
  const { settle, upload, read } = await open(t)
  const bytesOf = async (source: Buffer) => read(settledOf(await settle(pictureAt(await upload(source)))).renditions[0]?.key ?? '')
  const clear = await bytesOf(makePng(8, 8, [0, 0, 0, 0]))
  assert.deepEqual(clear, await bytesOf(makePng(8, 8, [255, 255, 255, 255])))
  assert.notDeepEqual(clear, await bytesOf(makePng(8, 8, [0, 0, 0, 255])))
})

test('the same source is rendered once for the same words; other words are other files', async t => {
  const { settle, upload, rendered } = await open(t)
  const url = await upload(makePng(20, 10))
  const first = settledOf(await settle(pictureAt(url)))
  const second = settledOf(await settle(pictureAt(url)))
  assert.equal(rendered(), 1)
  assert.deepEqual(second, first)
  const other = settledOf(await settle(pictureAt(url, { credit: 'Khác' })))
  assert.equal(rendered(), 2)
  assert.notEqual(other.renditions[0]?.key, first.renditions[0]?.key)
})

test('two that settle the same picture at once end with the same files', async t => {
  const { settle, upload } = await open(t)
  const url = await upload(makePng(30, 30))
  const [first, second] = await Promise.all([settle(pictureAt(url)), settle(pictureAt(url))])
  assert.deepEqual(second, first)
})

test('what is no picture, or half of one, is refused alone and with the reason', async t => {
  const { settle, upload } = await open(t)
  const png = makePng(64, 64)
  const bad = {
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
    html: Buffer.from('<!doctype html><title>login</title>'),
    'empty file': Buffer.alloc(0),
    'truncated PNG': png.subarray(0, png.length - 40),
    'truncated JPEG': makeJpeg().subarray(0, 150),
    'svg behind a JPEG signature': Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.from('<svg/>')]),
  }
  for (const [what, bytes] of Object.entries(bad)) {
    const picture = settledOf(await settle(pictureAt(await upload(bytes))))
    assert.equal(picture.state, 'refused', what)
    assert.ok(picture.reason, what)
    assert.deepEqual(picture.renditions, [], what)
  }
})

test('a small file that would decode to a huge picture is refused before it is decoded', async t => {
  const { settle, upload, rendered } = await open(t)
  const bomb = makePng(1, 1)
  bomb.writeUInt32BE(60_000, 16)
  bomb.writeUInt32BE(60_000, 20)
  const picture = settledOf(await settle(pictureAt(await upload(bomb))))
  assert.equal(picture.state, 'refused')
  assert.equal(rendered(), 0)
})

test('what may come later is told from what never will', async t => {
  const { base, settle } = await open(t, {
    '/500': { status: 500 },
    '/429': { status: 429 },
    '/403': { status: 403 },
    '/moved': { status: 302, location: '/png' },
    '/inward': { status: 302, location: 'http://169.254.169.254/latest' },
    '/loop': { status: 302, location: '/loop' },
    '/png': { body: makePng(10, 10) },
  })
  const outcome = async (url: string) => {
    const result = await settle(pictureAt(url))
    return result.outcome === 'later' ? 'later' : result.picture.state
  }
  assert.equal(await outcome(`${base}/500`), 'later')
  assert.equal(await outcome(`${base}/429`), 'later')
  assert.equal(await outcome(`${base}/not-there-yet`), 'later')
  assert.equal(await outcome('http://127.0.0.1:1/refused.jpg'), 'later')
  assert.equal(await outcome(`${base}/403`), 'refused')
  assert.equal(await outcome(`${base}/moved`), 'ready')
  assert.equal(await outcome(`${base}/inward`), 'refused')
  assert.equal(await outcome(`${base}/loop`), 'refused')
  assert.equal(await outcome('http://10.0.0.1/inside.jpg'), 'refused')
  assert.equal(await outcome(`newswire:${'0'.repeat(64)}`), 'refused')
})
