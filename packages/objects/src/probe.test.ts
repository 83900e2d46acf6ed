import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from './disk.ts'
import type { Objects } from './objects.ts'
import { probeObjects, proveObjects } from './probe.ts'

const freshStore = async (t: TestContext): Promise<Objects> => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-probe-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true })
  })
  return objects
}

const faulty: readonly [string, RegExp, (good: Objects) => Partial<Objects>][] = [
  [
    'ignores If-None-Match',
    /let 16 of 16 writers create/,
    good => ({ put: (key, bytes, { ifNoneMatch: _, ...rest } = {}) => good.put(key, bytes, rest) }),
  ],
  [
    'ignores If-Match',
    /outdated tag \(If-Match\)/,
    good => ({ put: (key, bytes, { ifMatch: _, ...rest } = {}) => good.put(key, bytes, rest) }),
  ],
  ['never lets anybody win', /let 0 of 16 writers/, () => ({ put: async () => ({ ok: false, reason: 'exists' }) })],
  ['forgets what it acknowledged', /keeps nothing/, () => ({ get: async () => null })],
  [
    'swaps what is not there',
    /a key that is not there/,
    good => ({
      put: async (key, bytes, options) => {
        const result = await good.put(key, bytes, options)
        return !result.ok && result.reason === 'stale' && (await good.get(key)) === null ? good.put(key, bytes) : result
      },
    }),
  ],
]

for (const [fault, message, spoil] of faulty) {
  test(`a store that ${fault} is refused by name, and left clean`, async t => {
    const good = await freshStore(t)
    await assert.rejects(probeObjects({ ...good, ...spoil(good) }), { code: 'NEWSWIRE_OBJECTS_UNSAFE', message })
    assert.deepEqual(await good.list(''), [])
  })
}

test('a store is proven in full once a day, and looked at briefly at every start', async t => {
  const good = await freshStore(t)
  let races = 0
  const counted: Objects = {
    ...good,
    put: (key, bytes, options) => {
      if (/^probe\/.*\/\d+$/.test(key)) races += 1
      return good.put(key, bytes, options)
    },
  }
  const prove = async (store: string, atMs: number) => {
    races = 0
    await proveObjects(counted, store, () => atMs)
    return races
  }
  const [dayMs, wholeMs] = [86_400_000, 1_000_000]
  const whole = await prove('a', wholeMs)
  assert.equal(await prove('a', wholeMs + 1), whole / 20)
  assert.equal(await prove('b', wholeMs + 2), whole, 'another server has proven nothing yet')
  assert.equal(await prove('b', wholeMs + 2 + dayMs), whole, 'a proof is too old after a day')
  assert.equal(await prove('b', 0), whole, 'a proof from the future proves nothing')
})

test('a proof does not help a store that has begun to ignore conditions', async t => {
  const good = await freshStore(t)
  await proveObjects(good, 'a', () => 0)
  const spoiled: Objects = { ...good, put: (key, bytes) => good.put(key, bytes) }
  await assert.rejects(
    proveObjects(spoiled, 'a', () => 1),
    { code: 'NEWSWIRE_OBJECTS_UNSAFE' },
  )
})
