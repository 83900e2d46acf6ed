import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UnavailableError } from '@newswire/events/errors'
import { unpack } from './packed.ts'

const textOf = async (bytes: Uint8Array) => Buffer.from(await unpack('feeds/a/rss.xml', bytes)).toString()

test('what was packed is unpacked, and what was not is as it is', async () => {
  for (const text of ['Bến đò', 'Bến đò '.repeat(100_000), 'Bến đò '.repeat(1_000_000)]) assert.equal(await textOf(gzipSync(text)), text)
  for (const plain of ['', '<rss/>', '{"a":1}', '\u001f']) assert.equal(await textOf(Buffer.from(plain)), plain)
})

test('a damaged body is told with its key and is nobody’s bytes', async () => {
  const whole = gzipSync('Bến đò'.repeat(100))
  const wrongSum = Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8)])
  for (const damaged of [whole.subarray(0, 3), whole.subarray(0, -1), wrongSum])
    await assert.rejects(
      () => textOf(damaged),
      error => error instanceof UnavailableError && error.code === 'NEWSWIRE_OBJECTS_DAMAGED' && /feeds\/a\/rss\.xml/.test(error.message),
    )
})

test('a body that lies about its length is refused', async () => {
  for (const said of [0, 1, 2 ** 32 - 1]) {
    const lying = Buffer.from(gzipSync('Bến đò'.repeat(10_000)))
    lying.writeUInt32LE(said, lying.length - 4)
    await assert.rejects(() => textOf(lying), UnavailableError)
  }
})

test('a small body that unpacks to more than 256 MiB is refused before it is all in memory', async () => {
  await assert.rejects(() => textOf(gzipSync(Buffer.alloc(257 * 1_048_576))), UnavailableError)
})
