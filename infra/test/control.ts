/**
 * A way for fault tests to take the broker or the store away: an HTTP server on loopback in the runner, which owns the parts.
 * `POST /kafka/stop|kill|start`, `POST /s3/stop|kill|start`: 204 when it is done, 404 when there is no such part, 409 when it is not ours.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf } from './message.ts'
import type { Part, PartName } from './parts.ts'

export type Control = Readonly<{
  url: string
  /** Brings back what tests have taken away and not brought back. */
  restore(): Promise<void>
  close(): Promise<void>
}>

type Answer = Readonly<{ status: number; message?: string }>
const ADDRESS = /^\/(kafka|s3)\/(stop|kill|start)$/

export const startControl = async (parts: ReadonlyMap<PartName, Part>): Promise<Control> => {
  const away = new Set<PartName>()
  let last: Promise<unknown> = Promise.resolve()

  const act = async (name: PartName, verb: 'stop' | 'kill' | 'start'): Promise<Answer> => {
    const part = parts.get(name)
    if (part === undefined) return { status: 404, message: `there is no ${name} in this run` }
    if (part.faults === null) return { status: 409, message: `${name} was given by the environment and is not ours to stop` }
    if (verb !== 'start') away.add(name)
    await part.faults[verb]()
    if (verb === 'start') away.delete(name)
    return { status: 204 }
  }
  /** One at a time, in the order they were asked for. */
  const inTurn = async (work: () => Promise<Answer>): Promise<Answer> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return await turn
  }

  const server = createServer(async (request, response) => {
    request.resume()
    const asked = request.method === 'POST' ? ADDRESS.exec(request.url ?? '') : null
    const [, name, verb] = asked ?? []
    const answer = asked
      ? await inTurn(async () => await act(name as PartName, verb as 'stop' | 'kill' | 'start')).catch((error: unknown) => ({
          status: 500,
          message: messageOf(error),
        }))
      : { status: 404, message: 'ask with POST /kafka/stop|kill|start or /s3/stop|kill|start' }
    response.writeHead(answer.status, { 'content-type': 'text/plain' }).end(answer.message)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    restore: async () => {
      for (const name of [...away]) await inTurn(async () => await act(name, 'start'))
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
