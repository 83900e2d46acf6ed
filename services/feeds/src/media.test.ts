/** Which renditions of a picture a feed offers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samplePicture } from '@newswire/events/sample-fact'
import { itemElements } from './elements.ts'
import { renderItem } from './feed.ts'
import { toFeedItem } from './item.ts'
import { renderJsonItem } from './json-feed.ts'
import { makeFact, makeProfile, makeRetraction } from './sample-facts.ts'

const sha256 = 'a'.repeat(64)
const at = (preset: string, ending: 'jpg' | 'avif' | 'webp', width: number, height: number) => ({
  preset,
  key: `renditions/${sha256}/${preset}-r1.${ending}`,
  type: ending === 'jpg' ? 'image/jpeg' : `image/${ending}`,
  width,
  height,
  bytes: width,
})
const preview = { color: '#d86888', blurHash: 'L0D]o84n00fQ' }
const picture = samplePicture({
  sha256,
  preview,
  renditions: [
    at('w1280', 'jpg', 1280, 720),
    at('w1280', 'avif', 1280, 720),
    at('w640', 'jpg', 640, 360),
    at('w640', 'webp', 640, 360),
    at('landscape', 'jpg', 1200, 675),
    at('square', 'jpg', 900, 900),
  ],
})
const item = toFeedItem(makeFact({ article: { images: [picture] } }), makeProfile())

test('readers are offered the whole picture in every width as JPEG: no format that some do not take, no crop as another size', () => {
  assert.ok(item.kind === 'item')
  const group = itemElements(item).find(one => one.name === 'media:group')
  assert.ok(Array.isArray(group?.content))
  assert.deepEqual(
    group.content.filter(one => one.name === 'media:content').map(({ attributes }) => `${attributes?.['type']} ${attributes?.['width']}`),
    ['image/jpeg 1280', 'image/jpeg 640'],
  )
  assert.deepEqual([item.lead?.type, item.lead?.bytes], ['image/jpeg', 1280])
})

test('a picture in the text has the choice of its widths, and the room for it is known', () => {
  assert.ok(item.kind === 'item')
  assert.match(
    item.html ?? '',
    /<img src="[^"]*w1280-r1\.jpg" srcset="[^"]*w640-r1\.jpg 640w, [^"]*w1280-r1\.jpg 1280w" sizes="[^"]+" alt="" width="1280" height="720" \/>/,
  )
})

test('JSON Feed says what to show until a picture has come', () => {
  const { pictures } = (JSON.parse(renderJsonItem(item)) as { _newswire: { pictures: { preview: unknown }[] } })._newswire
  assert.deepEqual(pictures[0]?.preview, preview)
})

test('whose a picture is and what may be done with it goes with it, and is not said where nothing was', () => {
  const said = {
    copyright: '© Đỗ & Đào',
    usageTerms: 'Không bán lại',
    digitalSourceType: 'digitalCapture',
    dataMining: 'DMI-PROHIBITED',
  } as const
  const one = toFeedItem(makeFact({ article: { images: [{ ...picture, ...said }] } }), makeProfile())
  const names = ['media:copyright', 'nw:usageTerms', 'nw:digitalSourceType', 'nw:dataMining']
  const inGroup = (of: typeof one) => {
    assert.ok(of.kind === 'item')
    const group = itemElements(of).find(({ name }) => name === 'media:group')
    assert.ok(Array.isArray(group?.content))
    return group.content.filter(({ name }) => names.includes(name)).map(({ name, content }) => [name, content])
  }
  const inJson = (of: typeof one) => (JSON.parse(renderJsonItem(of)) as { _newswire: { pictures: object[] } })._newswire.pictures[0] ?? {}
  assert.deepEqual(
    inGroup(one),
    names.map((name, index) => [name, Object.values(said)[index]]),
  )
  assert.deepEqual({ ...inJson(one), ...said }, inJson(one))
  assert.deepEqual(inGroup(item), [])
  assert.ok(!Object.keys(said).some(name => name in inJson(item)))
})

test('a notice for SmartNews says its status as Media RSS does too', () => {
  const notice = renderItem(toFeedItem(makeRetraction(), makeProfile({ rules: 'smartnews' })), 'rss')
  assert.match(notice, /<media:status state="deleted">deleted<\/media:status>/)
})

test('an article of pictures alone is summed up by the first words about one', () => {
  const images = [{ ...picture, caption: '' }, samplePicture({ sha256: 'b'.repeat(64), role: 'gallery', caption: 'Mùa lúa chín' })]
  const gallery = toFeedItem(makeFact({ article: { type: 'gallery', summary: '', body: { html: '' }, images } }), makeProfile())
  assert.equal(gallery.kind === 'item' && gallery.summary, 'Mùa lúa chín')
})
