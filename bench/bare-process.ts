/**
 * What the same client does when nothing is decided, remembered or told, in a process of its own: `node bench/bare-process.ts <receivers' port> <outlets> <requests
 * at once> <bytes>`. Posts so many bodies of that size when its parent says a number, each signed anew, and says `posted`. Ends when its parent lets go of it.
 */
import { outletOf, SECRET } from '@newswire/outlets/samples'
import { sign, toKey, toSignedPost } from '@newswire/outlets/signing'
import { toWebhook } from '@newswire/outlets/webhook'
import { Agent } from 'undici'
import { article } from './outlets-world.ts'

const [port, outlets, atOnce, bytes] = process.argv.slice(2).map(Number) as [number, number, number, number]

/** A delivery as it goes out: the same bytes and headers, but for the agent's name. */
const delivery = (() => {
  const outlet = outletOf({ id: 'o0', url: 'http://127.0.0.1' })
  const document = { bytes: Buffer.alloc(bytes, 'a'), contentType: 'application/json', extension: 'json' }
  const parcel = { outlet, fact: article('press.bare'), due: 'content' as const, sequence: 1_000, settling: false }
  const post = toWebhook(parcel, { keys: [toKey(SECRET)], document, nowMs: Date.now() })
  const webhook = post && toSignedPost(post)
  if (webhook === null) throw new Error('the sample cannot be sent')
  return { body: document.bytes, headers: { 'user-agent': 'Newswire/0.1', ...webhook.headers } }
})()
const key = toKey(SECRET)
const agent = new Agent({ connections: atOnce })

const post = async (path: string, id: number): Promise<void> => {
  const signature = sign(key, String(id), 1_800_000_000, delivery.body)
  const { body } = await agent.request({
    origin: `http://127.0.0.1:${port}`,
    path,
    method: 'POST',
    headers: { ...delivery.headers, 'webhook-signature': signature },
    body: delivery.body,
  })
  await body.dump()
}

process.send?.('started')
process.on('message', async (requests: number) => {
  let left = requests
  const postAll = async (_: unknown, n: number) => {
    while (left-- > 0) await post(`/ok/${n % outlets}`, left)
  }
  await Promise.all(Array.from({ length: atOnce }, postAll))
  process.send?.('posted')
})
process.on('disconnect', () => process.exit(0))
