import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPageCache, type Page } from './page-cache.ts'

const page = (text: string): Page => ({ text, type: 'text/html', headers: {} })

test('a page is made once for each state, and again when any part of the state is another', () => {
  const cache = createPageCache()
  let made = 0
  const make = () => {
    made += 1
    return page(String(made))
  }
  const get = (...state: unknown[]) => cache.get('/', state, make).bytes.toString()
  assert.deepEqual([get(1, 'a'), get(1, 'a'), get(2, 'a'), get(2, 'b'), get(2, 'b')], ['1', '1', '2', '3', '3'])
})

test('equal bytes have an equal tag, whenever and wherever they are made', () => {
  const [one, other] = [createPageCache(), createPageCache()]
  assert.equal(one.get('/', [1], () => page('a')).tag, other.get('/', [2], () => page('a')).tag)
  assert.notEqual(one.get('/', [3], () => page('b')).tag, other.get('/', [2], () => page('a')).tag)
})

test('it holds no more than its bytes: addresses are made up by strangers', () => {
  const cache = createPageCache(100)
  let made = 0
  const make = () => {
    made += 1
    return page('x'.repeat(40))
  }
  const get = (key: string) => cache.get(key, [], make)
  get('a')
  get('b')
  get('a')
  get('c')
  assert.equal(made, 3)
  get('a')
  assert.equal(made, 3, 'what was asked for last is kept')
  get('b')
  assert.equal(made, 4, 'what was asked for longest ago is not')
})

test('a page that cannot be made is not kept, and takes nothing with it', () => {
  const cache = createPageCache()
  const fail = () => {
    throw new Error('no')
  }
  cache.get('/', [1], () => page('a'))
  assert.throws(() => cache.get('/', [2], fail))
  assert.equal(cache.get('/', [1], () => page('b')).bytes.toString(), 'b')
})
