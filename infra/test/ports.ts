/** Ports for parts that must come back on the port they had. */
import { createServer } from 'node:net'

/** Below the range that the kernel takes for outgoing connections, so that none of them gets the port while its server is away. */
const FIRST = 20_000
const LAST = 28_999

/** Nobody listens there yet, and whoever asked may be slow to: no port is given twice. */
const given = new Set<number>()

const isFree = async (port: number): Promise<boolean> =>
  await new Promise(resolve => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

export const findFreePort = async (): Promise<number> => {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST} in 50 tries`)
}
