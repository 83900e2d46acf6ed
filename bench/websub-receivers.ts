/**
 * All WebSub subscribers of `websub.ts` in one process of its own: whatever address of 127.0.0.0/8 is called, `/hang/…` reads and never answers,
 * everything else is taken, at once and unread. Tells its parent what was taken since it was asked last.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let taken: { path: string; at: number; bytes: number; article: string }[] = []

const server = createServer((request, response) => {
  let bytes = 0
  request.on('data', chunk => {
    bytes += (chunk as Buffer).length
  })
  request.on('end', () => {
    const path = request.url ?? ''
    const at = performance.timeOrigin + performance.now()
    taken.push({ path, at, bytes, article: String(request.headers['x-newswire-article'] ?? '') })
    if (!path.startsWith('/hang/')) response.writeHead(204).end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '0.0.0.0', 4_096, () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => {
  process.send?.({ taken })
  taken = []
})
