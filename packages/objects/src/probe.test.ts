import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from './disk.ts'
import type { Objects } from './objects.ts'
import { probeObjects } from './probe.ts'

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
