import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'
import { salvage } from './salvage.ts'

const MIB = 1_048_576
const content = Buffer.from('{"text":"Đã ký"}')
const entries = [{ article: 'press.a', key: 'press.a/1', sha256: sha256Hex(content), bytes: content.byteLength }]
const member = (...parts: readonly Uint8Array[]) => gzipSync(Buffer.concat([content, Buffer.from('\n'), ...parts]))

test('a member that unpacks to more than its part lists is not unpacked, and the one behind it is read', () => {
  const bomb = member(Buffer.alloc(64 * MIB))
  assert.deepEqual(salvage(bomb, entries), { entries: [], contents: new Map(), isWhole: false })
  const found = salvage(Buffer.concat([bomb, member()]), entries)
  assert.deepEqual(
    [...found.contents].map(([key, bytes]) => [key, Buffer.from(bytes)]),
    [['press.a/1', content]],
  )
  assert.equal(found.isWhole, false)
})

test('a member that is just what its part lists is read whole', () => {
  const { contents, isWhole } = salvage(member(), entries)
  assert.deepEqual([[...contents.keys()], isWhole], [['press.a/1'], true])
})
