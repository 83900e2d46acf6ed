import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createKafkaLog } from './kafka.ts'

/** A port that nobody listens on: one that was free a moment ago. */
const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

test('brokers that cannot be reached are named as what is wrong, within seconds', async () => {
  const port = await freePort()
  await assert.rejects(createKafkaLog({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }), {
    code: 'NEWSWIRE_LOG_UNAVAILABLE',
    message: /connecting to the brokers failed: .*are the brokers up and reachable\?/,
  })
})

test('an epoch that would make unsafe positions is refused before anything is connected', async () => {
  await assert.rejects(createKafkaLog({ brokers: ['127.0.0.1:1'], clientId: 'test', epoch: 512 }), /0 to 511/)
})
