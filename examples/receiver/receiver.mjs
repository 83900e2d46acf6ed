// A partner's receiver: checks the signature, then keeps the newest version of each article. Needs Node 20 and nothing else.
// PARTNER_SECRET=whsec_… PORT=9000 node receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const secret = process.env.PARTNER_SECRET ?? ''
const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
const held = new Map() // article id → place; a real receiver keeps this in the same transaction as the article

const isGenuine = (headers, body) => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers
  if (key.length === 0 || !/^\d{10}$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const given = signatures.split(' ').map(one => Buffer.from(one.replace(/^v1,/, ''), 'base64'))
  return given.some(one => one.length === expected.length && timingSafeEqual(one, expected))
}

const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end()
  const { type, data } = JSON.parse(body)
  if (data?.article === undefined) return response.writeHead(204).end() // a test (`newswire.test`), or what is newer than this receiver
  const { id, version } = data.article
  const isTakenBack = type === 'article.retracted'
  const place = 2 * version + (isTakenBack ? 1 : 0) // what you alone may no longer have is taken back under the version that you hold
  if (place > (held.get(id) ?? 0)) {
    held.set(id, place)
    console.log(isTakenBack ? `take down ${id} v${version}` : `show ${id} v${version}`)
  } else console.log(`ignore ${id} v${version}`)
  response.writeHead(204).end() // also for what is ignored: it has arrived
})
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
