import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planRenditions, presets, recipeOf } from './presets.ts'

const namesFor = (width: number) => planRenditions(width).map(one => `${one.name}:${one.width}`)

test('nothing is enlarged: a picture gets every smaller size and the first that holds it whole, at its own width', () => {
  assert.deepEqual(namesFor(5000), ['w2048:2048', 'w1280:1280', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(namesFor(2048), ['w2048:2048', 'w1280:1280', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(namesFor(1000), ['w1280:1000', 'w960:960', 'w640:640', 'w320:320'])
  assert.deepEqual(namesFor(320), ['w320:320'])
  assert.deepEqual(namesFor(1), ['w320:1'])
})

test('a plan is widest first and has one entry at least, whatever the width', () => {
  for (let width = 1; width < 3000; width += 7) {
    const widths = planRenditions(width).map(one => one.width)
    assert.ok(widths.length > 0 && widths.every(one => one <= width))
    assert.deepEqual(
      widths,
      [...widths].sort((a, b) => b - a),
    )
  }
})

test('all that decides the bytes of a rendition is in its recipe, and it can stand in a key', () => {
  const [preset] = presets
  assert.ok(preset)
  const words = { caption: 'A', credit: 'B' }
  const recipe = recipeOf(preset, 'encoder 1', words)
  assert.match(recipe, /^[a-z0-9]{12}$/)
  assert.equal(recipeOf({ ...preset }, 'encoder 1', { ...words }), recipe)
  const others = [
    recipeOf({ ...preset, quality: 81 }, 'encoder 1', words),
    recipeOf({ ...preset, width: 99 }, 'encoder 1', words),
    recipeOf(preset, 'encoder 2', words),
    recipeOf(preset, 'encoder 1', { caption: 'B', credit: 'A' }),
    recipeOf(preset, 'encoder 1', { caption: 'AB', credit: '' }),
  ]
  assert.equal(new Set([recipe, ...others]).size, 6)
})
