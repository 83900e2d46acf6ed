/** One picture, from a real server on loopback to files in a real store. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Article, Picture } from '@newswire/events/article'
import { sha256Hex } from '@newswire/events/ids'
import { picturesConfig } from '@newswire/events/picture-config'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { mayBeMaking, setsMadeFor } from '@newswire/objects/picture-mark'
import { createOutbound } from '@newswire/outbound/create-outbound'
import { createShared } from '@newswire/runtime/shared'
import { createDecoder, type Decoder } from './decoder.ts'
import { inspectPicture } from './inspect.ts'
import { toPlan } from './presets.ts'
import { jpegHeight, jpegWidth, makeJpeg, makePng } from './sample-pictures.ts'
import { type Settled, type SettleNeeds, settlePicture } from './settle-picture.ts'

/** `breaksAt`: the first answer ends after so many bytes; `laterTag`: what it is called after that; `skips`: bytes left out of what comes of a range. */
type Answer = {
  status?: number
  body?: Uint8Array
  type?: string
  location?: string
  etag?: string
  breaksAt?: number
  laterTag?: string
  skips?: number
}

/** A server of pictures that knows conditions and ranges. */
const answerWith = (answer: Answer, request: IncomingMessage, response: ServerResponse): number => {
  const { status = 200, body = Buffer.alloc(0), type = 'image/jpeg', location, etag } = answer
  const headers = { 'content-type': type, ...(location ? { location } : {}), ...(etag ? { etag } : {}) }
  if (etag !== undefined && request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end()
    return 304
  }
  const asked = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const from = asked + (answer.skips ?? 0)
  if (asked > 0 && request.headers['if-range'] === etag) {
    response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${body.byteLength - 1}/${body.byteLength}` })
    response.end(body.subarray(from))
    return 206
  }
  response.writeHead(status, { ...headers, 'content-length': body.byteLength })
  const { breaksAt, laterTag } = answer
  if (breaksAt === undefined) response.end(body)
  else response.write(body.subarray(0, breaksAt), () => response.destroy())
  delete answer.breaksAt
  if (laterTag !== undefined) answer.etag = laterTag
  return status
}

const open = async (t: TestContext, answers: Record<string, Answer> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-pictures-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const statuses: number[] = []
  const server = createServer((request, response) => {
    statuses.push(answerWith(answers[request.url ?? ''] ?? { status: 404 }, request, response))
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
  const decoder = createDecoder({ processes: 1 })
  t.after(decoder.stop)
  let rendered = 0
  const counting: Decoder = {
    ...decoder,
    render: (...args) => {
      rendered++
      return decoder.render(...args)
    },
  }
  /** As another process would have it: the store is all they share. */
  const process = (): SettleNeeds => ({
    objects,
    outbound,
    decoder: counting,
    plan: () => toPlan(picturesConfig.parse({})),
    shared: createShared<Settled>(),
    now: Date.now,
  })
  const settleIn = (needs: SettleNeeds) => (picture: Picture, rights?: Article['rights']) =>
    settlePicture(needs, picture, { articleId: 'press.a', lane: 'live', rights }, AbortSignal.timeout(10_000))
  const settle = settleIn(process())
  const upload = async (bytes: Uint8Array) => {
    const sha256 = sha256Hex(bytes)
    await objects.put(`originals/${sha256}`, bytes)
    return `newswire:${sha256}`
  }
  const read = async (key: string) => Buffer.from((await objects.get(key))?.bytes ?? [])
  const settleWith = (given: typeof objects) => settleIn({ ...process(), objects: given })
  const settleBy = (changes: (needs: SettleNeeds) => Partial<SettleNeeds>) => {
    const needs = process()
    return settleIn({ ...needs, ...changes(needs) })
  }
  const purgeArticle = () =>
    objects.put(keys.current('press.a'), Buffer.from(JSON.stringify({ released: { fact: { articleId: 'press.a', state: 'purged' } } })))
  return {
    objects,
    base,
    settle,
    settleWith,
    settleBy,
    purgeArticle,
    settleElsewhere: settleIn(process()),
    upload,
    read,
    rendered: () => rendered,
    served: () => statuses,
  }
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
  const { base, settle, read } = await open(t, { '/a.png': { body: bytes, type: 'text/plain' } })
  const picture = settledOf(await settle(pictureAt(`${base}/a.png`)))
  assert.equal(picture.state, 'ready')
  assert.equal(picture.sha256, sha256Hex(bytes))
  assert.deepEqual(await read(`originals/${picture.sha256}`), bytes)
  assert.deepEqual(
    picture.renditions.map(({ preset, width, height, type }) => [preset, width, height, type.slice(6)].join(' ')),
    [
      'w960 700 350 jpeg',
      'w960 700 350 avif',
      'w640 640 320 jpeg',
      'w640 640 320 avif',
      'w640 640 320 webp',
      'w320 320 160 jpeg',
      'w320 320 160 avif',
      'landscape 622 350 jpeg',
      'square 350 350 jpeg',
      'social 667 350 jpeg',
    ],
  )
  assert.match(picture.preview?.color ?? '', /^#[0-9a-f]{6}$/)
  for (const one of picture.renditions) {
    const file = await read(one.key)
    assert.match(one.key, new RegExp(`^renditions/${picture.sha256}/${one.preset}-[a-z0-9]+\\.(jpg|avif|webp)$`))
    assert.equal(file.byteLength, one.bytes)
    const inspected = inspectPicture(file)
    assert.ok(inspected.ok, one.key)
    assert.deepEqual([inspected.type, inspected.width, inspected.height], [one.type, one.width, one.height])
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

test('two of one process that settle the same picture at once render it once; two processes end with the same files', async t => {
  const { settle, settleElsewhere, upload, rendered } = await open(t)
  const url = await upload(makePng(30, 30))
  const [first, second] = await Promise.all([settle(pictureAt(url)), settle(pictureAt(url, { alt: 'other' }))])
  assert.equal(rendered(), 1)
  assert.deepEqual(settledOf(second), { ...settledOf(first), alt: 'other' })
  assert.deepEqual(await settleElsewhere(pictureAt(url)), first)
  assert.equal(rendered(), 1)
  const other = await upload(makePng(31, 30))
  const [third, fourth] = await Promise.all([settle(pictureAt(other)), settleElsewhere(pictureAt(other))])
  assert.deepEqual(fourth, third)
})

test('an address that was fetched before is asked whether it changed; a new picture at an old address is a new picture', async t => {
  const picture = { body: makePng(40, 20), etag: '"one"' }
  const { base, settle, rendered, served } = await open(t, { '/a': picture })
  const first = settledOf(await settle(pictureAt(`${base}/a`)))
  assert.deepEqual(settledOf(await settle(pictureAt(`${base}/a`))), first)
  assert.deepEqual(served(), [200, 304])
  assert.equal(rendered(), 1)
  Object.assign(picture, { body: makePng(41, 20), etag: '"two"' })
  const second = settledOf(await settle(pictureAt(`${base}/a`)))
  assert.deepEqual(served(), [200, 304, 200])
  assert.notEqual(second.sha256, first.sha256)
  assert.equal(second.state, 'ready')
})

test('a server that says "unchanged" of a picture that is gone from the store is asked for it whole', async t => {
  const { base, settle, objects, served } = await open(t, { '/a': { body: makePng(40, 20), etag: '"one"' } })
  const first = settledOf(await settle(pictureAt(`${base}/a`)))
  await objects.delete(`originals/${first.sha256}`)
  assert.deepEqual(settledOf(await settle(pictureAt(`${base}/a`))), first)
  assert.deepEqual(served(), [200, 304, 200])
})

test('a transfer that breaks goes on where it broke, and not when the picture has changed meanwhile', async t => {
  const png = makePng(300, 300)
  const { base, settle, served } = await open(t, {
    '/breaks': { body: png, etag: '"one"', breaksAt: 100 },
    '/changes': { body: png, etag: '"one"', breaksAt: 100, laterTag: '"two"' },
    '/no-tag': { body: png, breaksAt: 100 },
    '/skips': { body: png, etag: '"one"', breaksAt: 100, skips: 1 },
  })
  const resumed = settledOf(await settle(pictureAt(`${base}/breaks`)))
  assert.equal(resumed.sha256, sha256Hex(png))
  assert.deepEqual(served(), [200, 206])
  assert.equal(settledOf(await settle(pictureAt(`${base}/changes`))).sha256, sha256Hex(png))
  assert.deepEqual(served().slice(2), [200, 200])
  assert.equal((await settle(pictureAt(`${base}/no-tag`))).outcome, 'later')
  assert.equal((await settle(pictureAt(`${base}/skips`))).outcome, 'later', 'it is asked for again, and no hole is in it')
  assert.deepEqual(served().slice(-2), [200, 206])
})

test('a large picture whose transfer broke late is taken whole when it has changed meanwhile', async t => {
  // Phones put a video behind a picture.
  const body = Buffer.concat([makePng(300, 300), Buffer.alloc(15_000_000)])
  const { base, settle, served } = await open(t, { '/late': { body, etag: '"one"', breaksAt: 12_000_000, laterTag: '"two"' } })
  assert.equal(settledOf(await settle(pictureAt(`${base}/late`))).state, 'ready')
  assert.deepEqual(served(), [200, 200])
})

test('a picture that an article was given is noted before the article can be announced', async t => {
  const { objects, settle, upload } = await open(t)
  const picture = settledOf(await settle(pictureAt(await upload(makePng(9, 9)))))
  assert.ok(await objects.head(`images/uses/${picture.sha256}/press.a.json`))
})

test('what was made for an article with other words than before is noted too, so that a purge finds what never came out', async t => {
  const { objects, settle, upload } = await open(t)
  const url = await upload(makePng(9, 9))
  const made = [settledOf(await settle(pictureAt(url))), settledOf(await settle(pictureAt(url, { caption: 'Chưa công bố' })))]
  const given = { sha256: made[0]?.sha256 ?? '', articleId: 'press.a' }
  const sets = await setsMadeFor(objects, given)
  const named = await Promise.all(
    sets.map(async key => JSON.parse(Buffer.from((await objects.get(key))?.bytes ?? []).toString()).renditions),
  )
  assert.deepEqual(
    named,
    made.map(one => one.renditions),
  )
})

test('a picture is noted before it is asked whether its files may be relied on, so that a purge of another article sees it', async t => {
  const { objects, settleWith, upload } = await open(t)
  const noted: boolean[] = []
  const get: typeof objects.get = async (key, options) => {
    if (key.startsWith('images/unused/')) noted.push((await objects.list('images/uses/')).length === 1)
    return objects.get(key, options)
  }
  await settleWith({ ...objects, get })(pictureAt(await upload(makePng(9, 9))))
  assert.deepEqual(noted, [true])
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
    assert.match(picture.code ?? '', /^NEWSWIRE_PICTURE_[A-Z_]+$/, what)
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
  assert.match(settledOf(await settle(pictureAt(`${base}/loop`))).reason ?? '', /redirects more than 3 times/)
  assert.equal(await outcome('http://10.0.0.1/inside.jpg'), 'refused')
  assert.equal(await outcome(`newswire:${'0'.repeat(64)}`), 'refused')
})

test('for an article that was purged no picture is fetched, marked or made, however often it is sent again', async t => {
  const { base, settle, served, rendered, objects, purgeArticle } = await open(t, { '/a.png': { body: makePng(20, 10) } })
  await purgeArticle()
  const picture = settledOf(await settle(pictureAt(`${base}/a.png`)))
  assert.deepEqual([picture.state, picture.code], ['refused', 'NEWSWIRE_PICTURE_PURGED'])
  assert.deepEqual([served().length, rendered()], [0, 0])
  for (const prefix of ['originals/', 'renditions/', 'images/']) assert.deepEqual(await objects.list(prefix), [], prefix)
})

test('for an article that is purged while a picture of it is fetched, nothing is made', async t => {
  const { base, settleBy, rendered, objects, purgeArticle } = await open(t, { '/a.png': { body: makePng(20, 10) } })
  const settle = settleBy(({ outbound }) => ({
    outbound: {
      ...outbound,
      request: async asked => {
        const result = await outbound.request(asked)
        await purgeArticle()
        return result
      },
    },
  }))
  const picture = settledOf(await settle(pictureAt(`${base}/a.png`)))
  assert.deepEqual([picture.state, picture.code, rendered()], ['refused', 'NEWSWIRE_PICTURE_PURGED', 0])
  for (const prefix of ['originals/', 'renditions/']) assert.deepEqual(await objects.list(prefix), [], prefix)
})

test('what took long to decode is marked anew before its files are written, and not written for an article that was purged meanwhile', async t => {
  const { upload, settleBy, objects, purgeArticle } = await open(t)
  const url = await upload(makePng(20, 10))
  const given = { sha256: url.slice('newswire:'.length), articleId: 'press.a' }
  let nowMs = Date.now()
  let isPurging = false
  const settle = settleBy(({ decoder }) => ({
    now: () => nowMs,
    decoder: {
      ...decoder,
      render: async (...asked) => {
        const decoded = await decoder.render(...asked)
        nowMs += 900_000
        if (isPurging) await purgeArticle()
        return decoded
      },
    },
  }))
  settledOf(await settle(pictureAt(url)))
  assert.equal(await mayBeMaking(objects, given, nowMs), true)
  const before = (await objects.list('renditions/')).length
  isPurging = true
  assert.equal((await settle(pictureAt(url, { caption: 'Khác' }))).outcome, 'later')
  assert.equal((await objects.list('renditions/')).length, before)
})

test('who stood still before his files were written, while the article was purged for good, leaves what they are found by', async t => {
  for (const where of ['originals/', 'renditions/']) {
    const { objects, base, settleBy, purgeArticle } = await open(t, { '/p.png': { body: makePng(20, 10), type: 'image/png' } })
    const given = { sha256: sha256Hex(makePng(20, 10)), articleId: 'press.a' }
    let nowMs = Date.now()
    let hasStood = false
    const standStill = async (key: string) => {
      if (hasStood || !key.startsWith(where)) return
      hasStood = true
      nowMs += 900_000
      await purgeArticle()
      // The purge is long done: it waited ten minutes for who had marked the picture.
      await objects.delete(keys.pictureUse(given.sha256, given.articleId))
    }
    const put: typeof objects.put = async (key, ...rest) => {
      await standStill(key)
      return objects.put(key, ...rest)
    }
    const settled = await settleBy(() => ({ now: () => nowMs, objects: { ...objects, put } }))(pictureAt(`${base}/p.png`))
    assert.equal(settled.outcome, 'later', where)
    const left = await objects.list('renditions/')
    assert.equal(left.length > 0, where === 'renditions/', 'what had begun is written, what had not is not')
    assert.notEqual(await objects.head(keys.pictureUse(given.sha256, given.articleId)), null, where)
    assert.equal((await setsMadeFor(objects, given)).length, 1)
  }
})
