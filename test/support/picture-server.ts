/** A server of pictures on loopback that keeps requests waiting until the test lets them go. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type PictureServer = Readonly<{
  url(name: string): string
  /** Requests that have come, by name. */
  asked(): readonly string[]
  /** Answers those that wait, and all later ones at once. */
  letGo(): void
  close(): Promise<void>
}>

/** Every name gives the same picture; they wait until `letGo`. */
export const startPictureServer = async (picture: Buffer, type: 'image/png' | 'image/jpeg'): Promise<PictureServer> => {
  const asked: string[] = []
  const waiting = new Set<ServerResponse>()
  let isOpen = false
  const answer = (response: ServerResponse) => response.writeHead(200, { 'content-type': type }).end(picture)
  const server = createServer((request, response) => {
    asked.push((request.url ?? '').slice(1))
    if (isOpen) return answer(response)
    return waiting.add(response.once('close', () => waiting.delete(response)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: name => `http://127.0.0.1:${port}/${name}`,
    asked: () => asked,
    letGo: () => {
      isOpen = true
      for (const response of waiting) answer(response)
    },
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
