import assert from 'node:assert/strict'
import { test } from 'node:test'
import { siteConfig } from '@newswire/events/config'
import { makePicture } from '../sample-facts.ts'
import { colorClass, colorRules } from './color-classes.ts'
import { toPicture } from './pictures.ts'
import { styleSheet } from './style-sheet.ts'

const SHA = 'a'.repeat(64)
const site = siteConfig.parse({ id: 'news.example,2026', title: 'N', publicUrl: 'http://127.0.0.1:8080' })
const at = (preset: string, type: 'jpeg' | 'avif' | 'webp', width: number, height: number) => ({
  preset,
  key: `renditions/${SHA}/${preset}-r1.${type === 'jpeg' ? 'jpg' : type}`,
  type: `image/${type}`,
  width,
  height,
  bytes: 4,
})
const picture = makePicture(SHA, {
  preview: { color: '#d86888', blurHash: 'L0D]o84n00fQ' },
  renditions: [
    at('w1280', 'jpeg', 1280, 720),
    at('w1280', 'avif', 1280, 720),
    at('w640', 'jpeg', 640, 360),
    at('w640', 'avif', 640, 360),
    at('w640', 'webp', 640, 360),
    at('wide', 'jpeg', 1200, 400),
    at('square', 'jpeg', 900, 900),
  ],
})
const html = toPicture(picture, { site, sizes: '50vw', width: 960, loading: 'lazy' })

test('a browser chooses among every width in the best format it has, JPEG last, and never among crops', () => {
  const sources = [...html.matchAll(/<source type="([^"]+)" srcset="([^"]+)" sizes="([^"]+)">/g)].map(([, type, set, sizes]) => [
    type,
    (set?.match(/ \d+w/g) ?? []).join(),
    sizes,
  ])
  assert.deepEqual(sources, [
    ['image/avif', ' 640w, 1280w', '50vw'],
    ['image/webp', ' 640w', '50vw'],
  ])
  assert.match(html, /<img src="[^"]*w1280-r1\.jpg" srcset="[^"]*w640-r1\.jpg 640w, [^"]*w1280-r1\.jpg 1280w" sizes="50vw"/)
  assert.doesNotMatch(html, /wide|square/)
})

test('the room for a picture is there before it has come, in its colour, without a style or a script', () => {
  assert.match(html, /width="1280" height="720" class="c-f5a"/)
  assert.doesNotMatch(html, /style=|<script/)
  assert.ok(styleSheet.includes('.c-f5a{background:#f5a}'))
})

test('whatever the colour, its class is in the style sheet', () => {
  for (const color of ['#000000', '#ffffff', '#7f8081', '#2a2b54', 'red', ''])
    assert.ok(colorRules.includes(`.${colorClass(color)}{`), color)
})
