/** HTTP/1.1 by hand over a real socket, for the tests of this service: what is sent is exactly what is written here. */
import { connect, type Socket } from 'node:net'

export type RawAnswer = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: Buffer }>

export type RawConnection = Readonly<{
  send(text: string): void
  /** The next answer, whole. Rejects when the connection ends before it, or after half a minute. `bodiless`: to a HEAD. */
  read(options?: { bodiless?: boolean }): Promise<RawAnswer>
  /** Resolves when the other side has closed. */
  closed: Promise<void>
  end(): void
  socket: Socket
}>

const DEADLINE_MS = 30_000

type Parsed = Readonly<{ answer: RawAnswer; rest: Buffer }>

/** The answer at the beginning of these bytes, or how many bytes it takes at least. */
const parse = (bytes: Buffer, bodiless: boolean): Parsed | number => {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return bytes.length + 1
  const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    if (headers[name] !== undefined) throw new Error(`${name} is there twice`)
    headers[name] = field.slice(colon + 1).trim()
  }
  const status = Number(line.split(' ')[1])
  const length = bodiless || status === 304 || status === 204 ? 0 : Number(headers['content-length'] ?? 0)
  if (bytes.length < end + 4 + length) return end + 4 + length
  return { answer: { status, headers, body: bytes.subarray(end + 4, end + 4 + length) }, rest: bytes.subarray(end + 4 + length) }
}

export const openRaw = (port: number): RawConnection => {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  let chunks: Buffer[] = []
  let length = 0
  let isOver = false
  let wake: () => void = () => undefined
  const over = () => {
    isOver = true
    wake()
  }
  socket.on('data', chunk => {
    chunks.push(chunk)
    length += chunk.length
    wake()
  })
  const closed = new Promise<void>(resolve => {
    const done = () => {
      over()
      resolve()
    }
    socket.once('end', done).once('close', done)
  })
  socket.on('error', over)
  return {
    socket,
    closed,
    send: text => void socket.write(text, 'latin1'),
    end: () => socket.destroy(),
    read: async ({ bodiless = false } = {}) => {
      const deadline = Date.now() + DEADLINE_MS
      let needed = 1
      for (;;) {
        if (length >= needed) {
          const received = Buffer.concat(chunks)
          const parsed = parse(received, bodiless)
          chunks = [typeof parsed === 'number' ? received : parsed.rest]
          length = chunks[0]?.length ?? 0
          if (typeof parsed !== 'number') return parsed.answer
          needed = parsed
        }
        const got = () => JSON.stringify(Buffer.concat(chunks).toString('latin1').slice(0, 200))
        if (isOver) throw new Error(`the connection ended after ${got()}`)
        if (Date.now() > deadline) throw new Error(`no whole answer, only ${got()}`)
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, 50)
        })
      }
    },
  }
}
