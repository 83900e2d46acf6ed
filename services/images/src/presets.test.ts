import assert from 'node:assert/strict'
import { test } from 'node:test'
import { picturesConfig } from '@newswire/events/picture-config'
import { type Encoding, type Planned, planFor, recipeOf, setRecipeOf, toPlan } from './presets.ts'
import type { Words } from './words.ts'

const plan = toPlan(picturesConfig.parse({}))
const widthsFor = (width: number) =>
  planFor(width, plan)
    .filter(one => one.shape === null)
    .map(one => `${one.name}:${one.width}`)

test('nothing is enlarged: a picture gets every smaller size and the first that holds it whole, at its own width', () => {
  assert.deepEqual(widthsFor(5000), ['w2048:2048', 'w1280:1280', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(widthsFor(2048), ['w2048:2048', 'w1280:1280', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(widthsFor(1000), ['w1280:1000', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(widthsFor(320), ['w320:320'])
  assert.deepEqual(widthsFor(1), ['w320:1'])
})

test('a plan is widest first, has one width at least and every crop, whatever the width', () => {
  for (let width = 1; width < 3000; width += 7) {
    const planned = planFor(width, plan)
    const widths = planned.filter(one => one.shape === null).map(one => one.width)
    assert.ok(widths.length > 0 && widths.every(one => one <= width))
    assert.deepEqual(
      widths,
      [...widths].sort((a, b) => b - a),
    )
    assert.deepEqual(
      planned.slice(widths.length).map(one => one.name),
      ['landscape', 'square', 'social'],
    )
  }
})

test('the defaults are the sizes, crops and formats that the issue names', () => {
  assert.deepEqual(
    plan.map(({ name, shape, encodings }) => [name, shape, encodings.map(one => one.format).join()]),
    [
      ['w2048', null, 'jpeg'],
      ['w1280', null, 'jpeg,avif,webp'],
      ['w960', null, 'jpeg,avif'],
      ['w640', null, 'jpeg,avif,webp'],
      ['w320', null, 'jpeg,avif'],
      ['landscape', { width: 1200, height: 675 }, 'jpeg'],
      ['square', { width: 900, height: 900 }, 'jpeg'],
      ['social', { width: 1200, height: 630 }, 'jpeg'],
    ],
  )
  assert.ok(plan.every(one => one.encodings.every(({ format, quality }) => format !== 'jpeg' || quality === 80)))
})

const words: Words = { caption: 'A', credit: 'B', copyright: '', usageTerms: '', digitalSourceType: '', dataMining: '' }
const jpeg: Encoding = { format: 'jpeg', quality: 80, effort: 0 }
const width: Planned = { name: 'w640', width: 640, shape: null, encodings: [jpeg] }
const crop: Planned = { name: 'square', width: 900, shape: { width: 900, height: 900 }, encodings: [jpeg] }

test('all that decides the bytes of a rendition is in its recipe, and it can stand in a key', () => {
  const recipe = recipeOf(width, jpeg, { words, focus: null }, 'encoder 1')
  assert.match(recipe, /^[a-z0-9]{12}$/)
  assert.equal(recipeOf({ ...width }, { ...jpeg }, { words: { ...words }, focus: null }, 'encoder 1'), recipe)
  const others = [
    recipeOf(width, { ...jpeg, quality: 81 }, { words, focus: null }, 'encoder 1'),
    recipeOf(width, { ...jpeg, format: 'webp' }, { words, focus: null }, 'encoder 1'),
    recipeOf(width, { ...jpeg, effort: 1 }, { words, focus: null }, 'encoder 1'),
    recipeOf({ ...width, width: 99 }, jpeg, { words, focus: null }, 'encoder 1'),
    recipeOf(width, jpeg, { words, focus: null }, 'encoder 2'),
    recipeOf(width, jpeg, { words: { ...words, caption: 'B', credit: 'A' }, focus: null }, 'encoder 1'),
    recipeOf(width, jpeg, { words: { ...words, caption: 'AB', credit: '' }, focus: null }, 'encoder 1'),
    recipeOf(width, jpeg, { words: { ...words, dataMining: 'DMI-PROHIBITED' }, focus: null }, 'encoder 1'),
  ]
  assert.equal(new Set([recipe, ...others]).size, 9)
})

test('another focus point is another crop, and the same whole picture', () => {
  const left = { words, focus: { x: 0.1, y: 0.5 } }
  const right = { words, focus: { x: 0.9, y: 0.5 } }
  assert.equal(recipeOf(width, jpeg, left, 'e'), recipeOf(width, jpeg, right, 'e'))
  assert.notEqual(recipeOf(crop, jpeg, left, 'e'), recipeOf(crop, jpeg, right, 'e'))
  assert.notEqual(setRecipeOf({ plan: [width, crop], ...left }, 'e'), setRecipeOf({ plan: [width, crop], ...right }, 'e'))
})
