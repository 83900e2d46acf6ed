import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleInput, type Picture, toArticle } from '@newswire/events/article'
import { isShownAlike, withLatePictures } from './pictures.ts'
import { picture } from './stories.world.ts'

const made = (preset: string, changes: Partial<Picture> = {}): Picture => ({
  ...picture('ready'),
  renditions: [{ preset, key: `renditions/${'a'.repeat(64)}/${preset}-r2.jpg`, type: 'image/jpeg', width: 100, height: 80, bytes: 9 }],
  ...changes,
})
const article = (...images: Picture[]) => ({
  ...toArticle(articleInput.parse({ title: 't', body: { text: 'x' } }), { language: 'vi' }),
  images,
})

test('a picture made again by another table takes the place of the same picture, and of no other', () => {
  const before = article(picture('ready'))
  const after = withLatePictures(before, [made('w100')])
  assert.deepEqual(
    after.images[0]?.renditions.map(one => one.preset),
    ['w100'],
  )
  assert.equal(isShownAlike(before, after), false)
  assert.equal(withLatePictures(before, [made('w100', { sha256: 'b'.repeat(64) })]), before)
  assert.equal(withLatePictures(before, [picture('ready')]), before)
  assert.equal(withLatePictures(before, [made('w100', { state: 'refused', renditions: [] })]), before)
})

test('one address twice with other words: each keeps its own files', () => {
  const one = made('w640')
  const other = made('w640', { caption: 'khác' })
  const after = withLatePictures(article(one, other), [made('w100'), made('w200', { caption: 'khác' })])
  assert.deepEqual(
    after.images.map(shown => [shown.caption, shown.renditions[0]?.preset]),
    [
      [one.caption, 'w100'],
      ['khác', 'w200'],
    ],
  )
})
