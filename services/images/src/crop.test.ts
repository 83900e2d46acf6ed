import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cropBox, cropSize } from './crop.ts'

const wide = { width: 2000, height: 1000 }
const square = { width: 900, height: 900 }

test('a crop is the largest part of its shape, with the focus point in its middle', () => {
  assert.deepEqual(cropBox(wide, square, { x: 0.5, y: 0.5 }), { left: 500, top: 0, width: 1000, height: 1000 })
  assert.deepEqual(cropBox(wide, square, { x: 0.6, y: 0.1 }), { left: 700, top: 0, width: 1000, height: 1000 })
})

test('a focus point at an edge moves the crop to that edge and no further', () => {
  assert.equal(cropBox(wide, square, { x: 0, y: 0 }).left, 0)
  assert.equal(cropBox(wide, square, { x: 1, y: 1 }).left, 1000)
})

test('whatever the sizes and the focus, a crop lies within its picture, has its shape, and is not enlarged', () => {
  for (const width of [1, 2, 17, 640, 1199, 1201, 4096])
    for (const height of [1, 3, 40, 630, 900, 3000])
      for (const shape of [square, { width: 1200, height: 675 }, { width: 1200, height: 630 }])
        for (const x of [0, 0.33, 1])
          for (const y of [0, 0.77, 1]) {
            const box = cropBox({ width, height }, shape, { x, y })
            const size = cropSize(box, shape)
            assert.ok(box.left >= 0 && box.top >= 0 && box.left + box.width <= width && box.top + box.height <= height)
            assert.ok(box.width >= 1 && box.height >= 1)
            assert.ok(size.width <= box.width || size.width === shape.width)
            assert.ok(size.width <= width)
            if (box.width > 50 && box.height > 50) assert.ok(Math.abs(box.width / box.height - shape.width / shape.height) < 0.05)
          }
})
