import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { createKafkaSockets } from './kafka-sockets.ts'

test('a connection to a broker sends at once what is written to it', () => {
  const told: unknown[] = []
  const plain = { setNoDelay: (isOn: unknown) => void told.push(isOn), once: () => undefined } as unknown as Socket
  const { factory } = createKafkaSockets(() => plain)
  assert.equal(factory({ host: 'broker', port: 9092, ssl: undefined as never, onConnect: () => undefined }), plain)
  assert.deepEqual(told, [true])
})
