import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionOf } from './partition.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** The first six are the vectors of Kafka's own `UtilsTest`; the others were computed by kafkajs's Java-compatible partitioner. */
const vectors: ReadonlyArray<readonly [key: string, hash: number, of12: number, of24: number]> = [
  ['21', -973932308, 0, 12],
  ['foobar', -790332482, 6, 6],
  ['a-little-bit-long-string', -985981536, 8, 8],
  ['a-little-bit-longer-string', -1486304829, 11, 11],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, 5, 5],
  ['abc', 479470107, 3, 3],
  ['', 275646681, 9, 9],
  ['demo.2026-11-24', 246531583, 7, 7],
  ['tin-tức/Hà Nội', -1055258218, 10, 22],
  ['新聞', -1553657296, 4, 16],
  ['🗞️', 1007721131, 11, 11],
]

for (const [key, hash, of12, of24] of vectors)
  test(`the key ${JSON.stringify(key)} is hashed and placed as Kafka's own clients do`, () => {
    assert.equal(murmur2(utf8(key)), hash)
    assert.equal(partitionOf(key, 12), of12)
    assert.equal(partitionOf(key, 24), of24)
    assert.equal(partitionOf(key, 1), 0)
  })

test('bytes in the middle of a larger buffer are hashed alone', () => {
  assert.equal(murmur2(utf8('xxfoobaryy').subarray(2, 8)), -790332482)
})

test('every partition is in range and all of them are used', () => {
  const seen = new Set(Array.from({ length: 2000 }, (_, i) => partitionOf(`demo.article-${i}`, 24)))
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    Array.from({ length: 24 }, (_, i) => i),
  )
})

test('a topic without partitions is refused by name', () => {
  assert.throws(() => partitionOf('a', 0), /1 partition or more, got 0/)
  assert.throws(() => partitionOf('a', Number.NaN), /got NaN/)
})
