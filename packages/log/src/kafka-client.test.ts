import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { unpack } from './kafka-client.ts'

const MIB = 1_048_576

test('a batch unpacks to what was packed, also a small one that is large inside', async () => {
  for (const plain of [Buffer.from('Tin số 1'), Buffer.alloc(3 * MIB, 'a')]) assert.deepEqual(await unpack(zstdCompressSync(plain)), plain)
})

test('a batch that unpacks to more than any batch may hold is refused, however small it comes', async () => {
  await assert.rejects(unpack(zstdCompressSync(Buffer.alloc(65 * MIB))), { code: 'ERR_BUFFER_TOO_LARGE' })
})

test('a batch that is no zstd is refused', async () => {
  await assert.rejects(unpack(Buffer.from('not packed at all')))
})
